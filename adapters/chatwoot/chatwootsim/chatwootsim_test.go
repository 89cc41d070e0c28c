package chatwootsim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/chatwoot/chatwootsim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

// bridge takes webhooks.
type bridge struct {
	mu  sync.Mutex
	got []map[string]any
	ids []string
}

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got, b.ids = append(b.got, body), append(b.ids, r.Header.Get("X-Chatwoot-Delivery"))
	if !strings.HasPrefix(r.Header.Get("X-Chatwoot-Signature"), "sha256=") {
		body["event"] = "unsigned"
	}
	w.WriteHeader(http.StatusInternalServerError) // nothing is sent again
}

// events are the names of what came, of one message where it is of one.
func (b *bridge) events() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, body := range b.got {
		all = append(all, strings.TrimSuffix(fmt.Sprint(body["event"], " ", body["content"]), " <nil>"))
	}
	return all
}

type desk struct {
	t   *testing.T
	s   *chatwootsim.Server
	url string
	*bridge
}

func begin(t *testing.T, o chatwootsim.Options) desk {
	t.Helper()
	b := &bridge{}
	o.Inbox, o.Token, o.Secret, o.WebhookURL = "i", "t", "s", simtest.Serve(t, b)
	s := chatwootsim.New(o)
	t.Cleanup(s.Close)
	address := simtest.Serve(t, s.Handler())
	s.Serves(address)
	return desk{t, s, address, b}
}

// call makes a call with the token and gives its status and answer.
func (d desk) call(method, path, body string) (int, map[string]any) {
	d.t.Helper()
	return simtest.Call(d.t, method, d.url+path, body, "Content-Type", "application/json", "api_access_token", "t")
}

// want makes a call that must be answered so.
func (d desk) want(status int, method, path, body string) map[string]any {
	d.t.Helper()
	got, out := d.call(method, path, body)
	if got != status {
		d.t.Fatalf("%s %s: %d %v, want %d", method, path, got, out, status)
	}
	return out
}

const (
	contacts = "/public/api/v1/inboxes/i/contacts"
	convos   = "/api/v1/accounts/1/conversations"
)

// conversation makes one that is open.
func (d desk) conversation() int {
	d.t.Helper()
	d.want(200, "POST", contacts, `{"source_id":"s1","identifier":"c-1","name":"Ada"}`)
	id := int(d.want(200, "POST", convos, `{"source_id":"s1","inbox_id":3,"status":"pending","custom_attributes":{"plan":"gold"}}`)["id"].(float64))
	d.want(200, "POST", fmt.Sprintf("%s/%d/toggle_status", convos, id), `{"status":"open"}`)
	return id
}

func TestWholeConversation(t *testing.T) {
	d := begin(t, chatwootsim.Options{AutoAssign: 7})
	id := d.conversation()
	public, own := fmt.Sprintf("%s/s1/conversations/%d", contacts, id), fmt.Sprintf("%s/%d", convos, id)
	d.want(200, "POST", public+"/messages", `{"content":"hello","echo_id":"e"}`)
	note := d.want(200, "POST", own+"/messages", `{"content":"a note","private":true}`)
	d.s.Typing(id, 7, true, false)
	answer := d.s.Reply(id, 7, "Hi")
	d.s.Note(id, 8, "careful")
	d.want(200, "PATCH", fmt.Sprintf("%s/messages/%d", own, answer), `{"status":"delivered"}`)
	d.want(200, "POST", public+"/toggle_typing?typing_status=on", `{}`)
	d.want(200, "POST", public+"/update_last_seen", `{}`)
	d.want(200, "POST", own+"/assignments", `{"team_id":4}`)
	d.s.Resolve(id, 7)
	d.want(200, "POST", public+"/messages", `{"content":"one more"}`) // opens it again
	c := d.s.Conversation(id)
	if c.Status != chatwootsim.StatusOpen || c.Assignee != 7 || c.Team != 4 || c.Typing != "on" || c.Seen != 1 || c.Facts["plan"] != "gold" || c.Contact.Name != "Ada" {
		t.Errorf("it stands at %+v", c)
	}
	if got := d.s.Texts(id, chatwootsim.Incoming); !slices.Equal(got, []string{"hello", "one more"}) {
		t.Errorf("the customer said %q", got)
	}
	if got := d.s.Notes(id); !slices.Equal(got, []string{"a note", "careful"}) || note["sender"].(map[string]any)["type"] != "user" {
		t.Errorf("notes %q, %v", got, note)
	}
	want := []string{"conversation_created", "conversation_status_changed", "conversation_updated", "conversation_updated", "message_created hello",
		"message_created a note", "conversation_typing_on", "message_created Hi", "message_created careful", "message_updated Hi",
		"conversation_typing_on", "conversation_updated", "conversation_status_changed", "conversation_updated", "message_created one more",
		"conversation_status_changed", "conversation_updated"}
	simtest.Until(t, "all webhooks", func() bool { return len(d.events()) >= len(want) })
	if got := d.events(); !slices.Equal(got, want) {
		t.Errorf("told %q\nwant %q", got, want)
	}
}

