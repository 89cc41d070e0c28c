package adaptertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
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
	// only Event.Vendor carries them.
	VendorOnly []string `json:"vendor_only,omitempty"`
	// Volatile are JSON pointers of fields that are the sender's own each time,
	// such as a token or the id of a request, and are not compared at all.
	Volatile []string `json:"volatile,omitempty"`
	// Open are top-level fields that hold whatever the vendor's customers put
	// there, such as session variables: every field in them has a meaning. "*" is
	// the frame itself, where all of it is the vendor's own.
	Open []string `json:"open,omitempty"`
	// Back is the mirror role through which the events become the frame again;
	// nil where no role of the adapter sends such frames.
	Back *Back `json:"back,omitempty"`
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
// Event.Vendor as the frame but for the fields only Vendor carries. Changes of a
// frame that mean nothing (see Mutations) leave its events as they were.
func Corpus(t *testing.T, d adapter.Definition, file string) {
	t.Helper()
	cases, err := ReadCorpus(file)
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s (%v)", file, err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			events, err := c.play(d, c.data())
			if err != nil {
				t.Fatal(err)
			}
			c.compareEvents(t, events)
			c.roundTrip(t, d, events)
			c.mutate(t, d, events)
		})
	}
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
func (c Case) play(d adapter.Definition, frame []byte) ([]event.Event, error) {
	if c.Answers != "" {
		return c.answer(d, frame)
	}
	r, err := rehearse(d, c.Role, c.Settings, c.Credentials, c.Before)
	if err != nil {
		return nil, err
	}
	return r.Arrive(c.Endpoint, c.Path, frame)
}

// answer plays what came before with the frame as the answer to the calls named.
func (c Case) answer(d adapter.Definition, frame []byte) ([]event.Event, error) {
	if len(c.Before) == 0 {
		return nil, errors.New("an answer needs something before it that makes the call")
	}
	last := len(c.Before) - 1
	r, err := rehearse(d, c.Role, c.Settings, c.Credentials, c.Before[:last])
	if err != nil {
		return nil, err
	}
	samples := slices.DeleteFunc(slices.Clone(d.Manifest.Samples), func(s adapter.Sample) bool { return s.Tag == c.Answers })
	r.manifest.Samples = append(samples, adapter.Sample{Tag: c.Answers, Status: http.StatusOK, Body: frame})
	return r.earlier(c.Before[last])
}

func rehearse(d adapter.Definition, role event.Role, settings json.RawMessage, credentials []string, before []Earlier) (*Rehearsal, error) {
	a := adapter.Account{Name: d.Manifest.Name, Role: role, Settings: settings, Credentials: credentials,
		PublicURL: "https://bridge.example/in/" + d.Manifest.Name}
	r, err := NewRehearsal(d.Manifest, d.Configure, InProcess(d), a)
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

// compareEvents looks for every field that was written by hand.
func (c Case) compareEvents(t *testing.T, events []event.Event) {
	t.Helper()
	if len(events) != len(c.Events) {
		t.Fatalf("%d events, want %d: %s", len(events), len(c.Events), asJSON(events))
	}
	for i, want := range c.Events {
		w, h := decoded(want), decoded([]byte(asJSON(events[i])))
		if missing := lacks(h, w, ""); missing != "" {
			t.Errorf("event %d: %s\n got %s", i+1, missing, asJSON(events[i]))
		}
	}
}

// lacks says where have does not hold what want asks. Bodies are compared whole.
func lacks(have, want any, at string) string {
	w, isObject := want.(map[string]any)
	h, ok := have.(map[string]any)
	if !isObject || !ok || at == "/body" {
		if asJSON(have) != asJSON(want) {
			return fmt.Sprintf("%s is %s, want %s", at, strings.TrimSpace(asJSON(have)), strings.TrimSpace(asJSON(want)))
		}
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if missing := lacks(h[name], w[name], at+"/"+name); missing != "" {
			return missing
		}
	}
	return ""
}

func decoded(data []byte) any {
	var v any
	if json.Unmarshal(data, &v) != nil {
		return string(data)
	}
	return v
}

// roundTrip sends the events out by the mirror, as they are and without Vendor.
func (c Case) roundTrip(t *testing.T, d adapter.Definition, events []event.Event) {
	t.Helper()
	if c.Back == nil {
		return
	}
	for _, bare := range []bool{false, true} {
		drop := slices.Clone(c.Volatile)
		if bare {
			drop = append(drop, c.VendorOnly...)
		}
		got, err := c.back(d, events, bare)
		if err != nil {
			t.Errorf("back (without vendor: %t): %v", bare, err)
			continue
		}
		want, have := asJSON(without(decoded(c.data()), drop)), asJSON(without(decoded(got), drop))
		if want != have {
			t.Errorf("back (without vendor: %t) it is another frame:\n frame %s\n back  %s", bare, want, have)
		}
	}
}

// back delivers the events to the mirror and gives the one frame that leaves.
func (c Case) back(d adapter.Definition, events []event.Event, bare bool) ([]byte, error) {
	r, err := rehearse(d, c.Back.Role, c.Back.Settings, c.Back.Credentials, c.Back.Before)
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
	if len(left) == 0 {
		return nil, fmt.Errorf("nothing left; not delivered: %q", r.Counts().Failed)
	}
	return left[len(left)-1].Body, nil
}

func begins(k event.Kind) bool {
	return k == event.KindConversationStarted || k == event.KindHandoffRequested
}

// without takes fields out of a decoded JSON value.
func without(v any, pointers []string) any {
	for _, p := range pointers {
		v = cut(v, strings.Split(strings.TrimPrefix(p, "/"), "/"))
	}
	return v
}

func cut(v any, path []string) any {
	switch x := v.(type) {
	case map[string]any:
		if len(path) == 1 {
			delete(x, path[0])
		} else if inner, ok := x[path[0]]; ok {
			x[path[0]] = cut(inner, path[1:])
		}
	case []any:
		for i := range x {
			if path[0] == "*" || path[0] == strconv.Itoa(i) {
				if len(path) > 1 {
					x[i] = cut(x[i], path[1:])
				}
			}
		}
	}
	return v
}
