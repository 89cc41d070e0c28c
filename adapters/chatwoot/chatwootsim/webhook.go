package chatwootsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Trouble is what becomes of webhooks on their way; Chatwoot's own queue promises
// neither order nor arrival.
type Trouble struct {
	// Lose sends none, Twice each twice.
	Lose  bool `json:"lose"`
	Twice bool `json:"twice"`
	// Shuffle sends what gathers within the time in any order.
	Shuffle time.Duration `json:"shuffle"`
	// Delay is how late each is sent.
	Delay time.Duration `json:"delay"`
}

// webhookTimeout is how long Chatwoot waits for an answer. lib/webhooks/trigger.rb.
const webhookTimeout = 5 * time.Second

// hooks are the webhooks on their way.
type hooks struct {
	mu      sync.Mutex
	url     string
	secret  string
	base    string
	trouble Trouble
	waiting chan []byte
	stop    context.CancelFunc
	done    sync.WaitGroup
	sent    int
	client  http.Client
}

func (h *hooks) begin(o Options) {
	ctx, stop := context.WithCancel(context.Background())
	h.url, h.secret, h.stop = o.WebhookURL, o.Secret, stop
	h.waiting, h.client.Timeout = make(chan []byte, 100_000), webhookTimeout
	h.done.Add(1)
	go h.run(ctx)
}

func (h *hooks) close() {
	h.stop()
	h.done.Wait()
	h.client.CloseIdleConnections()
}

func (h *hooks) now() (Trouble, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble, h.url
}

// Trouble sets what becomes of the webhooks to come.
func (s *Server) Trouble(t Trouble) {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	s.hooks.trouble = t
}

// Tells says where webhooks go from now on.
func (s *Server) Tells(url string) { s.hooks.move(url) }

// Told is how many webhooks were sent.
func (s *Server) Told() int {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	return s.hooks.sent
}

// Serves says where the Server itself is, for the addresses of files.
func (s *Server) Serves(base string) {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	s.hooks.base = base
}

func (h *hooks) own() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.base
}

func (h *hooks) address() string {
	_, address := h.now()
	return address
}

func (h *hooks) move(address string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.url = address
}

// tell puts a webhook on its way. app/listeners/webhook_listener.rb.
func (s *Server) tell(event string, body map[string]any) {
	body["event"] = event
	data, err := json.Marshal(body)
	t, address := s.hooks.now()
	if err != nil || t.Lose || address == "" {
		return
	}
	select {
	case s.hooks.waiting <- data:
	default:
	}
}

// run sends webhooks, each once.
func (h *hooks) run(ctx context.Context) {
	defer h.done.Done()
	for {
		var batch [][]byte
		select {
		case <-ctx.Done():
			return
		case data := <-h.waiting:
			batch = append(batch, data)
		}
		t, _ := h.now()
		if t.Shuffle > 0 {
			batch = h.gather(ctx, batch, t.Shuffle)
		}
		if !pause(ctx, t.Delay) {
			return
		}
		for _, data := range batch {
			h.send(ctx, data)
			if t.Twice {
				h.send(ctx, data)
			}
		}
	}
}

// gather waits for more and puts all in another order.
func (h *hooks) gather(ctx context.Context, batch [][]byte, d time.Duration) [][]byte {
	pause(ctx, d)
	for {
		select {
		case data := <-h.waiting:
			batch = append(batch, data)
			continue
		default:
		}
		mathrand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		return batch
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// send posts a webhook, signed over its time and body, with an id of its own. Whatever
// is answered, it is not sent again. lib/webhooks/trigger.rb.
func (h *hooks) send(ctx context.Context, data []byte) {
	_, address := h.now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(data))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	if h.secret != "" {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		sum := hmac.New(sha256.New, []byte(h.secret))
		sum.Write([]byte(at + "."))
		sum.Write(data)
		req.Header.Set("X-Chatwoot-Timestamp", at)
		req.Header.Set("X-Chatwoot-Signature", "sha256="+hex.EncodeToString(sum.Sum(nil)))
		req.Header.Set("X-Chatwoot-Delivery", rand.Text())
	}
	h.mu.Lock()
	h.sent++
	h.mu.Unlock()
	if resp, err := h.client.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}
