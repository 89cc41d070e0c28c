package slacksim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/slack/slacksim"
	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

// bridge takes events and presses, and holds each to its signature.
type bridge struct {
	mu      sync.Mutex
	events  []map[string]any
	presses []map[string]any
	again   []string // X-Slack-Retry-Num and -Reason
	refuse  int      // how many are answered 500
}

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	sum := hmac.New(sha256.New, []byte("s"))
	_, _ = fmt.Fprintf(sum, "v0:%s:%s", r.Header.Get("X-Slack-Request-Timestamp"), data)
	if r.Header.Get("X-Slack-Signature") != "v0="+hex.EncodeToString(sum.Sum(nil)) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := r.Header.Get("X-Slack-Retry-Num"); n != "" {
		b.again = append(b.again, n+" "+r.Header.Get("X-Slack-Retry-Reason"))
	}
	if b.refuse > 0 {
		b.refuse--
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var body map[string]any
	if form, err := url.ParseQuery(string(data)); err == nil && form.Get("payload") != "" {
		_ = json.Unmarshal([]byte(form.Get("payload")), &body)
		b.presses = append(b.presses, body)
		return
	}
	_ = json.Unmarshal(data, &body)
	if challenge, ok := body["challenge"].(string); ok {
		_, _ = io.WriteString(w, challenge)
		return
	}
	b.events = append(b.events, body)
}

// told are the texts of the events that came, with their subtypes.
func (b *bridge) told() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, body := range b.events {
		e, _ := body["event"].(map[string]any)
		all = append(all, strings.TrimSuffix(strings.TrimSpace(fmt.Sprint(e["subtype"], " ", e["text"])), " <nil>"))
	}
	return all
}

type workspace struct {
	t   *testing.T
	s   *slacksim.Server
	url string
	*bridge
}

func begin(t *testing.T, o slacksim.Options) workspace {
	t.Helper()
	b := &bridge{}
	app := simtest.Serve(t, b)
	o.Token, o.Secret, o.EventsURL, o.ActionsURL = "t", "s", app, app
	s := slacksim.New(o)
	t.Cleanup(s.Close)
	address := simtest.Serve(t, s.Handler())
	s.Serves(address)
	return workspace{t, s, address, b}
}

// call makes a call with the token and gives its status and answer.
func (d workspace) call(method, arguments string) (int, map[string]any) {
	d.t.Helper()
	kind := "application/x-www-form-urlencoded"
	if strings.HasPrefix(arguments, "{") {
		kind = "application/json; charset=utf-8"
	}
	return simtest.Call(d.t, "POST", d.url+"/api/"+method, arguments, "Content-Type", kind, "Authorization", "Bearer t")
}

// want makes a call that must be answered 200 with that error, or none.
func (d workspace) want(fault, method, arguments string) map[string]any {
	d.t.Helper()
	status, out := d.call(method, arguments)
	if got, _ := out["error"].(string); status != http.StatusOK || got != fault || out["ok"] != (fault == "") {
		d.t.Fatalf("%s: %d %v, want %q", method, status, out, fault)
	}
	return out
}

// head posts the head of a thread with a button.
func (d workspace) head() string {
	d.t.Helper()
	return d.want("", "chat.postMessage", `{"channel":"C0SUPPORT","text":"head","metadata":{"event_type":"x","event_payload":{"id":"1"}},
		"blocks":[{"type":"actions","elements":[{"type":"button","action_id":"claim","value":"k"}]}]}`)["ts"].(string)
}

