package app

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// The worse side decides, whichever it is; what nobody declares is dropped.
func TestWorseSideDecides(t *testing.T) {
	pair := func(front, back adapter.Levels) map[string]adapter.Level {
		return sides{customer: front, people: back}.levels()
	}
	best := []adapter.Level{adapter.Full, adapter.Partial, adapter.Fallback, adapter.Dropped, adapter.Rejected}
	for i, a := range best {
		for j, b := range best {
			front := adapter.Levels{Typing: a, CustomerEnd: a, QueuePosition: a, Content: map[string]adapter.Level{"text": a, "media": a}}
			back := adapter.Levels{Typing: b, CustomerEnd: b, QueuePosition: b, Content: map[string]adapter.Level{"text": b, "media": b}}
			levels := pair(front, back)
			for _, name := range []string{"text", "media", "typing", "customer_ends", "queue_position"} {
				if levels[name] != best[max(i, j)] {
					t.Errorf("%s between %s and %s is %s", name, a, b, levels[name])
				}
			}
		}
	}
	if got := pair(adapter.Levels{}, adapter.Levels{Typing: adapter.Full}); got["typing"] != adapter.Dropped || got["transcript"] != adapter.Dropped || got["media"] != adapter.Fallback {
		t.Errorf("of what nobody declares %v", got)
	}
}

// What one side alone has to show or take is that side's.
func TestOneSideDecides(t *testing.T) {
	pair := func(front, back adapter.Levels) map[string]adapter.Level {
		return sides{customer: front, people: back}.levels()
	}
	rich := adapter.Levels{Content: map[string]adapter.Level{"text": adapter.Full, "choices": adapter.Full, "form": adapter.Partial}, Transcript: adapter.Partial}
	short := adapter.Levels{Content: map[string]adapter.Level{"text": adapter.Full}, MaxText: 100, Transcript: adapter.Full}
	want := map[string]adapter.Level{"choices": adapter.Full, "form": adapter.Partial, "transcript": adapter.Full, "long_text": adapter.Partial,
		"handback": adapter.Full, "agent_ends": adapter.Full, "no_agent": adapter.Full, "timeout": adapter.Full, "text": adapter.Full,
		"media": adapter.Fallback, "typing": adapter.Dropped, "queue_position": adapter.Dropped, "customer_ends": adapter.Dropped}
	if got := pair(rich, short); !maps.Equal(got, want) {
		t.Errorf("rich to short: %v, want %v", got, want)
	}
	if got := pair(short, rich); got["choices"] != adapter.Fallback || got["form"] != adapter.Fallback || got["transcript"] != adapter.Partial || got["long_text"] != adapter.Partial {
		t.Errorf("short to rich: %v", got)
	}
	if got := pair(rich, rich)["long_text"]; got != adapter.Full {
		t.Errorf("long text without a limit is %s", got)
	}
	if len(Capabilities()) != len(want) {
		t.Errorf("the columns are %v", Capabilities())
	}
}

// What a virtual agent behind the customer's account cannot carry is lost on the
// way to it; what passes between the customer and people does not meet it.
func TestAVirtualAgentBehindDecides(t *testing.T) {
	rich := builtIn().Levels
	got := sides{customer: rich, people: rich, virtual: &adapter.Levels{Content: map[string]adapter.Level{"text": adapter.Partial}, MaxText: 100}}.levels()
	want := sides{customer: rich, people: rich}.levels()
	want["text"], want["media"], want["long_text"] = adapter.Partial, adapter.Fallback, adapter.Partial
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func pairs(m Matrix) []string {
	var all []string
	for _, p := range m.Pairings {
		name := p.Front.Account
		if p.VirtualAgent != nil {
			name += "+" + p.VirtualAgent.Account
		}
		all = append(all, name+" "+p.Back.Account)
	}
	return all
}

func TestEveryFrontMeetsEveryBack(t *testing.T) {
	var parties []Party
	for _, role := range []event.Role{event.RoleCustomer, event.RoleVirtualAgent, event.RoleLiveAgent, event.RoleObserver} {
		for n := range 2 {
			parties = append(parties, Party{Account: fmt.Sprintf("%s%d", role, n), Role: role})
		}
	}
	parties[3].profile.HoldsCustomer = true
	want := []string{"customer0 live_agent0", "customer0 live_agent1", "customer1 live_agent0", "customer1 live_agent1",
		"virtual_agent1 live_agent0", "virtual_agent1 live_agent1", "customer0+virtual_agent0 live_agent0", "customer0+virtual_agent0 live_agent1"}
	if got := pairs(matrixOf(parties, possible(parties))); !slices.Equal(got, want) {
		t.Errorf("pairs %q, want %q", got, want)
	}
	routes := []engine.Route{{Customer: "customer1", VirtualAgent: "virtual_agent0"}, {VirtualAgent: "virtual_agent1"},
		{Customer: "customer1", VirtualAgent: "virtual_agent0", Queue: "other"}, {Customer: "of a plugin that is down"}}
	want = []string{"customer1+virtual_agent0 live_agent0", "customer1+virtual_agent0 live_agent1", "virtual_agent1 live_agent0", "virtual_agent1 live_agent1",
		"customer0 live_agent0", "customer0 live_agent1"}
	if got := pairs(matrixOf(parties, routed(parties, routes))); !slices.Equal(got, want) {
		t.Errorf("pairs of the routes %q, want %q", got, want)
	}
}

func TestPromises(t *testing.T) {
	p := Party{Account: "a", profile: adapter.Profile{RetryWithin: time.Minute, Endpoints: []adapter.Endpoint{
		{Name: "ask", Answer: adapter.AnswerReply, Dedup: "body", DedupWhile: adapter.DedupHandoff},
		{Name: "slow", Answer: adapter.AnswerReply, Within: 25 * time.Second},
		{Name: "tell", Answer: adapter.AnswerAck, Within: time.Second},
		{Name: "talk", Answer: adapter.AnswerReply, Transport: adapter.TransportWebSocket},
		{Name: "sign", Answer: adapter.AnswerAck, Signature: adapter.Signature{TimeHeader: "T", Window: time.Minute}},
	}}}
	var got []string
	for _, x := range promises(p) {
		got = append(got, fmt.Sprint(x.Endpoint, " ", x.Answer, " ", x.Within, " ", x.Repeats, " ", x.While, " ", x.RetryWithin, " ", x.Once))
	}
	want := []string{"ask reply 10 body handoff 60 0", "slow reply 25   60 0", "tell ack 0   0 0", "talk websocket 0   0 0", "sign ack 0   0 120"}
	if !slices.Equal(got, want) {
		t.Errorf("promises %q, want %q", got, want)
	}
}
