package stories

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/libredesk/libredesksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/event"
)

// libreSam and libreKim work at the simulated Libredesk.
const (
	libreSam = 7
	libreKim = 8
)

// libreRig is a bridge with an account at a simulated Libredesk, whose people answer the
// shop's web chat.
func libreRig(t *testing.T, o libredesksim.Options, settings string, fails ...string) (*rig, *libredesksim.Server) {
	t.Helper()
	s, address := newLibre(t, o)
	r := newRig(t, setting{extra: account("libre", libredesk, "live_agent", at(address), settings) + shop("helper", "libre")}, fails...)
	s.AddWebhook("http://"+r.public+"/in/libre/webhook", libreHook, libredesksim.Events()...)
	return r, s
}

// toLibre opens a chat and asks for a person.
func (r *rig) toLibre(s *libredesksim.Server) (id, token, there string) {
	r.t.Helper()
	id, token = r.toPeople()
	return id, token, atLibre(s).UUID
}

// atLibre is the newest conversation there.
func atLibre(s *libredesksim.Server) libredesksim.Conversation {
	all := s.Conversations()
	if len(all) == 0 {
		return libredesksim.Conversation{}
	}
	return all[len(all)-1]
}

// wordsAt are the words of a kind of message there, public or private.
func wordsAt(c libredesksim.Conversation, kind string, private bool) []string {
	var out []string
	for _, m := range c.Messages {
		if m.Type == kind && m.Private == private {
			out = append(out, m.Content)
		}
	}
	return out
}

// fromPeople are what live agents said, as one sees it, without its paragraphs.
func (r *rig) fromPeople(id, token string) []string {
	r.t.Helper()
	var out []string
	for _, text := range texts(r.seenBy(id, token), event.RoleLiveAgent) {
		out = append(out, strings.NewReplacer("<p>", "", "</p>", "").Replace(text))
	}
	return out
}

func (r *rig) hearsPeople(id, token, text string) {
	r.t.Helper()
	r.eventually("the customer hears "+text, func() bool { return slices.Contains(r.fromPeople(id, token), text) })
}

// samSays has Sam write many words, and gives them.
func samSays(t *testing.T, s *libredesksim.Server, there, what string, n int) []string {
	t.Helper()
	return many(what, n, func(text string) { must(t, second(s.Say(there, libreSam, text))) })
}

func second(_ string, err error) error { return err }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestWebChatToLibredesk: people at Libredesk see in a note what was said, take the
// conversation, pass it on, talk and give it back; their notes, its surveys and its
// automation stay there. That the customer types is seen there.
func TestWebChatToLibredesk(t *testing.T) {
	t.Parallel()
	r, s := libreRig(t, libredesksim.Options{CSAT: true}, `teams = ["*=4"]`)
	id, token, there := r.toLibre(s)
	c := atLibre(s)
	if c.Team != 4 || c.Contact.FirstName != "Ada" || c.Assignee != 0 || c.ExternalID == "" {
		t.Errorf("it came as %+v", c)
	}
	if notes := strings.Join(wordsAt(c, "outgoing", true), "\n"); !strings.Contains(notes, "Ada: okapi apples<br>") || !strings.Contains(notes, "Virtual agent: okapi about apples<br>") {
		t.Errorf("people are told %q", notes)
	}
	r.write(id, token, "waiting", "okapi still here")
	must(t, s.Assign(there, libreSam))
	r.inState(id, "active")
	must(t, second(s.Note(there, libreSam, "okapi secret note")))
	must(t, second(s.Automate(there, "okapi automation")))
	must(t, second(s.Say(there, libreSam, "okapi Sam here")))
	r.hearsPeople(id, token, "okapi Sam here")
	r.write(id, token, "asks", "okapi plums")
	r.eventually("the socket is joined", func() bool { return s.Lines() == 1 })
	r.eventually("the customer is seen to type", func() bool {
		r.api("POST", "/conversations/"+id+"/events", token, "", map[string]any{"kind": event.KindTypingStarted, "body": event.TypingStarted{}}, nil)
		return atLibre(s).Typing
	})
	must(t, s.Assign(there, libreKim))
	must(t, second(s.Say(there, libreKim, "okapi Kim here")))
	r.hearsPeople(id, token, "okapi Kim here")
	r.eventually("the customer's words at Libredesk", func() bool { return slices.Contains(wordsAt(atLibre(s), "incoming", false), "okapi plums") })
	must(t, s.SetStatus(there, libreKim, "Resolved"))
	r.inState(id, "automated")
	r.write(id, token, "again", "okapi pears")
	r.answered(id, "okapi about pears")
	tale{conversation: id, flows: []flow{
		{"Libredesk", []string{"okapi agent", "okapi still here", "okapi plums"}, wordsAt(atLibre(s), "incoming", false)},
		{"the customer", []string{"okapi Sam here", "okapi Kim here"}, r.fromPeople(id, token)},
	}}.once(t)
	r.never(id, token, "secret", "automation", "rate")
	if who, want := r.people(id), []string{"handoff.accepted Sam Lee", "transfer.completed Kim", "handback.requested Kim"}; !slices.Equal(who, want) {
		t.Errorf("people came as %q, want %q", who, want)
	}
	if got := wordsAt(atLibre(s), "incoming", false); slices.Contains(got, "okapi pears") || atLibre(s).Status != "Resolved" {
		t.Errorf("after the end Libredesk has %q", got)
	}
	r.eventually("the socket is closed", func() bool { return s.Lines() == 0 })
}

