package adaptertest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// canary is the form of every credential's placeholder under the laws.
const canary = "canary-7c1f-%s-f17c"

// followUps is how many calls one delivery may lead to.
const followUps = 50

// bench drives one account under a law.
type bench struct {
	turner  Turner
	account adapter.Account
	profile adapter.Profile
	// first says no account of the role comes before this one: what is in files is
	// looked at once a role.
	first     bool
	configure func(adapter.Account) (adapter.Profile, error)
	// manifest has the vendor's answers to calls that go well.
	manifest adapter.Manifest
	options  Options
	random   *rand.Rand
	// specimens are kept, since thousands are drawn.
	specimens []specimen
	legs      int
	inputs    int
}

func newBench(turner Turner, a adapter.Account, o Options) *bench {
	return &bench{turner: watched{turner, o.TurnLimit}, account: a, options: o, specimens: specimens(),
		random: rand.New(rand.NewPCG(o.Seed, 0))}
}

// watched is a Turner whose turns take no longer than the limit.
type watched struct {
	Turner
	limit time.Duration
}

const (
	panicked = "panic: "
	tooSlow  = "the turn took longer than "
)

func (w watched) Turn(t adapter.Turn) adapter.Outcome {
	for range 2 {
		done := make(chan adapter.Outcome, 1)
		go func() { done <- w.Turner.Turn(t) }()
		timer := time.NewTimer(w.limit)
		select {
		case out := <-done:
			timer.Stop()
			return out
		case <-timer.C:
		}
	}
	return adapter.Outcome{Err: tooSlow + w.limit.String()}
}

// leg is a new leg on which nothing has happened.
func (b *bench) leg() *leg { return b.legOn(b.turner) }

func (b *bench) legOn(t Turner) *leg {
	b.legs++
	l := newLeg(t, b.account, fmt.Sprintf("key-%d", b.legs))
	l.placeholder, l.profile, l.samples, l.comes = canary, b.profile, b.manifest.Samples, b.client
	return &l
}

// opened is a leg in the middle of a conversation between people.
func (b *bench) opened() (*leg, error) { return b.openedOn(b.turner) }

func (b *bench) openedOn(t Turner) (*leg, error) {
	l := b.legOn(t)
	if err := b.open(l); err != nil {
		return nil, fmt.Errorf("begin a conversation: %w", err)
	}
	return l, nil
}

func (b *bench) open(l *leg) error {
	opener := false
	for _, e := range b.profile.Endpoints {
		if e.Unknown != adapter.UnknownOpen && e.Transport == "" {
			continue
		}
		opener = opener || e.Unknown == adapter.UnknownOpen
		for _, in := range b.arrive(l, e, b.samples(l, e)[0]) {
			if out := l.turn(in); out.Err != "" {
				return fmt.Errorf("input at %s: %s", e.Name, out.Err)
			}
		}
		if err := l.settle(answered(http.StatusOK)); err != nil {
			return fmt.Errorf("input at %s: %w", e.Name, err)
		}
	}
	var begin []event.Event
	switch {
	case l.account.Role == event.RoleLiveAgent:
		begin = b.events("handoff.requested", "")
	case !opener:
		begin = b.events("conversation.started", "")
	}
	if l.account.Role == event.RoleVirtualAgent || l.account.Role == event.RoleCustomer {
		begin = append(begin, append(b.events("handoff.queued", ""), b.events("handoff.accepted", "")...)...)
	}
	for _, e := range begin {
		if err := l.serve(adapter.Deliver{Event: e}, answered(http.StatusOK)); err != nil {
			return err
		}
	}
	return nil
}

// arrive is a good request at an endpoint as the leg's input; at a socket it is a
// frame, after the socket was opened.
func (b *bench) arrive(l *leg, e adapter.Endpoint, r adapter.Request) []adapter.Input {
	if e.Transport == "" {
		return []adapter.Input{r}
	}
	conn, inputs := "served-"+e.Name, []adapter.Input(nil)
	if !l.conns[conn] {
		inputs = append(inputs, adapter.Opened{Conn: conn, Endpoint: e.Name, Path: r.Path, Query: r.Query, Header: r.Header})
	}
	return append(inputs, adapter.Frame{Conn: conn, Data: r.Body})
}

