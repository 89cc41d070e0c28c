package vonagesim_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bridge is a bridge that notes what it is sent and answers one status.
type bridge struct {
	mu     sync.Mutex
	status int
	got    []string
}

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, r.URL.Path+" "+r.Header.Get("X-Vgai-Key")+" "+string(body))
	w.WriteHeader(b.status)
	_, _ = w.Write([]byte(`{"ok":true}`))
}

func studio(t *testing.T, b *bridge, o vonagesim.Options) (*vonagesim.Studio, string) {
	t.Helper()
	o.Key, o.BridgeURL = "secret", simtest.Serve(t, b)
	s := vonagesim.NewStudio(o)
	t.Cleanup(func() { s.Close() })
	return s, simtest.Serve(t, s.Handler())
}

func TestStudioCarriesAConversation(t *testing.T) {
	b := &bridge{status: 200}
	s, url := studio(t, b, vonagesim.Options{})
	begin := vonagesim.Begin{Transcript: []vonagesim.Line{{Author: "Agent", Text: "Hi"}, {Author: "User", Text: "human"}},
		Parameters: []vonagesim.Parameter{{Name: "PROFILE_NAME", Value: "Ada"}}}
	if a, err := s.Start(t.Context(), "s-1", begin); err != nil || a.Status != 200 {
		t.Fatalf("start: %v, %v", a, err)
	}
	for _, c := range []struct {
		path, body, key string
		status          int
	}{
		{"/live-agent/outbound/s-1", `{"message_type":"text","text":"hello"}`, "wrong", 401},
		{"/live-agent/outbound/s-1", `{"message_type":"text","text":"hello"}`, "", 401},
		{"/live-agent/outbound/other", `{"message_type":"text","text":"hello"}`, "secret", 404},
		{"/live-agent/outbound/s-1", `{"message_type":"text","text":"hello"}`, "secret", 200},
		{"/live-agent/outbound/s-1", `{"text":"bare"}`, "secret", 200},
		{"/live-agent/outbound/s-1", `{"message_type":"image","image":{"url":"https://x/y.png"}}`, "secret", 200},
		{"/live-agent/outbound/s-1", `{"message_type":"image"}`, "secret", 400},
		{"/live-agent/outbound/s-1", `{"message_type":"dance","text":"x"}`, "secret", 400},
		{"/live-agent/outbound/s-1", `{"message_type":"text","text":"` + strings.Repeat("é", 4097) + `"}`, "secret", 400},
		{"/live-agent/outbound/s-1", `nonsense`, "secret", 400},
		{"/live-agent/disconnect/s-1", `{}`, "wrong", 401},
		{"/live-agent/disconnect/s-1", `{}`, "secret", 200},
		{"/live-agent/disconnect/s-1", `{}`, "secret", 404},
		{"/live-agent/outbound/s-1", `{"text":"late"}`, "secret", 404},
	} {
		status, body := simtest.Ask(t, "POST", url+c.path, c.body, "X-Vgai-Key", c.key)
		if status != c.status {
			t.Errorf("%s %.60s: %d %s, want %d", c.path, c.body, status, body, c.status)
		}
		var nest struct{ StatusCode int }
		if err := json.Unmarshal([]byte(body), &nest); status >= 400 && (err != nil || nest.StatusCode != status) {
			t.Errorf("%s: error body %s has no numeric statusCode", c.path, body)
		}
	}
	if got := s.Shown("s-1"); !slices.Equal(got, []string{"hello", "bare", "https://x/y.png"}) {
		t.Errorf("the customer saw %q", got)
	}
	if got := s.State("s-1"); got != vonagesim.StateVirtualAgent {
		t.Errorf("state %q after disconnect", got)
	}
	for _, r := range s.Records() {
		if slices.Contains(r.Header["X-Vgai-Key"], "secret") {
			t.Error("a record holds the key")
		}
	}
	want := `/start  {"history":{"parameters":[{"name":"PROFILE_NAME","value":"Ada"}],"transcription":[{"Agent":"Hi"},{"User":"human"}]},"sessionId":"s-1"}`
	if b.got[0] != want {
		t.Errorf("start sent\n%s, want\n%s", b.got[0], want)
	}
}

