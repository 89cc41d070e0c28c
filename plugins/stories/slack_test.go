package stories

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/slack/slacksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/event"
)

// What the stories' Slack has.
const (
	support  = "C0SUPPORT"
	slackSam = "U0SAM"
	slackKim = "U0KIM"
)

// slackRig is a bridge with an account at a simulated Slack, whose people answer the
// shop's web chat. keys are more of the route.
func slackRig(t *testing.T, o slacksim.Options, settings, keys string, fails ...string) (*rig, *slacksim.Server) {
	t.Helper()
	s, address := newSlack(t, o)
	r := newRig(t, setting{extra: account("people", slackDesk, "live_agent", at(address+"/api"), `channels = ["*=`+support+`"]`, settings) + shop("helper", "people") + keys}, fails...)
	s.Tells("http://"+r.public+"/in/people/events", "http://"+r.public+"/in/people/actions")
	return r, s
}

// toSlack opens a chat, asks for a person, and gives the thread.
func (r *rig) toSlack(s *slacksim.Server) (id, token, thread string) {
	r.t.Helper()
	id, token = r.toPeople()
	threads := s.Threads()
	return id, token, threads[len(threads)-1]
}

func (r *rig) presses(s *slacksim.Server, thread, user, action string) {
	r.t.Helper()
	if err := s.Press(thread, user, "footbridge_"+action); err != nil {
		r.t.Fatal(err)
	}
}

// claims presses until Sam has it: who presses while the bridge is down sees that it
// did not work, and presses again.
func (r *rig) claims(s *slacksim.Server, id, thread string) {
	r.t.Helper()
	r.eventually("Sam has it", func() bool {
		r.presses(s, thread, slackSam, "claim")
		return r.state(id) == "active"
	})
}

// samWrites has Sam write many messages, and gives them.
func samWrites(s *slacksim.Server, thread, what string, n int) []string {
	return many(what, n, func(text string) { s.Write(support, thread, slackSam, text) })
}

// slackTale is what Slack and the customer were told, once and in order.
func (r *rig) slackTale(s *slacksim.Server, id, token, thread string, customer, people []string) tale {
	return tale{conversation: id, flows: []flow{
		{"Slack", customer, s.Said(thread, "Ada")}, {"the customer", people, texts(r.seenBy(id, token), event.RoleLiveAgent)}}}
}

// TestWebChatToSlack: people at Slack see what was said, claim the conversation, pass
// it on, talk, and hand it back; what is not for the customer stays among them.
func TestWebChatToSlack(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{}, "", "")
	r.eventually("the address is the bridge's", func() bool { return s.Verify(t.Context()) == nil })
	id, token, thread := r.toSlack(s)
	if got := strings.Join(s.Lines(thread), "\n"); !strings.Contains(got, "\n*Virtual agent:* okapi about apples\n*Ada:* okapi agent") {
		t.Errorf("people see of what was said %q", got)
	}
	r.write(id, token, "waiting", "okapi <still> here")
	r.presses(s, thread, slackSam, "claim")
	r.presses(s, thread, slackSam, "claim")
	r.inState(id, "active")
	s.Write(support, thread, slackSam, "// okapi secret note")
	s.Program(support, thread, "okapi program")
	s.Event(support, thread, slackKim, "channel_join", "okapi joins")
	s.Write(support, "", slackKim, "okapi beside it")
	said := s.Write(support, thread, slackSam, "okapi *Sam* &amp; <@U0KIM>")
	r.heard(id, token, "okapi **Sam** & @Kim")
	s.Edit(support, said, "okapi edited")
	r.heard(id, token, "Corrected: okapi edited")
	s.Delete(support, said)
	r.write(id, token, "asks", "okapi plums")
	r.presses(s, thread, slackKim, "take_over")
	s.Write(support, thread, slackKim, "okapi Kim here")
	r.heard(id, token, "okapi Kim here")
	r.eventually("the customer's words at Slack", func() bool { return slices.Contains(s.Said(thread, "Ada"), "okapi plums") })
	for range 2 {
		r.presses(s, thread, slackKim, "hand_back")
	}
	r.inState(id, "automated")
	r.write(id, token, "again", "okapi pears")
	r.answered(id, "okapi about pears")
	s.Write(support, thread, slackSam, "okapi too late")
	s.Write(support, thread, slackSam, "okapi much too late")
	r.presses(s, thread, slackSam, "close")
	over := "The customer does not see this: the conversation went on without this desk."
	r.eventually("it is said to be over", func() bool { return slices.Contains(s.Lines(thread), over) })
	r.slackTale(s, id, token, thread, []string{"okapi &lt;still&gt; here", "okapi plums"}, []string{"okapi **Sam** & @Kim", "Corrected: okapi edited", "okapi Kim here"}).once(t)
	r.never(id, token, "secret", "program", "joins", "beside", "late")
	if who := r.people(id); !slices.Equal(who, []string{"handoff.accepted Sam", "transfer.completed Kim", "handback.requested Kim"}) || r.state(id) != "automated" {
		t.Errorf("people came as %q, and it is %s", who, r.state(id))
	}
	if n := len(only(s.Lines(thread), over)); n != 1 || slices.Contains(s.Said(thread, "Ada"), "okapi pears") {
		t.Errorf("said to be over %d times, and people see %q", n, s.Said(thread, "Ada"))
	}
	r.eventually("the head says who handed it back", func() bool {
		head := s.Head(thread)
		return len(head.Buttons) == 0 && strings.Contains(fmt.Sprint(head.Blocks), "Handed back by Kim")
	})
}

