package stories

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
	"github.com/footbridge/footbridge/bridge/event"
)

// talk makes one conversation of a cell.
func (m *matrix) talk(t *testing.T, front, back string, observed bool, of string) *talk {
	t.Helper()
	route := cellName(front, back, observed) + "-" + of
	if of == caseLeaves {
		route = cellName(front, back, observed) + "-" + caseWhole
	}
	k := &talk{matrix: m, rig: m.rig.of(t), t: t, name: route + "/" + of, used: map[string]bool{}, desk: m.desked, much: 10_000}
	if v := m.vendors[back]; v.paced {
		k.much = v.longest // what was said goes with each hand-off, a message a second
	}
	t.Cleanup(k.tell)
	return k
}

// tell shows how a conversation went that failed.
func (k *talk) tell() {
	if !k.t.Failed() || k.id == "" {
		return
	}
	var happened []string
	for _, e := range k.events(k.id) {
		why := ""
		if failed, ok := e.Body.(event.MessageFailed); ok {
			why = ": " + failed.Reason
		}
		happened = append(happened, fmt.Sprintf("%s %s via %s%s", e.Actor.Role, e.Kind(), e.Via.Account, why))
	}
	k.t.Logf("%s, conversation %s:\n%s", k.name, k.id, strings.Join(happened, "\n"))
}

// next numbers what is said, so that no key is used twice.
func (k *talk) next() string {
	k.keys++
	return fmt.Sprint("n", k.keys)
}

// cell is the route's name, and mark what the transcript of this conversation has
// and no other's.
func (k *talk) cell() string { return k.name[:strings.LastIndex(k.name, "/")] }

func (k *talk) mark() string {
	if k.session != "" {
		return k.session
	}
	return "okapi one " + k.name
}

// call is what the observer knows the conversation by.
func (k *talk) call() string {
	if k.session != "" {
		return k.session
	}
	return k.id
}

// briefing is what was said before people were asked.
func (k *talk) briefing(f front) []event.TranscriptEntry {
	entry := func(role event.Role, name, text string) event.TranscriptEntry {
		return event.TranscriptEntry{Actor: event.Actor{Role: role, Name: name}, Content: event.Plain(text)}
	}
	web, ok := f.(webFront)
	if !ok {
		return []event.TranscriptEntry{entry(event.RoleVirtualAgent, "", "okapi, how can I help?"), entry(event.RoleCustomer, "", "an okapi, please")}
	}
	first := "okapi one " + k.name
	all := []event.TranscriptEntry{entry(event.RoleCustomer, "Ada", first)}
	if web.va.heard != nil {
		all = append(all, entry(event.RoleVirtualAgent, "", web.va.echo(first)))
	}
	return all
}

// asked asks for people, who have it then in their queue.
func (k *talk) asked(f front, b back, observed bool) {
	k.t.Helper()
	if !f.ask(k) {
		k.t.Fatal("people were not asked")
	}
	b.waits(k)
	if observed && k.session == "" {
		k.rig.api("POST", "/conversations/"+k.id+"/events", deskToken, k.name+"-"+k.next(), map[string]any{"kind": event.KindContextUpdated,
			"actor": map[string]string{"role": "system"}, "body": event.ContextUpdated{Attributes: map[string]string{"call_id": k.id}}}, nil)
	}
}

// whole is the conversation that has everything: to people and back, and to people
// again until they end it.
func (m *matrix) whole(t *testing.T, front, back string, observed bool, want, got levels) {
	k, f, b := m.talk(t, front, back, observed, caseWhole), m.front(front), m.back(back)
	f.begin(k, got)
	k.asked(f, b, observed)
	// What was said before may still be on its way when a desk says that it has the rest.
	comesTrue(func() bool {
		got["transcript"] = b.briefed(k, k.briefing(f))
		return got["transcript"] == want["transcript"]
	})
	if b.tellsPlace(k) {
		k.eventually("the place in the queue", func() bool { return f.sawPlace(k) != adapter.Dropped })
	}
	b.accepts(k)
	k.inState(k.id, "active")
	got["queue_position"] = f.sawPlace(k)
	if observed {
		k.observes(back)
	}
	k.converse(f, b, got)
	b.returns(k)
	f.goesOn(k, 1)
	got["handback"] = adapter.Full
	desk, vendors := b.(vendorBack)
	if vendors {
		desk.insists(k)
	}
	k.asked(f, b, false)
	b.accepts(k)
	k.inState(k.id, "active")
	if b.ends(k) {
		f.ended(k)
	} else {
		f.goesOn(k, 2)
	}
	got["agent_ends"] = adapter.Full
	if vendors {
		desk.kept(k)
		desk.silent(k, f)
	}
	if observed {
		k.unheard(t, f)
	}
	if want["typing"] == adapter.Dropped && got["typing"] != worst(f.sawTyping(k), b.sawTyping(k)) {
		t.Errorf("typing came after all")
	}
}