func TestStudioSpeaks(t *testing.T) {
	b := &bridge{status: 200}
	s, _ := studio(t, b, vonagesim.Options{})
	ctx := t.Context()
	for _, err := range []error{
		second(s.Say(ctx, "s-1", "hi")), second(s.SayMedia(ctx, "s-1", "image", "https://x", "c")),
		second(s.Status(ctx, "s-1", "m-1", "read")), second(s.SayRaw(ctx, []byte(`{"odd":1}`))),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{
		`/inbound  {"sessionId":"s-1","text":"hi","type":"text"}`,
		`/inbound  {"image":{"caption":"c","url":"https://x"},"sessionId":"s-1","type":"image"}`,
		`/status  {"channel":"whatsapp","from":"447700900002","message_uuid":"m-1","sessionId":"s-1","status":"read","timestamp":"2026-01-05T10:00:00Z","to":"447700900001"}`,
		`/inbound  {"odd":1}`,
	}
	if !slices.Equal(b.got, want) {
		t.Errorf("sent %q", b.got)
	}
}

func second(_ vonagesim.Answer, err error) error { return err }

func TestStartRefusedIsTheFailedOutput(t *testing.T) {
	b := &bridge{status: 503}
	s, url := studio(t, b, vonagesim.Options{})
	if _, err := s.Start(t.Context(), "s-1", vonagesim.Begin{}); err != nil {
		t.Fatal(err)
	}
	if got := s.State("s-1"); got != vonagesim.StateFailed {
		t.Errorf("state %q", got)
	}
	if status, _ := simtest.Ask(t, "POST", url+"/live-agent/outbound/s-1", `{"text":"x"}`, "X-Vgai-Key", "secret"); status != 404 {
		t.Errorf("outbound answered %d", status)
	}
}

func TestFaults(t *testing.T) {
	text := `{"text":"x"}`
	for _, c := range []struct {
		name   string
		fault  vonagesim.Fault
		status int
		shown  int
	}{
		{"refuse", vonagesim.Fault{Status: 500}, 500, 0},
		{"act and refuse", vonagesim.Fault{Status: 500, Commit: true}, 500, 1},
		{"drop before", vonagesim.Fault{Drop: vonagesim.DropBefore}, 0, 0},
		{"drop after", vonagesim.Fault{Drop: vonagesim.DropAfter}, 0, 1},
		{"slow", vonagesim.Fault{Latency: 5 * time.Millisecond}, 200, 1},
		{"elsewhere", vonagesim.Fault{Endpoint: "disconnect", Status: 500}, 200, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := studio(t, &bridge{status: 200}, vonagesim.Options{})
			if _, err := s.Start(t.Context(), "s", vonagesim.Begin{}); err != nil {
				t.Fatal(err)
			}
			s.Fail(c.fault)
			if status, _ := simtest.Ask(t, "POST", url+"/live-agent/outbound/s", text, "X-Vgai-Key", "secret"); status != c.status {
				t.Errorf("answered %d, want %d", status, c.status)
			}
			if got := len(s.Shown("s")); got != c.shown {
				t.Errorf("shown %d times, want %d", got, c.shown)
			}
			s.Heal()
			if status, _ := simtest.Ask(t, "POST", url+"/live-agent/outbound/s", text, "X-Vgai-Key", "secret"); status != 200 {
				t.Errorf("after Heal: %d", status)
			}
		})
	}
}

func TestIdempotencyHeader(t *testing.T) {
	for _, honoured := range []bool{true, false} {
		o := vonagesim.Options{}
		if honoured {
			o.IdempotencyHeader = "Idempotency-Key"
		}
		s, url := studio(t, &bridge{status: 200}, o)
		if _, err := s.Start(t.Context(), "s", vonagesim.Begin{}); err != nil {
			t.Fatal(err)
		}
		s.Fail(vonagesim.Fault{Drop: vonagesim.DropAfter})
		for range 3 {
			simtest.Ask(t, "POST", url+"/live-agent/outbound/s", `{"text":"once"}`, "X-Vgai-Key", "secret", "Idempotency-Key", "e-1")
		}
		if got, want := len(s.Shown("s")), map[bool]int{true: 1, false: 3}[honoured]; got != want {
			t.Errorf("honoured %t: shown %d times, want %d", honoured, got, want)
		}
	}
}