func TestWholeConversation(t *testing.T) {
	d := begin(t, slacksim.Options{})
	if err := d.s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	thread := d.head()
	d.want("", "chat.postMessage", fmt.Sprintf(`{"channel":"C0SUPPORT","thread_ts":%q,"text":"hello","username":"Ada"}`, thread))
	at := d.s.Write("C0SUPPORT", thread, "U0SAM", "Hi")
	d.s.Edit("C0SUPPORT", at, "Ho")
	d.want("", "chat.update", fmt.Sprintf(`{"channel":"C0SUPPORT","ts":%q,"text":"head 2","blocks":[]}`, thread))
	if err := d.s.Press(thread, "U0KIM", "claim"); err != nil { // no longer shown, and pressed all the same
		t.Error(err)
	}
	if d.s.Press(thread, "U0KIM", "nothing") == nil {
		t.Error("a button that never was is pressed")
	}
	d.s.Delete("C0SUPPORT", at)
	want := []string{"<nil> head", "bot_message hello", "<nil> Hi", "message_changed", "message_changed", "message_deleted"}
	simtest.Until(t, "all is told", func() bool { return len(d.told()) >= len(want) })
	if got := d.told(); !slices.Equal(got, want) {
		t.Errorf("told %q\nwant %q", got, want)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if fmt.Sprint(d.presses[0]["actions"].([]any)[0].(map[string]any)["value"], d.presses[0]["user"].(map[string]any)["name"]) != "kkim" {
		t.Errorf("pressed %v", d.presses)
	}
	if got := d.s.Said(thread, "Ada"); !slices.Equal(got, []string{"hello"}) || len(d.s.Replies(thread)) != 1 || d.s.Head(thread).Text != "head 2" {
		t.Errorf("it stands at %q", got)
	}
}

func TestPages(t *testing.T) {
	d := begin(t, slacksim.Options{PageSize: 10})
	thread := d.head()
	var all []string
	for n := range 25 {
		all = append(all, fmt.Sprint(n))
		d.s.Write("C0SUPPORT", thread, "U0SAM", all[n])
	}
	var got []string
	cursor := ""
	for {
		out := d.want("", "conversations.replies", "channel=C0SUPPORT&limit=100&oldest="+thread+"&ts="+thread+"&cursor="+cursor)
		for _, m := range out["messages"].([]any)[1:] {
			got = append(got, m.(map[string]any)["text"].(string))
		}
		meta, _ := out["response_metadata"].(map[string]any)
		if cursor, _ = meta["next_cursor"].(string); cursor == "" {
			break
		}
	}
	if !slices.Equal(got, all) {
		t.Errorf("read %q", got)
	}
	head := d.want("", "conversations.history", "channel=C0SUPPORT&include_all_metadata=true")["messages"].([]any)[0].(map[string]any)
	if head["metadata"].(map[string]any)["event_type"] != "x" {
		t.Errorf("the head is %v", head)
	}
}

func TestWhatIsRefused(t *testing.T) {
	d := begin(t, slacksim.Options{Scopes: []string{"chat:write", "channels:read", "channels:join"}, Channels: []slacksim.Channel{{ID: "C0SUPPORT", Name: "support"},
		{ID: "C0OLD", Archived: true}, {ID: "C0SECRET", Private: true}}})
	d.want("missing_scope", "users.info", "user=U0SAM")
	d.want("not_in_channel", "chat.postMessage", `{"channel":"C0SUPPORT","text":"x"}`)
	d.want("is_archived", "chat.postMessage", `{"channel":"C0OLD","text":"x"}`)
	d.want("channel_not_found", "conversations.info", "channel=C0SECRET")
	d.want("channel_not_found", "conversations.join", `{"channel":"C0SECRET"}`)
	d.want("", "conversations.join", `{"channel":"C0SUPPORT"}`)
	d.want("no_text", "chat.postMessage", `{"channel":"C0SUPPORT"}`)
	d.want("thread_not_found", "chat.postMessage", `{"channel":"C0SUPPORT","text":"x","thread_ts":"1.2"}`)
	d.want("message_not_found", "chat.update", `{"channel":"C0SUPPORT","text":"x","ts":"1.2"}`)
	d.want("cant_update_message", "chat.update", fmt.Sprintf(`{"channel":"C0SUPPORT","text":"x","ts":%q}`, d.s.Write("C0SUPPORT", "", "U0SAM", "mine")))
	resp, err := http.Get(d.url + "/api/auth.test")
	if err != nil || resp.Header.Get("X-OAuth-Scopes") != "chat:write,channels:read,channels:join" {
		t.Errorf("%v %v", resp, err)
	}
	if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), "invalid_auth") {
		t.Errorf("without the token: %s", body)
	}
}

