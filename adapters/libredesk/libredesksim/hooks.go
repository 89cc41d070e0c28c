package libredesksim

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
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

// notice is what one webhook is told. It is sent once and never again by itself
// (internal/webhook: one attempt, then a log line).
type notice struct {
	to   Webhook
	body []byte
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

// Delivered are the statuses webhooks were answered with, 0 for no answer, and how many
// were lost.
func (s *Server) Delivered() (statuses []int, lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.attempts), s.lost
}

// tell puts an event on its way to the webhooks that want it.
func (s *Server) tell(event string, payload any) {
	body, err := json.Marshal(map[string]any{"event": event, "timestamp": s.now().Format(time.RFC3339Nano), "payload": payload})
	if err != nil {
		s.problem("write a webhook: %v", err)
		return
	}
	for _, w := range s.webhooks {
		if w.IsActive && slices.Contains(w.Events, event) && s.Put(notice{*w, body}) {
			s.lost++
		}
	}
}

func (s *Server) deliver(batch []notice, t simvendor.Trouble) {
	for _, n := range batch {
		for range t.Times() {
			s.send(n)
		}
	}
}

// send makes an attempt.
func (s *Server) send(n notice) {
	header := http.Header{"Content-Type": {"application/json"}}
	if n.to.Secret != "" {
		header.Set("X-Libredesk-Signature", "sha256="+simvendor.Sign(n.to.Secret, string(n.body)))
	}
	status := 0
	if resp, err := s.Post.Tell(n.to.URL, n.body, header); err == nil {
		status = resp.StatusCode
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts = append(s.attempts, status)
}
