package stories

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/event"
)

// A story is one round trip, told so that it can be interrupted anywhere: who
// gets no answer tries again, as each of them would.

// begin starts a hand-off from the simulated AI Studio; again retries as long as
// it is refused or not answered, as a flow that is built to would.
func (r *rig) begin(session string, parameters ...vonagesim.Parameter) {
	r.t.Helper()
	r.eventually("start accepted", func() bool {
		a, err := r.studio.Start(r.t.Context(), session, opening(parameters...))
		return err == nil && a.Status/100 == 2
	})
}

// opening is what the flow hands over.
func opening(parameters ...vonagesim.Parameter) vonagesim.Begin {
	return vonagesim.Begin{Transcript: []vonagesim.Line{{Author: "Agent", Text: "okapi, how can I help?"}, {Author: "User", Text: "an okapi, please"}},
		Parameters: append(parameters, vonagesim.Parameter{Name: "plan", Value: "gold"})}
}

// patiently repeats one saying of a vendor that does not repeat by itself: the
// person says it again, in other words, so that every attempt can be told apart.
// The one that was acknowledged is returned.
func (r *rig) patiently(text string, say func(text string) (vonagesim.Answer, error)) string {
	r.t.Helper()
	for n := range 1000 {
		attempt := fmt.Sprintf("okapi %s/%d", text, n)
		a, err := say(attempt)
		if err == nil && a.Status/100 == 2 {
			return attempt
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.t.Fatalf("%s was never acknowledged", text)
	return ""
}

// tell sends a text of AI Studio's customer.
func (r *rig) tell(session, text string) string {
	r.t.Helper()
	return r.patiently(text, func(text string) (vonagesim.Answer, error) { return r.studio.Say(r.t.Context(), session, text) })
}

// reply sends a text of the agent at the live-agent server.
func (r *rig) reply(session, text string) string {
	r.t.Helper()
	return r.patiently(text, func(text string) (vonagesim.Answer, error) { return r.desk.Say(r.t.Context(), session, text) })
}

// only picks those of a list that are wanted, in the list's order.
func only(all []string, wanted ...string) []string {
	var out []string
	for _, s := range all {
		if slices.Contains(wanted, s) {
			out = append(out, s)
		}
	}
	return out
}

// disconnects counts how often control was handed back.
func (r *rig) disconnects(session string) int {
	n := 0
	for _, rec := range r.studio.Records() {
		if rec.Session == session && rec.Endpoint == "disconnect" && rec.Committed {
			n++
		}
	}
	return n
}

// tale is what a story came to: what somebody was told to show once and in
// order, and what was shown.
type tale struct {
	conversation string
	// flows are lists of words that had to arrive, with what arrived.
	flows []flow
	// extra counts effects at a vendor that happened again, beside words, and
	// startedTwice says that one of them was a start.
	extra        int
	startedTwice bool
}

type flow struct {
	to          string
	want, shown []string
}

// repeats checks that nothing was lost or came out of order, and counts what
// came twice.
func (s tale) repeats(t *testing.T) int {
	t.Helper()
	n := s.extra
	for _, f := range s.flows {
		got := only(f.shown, f.want...)
		n += len(got) - len(slices.Compact(slices.Clone(got)))
		if !slices.Equal(slices.Compact(slices.Clone(got)), f.want) {
			t.Errorf("%s got %q, want %q in this order", f.to, got, f.want)
		}
	}
	return n
}

// once wants every word to have arrived exactly once.
func (s tale) once(t *testing.T) {
	t.Helper()
	if n := s.repeats(t); n > 0 {
		t.Errorf("%d repeats: %q", n, s.flows)
	}
}

// studioToDesk is the first story: AI Studio hands off to the built-in desk and
// gets the conversation back.
func studioToDesk(r *rig) tale {
	r.t.Helper()
	r.begin("s1", vonagesim.WhatsApp("s1", "447700900001", "Ada")...)
	id := r.conversation("s1")
	said := []string{r.tell("s1", "one"), r.tell("s1", "two"), r.tell("s1", "three")}
	r.say(id, "accept", event.HandoffAccepted{})
	first := r.say(id, "first", event.MessageCreated{Content: event.Plain("okapi first reply")})
	last := r.say(id, "second", event.MessageCreated{Content: event.Plain("okapi second reply")})
	if first.ID == last.ID {
		r.t.Fatal("two replies were recorded as one")
	}
	r.say(id, "back", event.HandbackRequested{UpTo: last.ID})
	r.inState(id, "automated")
	events := r.events(id)
	checkHandoff(r.t, events)
	return tale{conversation: id, extra: r.disconnects("s1") - 1, flows: []flow{
		{"the desk", said, texts(events, event.RoleCustomer)},
		{"AI Studio", []string{"okapi first reply", "okapi second reply"}, r.studio.Shown("s1")}}}
}

func checkHandoff(t *testing.T, events []event.Event) {
	t.Helper()
	for _, e := range events {
		h, ok := e.Body.(event.HandoffRequested)
		if !ok {
			continue
		}
		if len(h.Transcript) != 2 || h.Transcript[1].Actor.Role != event.RoleCustomer || h.Context["plan"] != "gold" {
			t.Errorf("hand-off came with transcript %v and context %v", h.Transcript, h.Context)
		}
		return
	}
	t.Error("no hand-off was recorded")
}

// studioToServer is the second story: AI Studio hands off to a live-agent server
// that was built for AI Studio. Its customer has no telephone number.
func studioToServer(r *rig) tale {
	r.t.Helper()
	r.begin("s1")
	id := r.conversation("s1")
	session := ""
	r.eventually("a start at the live-agent server", func() bool {
		all := r.desk.Sessions()
		if len(all) > 0 {
			session = all[len(all)-1]
		}
		return session != ""
	})
	said := []string{r.tell("s1", "one"), r.tell("s1", "two"), r.tell("s1", "three")}
	r.eventually("three texts at the live-agent server", func() bool { return slices.Contains(r.desk.Shown(session), said[2]) })
	replies := []string{r.reply(session, "first"), r.reply(session, "second")}
	r.eventually("control given back", func() bool {
		a, err := r.desk.Disconnect(r.t.Context(), session)
		return err == nil && (a.Status/100 == 2 || a.Status == http.StatusNotFound)
	})
	r.inState(id, "automated")
	starts := r.startsAtServer(session)
	return tale{conversation: id, extra: starts - 1 + r.disconnects("s1") - 1, startedTwice: starts > 1, flows: []flow{
		{"the live-agent server", said, r.desk.Shown(session)}, {"AI Studio", replies, r.studio.Shown("s1")}}}
}

// openingSaid is the transcript of a start. One that comes after a start that took
// too long, which it may on a machine under load, has what the customer was then told.
var openingSaid = regexp.MustCompile(`\[{"Agent":"okapi, how can I help\?"},{"User":"an okapi, please"}(,{"Agent":"Sorry, we cannot reach our colleagues right now\."})*\]`)

// startsAtServer counts the starts a live-agent server took, and checks what
// they brought.
func (r *rig) startsAtServer(session string) int {
	r.t.Helper()
	n := 0
	for _, rec := range r.desk.Records() {
		if rec.Endpoint != "start" || rec.Session != session || !rec.Committed {
			continue
		}
		n++
		if !openingSaid.MatchString(rec.Body) {
			r.t.Errorf("the start has not the opening: %s", rec.Body)
		}
		for _, part := range []string{`{"name":"plan","value":"gold"}`,
			`{"name":"SENDER_PHONE_NUMBER","value":"000`, `{"name":"AGENT_PHONE_NUMBER","value":"447700900002"}`} {
			if !strings.Contains(rec.Body, part) {
				r.t.Errorf("the start has no %s: %s", part, rec.Body)
			}
		}
	}
	return n
}

// webToDesk is the third story: web chat, the scripted virtual agent, the
// built-in desk, and back.
func webToDesk(r *rig) tale {
	r.t.Helper()
	id, token := r.chat()
	said := func(key, text string) event.Event { return r.write(id, token, key, text) }
	said("greeting?", "okapi apples")
	r.answered(id, "okapi about apples")
	said("person", "okapi agent")
	r.inState(id, "queued")
	said("waiting", "okapi pears")
	r.say(id, "accept", event.HandoffAccepted{})
	r.say(id, "hello", event.MessageCreated{Content: event.Plain("okapi Sam here")})
	said("asks", "okapi plums")
	seen := r.say(id, "answer", event.MessageCreated{Content: event.Plain("okapi yes, plums")})
	said("later", "okapi cherries")
	r.say(id, "back", event.HandbackRequested{UpTo: seen.ID})
	r.inState(id, "automated")
	r.answered(id, "okapi about cherries")
	said("again", "okapi apples")
	events := r.seenBy(id, token)
	for len(only(texts(events, event.RoleVirtualAgent), "okapi about apples")) < 2 {
		time.Sleep(20 * time.Millisecond)
		events = r.seenBy(id, token)
	}
	agent := texts(r.events(id), event.RoleCustomer)
	return tale{conversation: id, flows: []flow{
		{"the desk", []string{"okapi apples", "okapi agent", "okapi pears", "okapi plums", "okapi cherries", "okapi apples"}, agent},
		{"the customer, of the live agent", []string{"okapi Sam here", "okapi yes, plums"}, texts(events, event.RoleLiveAgent)},
		{"the customer, of the virtual agent", []string{"okapi about apples", "okapi about cherries", "okapi about apples"},
			only(texts(events, event.RoleVirtualAgent), "okapi about apples", "okapi about pears", "okapi about plums", "okapi about cherries", "okapi fallback")},
	}}
}

// chat opens a web chat with the publishable key, as a browser does.
func (r *rig) chat() (id, token string) {
	r.t.Helper()
	return r.chatAt("pk_test")
}

func (r *rig) chatAt(key string) (id, token string) {
	r.t.Helper()
	var opened struct{ Conversation, Token string }
	if status := r.api("POST", "/conversations", "", "", map[string]any{"publishable_key": key, "customer": map[string]string{"name": "Ada"}}, &opened); status != http.StatusCreated {
		r.t.Fatalf("open a chat: status %d", status)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens = append(r.tokens, opened.Token)
	return opened.Conversation, opened.Token
}

// write posts words of a web chat's customer.
func (r *rig) write(id, token, key, text string) event.Event {
	r.t.Helper()
	var e event.Event
	if status := r.api("POST", "/conversations/"+id+"/events", token, key,
		map[string]any{"kind": event.KindMessageCreated, "body": event.MessageCreated{Content: event.Plain(text)}}, &e); status != http.StatusCreated {
		r.t.Fatalf("write: status %d", status)
	}
	return e
}

// reads waits for words to reach the customer of a web chat, whoever wrote them.
func (r *rig) reads(id, text string) {
	r.t.Helper()
	r.eventually("the customer reads "+text, func() bool {
		all := r.events(id)
		return slices.Contains(append(texts(all, event.RoleVirtualAgent), texts(all, event.RoleLiveAgent)...), text)
	})
}

// answered waits for words of the virtual agent.
func (r *rig) answered(id, text string) {
	r.t.Helper()
	r.eventually("the answer "+text, func() bool { return slices.Contains(texts(r.events(id), event.RoleVirtualAgent), text) })
}

func TestStudioToDesk(t *testing.T) {
	t.Parallel()
	studioToDesk(newRig(t, setting{})).once(t)
}

func TestStudioToServer(t *testing.T) {
	t.Parallel()
	studioToServer(newRig(t, setting{backends: []string{"vdesk"}})).once(t)
}

func TestWebToDesk(t *testing.T) {
	t.Parallel()
	webToDesk(newRig(t, setting{})).once(t)
}
