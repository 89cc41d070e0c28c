package libredesksim_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/adapters/libredesk/libredesksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

const inbox = "8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01"

// kit is a simulated desk, a client of it, and what its webhook told.
type kit struct {
	t   *testing.T
	sim *libredesksim.Server
	url string
	mu  sync.Mutex
	got []string
}

func newKit(t *testing.T, o libredesksim.Options) *kit {
	t.Helper()
	o.APIKey, o.APISecret, o.InboxUUID, o.InboxSecret = "k", "s", inbox, "inbox-secret"
	k := &kit{t: t, sim: libredesksim.NewServer(o)}
	t.Cleanup(k.sim.Close)
	k.url = simtest.Serve(t, k.sim.Handler())
	k.sim.AddWebhook(simtest.Serve(t, http.HandlerFunc(k.hook)), "hook-secret", libredesksim.Events()...)
	return k
}

func (k *kit) hook(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte("hook-secret"))
	mac.Write(body)
	var told struct{ Event string }
	if err := json.Unmarshal(body, &told); err != nil || r.Header.Get("X-Libredesk-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
		told.Event = "not signed"
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.got = append(k.got, told.Event)
}

func (k *kit) told() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.got)
}

// waits for the webhook to have told exactly these, in order.
func (k *kit) tells(want ...string) {
	k.t.Helper()
	simtest.Until(k.t, fmt.Sprint(want), func() bool { return len(k.told()) >= len(want) })
	if got := k.told(); !slices.Equal(got, want) {
		k.t.Fatalf("told %v, want %v", got, want)
	}
}

// call makes a call and gives its status and data.
func (k *kit) call(method, path, authorization, body string) (int, map[string]any) {
	k.t.Helper()
	status, out := simtest.Call(k.t, method, k.url+path, body, "X-Libredesk-Inbox-ID", inbox, "Authorization", authorization)
	data, _ := out["data"].(map[string]any)
	return status, data
}

func token(secret, claims string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return `{"jwt":"` + text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + `"}`
}

const exchange, ada = "/api/v1/widget/chat/auth/exchange", `{"external_user_id":"c-1","email":"a@b.c","first_name":"Ada","exp":4000000000}`

// begin opens a conversation as Ada.
func (k *kit) begin() (bearer, uuid string) {
	k.t.Helper()
	status, data := k.call("POST", exchange, "", token("inbox-secret", ada))
	bearer = "Bearer " + fmt.Sprint(data["session_token"])
	if status != http.StatusOK {
		k.t.Fatalf("exchange: %d", status)
	}
	status, data = k.call("POST", "/api/v1/widget/chat/conversations/init", bearer, `{"message":"hello"}`)
	c, _ := data["conversation"].(map[string]any)
	if status != http.StatusOK || c == nil {
		k.t.Fatalf("init: %d %v", status, data)
	}
	return bearer, fmt.Sprint(c["uuid"])
}

