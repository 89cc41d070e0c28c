package engine

import (
	"cmp"
	"maps"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// reroute finds the route of a hand-off: the first between the same customer and
// virtual agent that fits what is known now, which at the beginning of a
// conversation was less: the queue that is asked for, and the facts learnt since.
// Where none fits, the conversation keeps the one it has.
func (b *batch) reroute(in conversation.Input) {
	c, setup := b.c, b.c.e.setup.Load()
	h, ok := in.Body.(event.HandoffRequested)
	now, known := setup.routeNamed(c.doc.Route)
	if !ok || !known || c.doc.Machine.Phase != conversation.Automated {
		return
	}
	facts := maps.Clone(h.Context)
	if facts == nil {
		facts = map[string]string{}
	}
	for name, value := range c.doc.Attributes {
		if _, newer := facts[name]; !newer {
			facts[name] = value
		}
	}
	m := Match{Queue: h.Routing.Queue, Language: cmp.Or(h.Routing.Language, c.doc.Language), Attributes: facts}
	for _, r := range setup.Routes {
		if r.Customer == now.Customer && r.VirtualAgent == now.VirtualAgent && r.Match.covers(m) {
			if r.Name != now.Name {
				c.doc.Route, c.doc.Queue = r.Name, r.Queue
			}
			return
		}
	}
}
