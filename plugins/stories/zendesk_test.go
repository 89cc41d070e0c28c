package stories

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/zendesk/zendesksim"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/event"
)

// zenRig is a bridge with an account at a simulated Zendesk, whose people answer the
// shop's web chat.
func zenRig(t *testing.T, o zendesksim.Options, settings string, fails ...string) (*rig, *zendesksim.Server) {
	t.Helper()
	o.Secret, o.Integration = zenHook, "footbridge"
	if o.Backoff == 0 {
		o.Backoff = 100 * time.Millisecond
	}
	s, address := newZen(t, o)
	r := newRig(t, setting{extra: account("zen", zendesk, "live_agent", at(address), settings) + shop("helper", "zen")}, fails...)
	s.Tells("http://" + r.public + "/in/zen/webhook")
	return r, s
}

// toZen opens a chat and asks for a person.
func (r *rig) toZen(s *zendesksim.Server) (id, token, there string) {
	r.t.Helper()
	id, token = r.toPeople()
	r.underWay(s)
	return id, token, atZen(s).ID
}

// underWay waits until people have the conversation: they are said to be asked before,
// where making it takes long, and see nothing of it until control is theirs.
func (r *rig) underWay(s *zendesksim.Server) {
	r.t.Helper()
	r.eventually("control is theirs", func() bool { return atZen(s).Active == zendesksim.Workspace })
}

// atZen is the newest conversation there.
func atZen(s *zendesksim.Server) zendesksim.Conversation {
	all := s.Conversations()
	if len(all) == 0 {
		return zendesksim.Conversation{}
	}
	return all[len(all)-1]
}

func (r *rig) zenHears(s *zendesksim.Server, text string) {
	r.t.Helper()
	r.eventually("Zendesk gets "+text, func() bool { return slices.Contains(atZen(s).Texts("user", ""), text) })
}

// TestWebChatToZendesk: people at Zendesk see what was said, as who said it, while the
// bridge keeps control; they write, type, pass the conversation on and give it back.
// Notes, the bot and surveys stay there.
func TestWebChatToZendesk(t *testing.T) {
	t.Parallel()
	r, s := zenRig(t, zendesksim.Options{}, "groups = [\"*=4\"]\ntags = [\"chat\"]\nautomatic_names = [\"Acme\"]")
	id, token, there := r.toZen(s)
	c := atZen(s)
	if c.Active != zendesksim.Workspace || c.Ticket["dataCapture.systemField.requester.name"] != "Ada" || c.Ticket["dataCapture.systemField.group_id"] != "4" || c.Ticket["dataCapture.systemField.tags"] != "chat" {
		t.Errorf("it came as %q with %v", c.Active, c.Ticket)
	}
	if got := c.Texts("business", ""); !slices.Contains(got, "okapi about apples") || strings.Contains(fmt.Sprint(got), "bot's answer") {
		t.Errorf("people see of the business %q", got)
	}
	r.write(id, token, "waiting", "okapi still here")
	r.zenHears(s, "okapi still here")
	s.Note(there, "okapi secret note")
	s.Answers(there, "okapi secret bot")
	s.Survey(there, "Acme", "okapi secret greeting")
	s.Reply(there, "Sam", "okapi Sam here")
	r.heard(id, token, "okapi Sam here")
	r.inState(id, "active")
	passing := follow(t, r, "?conversation="+id, token)
	r.eventually("the customer sees Sam type", func() bool {
		s.Typing(there, "Sam", true)
		return typed(passing(), id, event.RoleLiveAgent) == adapter.Full
	})
	r.write(id, token, "asks", "okapi plums")
	r.zenHears(s, "okapi plums")
	r.eventually("it is told that people have read it", func() bool {
		s.Read(there, "Sam")
		return count(r.events(id), event.KindMessageRead) > 0
	})
	s.Reply(there, "Kim", "okapi Kim here")
	r.heard(id, token, "okapi Kim here")
	s.End(there, "ticketClosed")
	s.Survey(there, "", "okapi secret survey")
	s.End(there, "ticketClosed")
	r.inState(id, "automated")
	s.End(there, "ticketClosed")
	r.write(id, token, "again", "okapi pears")
	r.answered(id, "okapi about pears")
	tale{conversation: id, flows: []flow{
		{"Zendesk", []string{"okapi apples", "okapi agent", "okapi still here", "okapi plums"}, atZen(s).Texts("user", "")},
		{"the customer", []string{"okapi Sam here", "okapi Kim here"}, texts(r.seenBy(id, token), event.RoleLiveAgent)},
	}}.once(t)
	if seen := fmt.Sprint(r.seenBy(id, token)); strings.Contains(seen, "secret") {
		t.Errorf("the customer sees %s", seen)
	}
	if got, want := r.people(id), []string{"handoff.accepted Sam", "transfer.completed Kim", "handback.requested Kim"}; !slices.Equal(got, want) {
		t.Errorf("people came as %q, want %q", got, want)
	}
}

