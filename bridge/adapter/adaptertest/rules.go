package adaptertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func anyKind(event.Kind) bool { return true }

// walk lets random things happen to legs and stops at the first error.
func (b *bench) walk(t Turner, legs, steps int, each func(l *leg, in adapter.Input, out adapter.Outcome) error) error {
	for range legs {
		l := b.legOn(t)
		if b.random.IntN(4) > 0 {
			if err := b.open(l); err != nil {
				return err
			}
		}
		for range steps {
			in := b.step(l, anyKind)
			if err := each(l, in, l.turn(in)); err != nil {
				return fmt.Errorf("%s: %w", describe(in), err)
			}
		}
	}
	return nil
}

// describe names an input so that a person finds it again.
func describe(in adapter.Input) string {
	switch in := in.(type) {
	case adapter.Request:
		return fmt.Sprintf("request at %s with body %.200q", in.Endpoint, in.Body)
	case adapter.Deliver:
		data, err := json.Marshal(in.Event)
		if err != nil {
			return fmt.Sprintf("delivery of %s", in.Event.Kind())
		}
		return fmt.Sprintf("delivery %.400s", data)
	case adapter.Result:
		return fmt.Sprintf("result %d %s of %s", in.Status, in.Reason, in.Tag)
	case adapter.Frame:
		return fmt.Sprintf("frame on %s %.200q", in.Conn, in.Data)
	}
	return fmt.Sprintf("%T %+v", in, in)
}

// twice is a Turner that notes when the same turn comes to two outcomes.
type twice struct {
	Turner
	difference *error
}

func (w twice) Turn(t adapter.Turn) adapter.Outcome {
	again := t
	again.State = slices.Clone(t.State)
	a, b := w.Turner.Turn(t), w.Turner.Turn(again)
	x, y := renderOutcome(a)+"\nstate "+string(a.State), renderOutcome(b)+"\nstate "+string(b.State)
	if x != y && *w.difference == nil {
		*w.difference = fmt.Errorf("the same turn came to two outcomes:\n%s\n--- and\n%s", x, y)
	}
	return a
}

func deterministic(b *bench) error {
	var difference error
	err := b.walk(twice{b.turner, &difference}, 20, 40, func(*leg, adapter.Input, adapter.Outcome) error { return difference })
	return errors.Join(err, difference)
}

// broken reports an outcome no input may come to.
func broken(out adapter.Outcome) error {
	if strings.HasPrefix(out.Err, panicked) || strings.HasPrefix(out.Err, tooSlow) {
		return errors.New(out.Err)
	}
	return nil
}

func total(b *bench) error {
	for round := range 2 {
		l := b.leg()
		if round == 1 {
			if err := b.open(l); err != nil {
				return err
			}
		}
		for _, in := range b.strange(l) {
			if err := broken(l.turn(in)); err != nil {
				return fmt.Errorf("%s: %w", describe(in), err)
			}
		}
	}
	return nil
}

