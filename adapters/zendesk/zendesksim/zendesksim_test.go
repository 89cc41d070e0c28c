package zendesksim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/zendesk/zendesksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

// bridge takes webhooks, and answers what it is told to.
type bridge struct {
	mu      sync.Mutex
	got     []string
	ids     []string
	tries   int
	answers int
	largest int
}

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Events []struct {
			ID, Type string
			Payload  struct {
				Conversation struct{ ActiveSwitchboardIntegration struct{ Name string } }
				Message      struct{ Content struct{ Text string } }
				Reason       string
			}
		}
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	b.largest = max(b.largest, len(body.Events))
	if b.answers != 0 {
		w.WriteHeader(b.answers)
		return
	}
	for _, e := range body.Events {
		kind := e.Type
		if r.Header.Get("X-API-Key") != "s" {
			kind = "without the key"
		}
		b.got = append(b.got, strings.TrimSpace(kind+" "+e.Payload.Message.Content.Text+e.Payload.Reason+" "+e.Payload.Conversation.ActiveSwitchboardIntegration.Name))
		b.ids = append(b.ids, e.ID)
	}
}

func (b *bridge) has(want string) func() bool {
	return func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return slices.Contains(b.got, want)
	}
}

func (b *bridge) answer(status int) (tried int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	tried, b.tries, b.answers = b.tries, 0, status
	return tried
}

func (b *bridge) tried() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tries
}

type desk struct {
	t   *testing.T
	s   *zendesksim.Server
	url string
	*bridge
}

func begin(t *testing.T, o zendesksim.Options) desk {
	t.Helper()
	b := &bridge{}
	o.AppID, o.KeyID, o.KeySecret, o.Integration, o.Secret, o.WebhookURL, o.Backoff = "a", "k", "x", "ours", "s", simtest.Serve(t, b), 2*time.Millisecond
	s := zendesksim.New(o)
	t.Cleanup(s.Close)
	address := simtest.Serve(t, s.Handler())
	s.Serves(address)
	return desk{t, s, address, b}
}

// key is that of the app, k and x.
const key = "Basic azp4"

// call makes a call and gives its status and answer.
func (d desk) call(method, path, body string) (int, map[string]any) {
	d.t.Helper()
	return simtest.Call(d.t, method, d.url+"/v2/apps/a"+path, body, "Authorization", key)
}

// want makes a call that has to be answered so.
func (d desk) want(status int, method, path, body string) map[string]any {
	d.t.Helper()
	got, out := d.call(method, path, body)
	if got != status {
		d.t.Errorf("%s %s %s: %d, want %d", method, path, body, got, status)
	}
	return out
}

func id(out map[string]any, of string) string {
	one, _ := out[of].(map[string]any)
	text, _ := one["id"].(string)
	return text
}

// conversation makes a user and a conversation.
func (d desk) conversation() (user, place string) {
	user = id(d.want(201, "POST", "/users", `{"externalId":"e","profile":{"givenName":"Ada"}}`), "user")
	c := id(d.want(201, "POST", "/conversations", `{"type":"personal","participants":[{"userId":"`+user+`"}],"metadata":{"m":"1"}}`), "conversation")
	return user, "/conversations/" + c
}

func (d desk) post(status int, place, user, content string) {
	d.t.Helper()
	author := `{"type":"business","displayName":"B"}`
	if user != "" {
		author = `{"type":"user","userId":"` + user + `"}`
	}
	d.want(status, "POST", place+"/messages", `{"author":`+author+`,"content":`+content+`,"metadata":{"x":"y"}}`)
}

