package libredesksim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// Webhook is one webhook (webhook/models.Webhook).
type Webhook struct {
	ID       int      `json:"id"`
	Name     string   `json:"name"`
	URL      string   `json:"url"`
	Events   []string `json:"events"`
	Secret   string   `json:"secret"`
	IsActive bool     `json:"is_active"`
}

// Trouble is what becomes of webhooks on their way. None is ever sent again by itself
// (internal/webhook: one attempt, then a log line).
type Trouble struct {
	// Lose loses all, Double sends each twice, Delay is how long each is on its way,
	// and Shuffle makes that as long again at most, each its own.
	Lose, Double bool
	Delay        time.Duration
	Shuffle      bool
}

// delivery is what is on its way.
type delivery struct {
	trouble  Trouble
	attempts []int // the statuses of what was sent, 0 for none
	lost     int
	// last is closed when the newest that keeps its place has arrived.
	last chan struct{}
}

// AddWebhook makes a webhook, as an administrator at Admin, Webhooks does.
func (s *Server) AddWebhook(url, secret string, events ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhooks = append(s.webhooks, &Webhook{ID: s.number(), Name: "Footbridge", URL: url, Secret: secret, Events: events, IsActive: true})
}

// Webhooks are copies of all there are.
func (s *Server) Webhooks() []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Webhook
	for _, w := range s.webhooks {
		list = append(list, *w)
	}
	return list
}

// Trouble changes what becomes of webhooks from now on.
func (s *Server) Trouble(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delivery.trouble = t
}

// Delivered are the statuses webhooks were answered with, 0 for no answer, and how many
// were lost.
func (s *Server) Delivered() (statuses []int, lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.delivery.attempts), s.delivery.lost
}

// tell puts an event on its way to the webhooks that want it.
func (s *Server) tell(event string, payload any) {
	body, err := json.Marshal(map[string]any{"event": event, "timestamp": s.now().Format(time.RFC3339Nano), "payload": payload})
	if err != nil {
		s.problem("write a webhook: %v", err)
		return
	}
	t := s.delivery.trouble
	for _, w := range s.webhooks {
		switch {
		case !w.IsActive || !slices.Contains(w.Events, event):
		case t.Lose:
			s.delivery.lost++
		default:
			times := 1
			if t.Double {
				times = 2
			}
			for range times {
				s.send(*w, body)
			}
		}
	}
}

// send puts one on its way: after the one before it, or where they are shuffled whenever
// it gets there.
func (s *Server) send(w Webhook, body []byte) {
	wait := s.delivery.trouble.Delay
	if s.delivery.trouble.Shuffle {
		go s.post(w, body, wait+rand.N(wait+time.Millisecond))
		return
	}
	before, done := s.delivery.last, make(chan struct{})
	s.delivery.last = done
	go func() {
		defer close(done)
		if before != nil {
			<-before
		}
		s.post(w, body, wait)
	}()
}

// post makes the one attempt a webhook is given.
func (s *Server) post(w Webhook, body []byte, wait time.Duration) {
	time.Sleep(wait)
	status := 0
	req, err := http.NewRequest(http.MethodPost, w.URL, bytes.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
		if w.Secret != "" {
			mac := hmac.New(sha256.New, []byte(w.Secret))
			mac.Write(body)
			req.Header.Set("X-Libredesk-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		}
		client := http.Client{Timeout: 5 * time.Second}
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
			status = resp.StatusCode
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delivery.attempts = append(s.delivery.attempts, status)
}