// TestSlackAnswersTooLate: nobody answers in time; who claims, writes and closes then
// is told once that it is over, and the customer hears nothing of it.
func TestSlackAnswersTooLate(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{}, "", "timers = { waiting = \"3s\" }\n")
	id, token, thread := r.toSlack(s)
	r.inState(id, "automated")
	r.eventually("the buttons are gone", func() bool { return len(s.Head(thread).Buttons) == 0 })
	r.presses(s, thread, slackSam, "claim")
	s.Write(support, thread, slackSam, "okapi sorry")
	r.presses(s, thread, slackSam, "close")
	r.eventually("it is said to be over", func() bool {
		return strings.Contains(strings.Join(s.Lines(thread), "\n"), "The customer does not see this: the conversation went on without this desk.")
	})
	r.write(id, token, "again", "okapi pears")
	r.answered(id, "okapi about pears")
	r.never(id, token, "sorry")
	if count(r.events(id), event.KindHandoffAccepted) != 0 || r.state(id) != "automated" {
		t.Errorf("it was accepted, and is %s", r.state(id))
	}
}

// TestSlackLosesEvents: what people wrote while no event arrived is read back, whole
// and in order, more of it than a page holds, before they close it.
func TestSlackLosesEvents(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{PageSize: 15}, "", "")
	id, token, thread := r.toSlack(s)
	s.Trouble(simvendor.Trouble{Lose: true})
	all := samWrites(s, thread, "reply", 60)
	r.heard(id, token, all[59])
	all = append(all, samWrites(s, thread, "more", 30)...)
	r.heard(id, token, all[89]) // the look soon after a hand-off is over: only Reconcile reads now
	s.Trouble(simvendor.Trouble{})
	for range 2 {
		r.presses(s, thread, slackSam, "close")
	}
	r.inState(id, "ended")
	r.slackTale(s, id, token, thread, nil, all).once(t)
	if n := count(r.events(id), event.KindConversationEnded); n != 1 {
		t.Errorf("it ended %d times", n)
	}
}

// TestSlackMixesEvents: events that come twice, late and in any order say everything
// once and in order.
func TestSlackMixesEvents(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{Retries: []time.Duration{0, time.Second, time.Second}}, "", "")
	id, token, thread := r.toSlack(s)
	s.Trouble(simvendor.Trouble{Twice: true, Shuffle: 300 * time.Millisecond, Delay: 200 * time.Millisecond})
	r.presses(s, thread, slackSam, "claim")
	all := samWrites(s, thread, "reply", 30)
	r.heard(id, token, all[29])
	r.presses(s, thread, slackSam, "hand_back")
	r.inState(id, "automated")
	r.slackTale(s, id, token, thread, nil, all).once(t)
	r.takenOnce(id)
}

// TestSlackAndAKill: the bridge and the plugin are killed while a hand-off is made and
// while people talk. One thread is begun, and nothing is lost.
func TestSlackAndAKill(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{Retries: []time.Duration{time.Second, time.Second, time.Second}}, "", "")
	s.Fail(unheard("chat.postMessage", ""))
	id, token := r.toPeopleKilled(func() bool { return len(s.Threads()) > 0 })
	thread := s.Threads()[0]
	r.claims(s, id, thread)
	said := samWrites(s, thread, "before", 5)
	r.killPlugin("slack")
	said = append(said, samWrites(s, thread, "between", 5)...)
	r.kill()
	said = append(said, samWrites(s, thread, "meanwhile", 5)...)
	r.write(id, token, "asks", "okapi plums")
	r.heard(id, token, said[14])
	r.eventually("the customer's words at Slack", func() bool { return slices.Contains(s.Said(thread, "Ada"), "okapi plums") })
	r.kill()
	r.eventually("Sam is done with it", func() bool {
		r.presses(s, thread, slackSam, "hand_back")
		return r.state(id) == "automated"
	})
	if n := len(s.Threads()); n != 1 {
		t.Errorf("%d threads at Slack", n)
	}
	tale{conversation: id, flows: []flow{{"the customer", said, texts(r.seenBy(id, token), event.RoleLiveAgent)}}}.once(t)
}