// client is how a client that comes to us comes: to each endpoint with a good
// request or, at a socket that is not open, by opening it first.
func (b *bench) client(l *leg) []adapter.Input {
	var inputs []adapter.Input
	for _, e := range b.profile.Endpoints {
		inputs = append(inputs, b.arrive(l, e, b.samples(l, e)[0])...)
	}
	return inputs
}

// heard are good frames for the connections that stand, each with one of them.
func (b *bench) heard(l *leg) []adapter.Input {
	var inputs []adapter.Input
	for _, conn := range l.stands() {
		samples := b.options.Samples["dialled"]
		if name, served := strings.CutPrefix(conn, "served-"); served {
			samples = b.options.Samples[name]
		}
		for _, data := range append(samples, `{}`) {
			inputs = append(inputs, adapter.Frame{Conn: conn, Data: []byte(strings.ReplaceAll(data, "{key}", l.key))})
		}
	}
	return inputs
}

func (b *bench) samples(l *leg, e adapter.Endpoint) []adapter.Request {
	bodies := b.options.Samples[e.Name]
	if len(bodies) == 0 {
		bodies = []string{bodyWithKey(e)}
	}
	out := make([]adapter.Request, 0, len(bodies))
	for _, body := range bodies {
		out = append(out, b.request(l, e, strings.ReplaceAll(body, "{key}", l.key)))
	}
	return out
}

func (b *bench) request(l *leg, e adapter.Endpoint, body string) adapter.Request {
	b.inputs++
	r := l.request(e, fmt.Sprintf("request-%d", b.inputs), []byte(body))
	where, name, _ := strings.Cut(e.Key, ":")
	switch where {
	case "query":
		r.Query.Set(name, l.key)
	case "header":
		r.Header.Set(name, l.key)
	}
	return r
}

// bodyWithKey is the smallest body that has the key where the endpoint says.
func bodyWithKey(e adapter.Endpoint) string {
	where, _, _ := strings.Cut(e.Key, ",")
	pointer, ok := strings.CutPrefix(strings.Replace(where, "frame:", "body:", 1), "body:/")
	if !ok {
		return `{"text":"hello"}`
	}
	body := `"{key}"`
	names := strings.Split(pointer, "/")
	for i := len(names) - 1; i >= 0; i-- {
		body = fmt.Sprintf("{%q:%s}", names[i], body)
	}
	return body
}

// outcome is how a call ends.
type outcome func(adapter.Calling) adapter.Result

func answered(status int) outcome {
	return func(c adapter.Calling) adapter.Result {
		return adapter.Result{Tag: c.Tag, Status: status, Header: http.Header{}, Body: []byte(`{}`)}
	}
}

func unanswered(reason string) outcome {
	return func(c adapter.Calling) adapter.Result {
		return adapter.Result{Tag: c.Tag, Header: http.Header{}, Reason: reason}
	}
}

// outcomes are the ways a call can end, by name.
func outcomes() map[string]outcome {
	all := map[string]outcome{}
	for _, status := range []int{200, 204, 302, 400, 401, 404, 409, 429, 500, 503} {
		all[fmt.Sprint(status)] = answered(status)
	}
	for _, reason := range []string{adapter.ReasonUnknown, adapter.ReasonBreakerOpen, adapter.ReasonTimeout, adapter.ReasonRefused,
		adapter.ReasonNotAllowed, adapter.ReasonTooLarge, adapter.ReasonCancelled} {
		all[reason] = unanswered(reason)
	}
	all["empty"] = func(c adapter.Calling) adapter.Result { // no sample: the vendor says nothing of itself
		return adapter.Result{Tag: c.Tag, Status: 200, Header: http.Header{}, Body: []byte("{ }")}
	}
	for name, body := range map[string]string{"read back": "{}", "read back as garbage": "<html>\xff"} {
		all[name] = func(c adapter.Calling) adapter.Result {
			r := unanswered(adapter.ReasonUnknown)(c)
			if c.Call.Readback != nil {
				r.Status, r.Body = 200, []byte(body)
			}
			return r
		}
	}
	all["garbage"] = func(c adapter.Calling) adapter.Result {
		return adapter.Result{Tag: c.Tag, Status: 200, Header: http.Header{}, Body: []byte("<html>\xff")}
	}
	return all
}

