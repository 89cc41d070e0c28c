package chatwootsim

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// webhookTimeout is how long Chatwoot waits for an answer. lib/webhooks/trigger.rb.
const webhookTimeout = 5 * time.Second

// Tells says where webhooks go from now on.
func (s *Server) Tells(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.WebhookURL = url
}

// Serves says where the Server itself is, for the addresses of files.
func (s *Server) Serves(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = base
}

// tell puts a webhook on its way; Chatwoot's own queue promises neither order nor
// arrival. app/listeners/webhook_listener.rb.
func (s *Server) tell(event string, body map[string]any) {
	body["event"] = event
	if data, err := json.Marshal(body); err == nil && s.options.WebhookURL != "" {
		s.Put(data)
	}
}

func (s *Server) deliver(batch [][]byte, t simvendor.Trouble) {
	for _, data := range batch {
		for range t.Times() {
			s.send(data)
		}
	}
}

// send posts a webhook, signed over its time and body, with an id of its own. Whatever
// is answered, it is not sent again. lib/webhooks/trigger.rb.
func (s *Server) send(data []byte) {
	s.mu.Lock()
	address := s.options.WebhookURL
	s.mu.Unlock()
	header := http.Header{"Content-Type": {"application/json"}}
	if s.options.Secret != "" {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		header.Set("X-Chatwoot-Timestamp", at)
		header.Set("X-Chatwoot-Signature", "sha256="+simvendor.Sign(s.options.Secret, at, ".", string(data)))
		header.Set("X-Chatwoot-Delivery", rand.Text())
	}
	_, _ = s.Post.Tell(address, data, header)
}