// TestSlackIsBusyAndUnsure: Slack takes a message a second, answers 429 and errors
// under 200, and loses answers. A long transcript comes whole and in order, one thread
// is begun, and the customer's leaving closes it with a word.
func TestSlackIsBusyAndUnsure(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{Burst: 2}, "", "")
	id, token := r.chatAt("pk_shop")
	var said []string
	for n := range 6 {
		said = append(said, fmt.Sprintf("okapi apples %d %s", n, strings.Repeat("long ", 500)))
		r.write(id, token, fmt.Sprint("long", n), said[n])
	}
	r.eventually("all is answered", func() bool { return len(only(texts(r.events(id), event.RoleVirtualAgent), "okapi about apples")) == 6 })
	s.Fail(simvendor.Fault{Method: "chat.postMessage", Status: http.StatusTooManyRequests, RetryAfter: 1, Error: "ratelimited"})
	s.Fail(simvendor.Fault{Method: "chat.postMessage", Drop: simvendor.DropAfter})
	r.write(id, token, "person", "okapi agent")
	r.inState(id, "queued")
	thread, whole := s.Threads()[0], ""
	r.eventually("the transcript is there", func() bool { // it takes longer than to be queued
		whole = strings.Join(s.Lines(thread), "")
		return strings.Contains(whole, strings.TrimSpace(said[5]))
	})
	at := 0
	for _, text := range said {
		i := strings.Index(whole[at:], strings.TrimSpace(text))
		if i < 0 {
			t.Fatalf("%.20q is not whole or not in order", text)
		}
		at += i
	}
	s.Write(support, thread, slackSam, "okapi hello") // who writes has it
	r.heard(id, token, "okapi hello")
	s.Fail(simvendor.Fault{Method: "chat.postMessage", Error: "internal_error"})
	r.write(id, token, "asks", "okapi plums")
	r.eventually("the customer's words at Slack", func() bool { return slices.Contains(s.Said(thread, "Ada"), "okapi plums") })
	s.Fail(simvendor.Fault{Method: "chat.postMessage", Drop: simvendor.DropAfter}) // it is there, and nobody hears of it
	s.Fail(simvendor.Fault{Method: "chat.postMessage", Drop: simvendor.DropBefore})
	r.write(id, token, "more", "okapi cherries")
	r.write(id, token, "still more", "okapi pears")
	r.eventually("the last words at Slack", func() bool { return slices.Contains(s.Said(thread, "Ada"), "okapi pears") })
	r.slackTale(s, id, token, thread, []string{"okapi plums", "okapi cherries", "okapi pears"}, []string{"okapi hello"}).once(t)
	if n := len(s.Threads()); n != 1 {
		t.Errorf("%d threads at Slack", n)
	}
	r.leaves(id, token)
	r.eventually("people are told, and the buttons are gone", func() bool {
		return slices.Contains(s.Lines(thread), "The customer has left the conversation.") && len(s.Head(thread).Buttons) == 0
	})
}

// TestSlackChangesTheHeadLate: Slack is slow to change the head of a thread as Sam takes
// it, and the customer leaves meanwhile. What stands there in the end is that it is over.
func TestSlackChangesTheHeadLate(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{}, "", "")
	id, token, thread := r.toSlack(s)
	s.Fail(simvendor.Fault{Method: "chat.update", Latency: 3 * time.Second})
	r.claims(s, id, thread)
	if status := r.api("POST", "/conversations/"+id+"/events", token, "end", map[string]any{"kind": event.KindConversationEnded, "body": event.ConversationEnded{Reason: "completed", By: event.RoleCustomer}}, nil); status != http.StatusCreated {
		t.Fatalf("end: %d", status)
	}
	r.eventually("the head was changed twice", func() bool {
		n := 0
		for _, one := range s.Records() {
			if one.Method == "chat.update" {
				n++
			}
		}
		return n == 2
	})
	if head := s.Head(thread); len(head.Buttons) != 0 || !strings.Contains(fmt.Sprint(head.Blocks), "The customer has left the conversation.") {
		t.Errorf("the head stands as %v with %v", head.Blocks, head.Buttons)
	}
}

