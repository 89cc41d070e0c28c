package stories

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/bridge/event"
)

// platform runs a simulated Aisera and gives the address of its socket.
func platform(t *testing.T, o aiserasim.Options) (*aiserasim.Server, string) {
	t.Helper()
	s := aiserasim.NewServer(o)
	return s, serve(t, s.Handler())
}

// aisera is an account of that vendor.
func aisera(role, transport, address, more string) string {
	return account("chat", aiseraChat, role, fmt.Sprintf("transport = %q", transport), at(address), `user_email = "guest@example.com"`, more)
}

// TestAiseraClientGoesThroughHandoffAndBack: a customer on the vendor's own chat
// client talks to the scripted virtual agent, to a person and to the virtual
// agent again, on one connection; and over a crash of the bridge on the next.
func TestAiseraClientGoesThroughHandoffAndBack(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{aiserasim.Raw, aiserasim.SocketIO} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setting{extra: aisera("customer", transport, "https://unused.example", "") + route("chat", "helper", "desk")})
			path := map[string]string{aiserasim.Raw: "/ws", aiserasim.SocketIO: "/socket.io/"}[transport]
			dial := func() *aiserasim.Client {
				var c *aiserasim.Client
				r.eventually("a socket", func() (ok bool) {
					var err error
					c, err = aiserasim.Dial(t.Context(), "ws://"+r.public+"/in/chat"+path, chatToken, "ada", aiserasim.Options{Transport: transport})
					return err == nil
				})
				return c
			}
			c := dial()
			say := func(text string) {
				if err := c.Say(text); err != nil {
					t.Fatal(err)
				}
			}
			hears := func(text string) {
				t.Helper()
				r.eventually("the customer hears "+text, func() bool { return slices.Contains(c.Texts(), text) })
			}
			say("okapi apples")
			hears("okapi about apples")
			say("an agent please")
			id := r.conversation("ada")
			r.eventually("waiting", func() bool { s := r.state(id); return s == "queued" || s == "requested" })
			r.say(id, "accept", event.HandoffAccepted{})
			r.say(id, "one", event.MessageCreated{Content: event.Plain("okapi, this is Sam")})
			hears("okapi, this is Sam")
			say("okapi one for Sam")
			r.eventually("the desk has it", func() bool { return slices.Contains(texts(r.events(id), event.RoleCustomer), "okapi one for Sam") })
			r.say(id, "back", event.HandbackRequested{})
			r.inState(id, "automated")
			say("okapi pears")
			hears("okapi about pears")
			if !c.Open() {
				t.Error("the connection did not stay")
			}
			r.took(id, "chat", "okapi about pears")
			r.kill()
			r.ready()
			c = dial()
			say("okapi plums")
			hears("okapi about plums")
			got := only(c.Texts(), "okapi about apples", "okapi about pears", "okapi about plums")
			if !slices.Equal(got, []string{"okapi about plums"}) {
				t.Errorf("after the crash the customer heard %q", got)
			}
		})
	}
}

// TestAiserasOwnPeopleTakeOver: where the vendor's own people answer, the customer
// sees their place in that line, talks to a person and has the virtual agent back;
// no desk of ours is asked.
func TestAiserasOwnPeopleTakeOver(t *testing.T) {
	t.Parallel()
	s, address := platform(t, aiserasim.Options{Token: chatToken})
	r := newRig(t, setting{extra: aisera("virtual_agent", aiserasim.SocketIO, address, "people = \"vendor\"") + shop("chat", "desk")})
	id, token := r.chatAt("pk_shop")
	r.write(id, token, "1", "okapi hello")
	r.answered(id, "You said: okapi hello")
	user := s.Users()[0]
	tell := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := func() (kinds []string) {
		for _, e := range r.seenBy(id, token) {
			if q, ok := e.Body.(event.HandoffQueued); ok {
				kinds = append(kinds, fmt.Sprintf("%s %d", e.Kind(), q.Position))
			} else if strings.HasPrefix(string(e.Kind()), "hand") {
				kinds = append(kinds, string(e.Kind()))
			}
		}
		return kinds
	}
	tell(s.Queue(user, 3))
	tell(s.Queue(user, 1))
	want := []string{"handoff.queued 3", "handoff.queued 1", "handoff.accepted", "handback.completed"}
	r.eventually("the customer sees their place", func() bool { return slices.Equal(seen(), want[:2]) })
	if got := r.state(id); got != "automated" {
		t.Errorf("while the vendor's people are waited for the conversation is %s", got)
	}
	tell(s.Join(user, "sam"))
	r.inState(id, "active")
	tell(s.Say(user, "sam", "okapi from the vendor's person"))
	r.eventually("the person is heard", func() bool {
		return slices.Contains(texts(r.seenBy(id, token), event.RoleLiveAgent), "okapi from the vendor's person")
	})
	r.write(id, token, "2", "okapi for the person")
	r.eventually("the person hears", func() bool { return slices.Contains(s.Texts(user), "okapi for the person") })
	tell(s.Exit(user, "sam"))
	r.inState(id, "automated")
	r.write(id, token, "3", "okapi again")
	r.answered(id, "You said: okapi again")
	if got := seen(); !slices.Equal(got, want) {
		t.Errorf("the customer saw %q, want %q", got, want)
	}
	if i := slices.IndexFunc(r.conversations(), func(c listed) bool { return c.ID == id }); i < 0 || len(r.conversations()[i].Legs) != 2 {
		t.Error("a desk of ours was asked")
	}
}