// TestLibredeskLosesWebhooks: what its people did while no webhook arrived and no socket
// was there is read back, whole and in order, more of it than a page has.
func TestLibredeskLosesWebhooks(t *testing.T) {
	t.Parallel()
	r, s := libreRig(t, libredesksim.Options{PageSize: 20}, "")
	id, token, there := r.toLibre(s)
	s.Trouble(simvendor.Trouble{Lose: true})
	s.Fail(simvendor.Fault{Path: "/widget/ws", Status: http.StatusTooManyRequests, RetryAfter: 1, Times: -1})
	s.Drop()
	must(t, s.Assign(there, libreSam))
	all := samSays(t, s, there, "lost", 70)
	r.hearsPeople(id, token, all[69])
	must(t, second(s.Say(there, libreSam, "okapi bye")))
	must(t, s.SetStatus(there, libreSam, "Closed"))
	r.inState(id, "automated")
	tale{conversation: id, flows: []flow{{"the customer", append(all, "okapi bye"), r.fromPeople(id, token)}}}.once(t)
}

// TestLibredeskMixesWebhooks: webhooks that come twice and in any order say everything
// once and in order; a contact's token that is forgotten is asked for again.
func TestLibredeskMixesWebhooks(t *testing.T) {
	t.Parallel()
	r, s := libreRig(t, libredesksim.Options{}, "")
	id, token, there := r.toLibre(s)
	s.Trouble(simvendor.Trouble{Twice: true, Shuffle: 100 * time.Millisecond, Delay: 100 * time.Millisecond})
	must(t, s.Assign(there, libreSam))
	all := samSays(t, s, there, "mixed", 30)
	r.hearsPeople(id, token, all[29])
	s.Forget()
	r.write(id, token, "asks", "okapi plums")
	r.write(id, token, "more", "okapi cherries")
	r.eventually("the customer's words at Libredesk", func() bool { return slices.Contains(wordsAt(atLibre(s), "incoming", false), "okapi cherries") })
	must(t, s.SetStatus(there, libreSam, "Resolved"))
	r.inState(id, "automated")
	tale{conversation: id, flows: []flow{{"the customer", all, r.fromPeople(id, token)},
		{"Libredesk", []string{"okapi plums", "okapi cherries"}, wordsAt(atLibre(s), "incoming", false)}}}.once(t)
	r.takenOnce(id)
}