// zenSays has one of the people write many words, and gives them.
func zenSays(s *zendesksim.Server, there, what string, n int) []string {
	return many(what, n, func(text string) { s.Reply(there, "Sam", text) })
}

// TestZendeskLosesWebhooks: what its people did while no webhook arrived is read back,
// whole and in order, more of it than a page has, and so is that they gave it up.
func TestZendeskLosesWebhooks(t *testing.T) {
	t.Parallel()
	r, s := zenRig(t, zendesksim.Options{PageSize: 20}, "")
	id, token, there := r.toZen(s)
	s.Trouble(simvendor.Trouble{Lose: true})
	all := zenSays(s, there, "lost", 70)
	r.heard(id, token, all[69])
	s.Reply(there, "Sam", "okapi bye")
	s.End(there, "ticketClosed")
	r.inState(id, "automated")
	tale{conversation: id, flows: []flow{{"the customer", append(all, "okapi bye"), texts(r.seenBy(id, token), event.RoleLiveAgent)}}}.once(t)
}

// TestZendeskMixesWebhooks: webhooks that come twice, late and in any order say
// everything once and in order, while Zendesk is busy, too.
func TestZendeskMixesWebhooks(t *testing.T) {
	t.Parallel()
	r, s := zenRig(t, zendesksim.Options{}, "")
	id, token, there := r.toZen(s)
	s.Trouble(simvendor.Trouble{Twice: true, Shuffle: 50 * time.Millisecond, Delay: 50 * time.Millisecond})
	all := zenSays(s, there, "mixed", 30)
	r.heard(id, token, all[29])
	s.Fail(simvendor.Fault{Path: "/messages", Method: "POST", Status: http.StatusTooManyRequests, RetryAfter: 1, Times: 2})
	r.write(id, token, "asks", "okapi plums")
	r.write(id, token, "more", "okapi cherries")
	r.zenHears(s, "okapi cherries")
	s.End(there, "ticketClosed")
	r.inState(id, "automated")
	tale{conversation: id, flows: []flow{{"the customer", all, texts(r.seenBy(id, token), event.RoleLiveAgent)},
		{"Zendesk", []string{"okapi apples", "okapi agent", "okapi plums", "okapi cherries"}, atZen(s).Texts("user", "")}}}.once(t)
	r.takenOnce(id)
}

// TestZendeskAndAKill: the bridge and its plugin are killed while a hand-off is made whose
// answers are lost, and while people talk. One conversation is there, and nothing is lost.
func TestZendeskAndAKill(t *testing.T) {
	t.Parallel()
	r, s := zenRig(t, zendesksim.Options{}, "")
	s.Fail(simvendor.Fault{Path: "/users", Method: "POST", Drop: simvendor.DropAfter})
	s.Fail(unheard("POST", "/conversations"))
	id, token := r.toPeopleKilled(func() bool { return len(s.Conversations()) > 0 })
	there := atZen(s).ID
	if n := len(s.Conversations()); n != 1 || len(s.Users()) != 1 {
		t.Fatalf("%d conversations of %d users at Zendesk", n, len(s.Users()))
	}
	r.underWay(s)
	first := zenSays(s, there, "before", 5)
	r.heard(id, token, first[4])
	r.kill()
	first = append(first, zenSays(s, there, "meanwhile", 5)...) // some of it told when the bridge is there again
	r.write(id, token, "asks", "okapi plums")
	r.heard(id, token, first[9])
	r.zenHears(s, "okapi plums")
	r.killPlugin("zendesk")
	first = append(first, zenSays(s, there, "after", 5)...)
	r.heard(id, token, first[14])
	r.kill()
	s.End(there, "ticketClosed")
	r.inState(id, "automated")
	if n := len(s.Conversations()); n != 1 {
		t.Errorf("%d conversations at Zendesk", n)
	}
	tale{conversation: id, flows: []flow{{"the customer", first, texts(r.seenBy(id, token), event.RoleLiveAgent)}}}.once(t)
}

