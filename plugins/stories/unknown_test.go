package stories

import (
	"fmt"
	"slices"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// TestWhatNobodyKnowsIsCounted: a frame keeps its meaning whatever a newer vendor
// puts beside it, and the operator sees that there is something new.
func TestWhatNobodyKnowsIsCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{backends: []string{"vdesk"}})
	count := func(what string) int {
		return r.counter(fmt.Sprintf("footbridge_unknown_fields_total{account=\"studio\",what=%q}", what))
	}
	r.begin("s1")
	r.tell("s1", "hello")
	for _, what := range []string{"frame", "field", "value", "type"} {
		if n := count(what); n != 0 {
			t.Errorf("frames as documented count %d unknown: %s", n, what)
		}
	}
	r.broken("POST", "/in/studio/inbound", "", `{"sessionId":"s1","text":"okapi beside news","type":"sticker","caption":5,"new":{"deep":1},"newer":null}`)
	r.eventually("what is new counted", func() bool { return count("frame") == 1 && count("field") == 2 && count("type") == 1 })
	if n := count("value"); n != 0 {
		t.Errorf("%d unknown values of none", n)
	}
	r.eventually("the words heard", func() bool {
		return slices.ContainsFunc(r.events(r.conversation("s1")), func(e event.Event) bool {
			said, ok := e.Body.(event.MessageCreated)
			return ok && codec.Plain(said.Content) == "okapi beside news"
		})
	})
}
