package adaptertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Case is one documented frame of a vendor and what it means, written by hand.
type Case struct {
	Name string `json:"name"`
	// Source is where the vendor documents the frame.
	Source string `json:"source"`
	// Role and Settings are the account's that gets the frame, at Endpoint (for
	// a connection the adapter dials the name of the socket).
	Role        event.Role      `json:"role"`
	Settings    json.RawMessage `json:"settings,omitempty"`
	Credentials []string        `json:"credentials,omitempty"`
	Endpoint    string          `json:"endpoint"`
	// Path replaces the endpoint's path, with a query.
	Path string `json:"path,omitempty"`
	// Answers is the beginning of the tag of the calls the frame is the vendor's
	// answer to; the last thing of Before then makes such a call, and there is no
	// Endpoint.
	Answers string `json:"answers,omitempty"`
	// Before is what happened on the leg earlier.
	Before []Earlier `json:"before,omitempty"`
	// Frame is the frame; one that is not JSON is a string with Raw set.
	Frame json.RawMessage `json:"frame"`
	Raw   bool            `json:"raw,omitempty"`
	// Events are what the frame means. An event has at least the fields shown;
	// "vendor" is not compared, for Back proves it.
	Events []json.RawMessage `json:"events"`
	// VendorOnly are JSON pointers of fields that no other vendor's frame has:
	// only Event.Vendor carries them. Back or Mirror proves it.
	VendorOnly []string `json:"vendor_only,omitempty"`
	// Volatile are JSON pointers of fields that are the sender's own each time,
	// such as a token or the id of a request, and are not compared at all.
	Volatile []string `json:"volatile,omitempty"`
	// Open are JSON pointers of fields that hold whatever the vendor's customers put
	// there, such as session variables, or what goes on as it is: every field in
	// them has a meaning. "*" is all of the frame.
	Open []string `json:"open,omitempty"`
	// Kinds are JSON pointers of the fields that say what kind of frame this is.
	Kinds []string `json:"kinds,omitempty"`
	// Enums are JSON pointers of the other fields with a list of values, which the
	// vendor may make longer, and for each what of Events a new value may change:
	// JSON pointers into the list of events, "/0/body/status".
	Enums map[string][]string `json:"enums,omitempty"`
	// Required are JSON pointers of fields without which the frame is another one,
	// or what stands beside them means something else.
	Required []string `json:"required,omitempty"`
	// Unknown is how many things of the frame the adapter does not know.
	Unknown int `json:"unknown,omitempty"`
	// Back is the mirror role through which the events become the frame again;
	// nil where no role of the adapter sends such frames.
	Back *Back `json:"back,omitempty"`
	// Mirror names a test of the adapter's own that makes the frame of the events
	// again, where no role of it does.
	Mirror string `json:"mirror,omitempty"`
}

// Earlier is one thing that happened before: a frame, or an event delivered.
type Earlier struct {
	Endpoint string          `json:"endpoint,omitempty"`
	Path     string          `json:"path,omitempty"`
	Frame    json.RawMessage `json:"frame,omitempty"`
	Deliver  json.RawMessage `json:"deliver,omitempty"`
}

// Back is the account whose far side the frame is sent to.
type Back struct {
	Role        event.Role      `json:"role"`
	Settings    json.RawMessage `json:"settings,omitempty"`
	Credentials []string        `json:"credentials,omitempty"`
	Before      []Earlier       `json:"before,omitempty"`
	// Ahead are frames that leave before it, for the same events with their Vendor.
	Ahead []json.RawMessage `json:"ahead,omitempty"`
	// Reply says the frame leaves as the answer to the last request of Before.
	Reply bool `json:"reply,omitempty"`
}

// ReadCorpus reads the cases of a file: a JSON array of Case.
func ReadCorpus(file string) ([]Case, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read corpus: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var cases []Case
	if err := dec.Decode(&cases); err != nil {
		return nil, fmt.Errorf("read corpus %s: %w", file, err)
	}
	return cases, nil
}

// Corpus holds an adapter to every case of a file: the frame gives exactly its
// events; these, delivered to the mirror, leave as the frame again, and without
// Event.Vendor as the frame but for the fields only Vendor carries. A frame that
// is changed in one place keeps its meaning in all others; see mutate.
func Corpus(t *testing.T, d adapter.Definition, file string) {
	t.Helper()
	CorpusOver(t, d.Manifest, d.Configure, InProcess(d), file)
}

// CorpusOver is Corpus for an adapter behind a Turner, such as a plugin's process.
func CorpusOver(t *testing.T, m adapter.Manifest, configure func(adapter.Account) (adapter.Profile, error), turner Turner, file string) {
	t.Helper()
	cases, err := ReadCorpus(file)
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s (%v)", file, err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Examine(m, configure, turner); err != nil {
				t.Error(err)
			}
		})
	}
}

// Examine is what CorpusOver holds an adapter to by one case: every fault of it
// that the case shows, joined, or nil.
func (c Case) Examine(m adapter.Manifest, configure func(adapter.Account) (adapter.Profile, error), turner Turner) error {
	return errors.Join(c.faults(subject{m, configure, turner}, true)...)
}

// subject is an adapter whose frames are tried.
type subject struct {
	manifest  adapter.Manifest
	configure func(adapter.Account) (adapter.Profile, error)
	turner    Turner
}