// TestZendeskLosesAnswers: Zendesk takes what was said, and the customer's words, and
// nobody hears of it, or it takes nothing. All stands there once, in order, however much
// people write meanwhile.
func TestZendeskLosesAnswers(t *testing.T) {
	t.Parallel()
	r, s := zenRig(t, zendesksim.Options{PageSize: 3}, "")
	lost := simvendor.Fault{Path: "/messages", Method: "POST", Drop: simvendor.DropAfter}
	s.Fail(simvendor.Fault{Path: "/messages", Method: "POST", Drop: simvendor.DropAfter, Times: 2})
	s.Fail(simvendor.Fault{Path: "/messages", Method: "POST", Drop: simvendor.DropBefore})
	id, token, there := r.toZen(s)
	before := func() int {
		return strings.Count(strings.Join(atZen(s).Texts("business", ""), "\n"), "okapi about apples")
	}
	r.eventually("people see what was said", func() bool { return before() > 0 }) // they have the conversation before, where that takes long
	s.Fail(lost)
	s.Fail(simvendor.Fault{Path: "/messages", Method: "GET", Status: http.StatusServiceUnavailable, Times: 3}) // people write before it is looked for
	r.write(id, token, "asks", "okapi plums")
	r.zenHears(s, "okapi plums")
	said := zenSays(s, there, "meanwhile", 12)
	s.Fail(simvendor.Fault{Path: "/messages", Method: "POST", Drop: simvendor.DropBefore})
	r.write(id, token, "more", "okapi cherries")
	r.write(id, token, "last", "okapi pears")
	r.zenHears(s, "okapi pears")
	r.heard(id, token, said[11])
	if n := before(); n != 1 {
		t.Errorf("people see %d times what was said", n)
	}
	tale{conversation: id, flows: []flow{{"the customer", said, texts(r.seenBy(id, token), event.RoleLiveAgent)},
		{"Zendesk", []string{"okapi apples", "okapi agent", "okapi plums", "okapi cherries", "okapi pears"}, atZen(s).Texts("user", "")}}}.once(t)
}

// TestZendeskFiles: files go both ways as files, and what has buttons or questions as
// such; the customer's leaving releases the conversation there with a word.
func TestZendeskFiles(t *testing.T) {
	t.Parallel()
	r, s := zenRig(t, zendesksim.Options{}, "")
	id, token, there := r.toZen(s)
	s.Reply(there, "Sam", "okapi Sam here")
	r.inState(id, "active")
	r.showsPicture(id, token)
	r.eventually("the picture at Zendesk, with its caption", func() bool {
		all := atZen(s).Messages
		last := all[len(all)-1]
		address, _ := last.Content["mediaUrl"].(string)
		return last.Content["type"] == "image" && last.Text() == "okapi look" && bytes.Equal(s.File(address), pngOf("one"))
	})
	s.Attach(there, "Sam", "answer.png", "image/png", "image", pngOf("two"))
	r.getsPicture(id, token)
	s.Send(there, "Sam", map[string]any{"type": "carousel", "items": []map[string]any{{"title": "okapi shoes", "actions": []map[string]any{{"type": "postback", "text": "Take", "payload": "t"}}}}})
	s.Send(there, "Sam", map[string]any{"type": "form", "fields": []map[string]any{{"type": "text", "name": "n", "label": "okapi size"}}})
	r.eventually("cards and questions", func() bool {
		seen := fmt.Sprint(r.seenBy(id, token))
		return strings.Contains(seen, "okapi shoes") && strings.Contains(seen, "okapi size")
	})
	r.leaves(id, token)
	r.eventually("it is released, and people are told why", func() bool {
		c := atZen(s)
		return c.Active == "" && slices.Contains(c.Texts("business", ""), "The customer has left the conversation.")
	})
}

