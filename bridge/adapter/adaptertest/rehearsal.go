package adaptertest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	seq      int64
	requests int
	openings []string // the requests of Open, whose answers do not leave
	counts   Counts
	left     []Departure
}

// Counts says how much of what went in had no meaning for the adapter.
type Counts struct {
	// Unsupported is how many inputs the adapter did not know.
	Unsupported int
	// Unknown is how much of what the vendor wrote it did not know.
	Unknown int
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
		quoted, err := encode(string(d.Body))
		if err != nil {
			return nil, fmt.Errorf("write a departure: %w", err)
		}
		body = quoted
	}
	if d.Method == "" {
		return body, nil
	}
	return encode(struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Body   json.RawMessage `json:"body"`
	}{d.Method, d.Path, body})
}

// encode writes JSON without changing what stands in it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// NewRehearsal begins a leg of the account. The error is Configure's.
func NewRehearsal(m adapter.Manifest, configure func(adapter.Account) (adapter.Profile, error), turner Turner, a adapter.Account) (*Rehearsal, error) {
	profile, err := fit(configure, a)
	if err != nil {
		return nil, err
	}
	l := newLeg(turner, a, "leg-1")
	l.profile = profile
	return &Rehearsal{manifest: m, leg: l}, nil
}

// Profile is what Configure made of the account.
func (r *Rehearsal) Profile() adapter.Profile { return r.leg.profile }

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
	events, err := r.connect(e, path)
	if err != nil {
		return nil, err
	}
	more, err := r.play(adapter.Frame{Conn: servedConn(e), Data: data})
	return append(events, more...), err
}

func servedConn(e adapter.Endpoint) string { return "served-" + e.Name }

// connect opens the socket the bridge serves, once.
func (r *Rehearsal) connect(e adapter.Endpoint, path string) ([]event.Event, error) {
	if r.leg.conns[servedConn(e)] {
		return nil, nil
	}
	in := r.leg.requestAt(e, "", path, nil)
	return r.play(adapter.Opened{Conn: servedConn(e), Endpoint: e.Name, Path: in.Path, Query: in.Query, Header: http.Header{}})
}

func (r *Rehearsal) request(e adapter.Endpoint, path string, data []byte) adapter.Request {
	r.requests++
	return r.leg.requestAt(e, fmt.Sprintf("r%d", r.requests), path, data)
}

// requestAt is a request whose path, where one is given, replaces the endpoint's.
func (l *leg) requestAt(e adapter.Endpoint, id, path string, data []byte) adapter.Request {
	in := l.request(e, id, data)
	if u, err := url.Parse(path); err == nil && path != "" {
		in.Path, in.Query = u.Path, u.Query()
	}
	return in
}

// Deliver passes an event on to the vendor until it is settled. It gives what the
// adapter said happened meanwhile, and what left.
func (r *Rehearsal) Deliver(e event.Event) ([]event.Event, []Departure, error) {
	r.begun = true
	r.events++
	e.ID = cmp.Or(e.ID, fmt.Sprintf("d%d", r.events))
	e.Conversation, e.Seq = r.leg.conversation, r.position(e.Body)
	if e.Time.IsZero() {
		e.Time = r.leg.now
	}
	r.left = nil
	var all []event.Event
	for try := range 10 {
		if try == patience {
			all = append(all, r.hungUp()...)
		}
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
		for _, n := range out.Unknown {
			r.counts.Unknown += n
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
			events = append(events, event.Event{ID: fmt.Sprintf("e%d", r.events), Conversation: r.leg.conversation, Seq: r.position(x.Body),
				Time: r.leg.now, Actor: x.Actor, Via: event.Via{Account: r.leg.account.Name, Role: r.leg.account.Role},
				Body: x.Body, Ref: x.Ref, Vendor: x.Vendor})
		case adapter.Calling:
			r.left = append(r.left, Departure{Method: x.Call.Method, Path: pathOf(x.Call.URL), Body: x.Call.Content()})
		case adapter.Sending:
			r.left = append(r.left, Departure{Body: x.Data})
		case adapter.Answer:
			if len(x.Reply.Body) > 0 && !slices.Contains(r.openings, x.Request) {
				r.left = append(r.left, Departure{Method: "REPLY", Path: x.Request, Body: x.Reply.Body})
			}
		case adapter.Failure:
			r.counts.Failed = append(r.counts.Failed, x.Reason)
		}
	}
	return events
}

// position is the next place in the conversation; what is not stored has none.
func (r *Rehearsal) position(body event.Body) int64 {
	if body == nil || event.Transient(body) || body.Kind() == event.KindMessagePartial {
		return 0
	}
	r.seq++
	return r.seq
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
	return sampled(r.manifest.Samples, adapter.Result{Tag: c.Tag, Status: http.StatusOK, Header: http.Header{}, Body: []byte(`{}`)})
}

// sampled is the result of a call that goes well with what the vendor's sample
// for it answers, where there is one.
func sampled(samples []adapter.Sample, out adapter.Result) adapter.Result {
	best := -1
	for _, s := range samples {
		if strings.HasPrefix(out.Tag, s.Tag) && len(s.Tag) > best {
			best, out.Status, out.Body = len(s.Tag), s.Status, s.Body
		}
	}
	return out
}