// serve makes a delivery and ends its calls, one after the other, until it is
// settled. A delivery that is postponed is offered again.
func (l *leg) serve(d adapter.Deliver, o outcome) error {
	for range 10 {
		l.later = false
		if out := l.turn(d); out.Err != "" {
			return fmt.Errorf("delivery of %s: %s", d.Event.Kind(), out.Err)
		}
		if err := l.settle(o); err != nil {
			return fmt.Errorf("delivery of %s: %w", d.Event.Kind(), err)
		}
		if l.later && l.away(o) {
			return l.meet(d)
		}
		if !l.later {
			return l.fireAll(o)
		}
		if err := l.fireAll(o); err != nil {
			return err
		}
	}
	return fmt.Errorf("delivery of %s is postponed for ever", d.Event.Kind())
}

// away reports whether the leg's far side is a client that comes to us and cannot
// be reached: what is postponed then waits for it.
func (l *leg) away(o outcome) bool {
	if l.busy() || l.profile.Levels.Push != adapter.PushSocket && l.profile.Levels.Push != adapter.PushNone {
		return false
	}
	served := func(conn string) bool { return strings.HasPrefix(conn, "served-") }
	return l.account.Role == event.RoleCustomer && (!slices.ContainsFunc(l.stands(), served) || !o(adapter.Calling{}).OK())
}

// meet lets the client come for what was postponed: it connects and asks, all goes
// well, and what waited is settled.
func (l *leg) meet(d adapter.Deliver) error {
	well := answered(http.StatusOK)
	for range 3 {
		for _, in := range l.comes(l) {
			if out := l.turn(in); out.Err != "" {
				return fmt.Errorf("%s: %s", describe(in), out.Err)
			}
			if err := l.settle(well); err != nil {
				return fmt.Errorf("%s: %w", describe(in), err)
			}
		}
		l.later, d.MaybeDuplicate = false, true
		if out := l.turn(d); out.Err != "" {
			return fmt.Errorf("delivery of %s: %s", d.Event.Kind(), out.Err)
		}
		if err := l.settle(well); err != nil {
			return fmt.Errorf("delivery of %s: %w", d.Event.Kind(), err)
		}
		if !l.later {
			return l.fireAll(well)
		}
	}
	return fmt.Errorf("delivery of %s is postponed although the client has come", d.Event.Kind())
}

func (l *leg) settle(o outcome) error {
	for n := 0; ; n++ {
		in, open := l.under(o)
		if !open {
			return nil
		}
		if n == followUps {
			return fmt.Errorf("more than %d calls, dials and sends, then %s", followUps, describe(in))
		}
		if out := l.turn(in); out.Err != "" {
			return fmt.Errorf("%s: %s", describe(in), out.Err)
		}
	}
}

// under ends the first thing that is under way; false when nothing is.
func (l *leg) under(o outcome) (adapter.Input, bool) {
	if len(l.calls) == 0 {
		return l.connected(o(adapter.Calling{}).OK())
	}
	call := l.calls[0]
	result := o(call)
	if result.Status == http.StatusOK && string(result.Body) == `{}` {
		result = sampled(l.samples, result)
	}
	l.left = append(l.left, string(call.Call.Body))
	l.finish(result.Tag)
	return result, true
}

// fireAll fires the timers that are set now, each once.
func (l *leg) fireAll(o outcome) error {
	due := append([]string(nil), l.timers...)
	for _, timer := range due {
		if out := l.turn(adapter.Fired{Timer: timer}); out.Err != "" {
			return fmt.Errorf("timer %s: %s", timer, out.Err)
		}
		if err := l.settle(o); err != nil {
			return fmt.Errorf("timer %s: %w", timer, err)
		}
	}
	return nil
}
