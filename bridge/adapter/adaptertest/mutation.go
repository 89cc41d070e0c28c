package adaptertest

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// Mutations are changes of a frame that leave its meaning: fields no version of
// the vendor's documents names, at the top and one level down. Each has its name.
func Mutations(frame []byte) map[string][]byte {
	object, ok := decoded(frame).(map[string]any)
	if !ok {
		return nil
	}
	out := map[string][]byte{}
	strange := func() map[string]any { return map[string]any{"deep": []any{1.0, nil, map[string]any{"x": "y"}}} }
	add := func(name string, change func(map[string]any)) {
		again, ok := decoded(frame).(map[string]any)
		if !ok {
			return
		}
		change(again)
		if data, err := json.Marshal(again); err == nil {
			out[name] = data
		}
	}
	add("unknown field", func(o map[string]any) { o["zzFuture"] = strange() })
	add("unknown null field", func(o map[string]any) { o["zzNothing"] = nil })
	for name, v := range object {
		if _, ok := v.(map[string]any); ok {
			add("unknown field in "+name, func(o map[string]any) {
				if inner, ok := o[name].(map[string]any); ok {
					inner["zzFuture"] = strange()
				}
			})
		}
	}
	return out
}

// mutate holds the events of a frame against those of its mutations.
func (c Case) mutate(t *testing.T, d adapter.Definition, events []event.Event) {
	t.Helper()
	for name, frame := range Mutations(c.data()) {
		if c.open(name) {
			continue
		}
		got, err := c.play(d, frame)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want, have := bare(events), bare(got); want != have {
			t.Errorf("%s changes the events:\n from %s\n to   %s", name, want, have)
		}
	}
}

// open reports whether a field of the frame holds what the vendor's customers put
// there, so that anything in it has a meaning.
func (c Case) open(mutation string) bool {
	return slices.ContainsFunc(c.Open, func(field string) bool { return mutation == "unknown field in "+field })
}

// bare are events without what only their vendor knows.
func bare(events []event.Event) string {
	out := slices.Clone(events)
	for i := range out {
		out[i].Vendor = nil
	}
	return asJSON(out)
}