// strange are inputs no good sender makes.
func (b *bench) strange(l *leg) []adapter.Input {
	inputs := []adapter.Input{
		adapter.Request{}, adapter.Request{ID: "x", Endpoint: "no such endpoint", Body: []byte(`{}`)},
		adapter.Deliver{}, adapter.Result{}, adapter.Result{Tag: "never", Status: 999, Body: []byte("\xff")},
		adapter.Opened{}, adapter.Frame{}, adapter.Frame{Conn: "never", Data: []byte("\xff")}, adapter.Closed{}, adapter.Sent{},
		adapter.Opened{Conn: "never"}, adapter.Closed{Conn: "never", Reason: "never"}, adapter.Sent{Tag: "never", Outcome: "never"},
		adapter.Fired{}, adapter.Fired{Timer: "never"}, adapter.Expired{}, adapter.Expired{Request: "never", Reason: "never"},
		adapter.Reconcile{}, adapter.Reconcile{Since: l.now}, adapter.Check{}, adapter.Check{ID: "check", Create: true},
	}
	for _, e := range b.profile.Endpoints {
		for _, good := range b.samples(l, e) {
			for range 60 {
				inputs = append(inputs, b.arrive(l, e, b.request(l, e, mutate(b.random, string(good.Body))))...)
			}
			for _, body := range badBodies() {
				inputs = append(inputs, b.arrive(l, e, b.request(l, e, body))...)
			}
		}
	}
	for _, in := range b.heard(l) {
		f, ok := in.(adapter.Frame)
		for i := 0; ok && i < 60; i++ {
			inputs = append(inputs, adapter.Frame{Conn: f.Conn, Data: []byte(mutate(b.random, string(f.Data)))})
		}
		for _, body := range badBodies() {
			inputs = append(inputs, adapter.Frame{Conn: f.Conn, Data: []byte(body)}, adapter.Frame{Conn: f.Conn, Event: "other", Data: []byte(body), Binary: true})
		}
	}
	for _, s := range specimens() {
		inputs = append(inputs, adapter.Deliver{Event: b.event(specimen{s.kind, s.actor, "{}"})},
			adapter.Deliver{Event: b.event(specimen{s.kind, "stranger", s.body})})
		for range 5 {
			inputs = append(inputs, adapter.Deliver{Event: b.event(specimen{s.kind, s.actor, mutate(b.random, s.body)})})
		}
	}
	return inputs
}

func badBodies() []string {
	return []string{"", "null", "[]", "0", `""`, "{}", strings.Repeat("[", 5000), `{"a":` + strings.Repeat("9", 5000) + `}`}
}

// restartable loses every connection, in the middle of a delivery and between
// two; words that come after must leave as words before it did.
func restartable(b *bench) error {
	for _, during := range []bool{false, true} {
		l, err := b.opened()
		if err != nil {
			return err
		}
		l.left = nil
		if err := l.serve(adapter.Deliver{Event: b.words("before")}, answered(http.StatusOK)); err != nil {
			return err
		}
		if during {
			l.turn(adapter.Deliver{Event: b.words("during")})
		}
		spoke := len(l.left) > 0
		if err := l.lose(); err != nil {
			return err
		}
		l.left = nil
		if err := l.serve(adapter.Deliver{Event: b.words("after"), MaybeDuplicate: during}, answered(http.StatusOK)); err != nil {
			return err
		}
		if spoke && len(l.left) == 0 && b.dials() {
			return errors.New("after every connection was lost nothing leaves any more")
		}
	}
	return b.interrupted()
}

// interrupted loses the first dial of a leg before it stands: the bridge was
// restarted, which says nothing of the vendor, so nothing may be given up.
func (b *bench) interrupted() error {
	l := b.leg()
	begin := []event.Event{b.events(event.KindConversationStarted, "")[0], b.words("first")}
	switch b.account.Role {
	case event.RoleLiveAgent:
		begin = []event.Event{b.events(event.KindHandoffRequested, "")[0]}
	case event.RoleVirtualAgent:
		begin[1].Actor.Role = event.RoleCustomer
	}
	for _, e := range begin {
		l.turn(adapter.Deliver{Event: e})
		if len(l.dials) == 0 {
			if err := l.settle(answered(http.StatusOK)); err != nil {
				return err
			}
			continue
		}
		in := adapter.Closed{Conn: l.dials[0].Conn, Reason: adapter.ClosedLost}
		if given := givesUp(l.turn(in)); given != "" {
			return fmt.Errorf("%s while a restart interrupts its dial: %s", e.Kind(), given)
		}
	}
	return nil
}

// givesUp is the first effect by which a turn gives something up, or "".
func givesUp(out adapter.Outcome) string {
	final := []event.Kind{event.KindHandoffFailed, event.KindHandbackFailed, event.KindConversationEnded, event.KindMessageFailed}
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Failure:
			return renderEffect(x)
		case adapter.Emission:
			if x.Body != nil && slices.Contains(final, x.Body.Kind()) {
				return renderEffect(x)
			}
		}
	}
	return ""
}