func TestPages(t *testing.T) {
	d := begin(t, chatwootsim.Options{})
	id := d.conversation()
	var ids []int
	for n := range 130 {
		ids = append(ids, d.s.Reply(id, 7, fmt.Sprint(n)))
	}
	page := func(query string) (got []int) {
		for _, m := range d.want(200, "GET", fmt.Sprintf("%s/%d/messages%s", convos, id, query), "")["payload"].([]any) {
			if n, err := fmt.Sscan(m.(map[string]any)["content"].(string), new(int)); n == 1 && err == nil {
				got = append(got, int(m.(map[string]any)["id"].(float64)))
			}
		}
		return got
	}
	for query, want := range map[string][]int{"": ids[110:], fmt.Sprint("?before=", ids[50]): ids[30:50], fmt.Sprint("?after=", ids[3]): ids[4:104],
		fmt.Sprint("?before=", ids[2]): ids[:2]} {
		if got := page(query); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	d := begin(t, chatwootsim.Options{AsAgent: true})
	d.want(422, "POST", contacts, `{"email":"nonsense"}`)
	d.want(422, "POST", contacts, `{"phone_number":"123"}`)
	d.want(404, "POST", "/public/api/v1/inboxes/x/contacts", `{}`)
	d.want(404, "GET", contacts+"/nobody/conversations", ``)
	d.want(404, "POST", convos, `{"source_id":"nobody","inbox_id":3}`)
	id := d.conversation()
	if got := d.s.Conversation(id).Assignee; got != 1 {
		t.Errorf("an agent's token leaves it to %d", got)
	}
	d.want(404, "POST", fmt.Sprintf("%s/s2/conversations/%d/messages", contacts, id), `{"content":"x"}`)
	d.want(422, "POST", fmt.Sprintf("%s/s1/conversations/%d/messages", contacts, id), `{}`)
	if resp, err := http.Get(d.url + convos + fmt.Sprint("/", id)); err != nil || resp.StatusCode != 401 {
		t.Errorf("without the token: %v %v", resp, err)
	}
	if got := d.want(200, "GET", "/api/v1/accounts/1/inboxes/3", ``)["inbox_identifier"]; got != "i" {
		t.Errorf("the inbox is %v", got)
	}
	if got := d.want(200, "GET", "/api/v1/profile", ``)["role"]; got != "agent" {
		t.Errorf("the user is %v", got)
	}
}

func TestFiles(t *testing.T) {
	d := begin(t, chatwootsim.Options{})
	id := d.conversation()
	kind, form := simtest.Form(t, "attachments[]", "a.png", "data", "content", "look")
	if status, answer := simtest.Ask(t, "POST", fmt.Sprintf("%s%s/s1/conversations/%d/messages", d.url, contacts, id), form, "Content-Type", kind); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	m := d.s.Conversation(id).Messages[len(d.s.Conversation(id).Messages)-1]
	if m.Content != "look" || len(m.Attachments) != 1 || string(m.Attachments[0].Data) != "data" || m.Attachments[0].Name != "a.png" {
		t.Errorf("it has %+v", m)
	}
	d.s.Attach(id, 7, "see", chatwootsim.Attachment{Name: "b c.pdf", MIME: "application/pdf", Data: []byte("pdf")})
	list := d.want(200, "GET", fmt.Sprintf("%s/%d/messages", convos, id), "")["payload"].([]any)
	address := list[len(list)-1].(map[string]any)["attachments"].([]any)[0].(map[string]any)["data_url"].(string)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for address, want := range map[string]string{address: "302 ", strings.Replace(address, "/redirect/", "/proxy/", 1): "200 pdf"} {
		resp, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(resp.Body)
		if got := fmt.Sprint(resp.StatusCode, " ", string(data)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", address, got)
		}
	}
}

func TestTrouble(t *testing.T) {
	d := begin(t, chatwootsim.Options{})
	id := d.conversation()
	simtest.Until(t, "what made it", func() bool { return len(d.events()) == 3 })
	d.s.Trouble(simvendor.Trouble{Lose: true})
	d.s.Reply(id, 7, "lost")
	d.s.Trouble(simvendor.Trouble{Twice: true, Shuffle: 50 * time.Millisecond})
	for n := range 20 {
		d.s.Reply(id, 7, fmt.Sprint(n))
	}
	simtest.Until(t, "each twice", func() bool { return len(d.events()) >= 43 })
	got := d.events()[3:]
	if slices.Contains(got, "message_created lost") || slices.IsSorted(got) || len(got) != 40 {
		t.Errorf("told %q", got)
	}
	if all := slices.Clone(d.ids); len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Error("an id of a delivery comes twice")
	}
}

