package stories

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/chatwoot/chatwootsim"
	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/event"
)

// sam and kim work at the simulated Chatwoot.
const (
	sam = 7
	kim = 8
)

// wootRig is a bridge with an account at a simulated Chatwoot, whose people answer
// the shop's web chat; AI Studio's route may name it, too.
func wootRig(t *testing.T, o chatwootsim.Options, s setting, settings string, fails ...string) (*rig, *chatwootsim.Server) {
	t.Helper()
	woot, address := newWoot(t, o)
	s.extra = account("woot", chatwoot, "live_agent", at(address), settings) + shop("helper", "woot")
	r := newRig(t, s, fails...)
	woot.Tells("http://" + r.public + "/in/woot/webhook")
	return r, woot
}

// atWoot is the conversation at Chatwoot that its people can see.
func (r *rig) atWoot(woot *chatwootsim.Server) int {
	r.t.Helper()
	id := 0
	r.eventually("an open conversation at Chatwoot", func() bool {
		for _, one := range woot.Conversations() {
			if woot.Conversation(one).Status == chatwootsim.StatusOpen {
				id = one
			}
		}
		return id != 0
	})
	return id
}

// toWoot opens a chat and asks for a person.
func (r *rig) toWoot(woot *chatwootsim.Server) (id, token string, there int) {
	r.t.Helper()
	id, token = r.toPeople()
	return id, token, r.atWoot(woot)
}

// TestWebChatToChatwoot: people at Chatwoot see what was said, take the conversation,
// pass it on, talk, and give it back; their notes stay among them.
func TestWebChatToChatwoot(t *testing.T) {
	t.Parallel()
	r, woot := wootRig(t, chatwootsim.Options{}, setting{}, `teams = ["*=4"]`)
	id, token, there := r.toWoot(woot)
	c := woot.Conversation(there)
	if c.Team != 4 || c.Contact.Name != "Ada" || c.Assignee != 0 {
		t.Errorf("it came as %+v", c)
	}
	if got := woot.Texts(there, chatwootsim.Incoming); !slices.Equal(got, []string{"okapi apples", "okapi agent"}) {
		t.Errorf("people see of the customer %q", got)
	}
	if got := woot.Texts(there, chatwootsim.Outgoing); !slices.Contains(got, "okapi about apples") {
		t.Errorf("people see of the virtual agent %q", got)
	}
	r.write(id, token, "waiting", "okapi still here")
	woot.Assign(there, sam)
	r.inState(id, "active")
	woot.Note(there, sam, "okapi secret note")
	woot.Reply(there, sam, "okapi **Sam** here")
	r.heard(id, token, "okapi **Sam** here")
	r.write(id, token, "asks", "okapi plums")
	woot.Assign(there, kim)
	woot.Survey(there, "okapi survey")
	woot.Reply(there, kim, "okapi Kim here")
	r.heard(id, token, "okapi Kim here")
	r.eventually("the customer's words at Chatwoot", func() bool {
		return slices.Contains(woot.Texts(there, chatwootsim.Incoming), "okapi plums")
	})
	woot.Resolve(there, kim)
	r.inState(id, "automated")
	r.write(id, token, "again", "okapi pears")
	r.answered(id, "okapi about pears")
	seen := r.seenBy(id, token)
	tale{conversation: id, flows: []flow{
		{"Chatwoot", []string{"okapi apples", "okapi agent", "okapi still here", "okapi plums"}, woot.Texts(there, chatwootsim.Incoming)},
		{"the customer", []string{"okapi **Sam** here", "okapi Kim here"}, texts(seen, event.RoleLiveAgent)},
	}}.once(t)
	r.never(id, token, "secret")
	var who []string
	for _, e := range r.events(id) {
		if e.Kind() == event.KindHandoffAccepted || e.Kind() == event.KindTransferCompleted {
			who = append(who, string(e.Kind())+" "+e.Actor.Name)
		}
	}
	if !slices.Equal(who, []string{"handoff.accepted Sam", "transfer.completed Kim"}) || count(r.events(id), event.KindHandbackRequested) != 1 {
		t.Errorf("people were told of as %q", who)
	}
	if got := woot.Texts(there, chatwootsim.Incoming); slices.Contains(got, "okapi pears") || woot.Conversation(there).Status != chatwootsim.StatusResolved {
		t.Errorf("after the end Chatwoot has %q", got)
	}
}