func TestFiles(t *testing.T) {
	d := begin(t, slacksim.Options{})
	thread := d.head()
	place := d.want("", "files.getUploadURLExternal", "filename=a.png&length=4")
	id := place["file_id"].(string)
	share := fmt.Sprintf(`{"files":[{"id":%q,"title":"a"}],"channel_id":"C0SUPPORT","thread_ts":%q,"initial_comment":"look"}`, id, thread)
	d.want("file_not_found", "files.completeUploadExternal", share)
	for body, want := range map[string]int{"too long": 400, "data": 200} {
		resp, err := http.Post(place["upload_url"].(string), "image/png", strings.NewReader(body))
		if err != nil || resp.StatusCode != want {
			t.Errorf("%q: %v %v", body, resp, err)
		}
	}
	d.want("", "files.completeUploadExternal", share)
	d.want("invalid_arguments", "files.getUploadURLExternal", "filename=a.png")
	if m := d.s.Replies(thread)[0]; m.Text != "look" || string(m.Files[0].Data) != "data" || m.Files[0].MIME != "image/png" {
		t.Errorf("it has %+v", m)
	}
	d.s.Attach("C0SUPPORT", thread, "U0SAM", "see", slacksim.File{Name: "b c.pdf", MIME: "application/pdf", Data: []byte("pdf")})
	list := d.want("", "conversations.replies", "channel=C0SUPPORT&ts="+thread)["messages"].([]any)
	address := list[2].(map[string]any)["files"].([]any)[0].(map[string]any)["url_private"].(string)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for token, want := range map[string]string{"Bearer t": "200 pdf", "": "302 "} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		req.Header.Set("Authorization", token)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(resp.Body)
		if got := fmt.Sprint(resp.StatusCode, " ", string(data)); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s", token, got)
		}
	}
}

func TestTrouble(t *testing.T) {
	d := begin(t, slacksim.Options{Retries: []time.Duration{0, 0, 0}})
	thread := d.head()
	simtest.Until(t, "the head", func() bool { return len(d.told()) == 1 })
	d.s.Trouble(simvendor.Trouble{Lose: true})
	d.s.Write("C0SUPPORT", thread, "U0SAM", "lost")
	d.s.Trouble(simvendor.Trouble{Twice: true, Shuffle: 50 * time.Millisecond})
	for n := range 20 {
		d.s.Write("C0SUPPORT", thread, "U0SAM", fmt.Sprint(n))
	}
	simtest.Until(t, "each twice", func() bool { return len(d.told()) >= 41 })
	if got := d.told()[1:]; slices.Contains(got, "<nil> lost") || slices.IsSorted(got) || len(got) != 40 {
		t.Errorf("told %q", got)
	}
	d.s.Trouble(simvendor.Trouble{})
	d.mu.Lock()
	d.refuse = 2
	d.mu.Unlock()
	d.s.Write("C0SUPPORT", thread, "U0SAM", "the third time")
	simtest.Until(t, "it is taken", func() bool { return slices.Contains(d.told(), "<nil> the third time") })
	d.mu.Lock()
	d.refuse = 4
	d.mu.Unlock()
	d.s.Write("C0SUPPORT", thread, "U0SAM", "given up")
	simtest.Until(t, "four tries", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.refuse == 0 })
	d.mu.Lock()
	defer d.mu.Unlock()
	if want := []string{"1 http_error", "2 http_error", "1 http_error", "2 http_error", "3 http_error"}; !slices.Equal(d.again, want) {
		t.Errorf("sent again as %q", d.again)
	}
}

func TestFaults(t *testing.T) {
	d := begin(t, slacksim.Options{Burst: 2})
	thread := d.head()
	d.want("", "chat.postMessage", fmt.Sprintf(`{"channel":"C0SUPPORT","thread_ts":%q,"text":"x"}`, thread))
	if status, _ := d.call("chat.postMessage", `{"channel":"C0SUPPORT","text":"x"}`); status != http.StatusTooManyRequests {
		t.Errorf("a third at once: %d", status)
	}
	d = begin(t, slacksim.Options{})
	d.s.Fail(simvendor.Fault{Method: "auth.test", Error: "internal_error", Times: 2})
	for _, want := range []string{"internal_error", "internal_error", ""} {
		d.want(want, "auth.test", "")
	}
	d.s.Fail(simvendor.Fault{Method: "chat.postMessage", Drop: simvendor.DropAfter})
	d.s.Fail(simvendor.Fault{Method: "chat.postMessage", Drop: simvendor.DropBefore})
	for range 2 {
		if status, _ := d.call("chat.postMessage", `{"channel":"C0SUPPORT","text":"x"}`); status != 0 {
			t.Errorf("answered %d", status)
		}
	}
	if n := len(d.s.Threads()); n != 1 {
		t.Errorf("%d were done", n)
	}
	d.s.Fail(simvendor.Fault{Status: 500, Times: -1})
	if status, _ := d.call("auth.test", ""); status != 500 {
		t.Errorf("answered %d", status)
	}
	d.s.Heal()
	d.want("", "auth.test", "")
}