// TestLibredeskAndAKill: the bridge is killed while a hand-off is made and while people
// talk, and Libredesk is busy. One conversation is there, and nothing is lost.
func TestLibredeskAndAKill(t *testing.T) {
	t.Parallel()
	r, s := libreRig(t, libredesksim.Options{}, "")
	s.Fail(simvendor.Fault{Path: "/auth/exchange", Status: http.StatusTooManyRequests, RetryAfter: 1})
	s.Fail(unheard("POST", "/conversations/init"))
	id, token := r.toPeopleKilled(func() bool { return len(s.Conversations()) > 0 })
	there := atLibre(s).UUID
	if n := len(s.Conversations()); n != 1 {
		t.Fatalf("%d conversations at Libredesk", n)
	}
	must(t, s.Assign(there, libreSam))
	r.inState(id, "active")
	first := samSays(t, s, there, "before", 5)
	r.kill()
	first = append(first, samSays(t, s, there, "meanwhile", 5)...) // told to nobody, once
	r.write(id, token, "asks", "okapi plums")
	r.hearsPeople(id, token, first[9])
	r.eventually("the customer's words at Libredesk", func() bool { return slices.Contains(wordsAt(atLibre(s), "incoming", false), "okapi plums") })
	r.kill()
	r.eventually("Sam is done with it", func() bool { // the customer's words, said again, may open it again
		must(t, s.SetStatus(there, libreSam, "Resolved"))
		return r.state(id) == "automated"
	})
	if n := len(s.Conversations()); n != 1 {
		t.Errorf("%d conversations at Libredesk", n)
	}
	tale{conversation: id, flows: []flow{{"the customer", first, r.fromPeople(id, token)}}}.once(t)
}

// TestLibredeskFiles: files go both ways as files, and the customer's leaving resolves
// the conversation there with a word.
func TestLibredeskFiles(t *testing.T) {
	t.Parallel()
	r, s := libreRig(t, libredesksim.Options{}, "")
	id, token, there := r.toLibre(s)
	must(t, s.Assign(there, libreSam))
	r.inState(id, "active")
	r.showsPicture(id, token)
	r.eventually("the picture at Libredesk, and its caption", func() bool {
		all := atLibre(s).Messages
		at := slices.IndexFunc(all, func(m libredesksim.Message) bool { return bytes.Equal(m.File(), pngOf("one")) })
		return at > 0 && all[at].Attachments[0].ContentType == "image/png" && all[at].Attachments[0].Name == "photo.png" && slices.Contains(wordsAt(atLibre(s), "incoming", false), "okapi look")
	})
	must(t, second(s.SendFile(there, libreSam, "answer.png", "image/png", pngOf("two"))))
	r.getsPicture(id, token)
	r.leaves(id, token)
	r.eventually("it is resolved, and people are told why", func() bool {
		c := atLibre(s)
		return c.Status == "Resolved" && slices.Contains(wordsAt(c, "outgoing", true), "<p>The customer has left the conversation.</p>")
	})
}

// TestLibredeskAccountProvesItself: verify finds a wrong key and a webhook that is not
// there, and makes it.
func TestLibredeskAccountProvesItself(t *testing.T) {
	t.Parallel()
	s, address := newLibre(t, libredesksim.Options{})
	p := newProgram(t, "[server]\nlisten = \"{public}\"\npublic_url = \"https://bridge.example\"\n"+small+
		account("libre", libredesk, "live_agent", at(address), `teams = ["*=4"]`, `agents = ["vip=7"]`))
	p.proves([]proof{
		{"the webhook is not there", "", []string{"libre"}, []string{"good", "good", "good", "good", "good", "fault"}},
		{"it is made", "", []string{"--create", "libre"}, []string{"good", "good", "good", "good", "good", "good"}},
		{"it is there", "", []string{"libre"}, []string{"good", "good", "good", "good", "good", "good"}},
		{"another inbox's secret", "LIBRE_INBOX=other", []string{"libre"}, []string{"good", "good", "good", "good", "fault", "good"}},
		{"another key", "LIBRE_KEY=other", []string{"libre"}, []string{"fault"}},
	}, "canary")
	if w := s.Webhooks(); len(w) != 1 || w[0].URL != "https://bridge.example/in/libre/webhook" || w[0].Secret != libreHook || len(s.Conversations()) != 0 {
		t.Errorf("at Libredesk: %+v", w)
	}
}