// TestStudioToChatwoot: AI Studio holds the customer, Chatwoot's people answer, and
// AI Studio has the session back when they resolve it.
func TestStudioToChatwoot(t *testing.T) {
	t.Parallel()
	r, woot := wootRig(t, chatwootsim.Options{AutoAssign: sam}, setting{backends: []string{"woot"}}, `transcript = "note"`)
	r.begin("s1", vonagesim.WhatsApp("s1", "447700900001", "Ada")...)
	id := r.conversation("s1")
	there := r.atWoot(woot)
	r.inState(id, "active") // Chatwoot gives it to Sam by itself
	c := woot.Conversation(there)
	if notes := strings.Join(woot.Notes(there), "\n"); !strings.Contains(notes, "Virtual agent: okapi, how can I help?\nAda: an okapi, please") &&
		!strings.Contains(notes, "Virtual agent: okapi, how can I help?\nCustomer: an okapi, please") {
		t.Errorf("the note is %q", notes)
	}
	if c.Contact.Phone != "+447700900001" || c.Contact.Name != "Ada" || c.Facts["plan"] != "gold" {
		t.Errorf("it came as %+v", c)
	}
	said := []string{r.tell("s1", "one"), r.tell("s1", "two")}
	woot.Reply(there, sam, "okapi first")
	woot.Reply(there, sam, "okapi second")
	r.eventually("the words at AI Studio", func() bool { return slices.Contains(r.studio.Shown("s1"), "okapi second") })
	r.eventually("the words at Chatwoot", func() bool { return slices.Contains(woot.Texts(there, chatwootsim.Incoming), said[1]) })
	woot.Resolve(there, sam)
	r.inState(id, "automated")
	tale{conversation: id, extra: r.disconnects("s1") - 1, flows: []flow{
		{"Chatwoot", said, woot.Texts(there, chatwootsim.Incoming)},
		{"AI Studio", []string{"okapi first", "okapi second"}, r.studio.Shown("s1")}}}.once(t)
}

// replies has Sam write many words, and gives them.
func replies(woot *chatwootsim.Server, there, n int) []string {
	return many("reply", n, func(text string) { woot.Reply(there, sam, text) })
}

// TestChatwootLosesWebhooks: what Chatwoot's people did while no webhook arrived is
// read back, whole and in order, more of it than a page holds.
func TestChatwootLosesWebhooks(t *testing.T) {
	t.Parallel()
	r, woot := wootRig(t, chatwootsim.Options{}, setting{}, "")
	id, token, there := r.toWoot(woot)
	woot.Assign(there, sam)
	r.inState(id, "active")
	time.Sleep(2 * time.Second) // the look soon after a hand-off is over: only Reconcile reads now
	woot.Trouble(simvendor.Trouble{Lose: true})
	all := replies(woot, there, 100)
	r.heard(id, token, all[99])
	woot.Reply(there, sam, "okapi bye")
	woot.Resolve(there, sam)
	r.inState(id, "automated")
	tale{conversation: id, flows: []flow{{"the customer", append(all, "okapi bye"), texts(r.seenBy(id, token), event.RoleLiveAgent)}}}.once(t)
}

// TestChatwootMixesWebhooks: webhooks that come twice and in any order say everything
// once and in order.
func TestChatwootMixesWebhooks(t *testing.T) {
	t.Parallel()
	r, woot := wootRig(t, chatwootsim.Options{}, setting{}, "")
	id, token, there := r.toWoot(woot)
	woot.Trouble(simvendor.Trouble{Twice: true, Shuffle: 300 * time.Millisecond, Delay: 100 * time.Millisecond})
	woot.Assign(there, sam)
	all := replies(woot, there, 30)
	r.heard(id, token, all[29])
	woot.Resolve(there, sam)
	r.inState(id, "automated")
	tale{conversation: id, flows: []flow{{"the customer", all, texts(r.seenBy(id, token), event.RoleLiveAgent)}}}.once(t)
	r.takenOnce(id)
}

