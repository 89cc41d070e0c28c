// Package translate runs frames of a vendor through its real plugin, without the
// vendor and without a bridge: to the events they mean, or to the frames of another.
package translate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

// Job says what Run is to do.
type Job struct {
	From Side
	// Endpoint is where the frames arrive: one the account serves, or the name of
	// the connection it dials.
	Endpoint string
	// To is whose frames to make of the events; nil leaves the events.
	To *Side
	// In has a frame of one conversation on each line.
	In io.Reader
	// Out takes events or the other side's frames, one JSON a line, Remarks what was
	// wrong, with the number of the line it was on.
	Out, Remarks io.Writer
}

// Tally is what a translation came to.
type Tally struct {
	Frames int
	Events int
	// Unsupported is how many inputs an adapter did not know.
	Unsupported int
	// Failed is how many deliveries were given up.
	Failed int
	// Bad is how many lines could not be translated, or not all of them.
	Bad int
}

// dialledNames are what the connection that an adapter dials is called where
// endpoints are named.
func dialledNames() []string { return []string{"ws", "interact"} }

// Run runs frames through the real plugins, without any vendor: a dial is answered
// with a connection, a call with the manifest's sample. The same input gives the
// same output. The error says that the translation could not be made; what was wrong
// with single lines is in the tally. Unknown names are a *NameError, settings
// ErrSettings.
func (s *Stage) Run(ctx context.Context, t Job) (_ Tally, err error) {
	run := &translating{out: t.Out, remarks: t.Remarks, adapter: t.From.Adapter, endpoint: t.Endpoint}
	if run.source, err = s.play(ctx, t.From); err != nil {
		return Tally{}, err
	}
	if err := run.begin(t.From.Role); err != nil {
		return Tally{}, err
	}
	if t.To != nil {
		if err := run.address(ctx, s, *t.To); err != nil {
			return Tally{}, err
		}
	}
	before := run.counted()
	if err := run.all(ctx, t.In); err != nil {
		return Tally{}, err
	}
	after := run.counted()
	after.Unsupported -= before.Unsupported
	after.Failed -= before.Failed
	return after, nil
}

// translating is a Job under way.
type translating struct {
	out      io.Writer
	remarks  io.Writer
	source   *adaptertest.Rehearsal
	adapter  string
	endpoint string
	raw      bool // the endpoint takes what is not JSON
	to       *recipient
	tally    Tally
}

// begin brings the source's leg to where frames of its endpoint may come: legs
// the vendor does not begin there have begun before.
func (t *translating) begin(role event.Role) error {
	endpoints := t.source.Profile().Endpoints
	i := slices.IndexFunc(endpoints, func(e adapter.Endpoint) bool { return e.Name == t.endpoint })
	if i < 0 {
		return t.beginDialled(endpoints)
	}
	t.raw = endpoints[i].Raw
	if endpoints[i].Unknown == adapter.UnknownOpen {
		return nil
	}
	theirs, err := false, error(nil)
	if role != event.RoleLiveAgent {
		theirs, err = t.source.Open()
	}
	if err == nil && !theirs {
		_, err = t.source.Begin()
	}
	if err != nil {
		return fmt.Errorf("begin a conversation: %w", err)
	}
	return nil
}

// beginDialled is begin for frames on the connection the adapter dials.
func (t *translating) beginDialled(endpoints []adapter.Endpoint) error {
	var known []string
	for _, e := range endpoints {
		known = append(known, e.Name)
	}
	err := t.source.Connect()
	wanted := slices.Contains(dialledNames(), t.endpoint)
	switch {
	case err == nil && wanted:
		return nil
	case err == nil:
		known = append(known, dialledNames()...)
	}
	unknown := &NameError{Of: "this account of " + t.adapter, What: "endpoint", Name: t.endpoint, Known: known}
	if wanted {
		unknown.Why = err.Error()
	}
	return unknown
}

// address begins the leg that the events are passed on to.
func (t *translating) address(ctx context.Context, s *Stage, side Side) error {
	leg, err := s.play(ctx, side)
	if err != nil {
		return err
	}
	t.to = &recipient{leg: leg, role: side.Role, failed: t.failed, left: func(all []adaptertest.Departure) error {
		for _, d := range all {
			if err := t.print(d); err != nil {
				return err
			}
		}
		return nil
	}}
	if err := t.to.open(); err != nil {
		return fmt.Errorf("begin a conversation with %s: %w", side.Adapter, err)
	}
	return nil
}

// all translates every line. Its error ends the translation.
func (t *translating) all(ctx context.Context, in io.Reader) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	number := 0
	for l := range lines(ctx, in) {
		number++
		if l.err != nil {
			return fmt.Errorf("read line %d: %w", number, l.err)
		}
		if err := t.line(number, l.data); err != nil {
			return err
		}
	}
	if ctx.Err() != nil || t.to == nil {
		return ctx.Err()
	}
	return t.to.finish()
}

func (t *translating) line(number int, data []byte) error {
	if number == 1 {
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	data = bytes.TrimRight(data, "\r\n")
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	t.tally.Frames++
	path, frame, err := t.parse(data)
	if err != nil {
		t.bad(number, err.Error())
		return nil
	}
	unsupported := t.source.Counts().Unsupported
	events, err := t.source.Arrive(t.endpoint, path, pointer.MaskText(frame, t.source.Profile().Mask))
	if t.source.Counts().Unsupported > unsupported {
		t.remark(number, "the adapter does not know this input")
	}
	t.tally.Events += len(events)
	for _, e := range events {
		if err := t.pass(arrival{number, e}); err != nil {
			return err
		}
	}
	if err != nil {
		t.bad(number, err.Error())
	}
	return nil
}

// pass prints an event, or passes it on to the other side.
func (t *translating) pass(a arrival) error {
	if t.to == nil {
		return t.print(a.event)
	}
	return t.to.take(a)
}

// print writes one line of output.
func (t *translating) print(v any) error {
	out := json.NewEncoder(t.out)
	out.SetEscapeHTML(false)
	if err := out.Encode(v); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

func (t *translating) remark(number int, text string) {
	fmt.Fprintf(t.remarks, "line %d: %s\n", number, text)
}

func (t *translating) bad(number int, text string) {
	t.tally.Bad++
	t.remark(number, text)
}

// failed notes a delivery that was not made; one that its adapter gave up for a
// reason of its own is counted there.
func (t *translating) failed(number int, k event.Kind, err error) {
	var reason undelivered
	if errors.As(err, &reason) {
		t.remark(number, describe(k, err))
		return
	}
	t.bad(number, describe(k, err))
}

// counted adds what the legs counted themselves.
func (t *translating) counted() Tally {
	out := t.tally
	out.Unsupported = t.source.Counts().Unsupported
	out.Failed = len(t.source.Counts().Failed)
	if t.to != nil {
		out.Unsupported += t.to.leg.Counts().Unsupported
		out.Failed += len(t.to.leg.Counts().Failed)
	}
	return out
}
