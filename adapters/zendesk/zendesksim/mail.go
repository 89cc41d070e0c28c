package zendesksim

import (
	"bytes"
	"context"
	"encoding/json"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Trouble is what becomes of webhooks on their way.
type Trouble struct {
	// Lose sends none, Twice each twice.
	Lose  bool `json:"lose"`
	Twice bool `json:"twice"`
	// Shuffle sends what gathers within the time in any order.
	Shuffle time.Duration `json:"shuffle"`
	// Delay is how late each is sent.
	Delay time.Duration `json:"delay"`
}

const (
	// webhookTimeout is how long Zendesk waits for an answer, tries how often it asks.
	webhookTimeout = 20 * time.Second
	tries          = 5
	// together is how long events gather for one request.
	together = 5 * time.Millisecond
)

// hook is one webhook of an integration.
type hook struct {
	id, target, secret string
	triggers           []string
}

// letter is one event on its way to one webhook.
type letter struct {
	hook  hook
	event map[string]any
}

// mail are the webhooks on their way.
type mail struct {
	mu      sync.Mutex
	trouble Trouble
	backoff time.Duration
	waiting chan letter
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup
	sent    int
	client  http.Client
}

func (h *mail) begin(backoff time.Duration) {
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.backoff = backoff
	if backoff == 0 {
		h.backoff = time.Second
	}
	h.waiting, h.client.Timeout = make(chan letter, 100_000), webhookTimeout
	h.done.Add(1)
	go h.run()
}

func (h *mail) close() {
	h.stop()
	h.done.Wait()
	h.client.CloseIdleConnections()
}

func (h *mail) now() Trouble {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble
}

// Trouble sets what becomes of the webhooks to come.
func (s *Server) Trouble(t Trouble) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	s.mail.trouble = t
}

// Told is how many requests webhooks have made, each try counted.
func (s *Server) Told() int {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	return s.mail.sent
}

// tell puts an event on its way to every webhook that wants it. An integration of the
// switchboard that has no control hears only with deliverStandbyEvents.
// components/schemas/webhooks/eventSubSchema.yaml.
func (s *Server) tell(kind string, c *Conversation, payload map[string]any) {
	event := map[string]any{"id": s.newID(), "type": kind, "createdAt": time.Now().UTC().Format(time.RFC3339Nano), "payload": payload}
	if c != nil {
		payload["conversation"] = s.brief(c)
	}
	for _, of := range s.customs {
		i := slices.IndexFunc(s.members, func(m *member) bool { return m.integration == of.id })
		if c != nil && i >= 0 && !s.members[i].standby && c.Active != s.members[i].name {
			continue
		}
		for _, h := range of.hooks {
			if slices.Contains(h.triggers, kind) || slices.Contains(h.triggers, "*") {
				s.mail.post(letter{*h, event})
			}
		}
	}
}

// post writes an event down as it is now.
func (h *mail) post(l letter) {
	data, err := json.Marshal(l.event)
	if err != nil || h.now().Lose {
		return
	}
	l.event = nil
	_ = json.Unmarshal(data, &l.event)
	select {
	case h.waiting <- l:
	default:
	}
}

// run sends what has gathered, several events of a webhook in one request.
// components/schemas/webhooks/webhookEvent.yaml.
func (h *mail) run() {
	defer h.done.Done()
	for {
		var batch []letter
		select {
		case <-h.ctx.Done():
			return
		case l := <-h.waiting:
			batch = append(batch, l)
		}
		t := h.now()
		if !h.pause(max(together, t.Shuffle)) {
			return
		}
		batch = h.rest(batch)
		if t.Shuffle > 0 {
			mathrand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		}
		if !h.pause(t.Delay) {
			return
		}
		h.deliver(batch)
		if t.Twice {
			h.deliver(batch)
		}
	}
}

func (h *mail) rest(batch []letter) []letter {
	for {
		select {
		case l := <-h.waiting:
			batch = append(batch, l)
		default:
			return batch
		}
	}
}

func (h *mail) pause(d time.Duration) bool {
	select {
	case <-h.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// deliver sends events to their webhooks, each webhook's in one request, and what failed
// again later, while others go on.
func (h *mail) deliver(batch []letter) {
	for len(batch) > 0 {
		to := batch[0].hook
		var events []map[string]any
		batch = slices.DeleteFunc(slices.Clone(batch), func(l letter) bool {
			mine := l.hook.id == to.id
			if mine {
				events = append(events, l.event)
			}
			return mine
		})
		data, err := json.Marshal(map[string]any{"app": map[string]any{"id": "app"}, "webhook": map[string]any{"id": to.id, "version": "v2"}, "events": events})
		if err != nil || h.send(to, data) {
			continue
		}
		h.done.Add(1)
		go func() {
			defer h.done.Done()
			for n, wait := 1, h.backoff; n < tries && h.pause(wait) && !h.send(to, data); n++ {
				wait *= 2
			}
		}()
	}
}

// send posts a request with the webhook's secret; true says that it is not to be tried
// again: it was taken, or its answer is final. The wire facts name 400, 401, 403, 404, 406.
func (h *mail) send(to hook, data []byte) bool {
	req, err := http.NewRequestWithContext(h.ctx, http.MethodPost, to.target, bytes.NewReader(data))
	if err != nil || !strings.HasPrefix(to.target, "http") {
		return true
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-API-Key", to.secret)
	h.mu.Lock()
	h.sent++
	h.mu.Unlock()
	resp, err := h.client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode < 300 || slices.Contains([]int{400, 401, 403, 404, 406}, resp.StatusCode)
}