// TestZendeskLateAndAgain: people who write after the hand-off has timed out, or take
// control again, reach nobody and are told so once; a hand-off after that is a new
// conversation. A user who is merged in the middle is followed, told or not.
func TestZendeskLateAndAgain(t *testing.T) {
	t.Parallel()
	r, s := zenRig(t, zendesksim.Options{}, "")
	id, token, there := r.toZen(s)
	s.Pass(there, zendesksim.Bot)
	r.inState(id, "automated")
	s.Pass(there, zendesksim.Workspace)
	s.Reply(there, "Sam", "okapi too late")
	s.Reply(there, "Sam", "okapi again")
	r.eventually("Sam is told", func() bool {
		return strings.Contains(fmt.Sprint(atZen(s).Texts("business", "")), "does not see this")
	})
	r.write(id, token, "person again", "okapi agent")
	r.inState(id, "queued")
	now := atZen(s).ID
	if now == there {
		t.Fatal("the second hand-off is the first conversation")
	}
	s.Reply(now, "Kim", "okapi Kim here")
	r.heard(id, token, "okapi Kim here")
	now = s.Merge(now, true)
	r.write(id, token, "merged", "okapi still me")
	r.zenHears(s, "okapi still me")
	s.Trouble(simvendor.Trouble{Lose: true})
	s.Merge(now, false)
	r.write(id, token, "unseen", "okapi and now")
	r.zenHears(s, "okapi and now")
	s.Trouble(simvendor.Trouble{})
	s.Reply(now, "Kim", "okapi bye")
	r.heard(id, token, "okapi bye")
	s.Pass(now, "footbridge")
	r.inState(id, "automated")
	tale{conversation: id, flows: []flow{{"the customer", []string{"okapi Kim here", "okapi bye"}, texts(r.seenBy(id, token), event.RoleLiveAgent)}}}.once(t)
	if n := strings.Count(fmt.Sprint(s.Conversations()), "does not see this"); n != 1 {
		t.Errorf("people are told %d times", n)
	}
}

// TestZendeskLongTranscript: a long conversation is there whole and in order.
func TestZendeskLongTranscript(t *testing.T) {
	t.Parallel()
	r, s := zenRig(t, zendesksim.Options{}, "max_turns = 1000")
	id, token := r.chatAt("pk_shop")
	var want []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("okapi plums %02d%s", i, strings.Repeat("x", i*60)))
		r.write(id, token, fmt.Sprint("w", i), want[i])
	}
	r.answered(id, "okapi about plums")
	r.write(id, token, "person", "okapi agent")
	r.inState(id, "queued")
	r.eventually("the transcript is there", func() bool { return len(atZen(s).Texts("user", "")) > len(want) })
	tale{conversation: id, flows: []flow{{"Zendesk", append(want, "okapi agent"), atZen(s).Texts("user", "")}}}.once(t)
}

// TestZendeskAccountProvesItself: verify finds a wrong key, app and switchboard, and
// makes what is missing; the secret Zendesk chooses is nowhere shown.
func TestZendeskAccountProvesItself(t *testing.T) {
	t.Parallel()
	s, address := newZen(t, zendesksim.Options{})
	p := newProgram(t, "[server]\nlisten = \"{public}\"\npublic_url = \"https://bridge.example\"\n"+small+
		account("zen", zendesk, "live_agent", at(address))+strings.Replace(account("other", zendesk, "live_agent", at(address)), "app-1", "app-2", 1))
	p.proves([]proof{
		{"the switchboard does not know us", "", []string{"zen"}, []string{"good", "good", "fault"}},
		{"all is made", "", []string{"--create", "zen"}, []string{"good", "good", "good", "good"}},
		{"it is there", "", []string{"zen"}, []string{"good", "good", "good", "good"}},
		{"another key", "ZEN_KEY=other", []string{"zen"}, []string{"fault"}},
		{"another app", "", []string{"other"}, []string{"fault"}},
	}, "canary", "secret-")
	if got := s.Hooks(); !slices.Equal(got, []string{"https://bridge.example/in/zen/webhook"}) {
		t.Errorf("webhooks at Zendesk: %q", got)
	}
}