// TestAiseraVirtualAgentHandsOff: the vendor's virtual agent answers a customer of
// ours, hands off to the desk, is told of it, and has the conversation back.
func TestAiseraVirtualAgentHandsOff(t *testing.T) {
	t.Parallel()
	s, address := platform(t, aiserasim.Options{Token: chatToken})
	r := newRig(t, setting{extra: aisera("virtual_agent", aiserasim.SocketIO, address, "") + shop("chat", "desk")})
	id, token := r.chatAt("pk_shop")
	type pairing struct {
		Front, Back  struct{ Account string }
		VirtualAgent struct{ Account string } `json:"virtual_agent"`
		Levels       map[string]string
	}
	var matrix struct{ Pairings []pairing }
	r.api("GET", "/matrix", deskToken, "", nil, &matrix)
	if !slices.ContainsFunc(matrix.Pairings, func(p pairing) bool {
		return p.Front.Account == "shop" && p.VirtualAgent.Account == "chat" && p.Back.Account == "desk" && p.Levels["form"] == "full" && p.Levels["media"] == "fallback"
	}) {
		t.Errorf("the matrix is %+v", matrix.Pairings)
	}
	r.write(id, token, "1", "okapi hello")
	r.answered(id, "You said: okapi hello")
	r.write(id, token, "2", "okapi agent please")
	r.eventually("waiting", func() bool { st := r.state(id); return st == "queued" || st == "requested" })
	r.say(id, "accept", event.HandoffAccepted{})
	r.write(id, token, "3", "okapi for the person")
	r.say(id, "words", event.MessageCreated{Content: event.Plain("okapi from the person")})
	r.reads(id, "okapi from the person")
	r.say(id, "back", event.HandbackRequested{UpTo: last(r.events(id))})
	r.inState(id, "automated")
	r.write(id, token, "4", "okapi again")
	r.answered(id, "You said: okapi again")
	user := s.Users()[0]
	if got := only(s.Texts(user), "okapi hello", "okapi for the person", "okapi again"); !slices.Equal(got, []string{"okapi hello", "okapi again"}) {
		t.Errorf("the virtual agent got %q", got)
	}
	var kinds []string
	for _, q := range s.Requests(user) {
		if kind := q.Type + q.Data.Type; strings.HasPrefix(kind, "LiveAgent") {
			kinds = append(kinds, kind)
		}
	}
	if !slices.Equal(kinds, []string{"LiveAgentPickUp", "LiveAgentCompleted"}) || s.Refused() != 0 {
		t.Errorf("it was told %q, and refused %d frames", kinds, s.Refused())
	}
}

// TestAiserasPeopleTakeAHandoff: the vendor's people are the live agents of a
// customer of ours.
func TestAiserasPeopleTakeAHandoff(t *testing.T) {
	t.Parallel()
	s, address := platform(t, aiserasim.Options{Token: chatToken})
	r := newRig(t, setting{extra: aisera("live_agent", aiserasim.SocketIO, address, "") + shop("helper", "chat")})
	id, token := r.chatAt("pk_shop")
	r.write(id, token, "1", "okapi apples")
	r.answered(id, "okapi about apples")
	r.write(id, token, "2", "an agent please")
	r.inState(id, "queued")
	user := ""
	r.eventually("the platform is asked", func() bool {
		for _, u := range s.Users() {
			user = u
		}
		return user != ""
	})
	if err := s.Queue(user, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Join(user, "Sam"); err != nil {
		t.Fatal(err)
	}
	r.inState(id, "active")
	if err := s.Say(user, "Sam", "okapi, Sam here"); err != nil {
		t.Fatal(err)
	}
	r.reads(id, "okapi, Sam here")
	r.write(id, token, "3", "okapi for Sam")
	r.eventually("Sam has it", func() bool { return slices.Contains(s.Texts(user), "okapi for Sam") })
	s.Drop(user)
	r.write(id, token, "4", "okapi after the line broke")
	r.eventually("Sam has it on the new line", func() bool { return slices.Contains(s.Texts(user), "okapi after the line broke") })
	if err := s.Exit(user, "Sam"); err != nil {
		t.Fatal(err)
	}
	r.inState(id, "automated")
	r.write(id, token, "5", "okapi pears")
	r.answered(id, "okapi about pears")
}

// last is the id of the newest event.
func last(events []event.Event) string { return events[len(events)-1].ID }
