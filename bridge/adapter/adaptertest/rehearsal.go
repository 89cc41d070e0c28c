package adaptertest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Rehearsal is one leg of an account played without a vendor: a dial stands at
// once, what is sent is written, and a call is answered with the manifest's
// sample, or 200 and {}. The same inputs come to the same. It is not safe for
// concurrent use.
type Rehearsal struct {
	manifest adapter.Manifest
	leg      leg
	begun    bool
	events   int
	requests int
	counts   Counts
	left     []Departure
}

// Counts says how much of what went in had no meaning for the adapter.
type Counts struct {
	// Unsupported is how many inputs the adapter did not know.
	Unsupported int
	// Failed are the deliveries it gave up, each with its reason.
	Failed []string
}

// Departure is one thing that left for the vendor: a call, or with an empty
// Method a message on a connection.
type Departure struct {
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Body   []byte `json:"-"`
}

// MarshalJSON writes a call as {method, path, body}, and a message as it is.
func (d Departure) MarshalJSON() ([]byte, error) {
	body := json.RawMessage(d.Body)
	if !json.Valid(d.Body) {
		quoted, err := json.Marshal(string(d.Body))
		if err != nil {
			return nil, fmt.Errorf("write a departure: %w", err)
		}
		body = quoted
	}
	if d.Method == "" {
		return body, nil
	}
	return json.Marshal(struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Body   json.RawMessage `json:"body"`
	}{d.Method, d.Path, body})
}

// NewRehearsal begins a leg of the account. The error is Configure's.
func NewRehearsal(m adapter.Manifest, configure func(adapter.Account) (adapter.Profile, error), turner Turner, a adapter.Account) (*Rehearsal, error) {
	profile, err := configure(a)
	if err != nil {
		return nil, err
	}
	l := newLeg(turner, a, "leg-1")
	l.profile = profile
	return &Rehearsal{manifest: m, leg: l}, nil
}

// Counts gives what the leg could not use so far.
func (r *Rehearsal) Counts() Counts { return r.counts }

// Arrive is a frame of the vendor at the endpoint of that name, or on the
// connection the adapter dials where it serves no such endpoint. It gives what
// the adapter says happened.
func (r *Rehearsal) Arrive(endpoint, path string, data []byte) ([]event.Event, error) {
	e, served := r.leg.endpoint(endpoint)
	if !served {
		conn, err := r.dialled()
		if err != nil {
			return nil, err
		}
		return r.play(adapter.Frame{Conn: conn, Data: data})
	}
	if e.Transport == "" {
		return r.play(r.request(e, path, data))
	}
	conn, events := "served-"+e.Name, []event.Event(nil)
	if !r.leg.conns[conn] {
		opened, err := r.play(adapter.Opened{Conn: conn, Endpoint: e.Name, Path: path, Query: url.Values{}, Header: http.Header{}})
		if err != nil {
			return nil, err
		}
		events = opened
	}
	more, err := r.play(adapter.Frame{Conn: conn, Data: data})
	return append(events, more...), err
}

func (r *Rehearsal) request(e adapter.Endpoint, path string, data []byte) adapter.Request {
	r.requests++
	in := r.leg.request(e, fmt.Sprintf("r%d", r.requests), data)
	if path == "" {
		return in
	}
	if u, err := url.Parse(path); err == nil {
		in.Path, in.Query = u.Path, u.Query()
	}
	return in
}

// dialled gives the connection frames of the vendor come over, after the leg has
// begun and the customer has said something, as every such connection needs.
func (r *Rehearsal) dialled() (string, error) {
	if _, err := r.Begin(); err != nil {
		return "", err
	}
	if len(r.leg.stands()) == 0 {
		words := event.Event{Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain("hello")}}
		if _, _, err := r.Deliver(words); err != nil {
			return "", err
		}
	}
	if all := r.leg.stands(); len(all) > 0 {
		return all[0], nil
	}
	return "", errors.New("the account serves no endpoint of this name and dials no connection")
}

