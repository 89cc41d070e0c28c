package stories

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// studioFront is AI Studio's Live Agent Routing.
type studioFront struct{}

func (studioFront) begin(k *talk, got levels) { k.session = k.fileName("session") }

func (f studioFront) ask(k *talk) bool {
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	defer cancel()
	a, err := k.studio.Start(ctx, k.session, opening(vonagesim.Parameter{Name: "cell", Value: k.name[:strings.LastIndex(k.name, "/")]},
		vonagesim.Parameter{Name: "call_id", Value: k.session}))
	if err != nil {
		k.t.Fatal(err)
	}
	if a.Status/100 != 2 {
		return false
	}
	k.id = k.conversation(k.session)
	return true
}

func (studioFront) must(k *talk, a vonagesim.Answer, err error) {
	k.t.Helper()
	if err != nil || a.Status/100 != 2 {
		k.t.Fatalf("answered %d, %v", a.Status, err)
	}
}

func (f studioFront) says(k *talk, text string) {
	a, err := k.studio.Say(k.t.Context(), k.session, text)
	f.must(k, a, err)
}

func (f studioFront) files(k *talk, m event.Media) {
	if k.stored {
		m.URL = k.studioAt + "/pictures/" + m.Name
	}
	a, err := k.studio.SayMedia(k.t.Context(), k.session, m.Kind, m.URL, m.Caption)
	f.must(k, a, err)
}
func (studioFront) types(*talk) {} // it has no frame for that

func (f studioFront) picks(k *talk, _ event.Choice) { f.says(k, "2") }

func (f studioFront) answers(k *talk, form event.FormResponse) { f.says(k, form.Values[0].Value) }

func (studioFront) hears(k *talk) []string { return k.studio.Shown(k.session) }

// outbound are the bodies AI Studio was sent.
func (studioFront) outbound(k *talk) []string {
	var bodies []string
	for _, rec := range k.studio.Records() {
		if rec.Endpoint == "outbound" && rec.Session == k.session && rec.Committed && !strings.Contains(rec.Body, `"message_type":"text"`) {
			bodies = append(bodies, rec.Body)
		}
	}
	return bodies
}

func (f studioFront) sawFile(k *talk, m event.Media) adapter.Level {
	if k.stored && !slices.ContainsFunc(f.hears(k), func(s string) bool {
		return strings.Contains(s, "/"+m.Name) && bytes.Equal(k.fetch(s), bytesOf(m))
	}) {
		return adapter.Dropped
	}
	return pictured(m, nil, f.outbound(k), f.hears(k))
}

func (f studioFront) sawOffer(k *talk, part event.Part) adapter.Level {
	want := "1. Your town"
	if _, ok := part.(event.Choices); ok {
		want = "2. Juice"
	}
	if slices.ContainsFunc(f.hears(k), func(s string) bool { return strings.Contains(s, want) }) {
		return adapter.Fallback
	}
	return adapter.Dropped
}

func (studioFront) sawTyping(*talk) adapter.Level { return adapter.Dropped }

var place = regexp.MustCompile(`^You are number \d+ in the queue\.$`)

func (f studioFront) sawPlace(k *talk) adapter.Level {
	if slices.ContainsFunc(f.hears(k), place.MatchString) {
		return adapter.Fallback
	}
	return adapter.Dropped
}

func (f studioFront) goesOn(k *talk, round int) {
	k.t.Helper()
	k.inState(k.id, "automated")
	k.eventually("the flow goes on", func() bool { return k.studio.State(k.session) == vonagesim.StateVirtualAgent })
	if n := k.disconnects(k.session); n != round {
		k.t.Errorf("%d disconnects in round %d", n, round)
	}
}

func (f studioFront) toldNobody(k *talk, taken bool) {
	k.t.Helper()
	if !taken {
		if got := k.studio.State(k.session); got != vonagesim.StateFailed {
			k.t.Errorf("AI Studio has the session as %s", got)
		}
		return
	}
	k.eventually("the customer is told", func() bool {
		return slices.ContainsFunc(f.hears(k), func(s string) bool { return strings.HasPrefix(s, "Sorry, nobody ") })
	})
	f.goesOn(k, 1)
}

// leaves: AI Studio tells nobody that its customer has gone; what is sent then is
// answered 404.
func (f studioFront) leaves(k *talk) { k.studio.End(k.session) }

func (f studioFront) ended(k *talk) {
	k.inState(k.id, "ended")
	k.eventually("the flow goes on", func() bool { return k.studio.State(k.session) != vonagesim.StateLiveAgent })
}