// dials reports whether the adapter can make its way back by itself: a client
// that comes to us must come again.
func (b *bench) dials() bool {
	return !slices.ContainsFunc(b.profile.Endpoints, func(e adapter.Endpoint) bool { return e.Transport != "" })
}

// lose ends everything as a restart of the bridge does.
func (l *leg) lose() error {
	for _, s := range slices.Clone(l.sends) {
		if out := l.turn(adapter.Sent{Tag: s.Tag, Outcome: adapter.SentUnknown}); out.Err != "" {
			return fmt.Errorf("send %s is unknown: %s", s.Tag, out.Err)
		}
	}
	for _, conn := range slices.Sorted(maps.Keys(l.conns)) {
		if out := l.turn(adapter.Closed{Conn: conn, Reason: adapter.ClosedLost}); out.Err != "" {
			return fmt.Errorf("connection %s is lost: %s", conn, out.Err)
		}
	}
	return l.settle(answered(http.StatusOK))
}

// conserving tries every delivery with every way its calls can end, on a leg
// where nothing has happened and in the middle of a conversation.
func conserving(b *bench) error {
	for _, s := range specimens() {
		for _, begin := range []func() (*leg, error){func() (*leg, error) { return b.leg(), nil }, b.opened} {
			if err := b.conservedAlways(s, begin); err != nil {
				return err
			}
		}
	}
	return nil
}

// conservedAlways tries one outcome only where the delivery makes no calls.
func (b *bench) conservedAlways(s specimen, begin func() (*leg, error)) error {
	all := outcomes()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		l, err := begin()
		if err != nil {
			return err
		}
		before := l.made
		if err := l.serve(adapter.Deliver{Event: b.event(s)}, all[name]); err != nil {
			return fmt.Errorf("calls end with %s: %w", name, err)
		}
		calls := l.made - before
		if err := b.conserved(l); err != nil {
			return fmt.Errorf("calls end with %s: after the delivery of %s: %w", name, s.kind, err)
		}
		if calls == 0 {
			return nil
		}
	}
	return nil
}

// conserved makes one more delivery, which must be settled too.
func (b *bench) conserved(l *leg) error {
	if err := l.serve(adapter.Deliver{Event: b.words("still there?")}, answered(http.StatusOK)); err != nil {
		return err
	}
	for _, fault := range l.faults {
		if !strings.HasPrefix(fault, "request ") {
			return errors.New(fault)
		}
	}
	return nil
}

// orderly numbers the words of long messages, the last of them longer than the far
// side takes at once, and looks for the numbers in calls.
func orderly(b *bench) error {
	l, err := b.opened()
	if err != nil {
		return err
	}
	limit := b.profile.Levels.MaxText
	if limit == 0 || limit > 8000 {
		limit = 8000
	}
	number := 0
	l.left = nil
	longer := min(2*b.profile.Levels.MaxText, 100_000) // a plugin takes 1 MiB
	for _, long := range []int{limit, limit, max(limit, longer)} {
		var text strings.Builder
		for range max(long/8, 1) {
			fmt.Fprintf(&text, "w%06d👩‍👩‍👧‍👦", number)
			number++
		}
		if err := l.serve(adapter.Deliver{Event: b.words(text.String())}, answered(http.StatusOK)); err != nil {
			return err
		}
	}
	return inOrder(regexp.MustCompile(`w\d{6}`).FindAllString(strings.Join(l.left, "\n"), -1), number, len(l.left))
}

// inOrder allows each call to have cut one word in two.
func inOrder(seen []string, sent, calls int) error {
	if calls == 0 {
		return nil // what is not called is not out of order
	}
	for i := 1; i < len(seen); i++ {
		if seen[i] <= seen[i-1] {
			return fmt.Errorf("%s left after %s", seen[i], seen[i-1])
		}
	}
	if len(seen)+calls < sent {
		return fmt.Errorf("of %d words sent, %d left in %d calls", sent, len(seen), calls)
	}
	return nil
}

// stateLimit is what thousands of events may leave in a state, in bytes.
const stateLimit = 16 << 10