// TestChatwootAndAKill: the bridge is killed while a hand-off is made and while
// people talk. One conversation is open at Chatwoot, and nothing is lost.
func TestChatwootAndAKill(t *testing.T) {
	t.Parallel()
	r, woot := wootRig(t, chatwootsim.Options{}, setting{}, "")
	woot.Fail(unheard("POST", "/conversations"))
	id, token := r.toPeopleKilled(func() bool { return len(woot.Conversations()) > 0 })
	there := r.atWoot(woot)
	woot.Assign(there, sam)
	r.inState(id, "active")
	first := replies(woot, there, 5)
	r.kill()
	for n := range 5 { // Chatwoot tells nobody, once
		first = append(first, fmt.Sprintf("okapi meanwhile %d", n))
		woot.Reply(there, sam, first[5+n])
	}
	r.write(id, token, "asks", "okapi plums")
	r.heard(id, token, first[9])
	r.kill()
	r.eventually("Sam is done with it", func() bool { // the customer's words may open it again
		woot.Resolve(there, sam)
		return r.state(id) == "automated"
	})
	r.eventually("the customer's words at Chatwoot, or an answer to them", func() bool {
		return slices.Contains(woot.Texts(there, chatwootsim.Incoming), "okapi plums") || slices.Contains(texts(r.events(id), event.RoleVirtualAgent), "okapi about plums")
	})
	r.eventually("it is resolved, and stays so", func() bool { return woot.Conversation(there).Status == chatwootsim.StatusResolved })
	if n := len(woot.Conversations()); n != 1 {
		t.Errorf("%d conversations at Chatwoot", n)
	}
	tale{conversation: id, flows: []flow{{"the customer", first, texts(r.seenBy(id, token), event.RoleLiveAgent)}}}.once(t)
}

// TestChatwootIsBusyAndUnsure: Chatwoot answers 429, and loses answers. Nothing is
// opened twice, and the customer's leaving closes it with a word.
func TestChatwootIsBusyAndUnsure(t *testing.T) {
	t.Parallel()
	r, woot := wootRig(t, chatwootsim.Options{}, setting{}, "")
	woot.Fail(simvendor.Fault{Path: "/contacts", Status: http.StatusTooManyRequests, RetryAfter: 1})
	woot.Fail(simvendor.Fault{Path: "/accounts/1/conversations", Drop: simvendor.DropAfter})
	woot.Fail(simvendor.Fault{Path: "/accounts/1/conversations", Status: http.StatusBadGateway})
	id, token, there := r.toWoot(woot)
	if n := len(woot.Conversations()); n != 1 {
		t.Errorf("%d conversations at Chatwoot", n)
	}
	woot.Reply(there, sam, "okapi hello") // who writes has it, assigned or not
	r.heard(id, token, "okapi hello")
	r.inState(id, "active")
	r.leaves(id, token)
	r.eventually("it is resolved at Chatwoot", func() bool { return woot.Conversation(there).Status == chatwootsim.StatusResolved })
	r.eventually("people are told why", func() bool {
		return slices.Contains(woot.Notes(there), "The customer has left the conversation.")
	})
}

// TestChatwootFiles: files go both ways as files.
func TestChatwootFiles(t *testing.T) {
	t.Parallel()
	r, woot := wootRig(t, chatwootsim.Options{}, setting{}, "")
	id, token, there := r.toWoot(woot)
	r.showsPicture(id, token)
	r.eventually("the picture at Chatwoot", func() bool {
		all := woot.Conversation(there).Messages
		m := all[len(all)-1]
		return m.Content == "okapi look" && len(m.Attachments) == 1 && bytes.Equal(m.Attachments[0].Data, pngOf("one")) && m.Attachments[0].MIME == "image/png"
	})
	woot.Attach(there, sam, "okapi here", chatwootsim.Attachment{Name: "answer.png", MIME: "image/png", Data: pngOf("two")})
	r.heard(id, token, "okapi here")
	r.getsPicture(id, token)
}

// TestChatwootAccountProvesItself: verify finds a webhook that goes elsewhere, and
// enters it.
func TestChatwootAccountProvesItself(t *testing.T) {
	t.Parallel()
	r, woot := wootRig(t, chatwootsim.Options{}, setting{}, "")
	woot.Tells("http://elsewhere.example/")
	r.prover().proves([]proof{
		{"it goes elsewhere", "", []string{"woot"}, []string{"good", "good", "fault"}},
		{"it is entered", "", []string{"--create", "woot"}, []string{"good", "good", "good"}},
		{"it is there", "", []string{"woot"}, []string{"good", "good", "good"}},
	})
}