func TestFaults(t *testing.T) {
	d := begin(t, chatwootsim.Options{PerSecond: 3})
	simtest.Until(t, "a limit", func() bool { status, _ := d.call("GET", "/api/v1/profile", ""); return status == 429 })
	d = begin(t, chatwootsim.Options{})
	d.s.Fail(simvendor.Fault{Path: "/profile", Status: 503, Times: 2})
	for _, want := range []int{503, 503, 200} {
		d.want(want, "GET", "/api/v1/profile", "")
	}
	id := d.conversation()
	d.s.Fail(simvendor.Fault{Path: "/messages", Drop: simvendor.DropAfter})
	d.s.Fail(simvendor.Fault{Path: "/messages", Drop: simvendor.DropBefore})
	for _, text := range []string{"done", "not done"} {
		if status, _ := d.call("POST", fmt.Sprintf("%s/%d/messages", convos, id), fmt.Sprintf(`{"content":%q}`, text)); status != 0 {
			t.Errorf("answered %d", status)
		}
	}
	if got := d.s.Texts(id, chatwootsim.Outgoing); !slices.Equal(got, []string{"done"}) {
		t.Errorf("it has %q", got)
	}
	d.s.Fail(simvendor.Fault{Status: 500, Times: -1})
	d.want(500, "GET", "/api/v1/profile", "")
	d.s.Heal()
	d.want(200, "GET", "/api/v1/profile", "")
}

func TestControl(t *testing.T) {
	address, told := simtest.Start(t, chatwootsim.Simulate, "-token", "t", "-inbox", "i", "-webhook", "")
	d := desk{t: t, url: address}
	id := d.conversation()
	for path, body := range map[string]string{"reply": `"text":"Hi","agent":7`, "note": `"text":"n","agent":7`, "typing": `"on":true`, "resolve": `"agent":7`, "reopen": `"agent":7`,
		"assign": `"agent":8`, "attach": `"name":"a","mime":"text/plain","data":"YQ=="`, "trouble": `"lose":true`, "fault": `"path":"/x"`, "heal": `"x":1`} {
		d.want(200, "POST", "/sim/"+path, fmt.Sprintf(`{"conversation":%d,%s}`, id, body))
	}
	simtest.Until(t, "what its people see", func() bool { return strings.Contains(told.String(), `to the customer "Hi"`) })
	if got := fmt.Sprint(d.want(200, "GET", "/sim/conversations", ""), d.want(200, "GET", "/sim/records", "")); !strings.Contains(got, "Assigned to Kim") || !strings.Contains(got, "/toggle_status") {
		t.Error(got)
	}
}