// converse is what passes between the customer and people.
func (k *talk) converse(f front, b back, got levels) {
	k.t.Helper()
	desk, vendors := b.(vendorBack)
	_, web := f.(webFront)
	var fromCustomer, fromPeople []string
	says := func(text string) {
		fromCustomer, k.said = append(fromCustomer, text), append(k.said, text)
		f.says(k, text)
		k.eventually("people read "+text, func() bool { return slices.Contains(b.hears(k), text) })
	}
	answers := func(text string) {
		fromPeople = append(fromPeople, text)
		b.says(k, text)
		k.eventually("the customer reads "+text, func() bool { return slices.Contains(f.hears(k), text) })
	}
	says("okapi to people of " + k.name)
	answers("okapi from people of " + k.name)
	if vendors {
		desk.confides(k)
		desk.passesToTeam(k)
		says("okapi to the team of " + k.name)
		desk.passesOn(k)
	}
	k.stored = vendors
	up, down := picture(k.fileName("up")), picture(k.fileName("down"))
	f.files(k, up)
	k.eventually("people see the picture", func() bool { return b.sawFile(k, up) != adapter.Dropped })
	got["media"] = worst(got["media"], b.sawFile(k, up))
	if b.files(k, down) {
		k.eventually("the customer sees the picture", func() bool { return f.sawFile(k, down) != adapter.Dropped })
		got["media"] = worst(got["media"], f.sawFile(k, down))
	}
	if b.offers(k, drinks()) {
		k.eventually("the customer sees choices", func() bool { return f.sawOffer(k, drinks()) != adapter.Dropped })
		got["choices"] = worst(got["choices"], f.sawOffer(k, drinks()))
		f.picks(k, drinks().Options[1])
		k.eventually("people see what was chosen", func() bool { return b.sawPick(k) })
		b.offers(k, questions())
		k.eventually("the customer sees a form", func() bool { return f.sawOffer(k, questions()) != adapter.Dropped })
		got["form"] = worst(got["form"], f.sawOffer(k, questions()))
		f.answers(k, event.FormResponse{Form: "f-1", Values: []event.FieldValue{{Name: "town", Label: "Your town", Value: "okapi Kew"}}})
		k.eventually("people see the form's answer", func() bool { return b.sawForm(k) })
	}
	f.types(k)
	typing := b.types(k)
	if vendors && web && typing {
		k.eventually("people see typing", func() bool { f.types(k); return b.sawTyping(k) != adapter.Dropped })
	}
	up10, down10 := longer(k.name+" up", max(k.much, desk.longest)), longer(k.name+" down", k.much)
	f.says(k, up10)
	k.eventually("people read the long text", func() bool { return arrived(up10, b.hears(k)) != adapter.Dropped })
	b.says(k, down10)
	k.eventually("the customer reads the long text", func() bool { return arrived(down10, f.hears(k)) != adapter.Dropped })
	got["long_text"] = worst(got["long_text"], arrived(up10, b.hears(k)), arrived(down10, f.hears(k)))
	if typing && web {
		k.eventually("the customer sees typing", func() bool { return f.sawTyping(k) == adapter.Full })
	}
	got["typing"] = worst(f.sawTyping(k), b.sawTyping(k))
	says("okapi last to people of " + k.name)
	answers("okapi last from people of " + k.name)
	if vendors && web && !desk.unread {
		desk.reads(k)
	}
	tale{flows: []flow{{"people", fromCustomer, b.hears(k)}, {"the customer", fromPeople, f.hears(k)}}}.once(k.t)
	got["text"] = adapter.Full
}

// leaves is a conversation whose customer goes while people have it.
func (m *matrix) leaves(t *testing.T, front, back string, observed bool, want, got levels) {
	k, f, b := m.talk(t, front, back, observed, caseLeaves), m.front(front), m.back(back)
	f.begin(k, nil)
	k.asked(f, b, observed)
	b.accepts(k)
	k.inState(k.id, "active")
	f.leaves(k)
	if front == "studio" {
		b.says(k, "okapi, are you there?")
	}
	k.inState(k.id, "ended")
	k.eventually("people are told", func() bool { return b.sawEnd(k) != adapter.Dropped })
	got["customer_ends"] = b.sawEnd(k)
	if front == "studio" {
		got["customer_ends"] = worst(got["customer_ends"], adapter.Fallback) // found out by the next call alone
	}
}

// noAgent is a conversation for which there is nobody.
func (m *matrix) noAgent(t *testing.T, front, back string, observed bool, got levels) {
	k, f, b := m.talk(t, front, back, observed, caseNobody), m.front(front), m.back(back)
	f.begin(k, nil)
	done := make(chan struct{})
	defer close(done)
	if back == "people" {
		go m.refuses(k, done)
	}
	// Aisera says that somebody is asked before it says that nobody comes.
	taken := f.ask(k)
	desk, vendors := b.(vendorBack)
	if taken != (front != "studio" || back == "people" || vendors) {
		t.Errorf("the hand-off was taken: %t", taken)
	}
	if vendors { // who resolves what nobody has taken, declines it
		b.waits(k)
		desk.act(k, 0, simdesk.Resolve, "")
	}
	f.toldNobody(k, taken)
	got["no_agent"] = adapter.Full
}

// refuses says for Aisera that nobody is free, as soon as somebody is asked for.
func (m *matrix) refuses(k *talk, done chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		for _, user := range m.nobody.Users() {
			_ = m.nobody.Exit(user, "")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// late is a conversation nobody takes in time.
func (m *matrix) late(t *testing.T, front, back string, observed bool, got levels) {
	k, f, b := m.talk(t, front, back, observed, caseLate), m.front(front), m.back(back)
	f.begin(k, nil)
	if !f.ask(k) {
		t.Fatal("people were not asked")
	}
	b.waits(k)
	f.toldNobody(k, true)
	k.eventually("the offer is withdrawn", func() bool { return b.withdrawn(k) })
	if desk, vendors := b.(vendorBack); vendors {
		desk.insists(k)
		desk.silent(k, f)
		if events := k.events(k.id); count(events, event.KindHandoffAccepted)+count(events, event.KindHandbackRequested) > 0 {
			t.Error("people have had it after it was withdrawn")
		}
	}
	got["timeout"] = adapter.Full
}