// faults are what is wrong with an adapter by a case, and by what it becomes when it
// is changed.
func (c Case) faults(s subject, changed bool) []error {
	p, err := c.play(s, c.data())
	if err != nil {
		return []error{err}
	}
	var all []error
	if len(c.VendorOnly) > 0 && c.Back == nil && c.Mirror == "" {
		all = append(all, errors.New("vendor_only without back or mirror: nothing proves it"))
	}
	if p.unknown != c.Unknown {
		all = append(all, fmt.Errorf("the frame has %d things the adapter does not know, want %d", p.unknown, c.Unknown))
	}
	all = append(all, c.compareEvents(p.events)...)
	all = append(all, c.roundTrip(s, p.events)...)
	if changed {
		all = append(all, c.mutate(s, p)...)
	}
	return all
}

// played is what a frame came to: its events, and how much of it was not known.
type played struct {
	events  []event.Event
	unknown int
}

func (c Case) data() []byte {
	if c.Raw {
		var text string
		if json.Unmarshal(c.Frame, &text) == nil {
			return []byte(text)
		}
	}
	return c.Frame
}

// play plays what came before and then the frame.
func (c Case) play(s subject, frame []byte) (played, error) {
	before, last := c.Before, Earlier{Endpoint: c.Endpoint, Path: c.Path, Frame: frame}
	if c.Answers != "" {
		if len(before) == 0 {
			return played{}, errors.New("an answer needs something before it that makes the call")
		}
		before, last = before[:len(before)-1], before[len(before)-1]
	}
	r, err := rehearse(s, c.Role, c.Settings, c.Credentials, before)
	if err != nil {
		return played{}, err
	}
	if c.Answers != "" { // the frame is the answer to the calls the last thing makes
		samples := slices.DeleteFunc(slices.Clone(s.manifest.Samples), func(s adapter.Sample) bool { return s.Tag == c.Answers })
		r.manifest.Samples = append(samples, adapter.Sample{Tag: c.Answers, Status: http.StatusOK, Body: frame})
	}
	known := r.counts
	events, err := r.earlier(last)
	return played{events, r.counts.Unknown + r.counts.Unsupported - known.Unknown - known.Unsupported}, err
}

func rehearse(s subject, role event.Role, settings json.RawMessage, credentials []string, before []Earlier) (*Rehearsal, error) {
	a := adapter.Account{Name: s.manifest.Name, Role: role, Settings: settings, Credentials: credentials,
		PublicURL: "https://bridge.example/in/" + s.manifest.Name}
	r, err := NewRehearsal(s.manifest, s.configure, s.turner, a)
	if err != nil {
		return nil, fmt.Errorf("configure %s: %w", role, err)
	}
	for i, e := range before {
		if _, err := r.earlier(e); err != nil {
			return nil, fmt.Errorf("before %d: %w", i+1, err)
		}
	}
	return r, nil
}

func (r *Rehearsal) earlier(e Earlier) ([]event.Event, error) {
	if e.Deliver == nil {
		return r.Arrive(e.Endpoint, e.Path, e.Frame)
	}
	var ev event.Event
	if err := json.Unmarshal(e.Deliver, &ev); err != nil {
		return nil, fmt.Errorf("event %s: %w", e.Deliver, err)
	}
	events, _, err := r.Deliver(ev)
	return events, err
}

// roundTrip sends the events out by the mirror, as they are and without Vendor.
func (c Case) roundTrip(s subject, events []event.Event) []error {
	if c.Back == nil {
		return nil
	}
	var all []error
	for _, bare := range []bool{false, true} {
		drop := slices.Clone(c.Volatile)
		if bare {
			drop = append(drop, c.VendorOnly...)
		}
		got, err := c.back(s, events, bare)
		if err != nil {
			all = append(all, fmt.Errorf("back (without vendor: %t): %w", bare, err))
			continue
		}
		want, have := asJSON(without(decoded(c.data()), drop)), asJSON(without(decoded(got), drop))
		if want != have {
			all = append(all, fmt.Errorf("back (without vendor: %t) it is another frame:\n frame %s\n back  %s", bare, want, have))
		}
	}
	return all
}

// back delivers the events to the mirror and gives the frame that leaves, after
// those that are to leave ahead of it.
func (c Case) back(s subject, events []event.Event, bare bool) ([]byte, error) {
	r, err := rehearse(s, c.Back.Role, c.Back.Settings, c.Back.Credentials, c.Back.Before)
	if err != nil {
		return nil, err
	}
	if len(c.Back.Before) == 0 && len(events) > 0 && !begins(events[0].Kind()) {
		if _, err := r.Begin(); err != nil {
			return nil, fmt.Errorf("begin: %w", err)
		}
	}
	var left []Departure
	for _, e := range events {
		if bare {
			e.Vendor = nil
		}
		e.ID, e.Via = "", event.Via{}
		_, departures, err := r.Deliver(e)
		if err != nil {
			return nil, err
		}
		for _, departure := range departures {
			if (departure.Method == "REPLY") == c.Back.Reply {
				left = append(left, departure)
			}
		}
	}
	switch failed := r.Counts().Failed; {
	case len(failed) > 0:
		return nil, fmt.Errorf("not delivered: %q", failed)
	case len(left) != len(c.Back.Ahead)+1:
		return nil, fmt.Errorf("%d frames left, want %d: %s", len(left), len(c.Back.Ahead)+1, asJSON(left))
	}
	for i, want := range c.Back.Ahead {
		if w, h := asJSON(without(decoded(want), c.Volatile)), asJSON(without(decoded(left[i].Body), c.Volatile)); w != h && !bare {
			return nil, fmt.Errorf("ahead of it another frame left:\n want %s\n left %s", w, h)
		}
	}
	return left[len(left)-1].Body, nil
}

func begins(k event.Kind) bool {
	return k == event.KindConversationStarted || k == event.KindHandoffRequested
}
