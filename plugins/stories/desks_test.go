package stories

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/chatwoot/chatwootsim"
	"github.com/footbridge/footbridge/adapters/libredesk/libredesksim"
	"github.com/footbridge/footbridge/adapters/slack/slacksim"
	"github.com/footbridge/footbridge/adapters/zendesk/zendesksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/event"
)

// simulated is a simulated desk.
type simulated interface {
	Handler() http.Handler
	Serves(address string)
	Close()
}

// open serves a simulated desk until the test ends.
func open[S simulated](t *testing.T, s S) (desk S, address string) {
	t.Helper()
	t.Cleanup(s.Close)
	address = serve(t, s.Handler())
	s.Serves(address)
	return s, address
}

// newWoot and its neighbours are desks with the credentials of the stories' accounts.
func newWoot(t *testing.T, o chatwootsim.Options) (*chatwootsim.Server, string) {
	t.Helper()
	o.Inbox, o.Token, o.Secret = "inbox", wootToken, wootSecret
	return open(t, chatwootsim.New(o))
}

func newSlack(t *testing.T, o slacksim.Options) (*slacksim.Server, string) {
	t.Helper()
	o.Token, o.Secret = slackToken, slackSecret
	return open(t, slacksim.New(o))
}

func newZen(t *testing.T, o zendesksim.Options) (*zendesksim.Server, string) {
	t.Helper()
	o.AppID, o.KeyID, o.KeySecret = "app-1", zenKeyID, zenKey
	return open(t, zendesksim.New(o))
}

// newLibre is a Libredesk that wonders about nothing it is asked.
func newLibre(t *testing.T, o libredesksim.Options) (s *libredesksim.Server, address string) {
	t.Helper()
	o.APIKey, o.APISecret, o.InboxUUID, o.InboxSecret = libreKey, libreSecret, "8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01", libreInbox
	s = libredesksim.NewServer(o)
	t.Cleanup(func() {
		s.Close()
		if p := s.Problems(); len(p) > 0 {
			t.Errorf("Libredesk wonders: %q", p)
		}
	})
	return s, serve(t, s.Handler())
}

// apples opens a chat in which the virtual agent has answered.
func (r *rig) apples() (id, token string) {
	r.t.Helper()
	id, token = r.chatAt("pk_shop")
	r.write(id, token, "1", "okapi apples")
	r.answered(id, "okapi about apples")
	return id, token
}

// toPeople opens a chat and asks for a person; people have it before them.
func (r *rig) toPeople() (id, token string) {
	r.t.Helper()
	id, token = r.apples()
	r.write(id, token, "person", "okapi agent")
	r.inState(id, "queued")
	return id, token
}

// toPeopleKilled is toPeople where the bridge is killed as soon as something is made
// there: the vendor has it, and nobody heard of it.
func (r *rig) toPeopleKilled(made func() bool) (id, token string) {
	r.t.Helper()
	id, token = r.apples()
	r.write(id, token, "person", "okapi agent")
	r.eventually("it is made there", made)
	r.kill()
	r.inState(id, "queued")
	return id, token
}

// unheard has a call done whose answer takes long, and is lost.
func unheard(method, path string) simvendor.Fault {
	return simvendor.Fault{Method: method, Path: path, Latency: 3 * time.Second, Drop: simvendor.DropAfter}
}

// many has somebody say many words of a kind, and gives them.
func many(what string, n int, say func(text string)) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("okapi %s %03d", what, i))
		say(all[i])
	}
	return all
}

// heard waits until the customer has been told something by a live agent.
func (r *rig) heard(id, token, text string) {
	r.t.Helper()
	r.eventually("the customer hears "+text, func() bool { return slices.Contains(texts(r.seenBy(id, token), event.RoleLiveAgent), text) })
}

// never looks for words a customer must not see, and for notes.
func (r *rig) never(id, token string, words ...string) {
	r.t.Helper()
	for _, e := range r.seenBy(id, token) {
		said, _ := e.Body.(event.MessageCreated)
		for _, word := range words {
			if strings.Contains(fmt.Sprint(said.Content.Part), word) || e.Kind() == event.KindNoteCreated {
				r.t.Errorf("the customer sees %s of %v: %v", e.Kind(), e.Actor, said)
			}
		}
	}
}

// people says who came, and how, and was said to give it back.
func (r *rig) people(id string) []string {
	var who []string
	for _, e := range r.events(id) {
		if slices.Contains([]event.Kind{event.KindHandoffAccepted, event.KindTransferCompleted, event.KindHandbackRequested}, e.Kind()) {
			who = append(who, string(e.Kind())+" "+e.Actor.Name)
		}
	}
	return who
}

// takenOnce holds people to one acceptance and one giving back.
func (r *rig) takenOnce(id string) {
	r.t.Helper()
	events := r.events(id)
	if a, b := count(events, event.KindHandoffAccepted), count(events, event.KindHandbackRequested); a != 1 || b != 1 {
		r.t.Errorf("accepted %d times, given back %d times", a, b)
	}
}

// leaves ends the conversation as its customer.
func (r *rig) leaves(id, token string) {
	r.t.Helper()
	if status := r.api("POST", "/conversations/"+id+"/events", token, "end", map[string]any{"kind": event.KindConversationEnded, "body": event.ConversationEnded{Reason: "completed", By: event.RoleCustomer}}, nil); status != http.StatusCreated {
		r.t.Fatalf("end: %d", status)
	}
}

// showsPicture shows people the picture "one", with the caption "okapi look".
func (r *rig) showsPicture(id, token string) {
	r.t.Helper()
	up := r.upload(id, token, "photo.png", pngOf("one"))
	up.Caption = "okapi look"
	if status := r.shows(id, token, "photo", up); status != http.StatusCreated {
		r.t.Fatalf("show a picture: %d", status)
	}
}

// getsPicture takes the picture "two" of people's, as the customer.
func (r *rig) getsPicture(id, token string) {
	r.t.Helper()
	r.serves(r.link(token, r.file(id, token, event.RoleLiveAgent).Blob), pngOf("two"))
}

// killPlugin ends the process of an adapter of this bridge.
func (r *rig) killPlugin(name string) {
	r.t.Helper()
	if err := syscall.Kill(r.plugin(name).Pid, syscall.SIGKILL); err != nil {
		r.t.Fatal(err)
	}
}

// prover is the program beside a bridge that runs.
func (r *rig) prover() *program {
	return &program{t: r.t, home: r.home, env: r.environ()}
}

// proof is what verify finds of an account: it fails where anything is a fault.
type proof struct {
	name string
	env  string // another value for a credential
	args []string
	want []string
}

// proves has accounts verified one after the other, and looks for secrets in what is
// said of them.
func (p *program) proves(proofs []proof, secrets ...string) {
	p.t.Helper()
	env := append(p.env, secretsEnv()...)
	for _, c := range proofs {
		p.env = append(slices.Clone(env), c.env)
		found, got := p.verify(c.args...)
		var states []string
		for _, f := range found {
			states = append(states, f.State)
		}
		code := exitOK
		if slices.Contains(c.want, "fault") {
			code = exitFailed
		}
		if got.code != code || !slices.Equal(states, c.want) {
			p.t.Errorf("%s: %q, %+v", c.name, states, got)
		}
		if slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(got.all(), s) }) {
			p.t.Errorf("%s: a secret is shown: %s", c.name, got.all())
		}
	}
}