// TestUsersAndMessages: one user for each externalId, and only what Zendesk takes.
func TestUsersAndMessages(t *testing.T) {
	d := begin(t, zendesksim.Options{PageSize: 2, Most: 9})
	user, place := d.conversation()
	d.want(409, "POST", "/users", `{"externalId":"e"}`)
	d.want(400, "POST", "/users", `{}`)
	if got := id(d.want(200, "PATCH", "/users/e", `{"profile":{"givenName":"Eve"}}`), "user"); got != user || d.s.Users()[0].Profile["givenName"] != "Eve" {
		t.Errorf("changed %q: %+v", got, d.s.Users())
	}
	d.want(404, "GET", "/users/nobody", "")
	d.want(404, "POST", "/conversations", `{"type":"personal","participants":[{"userId":"nobody"}]}`)
	if list := d.want(200, "GET", "/conversations?filter%5BuserId%5D="+user, "")["conversations"].([]any); len(list) != 1 {
		t.Errorf("conversations %v", list)
	}
	d.want(200, "POST", place+"/passControl", `{"switchboardIntegration":"ours"}`)
	d.post(201, place, user, `{"type":"text","text":"one"}`)
	d.post(201, place, "", `{"type":"text","text":"two","actions":[{"type":"reply","text":"a","payload":"a"}]}`)
	d.post(201, place, user, `{"type":"location","coordinates":{"lat":1,"long":2}}`)
	for _, bad := range []string{`{"type":"text"}`, `{"type":"formResponse","fields":[{}]}`, `{"type":"image"}`, `{"type":"text","text":"` + strings.Repeat("x", 4097) + `"}`,
		`{"type":"text","text":"x","actions":[{}]}`} {
		d.post(400, place, user, bad)
	}
	d.post(404, place, "nobody", `{"type":"text","text":"x"}`)
	d.post(403, place, id(d.want(201, "POST", "/users", `{"externalId":"stranger"}`), "user"), `{"type":"text","text":"x"}`)
	d.post(413, place, user, `{"type":"text","text":"`+strings.Repeat("x", 100<<10)+`"}`)
	page := d.want(200, "GET", place+"/messages", "")
	list := page["messages"].([]any)
	first := list[0].(map[string]any)["id"].(string)
	if len(list) != 2 || page["meta"].(map[string]any)["hasMore"] != true {
		t.Errorf("the newest page is %v", page)
	}
	before := d.want(200, "GET", place+"/messages?page%5Bbefore%5D="+first, "")
	after := d.want(200, "GET", place+"/messages?page%5Bafter%5D="+first, "")
	if b, a := before["messages"].([]any), after["messages"].([]any); len(b) != 1 || len(a) != 1 || before["meta"].(map[string]any)["hasMore"] != false {
		t.Errorf("before %v, after %v", before, after)
	}
	d.want(400, "POST", place+"/activity", `{"author":{"type":"user","userId":"`+user+`"},"type":"typing:start"}`)
	d.want(200, "POST", place+"/activity", `{"author":{"type":"user","userId":"`+user+`"},"type":"conversation:read"}`)
	for range 6 {
		d.post(201, place, user, `{"type":"text","text":"more"}`)
	}
	d.post(423, place, user, `{"type":"text","text":"full"}`)
	if c := d.s.Conversations()[0]; c.Seen != 1 || len(c.Messages) != 9 {
		t.Errorf("seen %d times, %d messages", c.Seen, len(c.Messages))
	}
}

// TestControl: who has control is told, changed by both sides, and the bot answers
// whatever a customer writes that nobody else has.
func TestControl(t *testing.T) {
	d := begin(t, zendesksim.Options{})
	user, place := d.conversation()
	d.post(201, place, user, `{"type":"text","text":"to the bot"}`)
	simtest.Until(t, "the bot's answer", d.has("conversation:message A bot's answer zd-answerBot"))
	d.want(200, "POST", place+"/passControl", `{"switchboardIntegration":"next","metadata":{"dataCapture.ticketField.1":"gold"}}`)
	simtest.Until(t, "control", d.has("switchboard:passControl  zd-agentWorkspace"))
	d.want(400, "POST", place+"/passControl", `{"switchboardIntegration":"nobody"}`)
	simtest.Until(t, "that it failed", d.has("switchboard:passControl:failure  zd-agentWorkspace"))
	d.want(200, "POST", place+"/offerControl", `{"switchboardIntegration":"ours"}`)
	d.want(200, "POST", place+"/acceptControl", `{}`)
	simtest.Until(t, "that it was taken", d.has("switchboard:acceptControl  ours"))
	there := strings.TrimPrefix(place, "/conversations/")
	d.s.Pass(there, zendesksim.Workspace)
	d.s.Note(there, "secret")
	d.s.Typing(there, "Sam", true)
	d.s.Read(there, "Sam")
	d.s.Survey(there, "", "how was it")
	d.s.Reply(there, "Sam", "hello")
	d.s.End(there, "ticketClosed")
	simtest.Until(t, "the end", d.has("switchboard:releaseControl ticketClosed"))
	for _, want := range []string{"conversation:typing  zd-agentWorkspace", "conversation:read  zd-agentWorkspace", "conversation:message how was it zd-agentWorkspace", "conversation:message hello zd-agentWorkspace"} {
		simtest.Until(t, want, d.has(want))
	}
	c := d.s.Conversations()[0]
	if c.Active != "" || strings.Contains(fmt.Sprint(d.got), "secret") || fmt.Sprint(c.Ticket) != "map[]" && c.Ticket != nil {
		t.Errorf("it ends as %+v", c)
	}
	d.want(200, "POST", place+"/releaseControl", `{"reason":"transferToEmail"}`)
	simtest.Until(t, "a second release", d.has("switchboard:releaseControl transferToEmail"))
	d.want(200, "DELETE", place, "")
	d.want(404, "GET", place, "")
}

