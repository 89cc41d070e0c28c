package zendesk

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The steps of a hand-off, in order: the user, made, or where there is one already read
// and changed; the conversation, and its look-up where nobody knows whether it was made;
// control for us, what was said, looked up as well, and control for the people.
const (
	stepUser    = "user"
	stepKnown   = "known"
	stepProfile = "profile"
	stepCreate  = "create"
	stepFind    = "find"
	stepTake    = "take"
	stepPost    = "post"
	stepSeek    = "seek"
	stepPass    = "pass"
)

const (
	// chunkLimit is how much of what goes with a hand-off is kept between turns, in
	// bytes; the rest is taken from the request when it is offered again.
	chunkLimit = 8 << 10
	// oldest is how far back a message may be to be news, whatever the conversation is
	// merged with.
	oldest = time.Hour
	// postTries is how often a message of what was said is sent when nobody knows whether
	// it was.
	postTries = 3
)

// setup is a hand-off on its way.
type setup struct {
	backend.Setup[entry]
	// External and Profile are who the customer is; Bare that the profile holds what
	// cannot be refused.
	External string         `json:"external,omitempty"`
	Profile  backend.Fields `json:"profile,omitempty"`
	Bare     bool           `json:"bare,omitempty"`
	// Sought is how often the message under way was not there when it was looked for.
	Sought int `json:"sought,omitempty"`
	// Ticket is what the ticket is to have.
	Ticket backend.Fields `json:"ticket,omitempty"`
}

// asked begins a hand-off, or goes on with what goes with it.
func (d desk) asked(e event.Event, body event.HandoffRequested) {
	p := &d.s.Setup
	switch d.Asked(e) {
	case backend.AskBegin:
		*d.s = state{Course: backend.Begun(e)}
		who := d.set.customerOf(e, body, d.Tx.Conversation())
		p.External, p.Profile, p.Ticket = who.external, who.profile(), d.set.ticket(who, body)
		p.Load(d.set.briefing(body), chunkLimit)
		d.user()
	case backend.AskGoOn:
		p.Load(d.set.briefing(body), chunkLimit)
		d.next()
	}
}

func (d desk) user() {
	profile := backend.Fields{"givenName": d.set.CustomerName}
	maps.Copy(profile, d.s.Setup.Profile)
	d.Step(stepUser, d.api(http.MethodPost, "/users", backend.Fields{"externalId": d.s.Setup.External, "profile": profile}))
}

// create makes the conversation. It bears the hand-off's mark, by which it is found.
func (d desk) create() {
	p := &d.s.Setup
	p.Tries++
	c := d.api(http.MethodPost, "/conversations", backend.Fields{"type": "personal", "participants": []backend.Fields{{"userId": d.s.User}},
		"metadata": backend.Fields{mark: d.s.Handoff}})
	c.Repeat = adapter.RepeatNever
	d.Step(stepCreate, c)
}

func (d desk) find() {
	d.Step(stepFind, d.api(http.MethodGet, "/conversations?page%5Bsize%5D=100&filter%5BuserId%5D="+url.QueryEscape(d.s.User), nil))
}

// next goes on with what is to be done once control is ours.
func (d desk) next() {
	p := &d.s.Setup
	if len(p.Next) == 0 {
		d.Step(stepPass, d.pass(d.set.Agents, p.Ticket))
		return
	}
	p.Step = d.postTag()
	last := p.Last()
	if d.send(p.Step, &p.Next[0], backend.OpenLimit); last {
		d.Tx.Later()
	}
}

// postTag is the tag of the next message of what was said, and its mark.
func (d desk) postTag() string {
	return fmt.Sprintf("%s/%s/%d", stepPost, d.s.Handoff, d.s.Setup.Done)
}

// step goes on when a step's call has ended.
func (d desk) step(step string, r adapter.Result) {
	v, err := codec.Lenient(r.Body)
	good := r.OK() && err == nil
	switch step {
	case stepUser, stepKnown:
		d.userResult(step, r, idOf(v.Get("user")), good)
	case stepProfile:
		d.create()
	case stepCreate:
		if one := v.Get("conversation"); good && idOf(one) != "" {
			d.bound(one)
			return
		}
		d.NotMade(r, d.find)
	case stepFind:
		d.findResult(r, v.Get("conversations").Items(), good)
	case stepTake:
		if !r.OK() {
			d.Report("not_kept", "Zendesk "+r.Fault(keySecret)+"; look at the setting integration")
		}
		d.next()
	case stepPost, stepSeek:
		d.postResult(r, step == stepSeek)
	case stepPass:
		if !r.OK() {
			d.Failed(r)
			return
		}
		d.Opened()
	}
}

func (d desk) userResult(step string, r adapter.Result, id string, good bool) {
	p := &d.s.Setup
	known := "/users/" + url.PathEscape(p.External)
	switch {
	case good && id != "" && (step == stepUser || len(p.Profile) == 0):
		d.s.User = id
		d.create()
	case good && id != "":
		d.s.User = id
		d.Step(stepProfile, d.api(http.MethodPatch, known, backend.Fields{"profile": p.Profile}))
	case step == stepUser && r.Reason == "" && r.Status == http.StatusConflict:
		d.Step(stepKnown, d.api(http.MethodGet, known, nil))
	case step == stepUser && r.Reason == "" && r.Status == http.StatusBadRequest && !p.Bare:
		p.Bare = true
		delete(p.Profile, "email")
		delete(p.Profile, "avatarUrl")
		d.user()
	default:
		d.Failed(r)
	}
}

func (d desk) findResult(r adapter.Result, list []codec.Value, good bool) {
	for _, one := range list {
		if good && idOf(one) != "" && one.Get("metadata").Get(mark).Text() == d.s.Handoff {
			d.bound(one)
			return
		}
	}
	d.NotFound(r, good, d.create)
}

// bound goes on with the conversation that is there. Control is ours while it is filled,
// so that no program of Zendesk's answers what was said long ago.
func (d desk) bound(v codec.Value) {
	p := &d.s.Setup
	d.s.Chat, p.External, p.Profile = idOf(v), "", nil
	d.s.Reading.Low.At = d.Tx.Now().Add(-oldest).UnixMilli()
	d.Tx.Bind(d.s.Chat)
	if is(v.Get("activeSwitchboardIntegration").Get("name"), d.set.Integration) {
		d.next()
		return
	}
	d.Step(stepTake, d.pass(d.set.Integration, nil))
}

// postResult goes on after a message, also where it was refused: people can do
// without a turn, and not without the conversation. One nobody knows of leaves again
// only where it is not there.
func (d desk) postResult(r adapter.Result, seek bool) {
	p := &d.s.Setup
	if len(p.Next) == 0 {
		return
	}
	made := first(r)
	if page, read := pageOf(&r, seek); read {
		before := ""
		made, before = d.marked(page, d.postTag(), 0, seek)
		switch r.Reason = ""; {
		case before != "":
			d.Step(stepSeek, d.seek(before))
			return
		case !made.Exists() && p.Sought < postTries:
			p.Sought++
			p.Next = nil // it is taken from the request again
			d.Tx.After(backend.TimerLook, sayAgain)
			d.Tx.Later()
			return
		case !made.Exists():
			r.Reason = adapter.ReasonUnknown
		}
	}
	again, fault := d.sent(&p.Next[0], r)
	if again {
		d.next()
		return
	}
	if d.begins(made); fault != "" && r.OK() {
		r.Reason = adapter.ReasonNotAllowed // what came instead of the message was no answer to it
	}
	if p.Sought = 0; p.Posted(r) {
		d.next()
	}
}
