package adaptertest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Mutations are changes of a frame that leave its meaning: fields no version of
// the vendor's documents names, at the top and one level down. Each has its name.
// All other members stay as they are, and where they are.
func Mutations(frame []byte) map[string][]byte {
	if _, ok := decoded(frame).(map[string]any); !ok {
		return nil
	}
	const strange = `"zzFuture":{"deep":[1,null,{"x":"y"}]}`
	out := map[string][]byte{"unknown field": insert(frame, strange), "unknown null field": insert(frame, `"zzNothing":null`)}
	members := membersOf(bytes.TrimSpace(frame))
	for i, m := range members {
		if m.value[0] != '{' {
			continue
		}
		again := slices.Clone(members)
		again[i].value = insert(m.value, strange)
		var name string
		if json.Unmarshal([]byte(strings.TrimSuffix(m.name, ": ")), &name) == nil {
			out["unknown field in "+name] = object(again)
		}
	}
	return out
}

// insert puts a member at the front of an object.
func insert(data []byte, member string) []byte {
	rest := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(data), []byte("{")))
	if rest[0] != '}' {
		member += ","
	}
	return append([]byte("{"+member), rest...)
}

func object(members []jsonMember) []byte {
	rows := make([]string, 0, len(members))
	for _, m := range members {
		rows = append(rows, m.name+string(m.value))
	}
	return []byte("{" + strings.Join(rows, ",") + "}")
}

// mutate holds the events of a frame against those of its mutations.
func (c Case) mutate(t *testing.T, d adapter.Definition, events []event.Event) {
	t.Helper()
	for name, frame := range Mutations(c.data()) {
		got, err := c.play(d, frame)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.open(name) {
			if len(got) != len(events) {
				t.Errorf("%s makes %d events of %d", name, len(got), len(events))
			}
			continue // what stands there has a meaning
		}
		if want, have := bare(events), bare(got); want != have {
			t.Errorf("%s changes the events:\n from %s\n to   %s", name, want, have)
		}
	}
}

// open reports whether a field of the frame holds what the vendor's customers put
// there, so that anything in it has a meaning.
func (c Case) open(mutation string) bool {
	return slices.ContainsFunc(c.Open, func(field string) bool { return field == "*" || mutation == "unknown field in "+field })
}

// bare are events without what only their vendor knows.
func bare(events []event.Event) string {
	out := slices.Clone(events)
	for i := range out {
		out[i].Vendor = nil
	}
	return asJSON(out)
}