// TestMerge: a user becomes another, with the conversation or without; the old ones are
// not known any more.
func TestMerge(t *testing.T) {
	d := begin(t, zendesksim.Options{})
	user, place := d.conversation()
	there := strings.TrimPrefix(place, "/conversations/")
	if now := d.s.Merge(there, false); now != there {
		t.Errorf("it is %q now", now)
	}
	d.post(404, place, user, `{"type":"text","text":"x"}`)
	p := d.want(200, "GET", place+"/participants", "")["participants"].([]any)[0].(map[string]any)["userId"].(string)
	d.post(201, place, p, `{"type":"text","text":"x"}`)
	now := d.s.Merge(there, true)
	d.want(404, "GET", place, "")
	d.want(200, "GET", "/conversations/"+now, "")
	if got := id(d.want(200, "GET", "/users/e", ""), "user"); got == user {
		t.Error("the externalId leads to who is gone")
	}
	simtest.Until(t, "it is told", d.has("user:merge"))
}

// TestWebhooksAreTriedAgain: five times where it may help, once where it does not;
// several events come in one request, each with its id.
func TestWebhooksAreTriedAgain(t *testing.T) {
	for status, want := range map[int]int{500: 5, 429: 5, 403: 1, 404: 1, 204: 1} {
		d := begin(t, zendesksim.Options{})
		d.answer(status)
		d.conversation() // tells one event
		simtest.Until(t, fmt.Sprint(want, " tries of ", status), func() bool { return d.tried() >= want })
		time.Sleep(100 * time.Millisecond)
		if got := d.answer(0); got != want {
			t.Errorf("%d: tried %d times, want %d", status, got, want)
		}
	}
	d := begin(t, zendesksim.Options{})
	_, place := d.conversation()
	there := strings.TrimPrefix(place, "/conversations/")
	simtest.Until(t, "what was before", d.has("conversation:create  zd-answerBot"))
	d.s.Trouble(simvendor.Trouble{Shuffle: 100 * time.Millisecond, Twice: true, Delay: time.Millisecond})
	for i := range 9 {
		d.s.Reply(there, "Sam", fmt.Sprint("m", i))
	}
	simtest.Until(t, "the last", d.has("conversation:message m8 zd-answerBot"))
	simtest.Until(t, "each twice", func() bool { return d.told() >= 19 })
	d.s.Trouble(simvendor.Trouble{Lose: true})
	d.s.Reply(there, "Sam", "lost")
	time.Sleep(50 * time.Millisecond)
	if d.largest < 2 || d.has("conversation:message lost zd-answerBot")() {
		t.Errorf("at most %d events in a request: %q", d.largest, d.got)
	}
}

func (b *bridge) told() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ids)
}

// TestDeaf: an integration that has no control hears nothing without deliverStandbyEvents.
func TestDeaf(t *testing.T) {
	d := begin(t, zendesksim.Options{Deaf: true})
	_, place := d.conversation()
	there := strings.TrimPrefix(place, "/conversations/")
	d.s.Reply(there, "Sam", "unheard")
	d.s.Pass(there, "ours")
	d.s.Reply(there, "Sam", "heard")
	simtest.Until(t, "what comes when it is ours", d.has("conversation:message heard ours"))
	if d.has("conversation:message unheard zd-answerBot")() {
		t.Errorf("heard %q", d.got)
	}
}