// TestSlackSaysItFailed: Slack says that it failed and did what it was to do, or says
// nothing, also where hundreds of messages come meanwhile: all stands there once.
func TestSlackSaysItFailed(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{}, "", "")
	s.Fail(simvendor.Fault{Method: "chat.postMessage", Drop: simvendor.DropAfter, Error: "internal_error", Times: 2}) // the head, and the transcript
	id, token, thread := r.toSlack(s)
	r.claims(s, id, thread)
	if got := strings.Join(s.Lines(thread), "\n"); strings.Count(got, "okapi about apples") != 1 || len(s.Threads()) != 1 {
		t.Errorf("%d threads, with the transcript %q", len(s.Threads()), got)
	}
	for n, what := range []string{"internal_error", "request_timeout", ""} {
		samWrites(s, thread, what, 250)
		s.Fail(simvendor.Fault{Method: "chat.postMessage", Drop: simvendor.DropAfter, Error: what})
		r.write(id, token, what, fmt.Sprint("okapi plums ", n))
	}
	r.write(id, token, "last", "okapi pears")
	r.eventually("the last words at Slack", func() bool { return slices.Contains(s.Said(thread, "Ada"), "okapi pears") })
	r.slackTale(s, id, token, thread, []string{"okapi plums 0", "okapi plums 1", "okapi plums 2", "okapi pears"}, nil).once(t)
}

// TestSlackOverASocket: all that people do comes over Socket Mode, with acknowledgements
// that are lost, connections that are ended, and the bridge killed once.
func TestSlackOverASocket(t *testing.T) {
	t.Parallel()
	o := slacksim.Options{AppToken: slackApp, Retries: []time.Duration{0, time.Second, time.Second}}
	r, s := slackRig(t, o, "transport = \"socket\"", "")
	r.eventually("the bridge listens", func() bool { now, _ := s.Connections(); return now > 0 })
	id, token, thread := r.toSlack(s)
	r.claims(s, id, thread)
	said := samWrites(s, thread, "first", 5)
	r.heard(id, token, said[4])
	s.Deaf(true)
	said = append(said, samWrites(s, thread, "unheard", 2)...)
	r.heard(id, token, said[6])
	s.Deaf(false)
	_, before := s.Connections()
	s.Refresh(2 * time.Second)
	r.eventually("another connection stands", func() bool { _, ever := s.Connections(); return ever > before })
	said = append(said, samWrites(s, thread, "over the next", 3)...)
	r.heard(id, token, said[9])
	r.kill()
	said = append(said, samWrites(s, thread, "meanwhile", 3)...)
	r.write(id, token, "asks", "okapi plums")
	r.heard(id, token, said[12])
	r.eventually("Sam is done with it", func() bool {
		r.presses(s, thread, slackSam, "hand_back")
		return r.state(id) == "automated"
	})
	r.eventually("the customer's words at Slack, or an answer to them", func() bool {
		return slices.Contains(s.Said(thread, "Ada"), "okapi plums") || slices.Contains(texts(r.events(id), event.RoleVirtualAgent), "okapi about plums")
	})
	tale{conversation: id, flows: []flow{{"the customer", said, texts(r.seenBy(id, token), event.RoleLiveAgent)}}}.once(t)
	for _, path := range []string{"/events", "/actions"} {
		if status := r.status("http://" + r.public + "/in/people" + path); status != http.StatusNotFound {
			t.Errorf("there is a door at %s: %d", path, status)
		}
	}
}

// TestSlackFiles: files go both ways as files.
func TestSlackFiles(t *testing.T) {
	t.Parallel()
	r, s := slackRig(t, slacksim.Options{}, "", "")
	id, token, thread := r.toSlack(s)
	r.showsPicture(id, token)
	r.eventually("the picture at Slack", func() bool {
		all := s.Replies(thread)
		m := all[len(all)-1]
		return m.Text == "okapi look" && m.Username == "Ada" && len(m.Files) == 1 && bytes.Equal(m.Files[0].Data, pngOf("one")) && m.Files[0].MIME == "image/png"
	})
	s.Attach(support, thread, slackSam, "okapi here", slacksim.File{Name: "answer.png", MIME: "image/png", Data: pngOf("two")})
	r.heard(id, token, "okapi here")
	r.getsPicture(id, token)
}

// TestSlackAccountProvesItself: verify finds what is missing, and joins the channel.
func TestSlackAccountProvesItself(t *testing.T) {
	t.Parallel()
	channels := []slacksim.Channel{{ID: support, Name: "support"}, {ID: "C0OLD", Name: "old", Archived: true}}
	r, s := slackRig(t, slacksim.Options{Channels: channels, Scopes: strings.Fields("chat:write chat:write.customize channels:history channels:read channels:join users:read files:read files:write")}, "", "")
	r.prover().proves([]proof{
		{"it is not in the channel", "", []string{"people"}, []string{"good", "good", "fault", "good"}},
		{"it joins", "", []string{"--create", "people"}, []string{"good", "good", "good", "good", "good"}},
		{"it is in the channel", "", []string{"people"}, []string{"good", "good", "good", "good", "good"}},
	})
	s.Fail(simvendor.Fault{Method: "auth.test", Error: "token_revoked"})
	r.prover().proves([]proof{{"a token that is none", "", []string{"people"}, []string{"fault"}}})
}
