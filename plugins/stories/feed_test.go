package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/bridge/event"
)

// The secrets of a vendor that is listened to: the account's, and the one in the
// address it is given.
const (
	appToken = "okapi-app-token"
	ticket   = "okapi-ticket"
)

// speaker is a vendor that is listened to: it says every frame again on every line
// until it is acknowledged.
type speaker struct {
	*httptest.Server
	mu      sync.Mutex
	frames  []string // by the number they are acknowledged with
	said    []int
	acked   map[int]int
	lines   map[*websocket.Conn]bool
	refuses bool
}

func newSpeaker(t *testing.T) *speaker {
	s := &speaker{acked: map[int]int{}, lines: map[*websocket.Conn]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /open", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.refuses || r.Header.Get("Authorization") != "Bearer "+appToken {
			fmt.Fprint(w, `{"ok":false,"error":"invalid_auth"}`)
			return
		}
		fmt.Fprintf(w, `{"ok":true,"url":"ws%s/line?ticket=%s"}`, strings.TrimPrefix(s.URL, "http"), ticket)
	})
	mux.HandleFunc("GET /line", s.line)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *speaker) line(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil || r.URL.Query().Get("ticket") != ticket {
		return
	}
	defer func() { _ = c.CloseNow() }()
	s.mu.Lock()
	s.lines[c] = true
	_ = c.Write(context.Background(), websocket.MessageText, []byte(`{"type":"hello"}`))
	for n := range s.frames {
		s.write(c, n)
	}
	s.mu.Unlock()
	for {
		_, data, err := c.Read(context.Background())
		var ack struct{ Envelope int }
		if err == nil {
			err = json.Unmarshal(data, &ack)
		}
		s.mu.Lock()
		if err != nil {
			delete(s.lines, c)
			s.mu.Unlock()
			return
		}
		s.acked[ack.Envelope]++
		s.mu.Unlock()
	}
}

// write says one frame on a line, unless it is acknowledged.
func (s *speaker) write(c *websocket.Conn, n int) {
	if s.acked[n] == 0 {
		s.said[n]++
		_ = c.Write(context.Background(), websocket.MessageText, []byte(s.frames[n]))
	}
}

// says what a customer wrote in a chat.
func (s *speaker) says(chat, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.frames)
	s.frames = append(s.frames, fmt.Sprintf(`{"envelope":%d,"type":"event","payload":{"chat":%q,"id":"m%d","text":%q}}`, n, chat, n, text))
	s.said = append(s.said, 0)
	for c := range s.lines {
		s.write(c, n)
	}
}

// heard waits until all it said is acknowledged, and tells how often it said it.
func (s *speaker) heard(t *testing.T) (said []int) {
	t.Helper()
	eventually(t, "everything is acknowledged", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.acked) == len(s.frames)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.said)
}

// hangUp refuses new lines from now on, or not, and ends those there are.
func (s *speaker) hangUp(refuses bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = refuses
	for c := range s.lines {
		_ = c.CloseNow()
	}
}

// listenTo is a rig with an account that listens to the speaker.
func listenTo(t *testing.T, s *speaker, fails ...string) *rig {
	t.Helper()
	dir, err := testPlugins()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(file, []byte(appToken), 0o600); err != nil {
		t.Fatal(err)
	}
	return newRig(t, setting{extra: fmt.Sprintf("[plugins]\ndir = %q\n[accounts.listener]\nadapter = \"attentive\"\nrole = \"virtual_agent\"\n"+
		"settings = { base_url = %q }\ncredentials = { app = \"file:%s\" }\n%s", dir, s.URL, file, route("", "listener", "desk"))}, fails...)
}

// TestListenedTo: what a vendor says on a line it was dialled for is never lost and
// never there twice, wherever the bridge dies between a frame and its acknowledgement.
func TestListenedTo(t *testing.T) {
	t.Parallel()
	for _, fail := range []string{"", "before_commit:1:bridge", "after_commit:1:bridge", "before_commit:2:bridge", "after_commit:2:bridge", "after_commit:4:bridge"} {
		t.Run(fail, func(t *testing.T) {
			t.Parallel()
			s := newSpeaker(t)
			r := listenTo(t, s, fail)
			s.says("c1", "okapi one")
			s.says("c2", "okapi two")
			s.says("c1", "okapi three")
			said := s.heard(t)
			for chat, want := range map[string][]string{"c1": {"okapi one", "okapi three"}, "c2": {"okapi two"}} {
				id := r.conversation(chat)
				r.eventually("the words of "+chat, func() bool { return len(texts(r.events(id), event.RoleCustomer)) >= len(want) })
				if got := texts(r.events(id), event.RoleCustomer); !slices.Equal(got, want) {
					t.Errorf("%s has %q", chat, got)
				}
			}
			if fail == "after_commit:1:bridge" && slices.Max(said) < 2 {
				t.Error("nothing had to be said again: the bridge did not die before the acknowledgement")
			}
			if want := min(len(fail), 1); len(r.hits()) != want {
				t.Errorf("died %d times at %s, want %d", len(r.hits()), fail, want)
			}
		})
	}
}

// TestFeedIsSeen: whether a vendor is listened to is on the API, in the metrics and in
// what the doctor says; it is listened to again when it can be, and no longer than its
// account is there. Its secrets are nowhere.
func TestFeedIsSeen(t *testing.T) {
	t.Parallel()
	s := newSpeaker(t)
	r := listenTo(t, s)
	stands := func(want bool, gauge string) {
		t.Helper()
		r.eventually("the feed is shown as it is", func() bool {
			f := r.account("listener").Feeds
			return len(f) == 1 && f[0].Up == want && r.gauge(`footbridge_feed_up{account="listener",feed="socket"}`) == gauge
		})
	}
	stands(true, "1")
	s.hangUp(true)
	r.eventually("the reason", func() bool { return strings.Contains(r.account("listener").Feeds[0].Reason, "credential app is good") })
	stands(false, "0")
	if said := r.command("", "doctor").out; !strings.Contains(said, "feed socket does not stand") {
		t.Errorf("the doctor says %s", said)
	}
	s.hangUp(false)
	s.says("c1", "okapi again")
	s.heard(t)
	stands(true, "1")
	if n := r.counter("footbridge_feed_reconnects_total"); n != 1 {
		t.Errorf("%d reconnects are counted, want 1", n)
	}
	r.reloads(`app = "file:`, `app = "env:NO_TOKEN" } # "file:`)
	r.eventually("the line ends", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.lines) == 0 })
	if a := r.account("listener"); a.Ready || len(a.Feeds) > 0 || r.gauge("footbridge_feed_up{") != "none" {
		t.Errorf("an unconfigured account is shown as %+v, metric %s", a, r.gauge("footbridge_feed_up{"))
	}
	r.reloads(`app = "env:NO_TOKEN" } # "file:`, `app = "file:`)
	stands(true, "1")
	r.stop()
	time.Sleep(100 * time.Millisecond)
	if out := r.output(); strings.Contains(out, appToken) || strings.Contains(out, ticket) {
		t.Error("a secret is in the log")
	}
}
