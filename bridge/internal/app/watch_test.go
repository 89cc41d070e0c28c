package app

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// What a far side was given in other content than was said is counted, and not
// what it was not given.
func TestDegradedDeliveriesAreCounted(t *testing.T) {
	a := &App{metrics: observe.NewMetrics(), people: desk.New(desk.Rules{}, nil)}
	a.Committed(journal.Commit{Conversation: "c", Legs: []journal.Leg{{ID: "c.1", Account: "studio"}},
		Deliveries: []journal.Delivery{{Leg: "c.1", Outcome: journal.Delivered, Reason: "degraded choices"},
			{Leg: "c.1", Outcome: journal.Delivered, Reason: "degraded choices", MaybeDuplicate: true},
			{Leg: "c.1", Outcome: journal.Delivered}, {Leg: "c.1", Outcome: journal.Failed, Reason: "degraded form"}}}, time.Millisecond)
	const want = `
# HELP footbridge_degraded_total Content a far side could not carry whole.
# TYPE footbridge_degraded_total counter
footbridge_degraded_total{account="studio",what="choices"} 2
`
	if err := testutil.CollectAndCompare(a.metrics.Degraded, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