func TestRefusals(t *testing.T) {
	k := newKit(t, libredesksim.Options{NoUploads: true})
	bearer, uuid := k.begin()
	ours := "/api/v1/widget/chat/conversations/" + uuid
	for name, c := range map[string]struct {
		method, path, auth, body string
		want                     int
	}{
		"another secret":   {"POST", exchange, "", token("other", ada), 401},
		"nobody":           {"POST", exchange, "", token("inbox-secret", `{"exp":4000000000}`), 400},
		"over":             {"POST", exchange, "", token("inbox-secret", strings.Replace(ada, "4000000000", "1", 1)), 401},
		"no token":         {"POST", ours + "/message", "", `{"message":"x"}`, 401},
		"too long":         {"POST", ours + "/message", bearer, `{"message":"` + strings.Repeat("é", 5001) + `"}`, 400},
		"somebody else's":  {"POST", "/api/v1/widget/chat/conversations/x/message", bearer, `{"message":"x"}`, 403},
		"not an agent":     {"GET", "/api/v1/conversations/" + uuid, "token k:x", "", 401},
		"no such status":   {"PUT", "/api/v1/conversations/" + uuid + "/status", "token k:s", `{"status":"Gone"}`, 400},
		"no such assignee": {"PUT", "/api/v1/conversations/" + uuid + "/assignee/user", "token k:s", `{"assignee_id":99}`, 400},
		"good":             {"POST", ours + "/message", bearer, `{"message":"x"}`, 200},
	} {
		if got, _ := k.call(c.method, c.path, c.auth, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	k.sim.Fail(simvendor.Fault{Path: ours + "/message", Status: 429, RetryAfter: 1})
	k.sim.Fail(simvendor.Fault{Path: ours + "/message", Drop: simvendor.DropAfter})
	for _, want := range []int{429, 0, 200} {
		if got, _ := k.call("POST", ours+"/message", bearer, `{"message":"y"}`); got != want {
			t.Errorf("limited, then broken: %d, want %d", got, want)
		}
	}
	if n := len(k.sim.Conversations()[0].Messages); n != 4 {
		t.Errorf("%d messages: what was broken off was done", n)
	}
}

func TestWebhooksInTheirOrder(t *testing.T) {
	k := newKit(t, libredesksim.Options{CSAT: true})
	_, uuid := k.begin()
	if _, err := k.sim.Say(uuid, 7, "Hi"); err != nil {
		t.Fatal(err)
	}
	if err := k.sim.SetStatus(uuid, 7, "Resolved"); err != nil {
		t.Fatal(err)
	}
	want := []string{"message.created", "conversation.created", "message.created", "message.updated", "conversation.status_changed", "message.created", "message.created", "message.updated"}
	k.tells(want...)
	k.sim.Trouble(simvendor.Trouble{Lose: true})
	_, _ = k.sim.Note(uuid, 7, "lost")
	k.sim.Trouble(simvendor.Trouble{Twice: true})
	_, _ = k.sim.Note(uuid, 7, "twice")
	k.tells(append(want, "message.created", "message.created")...)
	if _, lost := k.sim.Delivered(); lost != 1 {
		t.Errorf("%d lost", lost)
	}
	status, data := k.call("GET", "/api/v1/conversations/"+uuid+"/messages?page=2&page_size=3", "token k:s", "")
	if list, _ := data["results"].([]any); status != 200 || len(list) != 3 || data["total"] != float64(6) {
		t.Errorf("page 2: %d %v", status, data)
	}
}

func TestSocket(t *testing.T) {
	k := newKit(t, libredesksim.Options{})
	bearer, uuid := k.begin()
	conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(k.url, "http")+"/widget/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow() //nolint:errcheck // the test is over.
	says := func(frame, want string) {
		t.Helper()
		if frame != "" {
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
				t.Fatal(err)
			}
		}
		_, data, err := conn.Read(t.Context())
		if err != nil || !bytes.Contains(data, []byte(want)) {
			t.Fatalf("%s: %s %v, want %s", frame, data, err, want)
		}
	}
	says(`{"type":"join","token":"x","data":{"inbox_id":"`+inbox+`"}}`, `"error"`)
	says(`{"type":"join","token":"`+strings.TrimPrefix(bearer, "Bearer ")+`","data":{"inbox_id":"`+inbox+`"}}`, `"joined"`)
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"typing","data":{"conversation_uuid":"`+uuid+`","is_typing":true}}`)); err != nil {
		t.Fatal(err)
	}
	says(`{"type":"ping"}`, `"pong"`)
	if !k.sim.Conversations()[0].Typing || k.sim.Lines() != 1 {
		t.Error("the contact is not seen to write")
	}
	_, _ = k.sim.Say(uuid, 7, "Hi")
	says("", `"new_message"`)
	_ = k.sim.Type(uuid, true)
	says("", `"is_typing":true`)
	_ = k.sim.Assign(uuid, 7)
	says("", `"conversation_update"`)
	if p := k.sim.Problems(); len(p) != 0 {
		t.Error(p)
	}
}