// TestDesk: people have the threads before them, and press what the head has now.
func TestDesk(t *testing.T) {
	d := begin(t, slacksim.Options{})
	thread := d.want("", "chat.postMessage", `{"channel":"C0SUPPORT","text":"*Customer:* Ada","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"*Customer:* Ada\nplan: gold &amp; more"}},
		{"type":"context","elements":[{"type":"mrkdwn","text":"*With Sam*"}]},{"type":"actions","elements":[{"type":"button","action_id":"footbridge_take_over","value":"k"}]}]}`)["ts"].(string)
	d.want("", "chat.postMessage", fmt.Sprintf(`{"channel":"C0SUPPORT","thread_ts":%q,"text":"1 &lt; 2","username":"Ada"}`, thread))
	d.want("", "chat.postMessage", fmt.Sprintf(`{"channel":"C0SUPPORT","thread_ts":%q,"text":"*Ada:* one\n*Virtual agent:* *two:*"}`, thread))
	desk := d.s.Desk()
	order := simdesk.Order{Conversation: thread, Person: "U0SAM", Text: "a & b"}
	for _, act := range []string{simdesk.Reply, simdesk.Remark, simdesk.Automate, simdesk.Take} {
		if err := desk.Do(act, order); err != nil {
			t.Errorf("%s: %v", act, err)
		}
	}
	order.File = simdesk.File{Name: "a.png", MIME: "image/png", Data: []byte("png")}
	if err := desk.Do(simdesk.Reply, order); err != nil {
		t.Error(err)
	}
	if desk.Do(simdesk.Resolve, simdesk.Order{Conversation: thread, Person: "U0SAM"}) == nil || desk.Do(simdesk.Take, simdesk.Order{Conversation: "1.2", Person: "U0SAM"}) == nil {
		t.Error("a button that is not there is pressed, or a thread that is not")
	}
	c := desk.Conversations()[0]
	var lines []string
	for _, l := range c.Lines {
		lines = append(lines, fmt.Sprint(l.Kind, " ", l.Author, " ", l.Text))
	}
	want := []string{"customer Ada 1 < 2", "note Footbridge Ada: one\nVirtual agent: *two:*", "staff Sam a & b", "note Sam // a & b", "program another app a & b", "staff Sam a & b"}
	if !slices.Equal(lines, want) || c.Customer != "Ada" || c.Facts["plan"] != "gold & more" || c.With != "Sam" || !c.Open {
		t.Errorf("people see %q of %+v", lines, c)
	}
	resp, err := http.Get(d.url + c.Lines[5].Files[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := io.ReadAll(resp.Body); string(data) != "png" {
		t.Errorf("the file is %q", data)
	}
	simtest.Until(t, "the press", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return len(d.presses) == 1 })
}

func TestControl(t *testing.T) {
	address, told := simtest.Start(t, slacksim.Simulate, "-token", "t", "-events", "", "-actions", "")
	d := workspace{t: t, url: address}
	thread := d.head()
	for path, want := range map[string]int{"write": 200, "attach": 200, "edit": 200, "delete": 200, "press": 200, "trouble": 200, "fault": 200, "heal": 200, "verify": 400} {
		body := fmt.Sprintf(`{"user":"U0SAM","text":"Hi","action":"claim","ts":%q,"name":"a","mime":"text/plain","data":"YQ==","method":"x"}`, "1.1")
		if status, answer := simtest.Ask(t, "POST", d.url+"/sim/"+path, body); status != want {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	simtest.Until(t, "what its people see", func() bool { return strings.Contains(told.String(), `U0SAM "Hi"`) })
	for path, want := range map[string]string{"messages": thread, "records": "chat.postMessage"} {
		if _, body := simtest.Ask(t, "GET", d.url+"/sim/"+path, ""); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
}