// Begin makes the delivery a leg that the bridge opens begins with, once: the
// conversation for a virtual agent and a customer, the hand-off for live agents.
func (r *Rehearsal) Begin() ([]Departure, error) {
	body := event.Body(event.ConversationStarted{Customer: event.Actor{Role: event.RoleCustomer}})
	if r.leg.account.Role == event.RoleLiveAgent {
		body = event.HandoffRequested{}
	}
	if r.begun {
		return nil, nil
	}
	_, left, err := r.Deliver(event.Event{Actor: event.Actor{Role: event.RoleSystem}, Body: body})
	return left, err
}

// Deliver passes an event on to the vendor until it is settled. It gives what the
// adapter said happened meanwhile, and what left.
func (r *Rehearsal) Deliver(e event.Event) ([]event.Event, []Departure, error) {
	r.begun = true
	r.events++
	e.ID = cmp.Or(e.ID, fmt.Sprintf("d%d", r.events))
	e.Conversation, e.Seq = r.leg.conversation, int64(r.events)
	if e.Time.IsZero() {
		e.Time = r.leg.now
	}
	r.left = nil
	var all []event.Event
	for range 10 {
		r.leg.later = false
		events, err := r.play(adapter.Deliver{Event: e})
		all = append(all, events...)
		if err != nil || !r.leg.later {
			return all, r.left, err
		}
	}
	return all, r.left, fmt.Errorf("delivery of %s is postponed for ever", e.Kind())
}

// play gives the leg an input and ends everything that is then under way.
func (r *Rehearsal) play(in adapter.Input) ([]event.Event, error) {
	var events []event.Event
	for n := 0; ; n++ {
		if n > followUps {
			return events, fmt.Errorf("more than %d calls, dials and sends, then %s", followUps, describe(in))
		}
		out := r.leg.turn(in)
		if out.Err != "" {
			return events, fmt.Errorf("%s: %s", describe(in), out.Err)
		}
		if out.Unsupported {
			r.counts.Unsupported++
		}
		events = append(events, r.collect(out)...)
		next, open := r.leg.under(r.answer)
		if !open {
			return events, nil
		}
		in = next
	}
}

// collect makes events of what was emitted and notes what left.
func (r *Rehearsal) collect(out adapter.Outcome) []event.Event {
	var events []event.Event
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Emission:
			r.events++
			events = append(events, event.Event{ID: fmt.Sprintf("e%d", r.events), Conversation: r.leg.conversation, Seq: int64(r.events),
				Time: r.leg.now, Actor: x.Actor, Via: event.Via{Account: r.leg.account.Name, Role: r.leg.account.Role},
				Body: x.Body, Ref: x.Ref, Vendor: x.Vendor})
		case adapter.Calling:
			r.left = append(r.left, Departure{Method: x.Call.Method, Path: pathOf(x.Call.URL), Body: x.Call.Body})
		case adapter.Sending:
			r.left = append(r.left, Departure{Body: x.Data})
		case adapter.Answer:
			if len(x.Reply.Body) > 0 {
				r.left = append(r.left, Departure{Method: "REPLY", Path: x.Request, Body: x.Reply.Body})
			}
		case adapter.Failure:
			r.counts.Failed = append(r.counts.Failed, x.Reason)
		}
	}
	return events
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.RequestURI()
}

// answer is the manifest's sample for a call.
func (r *Rehearsal) answer(c adapter.Calling) adapter.Result {
	out := adapter.Result{Tag: c.Tag, Status: http.StatusOK, Header: http.Header{}, Body: []byte(`{}`)}
	best := -1
	for _, s := range r.manifest.Samples {
		if strings.HasPrefix(c.Tag, s.Tag) && len(s.Tag) > best {
			best, out.Status, out.Body = len(s.Tag), s.Status, s.Body
		}
	}
	return out
}