// TestFilesAndFaults: what is uploaded is served; calls go wrong as told; a stranger
// and too many calls are refused.
func TestFilesAndFaults(t *testing.T) {
	d := begin(t, zendesksim.Options{PerSecond: 30})
	kind, form := simtest.Form(t, "source", "a.txt", "hello")
	_, out := simtest.Call(t, "POST", d.url+"/v2/apps/a/attachments?access=public", form, "Authorization", key, "Content-Type", kind)
	address := out["attachment"].(map[string]any)["mediaUrl"].(string)
	if _, got := simtest.Ask(t, "GET", address, ""); got != "hello" || string(d.s.File(address)) != "hello" {
		t.Errorf("the file is %q", got)
	}
	d.s.Fail(simvendor.Fault{Path: "/users", Method: "POST", Drop: simvendor.DropAfter})
	d.want(0, "POST", "/users", `{"externalId":"e"}`)
	d.want(409, "POST", "/users", `{"externalId":"e"}`)
	d.s.Fail(simvendor.Fault{Path: "/users", Status: 503, Times: -1})
	d.want(503, "POST", "/users", `{"externalId":"f"}`)
	d.s.Heal()
	d.want(201, "POST", "/users", `{"externalId":"f"}`)
	if status, _ := simtest.Ask(t, "GET", d.url+"/v2/apps/a", ""); status != 401 {
		t.Errorf("a stranger gets %d", status)
	}
	simtest.Until(t, "too many calls", func() bool { status, _ := d.call("GET", "", ""); return status == 429 })
	if all := d.s.Records(); len(all) < 10 || all[0].Body != "form" {
		t.Errorf("records %+v", all)
	}
}

// TestWhatAnAccountIsMadeOf: integrations, their webhooks and the switchboard.
func TestWhatAnAccountIsMadeOf(t *testing.T) {
	d := begin(t, zendesksim.Options{})
	made := id(d.want(201, "POST", "/integrations", `{"type":"custom","displayName":"n","webhooks":[{"target":"https://x.example/","triggers":["conversation:message"]}]}`), "integration")
	d.want(400, "POST", "/integrations", `{"type":"web"}`)
	d.want(201, "POST", "/integrations/"+made+"/webhooks", `{"target":"https://y.example/"}`)
	list := d.want(200, "GET", "/integrations/"+made+"/webhooks", "")["webhooks"].([]any)
	if len(list) != 2 || list[0].(map[string]any)["secret"] == "" || !slices.Contains(d.s.Hooks(), "https://y.example/") {
		t.Errorf("webhooks %v", list)
	}
	member := id(d.want(201, "POST", "/switchboards/board/switchboardIntegrations", `{"name":"n","integrationId":"`+made+`"}`), "switchboardIntegration")
	d.want(200, "PATCH", "/switchboards/board/switchboardIntegrations/"+member, `{"deliverStandbyEvents":true}`)
	d.want(400, "POST", "/switchboards/board/switchboardIntegrations", `{"name":"n","integrationId":"none"}`)
	members := d.want(200, "GET", "/switchboards/board/switchboardIntegrations", "")["switchboardIntegrations"].([]any)
	if len(members) != 4 || members[3].(map[string]any)["deliverStandbyEvents"] != true {
		t.Errorf("members %v", members)
	}
	for _, path := range []string{"", "/switchboards", "/integrations"} {
		d.want(200, "GET", path, "")
	}
	d.want(404, "GET", "/integrations/none/webhooks", "")
}

// TestSimulate: the command's flags make a server, which can be told what its people do
// and tells what they see.
func TestSimulate(t *testing.T) {
	address, told := simtest.Start(t, zendesksim.Simulate, "--webhook", "", "--app", "a", "--key-id", "k", "--key-secret", "x")
	d := desk{t, nil, address, nil}
	_, place := d.conversation()
	there := strings.TrimPrefix(place, "/conversations/")
	for name, body := range map[string]string{"reply": `"text":"hello","name":"Sam"`, "send": `"content":{"type":"text","text":"rich"}`, "attach": `"file":"a","data":"aGk="`, "note": `"text":"n"`,
		"survey": `"text":"s"`, "typing": `"on":true`, "read": `"name":"Sam"`, "trouble": `"delay":1`, "fault": `"path":"/none"`, "heal": `"text":""`, "pass": `"to":"footbridge"`, "end": `"reason":"ticketClosed"`} {
		if status, answer := simtest.Ask(t, "POST", address+"/sim/"+name, `{"conversation":"`+there+`",`+body+`}`); status != 200 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	simtest.Until(t, "Sam's words", func() bool {
		return strings.Contains(told.String(), `hello`) && strings.Contains(told.String(), "rich")
	})
	for _, path := range []string{"/sim/conversations", "/sim/records"} {
		if status, answer := simtest.Ask(t, "GET", address+path, ""); status != 200 {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}
