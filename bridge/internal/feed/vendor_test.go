package feed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/egress"
	"github.com/footbridge/footbridge/bridge/internal/feed"
)

const token = "xt0ken"

// vendor gives an address to who shows the token, and speaks on the connection there.
type vendor struct {
	t *testing.T
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter) // in place of an address
	asked  int
	lines  []*websocket.Conn
	open   int      // of the lines
	acks   []string // as they came
}

func newVendor(t *testing.T) *vendor {
	v := &vendor{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /open", v.give)
	mux.HandleFunc("GET /line", v.speak)
	v.Server = httptest.NewServer(mux)
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) host() string { return strings.TrimPrefix(v.URL, "http://") }

func (v *vendor) give(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	switch {
	case v.answer != nil:
		v.answer(w)
	case r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
	default:
		fmt.Fprintf(w, `{"ok":true,"url":"ws://%s/line?ticket=s3cret"}`, v.host())
	}
}

func (v *vendor) speak(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("ticket") != "s3cret" || r.Header.Get("Authorization") != "" {
		v.t.Errorf("the line is opened with %s %v", r.URL, r.Header)
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	v.mu.Lock()
	v.lines = append(v.lines, c)
	v.open++
	v.mu.Unlock()
	v.write(c, `{"type":"hello"}`)
	for {
		_, data, err := c.Read(context.Background())
		v.mu.Lock()
		if err != nil {
			v.open--
			v.mu.Unlock()
			return
		}
		v.acks = append(v.acks, string(data))
		v.mu.Unlock()
	}
}

func (v *vendor) write(c *websocket.Conn, text string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = c.Write(ctx, websocket.MessageText, []byte(text))
}

// line is the n-th connection there was, from 0.
func (v *vendor) line(n int) *websocket.Conn {
	v.t.Helper()
	v.t.Logf("want line %d", n)
	eventually(v.t, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.lines) > n
	})
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lines[n]
}

func (v *vendor) standing() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open
}

// say sends a frame that has to be acknowledged.
func (v *vendor) say(line int, id, kind, payload string) {
	v.t.Helper()
	v.write(v.line(line), fmt.Sprintf(`{"envelope_id":%q,"type":%q,"payload":%s}`, id, kind, payload))
}

func (v *vendor) acknowledged() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.acks)
}

// heard waits until so many acknowledgements came, and gives them.
func (v *vendor) heard(n int) []string {
	v.t.Helper()
	eventually(v.t, func() bool { return len(v.acknowledged()) >= n })
	return v.acknowledged()
}

func ack(id string) string { return fmt.Sprintf(`{"envelope_id":%q}`, id) }

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it did not come about")
		}
	}
}

// book is an intake that stores when it is let.
type book struct {
	mu     sync.Mutex
	read   []string
	stored []string
	held   map[string]chan bool // by key: whether it is stored
	gaveUp []time.Time
}

func (b *book) Heard(account, endpoint string, body []byte) feed.Heard {
	var in struct{ Key, Text string }
	_ = json.Unmarshal(body, &in)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = append(b.read, in.Text)
	if endpoint == "gone" {
		return nil
	}
	return &page{book: b, key: in.Key, what: account + " " + endpoint + " " + in.Key + " " + in.Text + string(body[:min(len(body), 4)])}
}

func (b *book) hold(key string) chan bool {
	ch := make(chan bool)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		b.held = map[string]chan bool{}
	}
	b.held[key] = ch
	return ch
}

func (b *book) all() (read, stored []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.read), slices.Clone(b.stored)
}

// page is one frame.
type page struct {
	book      *book
	key, what string
}

func (p *page) Keys() []string { return []string{p.key} }

func (p *page) Store(ctx context.Context) bool {
	p.book.mu.Lock()
	gate := p.book.held[p.key]
	p.book.mu.Unlock()
	if gate != nil {
		select {
		case ok := <-gate:
			if !ok {
				return false
			}
		case <-ctx.Done():
			p.book.mu.Lock()
			defer p.book.mu.Unlock()
			p.book.gaveUp = append(p.book.gaveUp, time.Now())
			return false
		}
	}
	p.book.mu.Lock()
	defer p.book.mu.Unlock()
	p.book.stored = append(p.book.stored, p.what)
	return true
}

// listening is the feeds of one account over the real way out.
type listening struct {
	*feed.Feeds
	book    *book
	egress  *egress.Egress
	stop    context.CancelFunc
	ended   chan struct{}
	mu      sync.Mutex
	log     bytes.Buffer
	reached []string
	counted []string
}

func (l *listening) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

func (l *listening) note(list *[]string, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, text)
}

func (l *listening) notes() (log string, reached, counted []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.String(), slices.Clone(l.reached), slices.Clone(l.counted)
}

// account listens to the vendor.
func account(v *vendor, secret string) feed.Account {
	return feed.Account{Name: "desk", Hosts: []string{v.host()}, Secrets: map[string]credential.Secret{"app": credential.NewSecret(secret)},
		Feeds: []adapter.Feed{{Name: "socket", URL: v.URL + "/open", Address: "/url", Credential: "app", Prefix: "Bearer ", Kind: "/type",
			Endpoints: map[string]string{"event": "events", "press": "actions", "old": "gone"}, Body: "/payload", Ack: "envelope_id", Ends: []string{"disconnect"}}}}
}

func listen(t *testing.T, accounts ...feed.Account) *listening {
	t.Helper()
	breakers, err := breaker.NewSet(breaker.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &listening{book: &book{}, ended: make(chan struct{})}
	placeholders := credential.NewPlaceholders([]byte("key"))
	logger := slog.New(slog.NewTextHandler(io.Writer(l), &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.egress = egress.New(egress.Options{Breakers: breakers, Placeholders: placeholders, Logger: logger})
	l.Feeds = feed.New(feed.Options{Intake: l.book, Out: l.egress, Placeholder: placeholders.Token, Logger: logger,
		Reached: func(account string) { l.note(&l.reached, account) }, Reopened: func(account, feed string) { l.note(&l.counted, account+" reopened "+feed) },
		Refused: func(account, reason string) { l.note(&l.counted, account+" refused "+reason) }})
	l.configure(accounts...)
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	go func() {
		defer close(l.ended)
		l.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-l.ended
		l.egress.Close()
		breakers.Close()
	})
	return l
}

func (l *listening) configure(accounts ...feed.Account) {
	ways := map[string]egress.Account{}
	for _, a := range accounts {
		ways[a.Name] = egress.Account{Hosts: a.Hosts, Named: a.Hosts, Secrets: a.Secrets}
	}
	l.egress.Configure(ways)
	l.Configure(accounts)
}

// state is how the one feed stands.
func (l *listening) state() feed.State {
	all := l.States()
	if len(all) != 1 {
		return feed.State{}
	}
	return all[0]
}
