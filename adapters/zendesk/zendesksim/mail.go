package zendesksim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

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

// letter is one event on its way to one webhook, as it was.
type letter struct {
	hook  hook
	event json.RawMessage
}

// tell puts an event on its way to every webhook that wants it. An integration of the
// switchboard that has no control hears only with deliverStandbyEvents.
// components/schemas/webhooks/eventSubSchema.yaml.
func (s *Server) tell(kind string, c *Conversation, payload map[string]any) {
	if c != nil {
		payload["conversation"] = s.brief(c)
	}
	event, err := json.Marshal(map[string]any{"id": s.newID(), "type": kind, "createdAt": time.Now().UTC().Format(time.RFC3339Nano), "payload": payload})
	if err != nil {
		return
	}
	for _, of := range s.customs {
		i := slices.IndexFunc(s.members, func(m *member) bool { return m.integration == of.id })
		if c != nil && i >= 0 && !s.members[i].standby && c.Active != s.members[i].name {
			continue
		}
		for _, h := range of.hooks {
			if slices.Contains(h.triggers, kind) || slices.Contains(h.triggers, "*") {
				s.Put(letter{*h, event})
			}
		}
	}
}

// deliver sends what has gathered, several events of a webhook in one request.
// components/schemas/webhooks/webhookEvent.yaml.
func (s *Server) deliver(batch []letter, t simvendor.Trouble) {
	for range t.Times() {
		s.requests(batch)
	}
}

// requests sends events to their webhooks, each webhook's in one request, and what failed
// again later, while others go on.
func (s *Server) requests(batch []letter) {
	for len(batch) > 0 {
		to := batch[0].hook
		var events []json.RawMessage
		batch = slices.DeleteFunc(slices.Clone(batch), func(l letter) bool {
			mine := l.hook.id == to.id
			if mine {
				events = append(events, l.event)
			}
			return mine
		})
		data, err := json.Marshal(map[string]any{"app": map[string]any{"id": "app"}, "webhook": map[string]any{"id": to.id, "version": "v2"}, "events": events})
		if err == nil && !s.send(to, data) {
			s.Again(s.waits(), func() bool { return s.send(to, data) })
		}
	}
}

// waits are those before each try but the first.
func (s *Server) waits() (all []time.Duration) {
	for n := range tries - 1 {
		all = append(all, cmp.Or(s.options.Backoff, time.Second)<<n)
	}
	return all
}

// send posts a request with the webhook's secret; true says that it is not to be tried
// again: it was taken, or its answer is final. The wire facts name 400, 401, 403, 404, 406.
func (s *Server) send(to hook, data []byte) bool {
	if !strings.HasPrefix(to.target, "http") {
		return true
	}
	resp, err := s.Post.Tell(to.target, data, http.Header{"Content-Type": {"application/json"}, "X-Api-Key": {to.secret}})
	return err == nil && (resp.StatusCode < 300 || slices.Contains([]int{400, 401, 403, 404, 406}, resp.StatusCode))
}