func TestPersist(t *testing.T) {
	file := filepath.Join(t.TempDir(), "records")
	run := func(use func(s *vonagesim.Studio, url string)) {
		s, url := studio(t, &bridge{status: 200}, vonagesim.Options{IdempotencyHeader: "K"})
		if err := s.Persist(file); err != nil {
			t.Fatal(err)
		}
		use(s, url)
		s.Close()
	}
	run(func(s *vonagesim.Studio, url string) {
		if _, err := s.Start(context.Background(), "s", vonagesim.Begin{}); err != nil {
			t.Fatal(err)
		}
		simtest.Ask(t, "POST", url+"/live-agent/outbound/s", `{"text":"one"}`, "X-Vgai-Key", "secret", "K", "e-1")
	})
	run(func(s *vonagesim.Studio, url string) {
		simtest.Ask(t, "POST", url+"/live-agent/outbound/s", `{"text":"one"}`, "X-Vgai-Key", "secret", "K", "e-1")
		simtest.Ask(t, "POST", url+"/live-agent/outbound/s", `{"text":"two"}`, "X-Vgai-Key", "secret", "K", "e-2")
		if got := s.Shown("s"); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("after a restart the customer saw %q", got)
		}
	})
}

func TestControl(t *testing.T) {
	b := &bridge{status: 200}
	_, url := studio(t, b, vonagesim.Options{})
	for _, c := range []struct{ path, body, want string }{
		{"/sim/start", `{"session":"s","transcript":[{"author":"User","text":"hi"}]}`, `"status":200`},
		{"/sim/start", `{"session":"r","raw":{"sessionId":"r"}}`, `"status":200`},
		{"/sim/say", `{"session":"s","text":"hi"}`, `"status":200`},
		{"/sim/say", `{"session":"s","type":"image","url":"https://x"}`, `"status":200`},
		{"/sim/status", `{"session":"s","message":"m","status":"read"}`, `"status":200`},
		{"/sim/fault", `{"endpoint":"outbound","status":429,"retry_after":1,"latency":1}`, `{}`},
		{"/live-agent/outbound/s", `{"text":"x"}`, `"statusCode":429`},
		{"/sim/fault", `{"status":500,"times":-1}`, `{}`},
		{"/sim/heal", `{}`, `{}`},
		{"/live-agent/outbound/s", `{"text":"x"}`, `message_uuid`},
		{"/sim/end", `{"session":"s"}`, `{}`},
		{"/live-agent/outbound/s", `{"text":"x"}`, `"statusCode":404`},
		{"/sim/start", `nonsense`, `"error"`},
	} {
		if _, body := simtest.Ask(t, "POST", url+c.path, c.body, "X-Vgai-Key", "secret"); !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %s, want %s", c.path, c.body, body, c.want)
		}
	}
	for path, want := range map[string]string{"/sim/records": `"endpoint":"outbound"`, "/sim/sessions/s": `"state":"ended"`} {
		if _, body := simtest.Ask(t, "GET", url+path, ""); !strings.Contains(body, want) {
			t.Errorf("%s: %s, want %s", path, body, want)
		}
	}
}

func TestDesk(t *testing.T) {
	b := &bridge{status: 200}
	d := vonagesim.NewDesk(vonagesim.DeskOptions{Key: "secret", BridgeURL: simtest.Serve(t, b)})
	url := simtest.Serve(t, d.Handler())
	d.Fail(vonagesim.Fault{Endpoint: "start", Status: 500})
	good := `{"sessionId":"s","history":{"transcription":[],"parameters":[{"name":"SENDER_PHONE_NUMBER","value":"000123456789"}]}}`
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/start", good, 500},
		{"/start", `{"sessionId":"s","history":{"parameters":[]}}`, 500},
		{"/inbound", `{"sessionId":"s","text":"hi","type":"text"}`, 500},
		{"/start", good, 200},
		{"/inbound", `{"sessionId":"s","text":"hi","type":"text"}`, 200},
		{"/inbound", `{"sessionId":"s","type":"image","image":{"url":"https://x"}}`, 200},
		{"/inbound", `{"sessionId":"s","type":"text"}`, 500},
		{"/status", `{"message_uuid":"m"}`, 200},
	} {
		if status, body := simtest.Ask(t, "POST", url+c.path, c.body); status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.path, c.body, status, body, c.status)
		}
	}
	if !slices.Equal(d.Sessions(), []string{"s"}) || !slices.Equal(d.Shown("s"), []string{"hi", "https://x"}) {
		t.Errorf("sessions %q, shown %q", d.Sessions(), d.Shown("s"))
	}
	ctx := t.Context()
	for _, err := range []error{second(d.Say(ctx, "s/1", "a")), second(d.SayBare(ctx, "s/1", "b")),
		second(d.SayMedia(ctx, "s/1", "image", "https://x", "")), second(d.Disconnect(ctx, "s/1"))} {
		if err != nil {
			t.Error(err)
		}
	}
	if b.got[0] != `/live-agent/outbound/s/1 secret {"message_type":"text","text":"a"}` || len(b.got) != 4 {
		t.Errorf("the desk sent %q", b.got)
	}
}