func bounded(b *bench) error {
	l, err := b.opened()
	if err != nil {
		return err
	}
	open := func(k event.Kind) bool {
		return !strings.HasPrefix(string(k), "conversation.") && !strings.HasPrefix(string(k), "hand")
	}
	for n := 0; n < b.options.Events; {
		in := b.step(l, open)
		if r, ok := in.(adapter.Result); ok && !r.OK() || ok && len(r.Body) < 3 {
			in = adapter.Result{Tag: r.Tag, Status: 200, Body: fmt.Appendf(nil, `{"id":"id-%d","message_uuid":"id-%d"}`, n, n)}
		}
		if _, result := in.(adapter.Result); !result {
			n++
		}
		if out := l.turn(in); out.Err != "" {
			return fmt.Errorf("%s: %s", describe(in), out.Err)
		}
		if len(l.calls) == 0 && len(l.state) > stateLimit {
			return fmt.Errorf("after %d events the state has %d bytes, more than %d", n, len(l.state), stateLimit)
		}
	}
	return nil
}

func quiet(b *bench) error {
	l, err := b.opened()
	if err != nil {
		return err
	}
	end := adapter.Deliver{Event: b.events("conversation.ended", "")[0]}
	if err := l.serve(end, answered(http.StatusOK)); err != nil {
		return err
	}
	var inputs []adapter.Input
	for _, e := range b.events("", "") {
		inputs = append(inputs, adapter.Deliver{Event: e})
	}
	for _, e := range b.profile.Endpoints {
		for _, r := range b.samples(l, e) {
			if e.Transport != "" {
				opened := adapter.Opened{Conn: fmt.Sprintf("again-%d", len(inputs)), Endpoint: e.Name, Path: r.Path, Query: r.Query, Header: r.Header}
				inputs = append(inputs, opened, adapter.Frame{Conn: opened.Conn, Data: r.Body})
			} else if e.Unknown != adapter.UnknownOpen {
				inputs = append(inputs, r)
			}
		}
	}
	for _, timer := range l.timers {
		inputs = append(inputs, adapter.Fired{Timer: timer})
	}
	inputs = append(inputs, adapter.Reconcile{Since: l.now})
	inputs = append(inputs, b.heard(l)...)
	for _, conn := range l.stands() {
		inputs = append(inputs, adapter.Closed{Conn: conn, Reason: adapter.ClosedLost})
	}
	for _, in := range inputs {
		if loud := noise(l.turn(in)); loud != "" {
			return fmt.Errorf("%s after the end: %s", describe(in), loud)
		}
	}
	return nil
}

// noise is the first effect that is not quiet, or "".
func noise(out adapter.Outcome) string {
	for _, effect := range out.Effects {
		switch e := effect.(type) {
		case adapter.Calling, adapter.Dialing, adapter.Sending:
			return renderEffect(e)
		case adapter.Emission:
			if e.Body == nil || e.Body.Kind() != event.KindWrapupCompleted {
				return renderEffect(e)
			}
		}
	}
	return ""
}

// private looks for words only people may see in what reaches a customer.
func private(b *bench) error {
	if b.account.Role != event.RoleCustomer && b.account.Role != event.RoleVirtualAgent {
		return nil
	}
	l, err := b.opened()
	if err != nil {
		return err
	}
	for _, s := range []specimen{
		{"note.created", "live_agent", `{"text":"only-for-people"}`},
		{"insight.observed", "observer", `{"type":"only-for-people","text":"only-for-people"}`},
		{"insight.observed", "observer", `{"type":"summary","text":"only-for-people"}`},
	} {
		out := l.turn(adapter.Deliver{Event: b.event(s)})
		if strings.Contains(asJSON(out.Effects), "only-for-people") || strings.Contains(renderOutcome(out), "only-for-people") {
			return fmt.Errorf("delivery of %s: its words leave in\n%s", s.kind, renderOutcome(out))
		}
		if err := l.settle(answered(http.StatusOK)); err != nil {
			return err
		}
	}
	return nil
}
