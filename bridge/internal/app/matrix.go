package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// Party is an account as the matrix has it.
type Party struct {
	Account string     `json:"account"`
	Adapter string     `json:"adapter"`
	Role    event.Role `json:"role"`
	profile adapter.Profile
}

// Pairing is what passes between a front end and a back end, in levels by the
// names of Capabilities. A front end is the account that has the customer and,
// where that is not a virtual agent's platform, the virtual agent that may answer
// first.
type Pairing struct {
	Front        Party                    `json:"front"`
	VirtualAgent *Party                   `json:"virtual_agent,omitempty"`
	Back         Party                    `json:"back"`
	Levels       map[string]adapter.Level `json:"levels"`
}

// Promise is what holds for what one endpoint takes.
type Promise struct {
	Party
	Endpoint string `json:"endpoint"`
	// Answer is how the endpoint answers, and Within in what time, in seconds, a
	// reply must be there.
	Answer string  `json:"answer"`
	Within float64 `json:"within,omitempty"`
	// Repeats says where the id is by which a repeat is known, and While for how
	// long; empty means a repeat is taken for something new.
	Repeats string `json:"repeats,omitempty"`
	While   string `json:"while,omitempty"`
	// Once is for how long, in seconds, the very same signed request counts once,
	// whatever becomes of its conversation; 0 where nothing is signed.
	Once float64 `json:"once,omitempty"`
	// RetryWithin is for how long, in seconds, the vendor may ask again when the
	// bridge was down; 0 means it is not known to.
	RetryWithin float64 `json:"retry_within,omitempty"`
}

// Matrix is every front end with every back end.
type Matrix struct {
	Parties  []Party
	Pairings []Pairing
	Promises []Promise
}

// capability is one thing that passes, and how well among the sides.
type capability struct {
	name string
	of   func(sides) adapter.Level
}

// sides are what each side carries: the one that has the customer, a virtual agent
// that stands behind it, if there is one, and people.
type sides struct {
	customer, people adapter.Levels
	virtual          *adapter.Levels
}

// all are the sides a thing meets on its way anywhere; ends those it meets while
// people have the conversation.
func (s sides) all() []adapter.Levels {
	if s.virtual == nil {
		return s.ends()
	}
	return append(s.ends(), *s.virtual)
}

func (s sides) ends() []adapter.Levels { return []adapter.Levels{s.customer, s.people} }

// capabilities are the columns. What the bridge itself sees to, whatever the
// sides can do, is as good as the words the customer is told it in.
func capabilities() []capability {
	told := shown("text")
	return []capability{
		{"text", everywhere(carries("text"))},
		{"transcript", func(s sides) adapter.Level { return s.people.Transcript }},
		{"media", everywhere(carries("media"))},
		{"choices", shown("choices")},
		{"form", shown("form")},
		{"typing", betweenEnds(func(l adapter.Levels) adapter.Level { return l.Typing })},
		{"long_text", everywhere(longText)},
		{"queue_position", betweenEnds(func(l adapter.Levels) adapter.Level { return l.QueuePosition })},
		{"handback", told},
		{"agent_ends", told},
		{"customer_ends", betweenEnds(func(l adapter.Levels) adapter.Level { return l.CustomerEnd })},
		{"no_agent", told},
		{"timeout", told},
	}
}

// Capabilities names what a Pairing has levels for, in order.
func Capabilities() []string {
	var names []string
	for _, c := range capabilities() {
		names = append(names, c.name)
	}
	return names
}

// everywhere is as good as the worst side of all, betweenEnds as the worse of the
// customer's and the people's, and shown as what the customer is shown.
func everywhere(of func(adapter.Levels) adapter.Level) func(sides) adapter.Level {
	return func(s sides) adapter.Level { return worst(of, s.all()) }
}

func betweenEnds(of func(adapter.Levels) adapter.Level) func(sides) adapter.Level {
	return func(s sides) adapter.Level { return worst(of, s.ends()) }
}

func shown(kind string) func(sides) adapter.Level {
	return func(s sides) adapter.Level { return carries(kind)(s.customer) }
}

func worst(of func(adapter.Levels) adapter.Level, sides []adapter.Levels) adapter.Level {
	var found []adapter.Level
	for _, l := range sides {
		found = append(found, orDropped(of(l)))
	}
	return slices.MaxFunc(found, byQuality)
}

// byQuality puts better levels first.
func byQuality(a, b adapter.Level) int {
	best := []adapter.Level{adapter.Full, adapter.Partial, adapter.Fallback, adapter.Dropped, adapter.Rejected}
	return cmp.Compare(slices.Index(best, a), slices.Index(best, b))
}

// carries is the level of a type of content; what is not named is degraded.
func carries(kind string) func(adapter.Levels) adapter.Level {
	return func(l adapter.Levels) adapter.Level { return cmp.Or(l.Content[kind], adapter.Fallback) }
}

// longText comes in one piece, or in parts that keep their order.
func longText(l adapter.Levels) adapter.Level {
	if l.MaxText > 0 {
		return adapter.Partial
	}
	return adapter.Full
}

func orDropped(l adapter.Level) adapter.Level { return cmp.Or(l, adapter.Dropped) }

// levels computes every capability.
func (s sides) levels() map[string]adapter.Level {
	levels := map[string]adapter.Level{}
	for _, c := range capabilities() {
		levels[c.name] = orDropped(c.of(s))
	}
	return levels
}

// frontEnd is who has the customer, and the virtual agent behind it, if there is
// one.
type frontEnd struct {
	holder  Party
	virtual *Party
}

func (f frontEnd) with(back Party) Pairing {
	s := sides{customer: f.holder.profile.Levels, people: back.profile.Levels}
	if f.virtual != nil {
		s.virtual = &f.virtual.profile.Levels
	}
	return Pairing{f.holder, f.virtual, back, s.levels()}
}

// matrixOf puts every front end beside every back end, where people are.
func matrixOf(parties []Party, fronts []frontEnd) Matrix {
	m := Matrix{Parties: parties}
	for _, p := range parties {
		m.Promises = append(m.Promises, promises(p)...)
	}
	for _, front := range fronts {
		for _, back := range parties {
			if back.Role == event.RoleLiveAgent {
				m.Pairings = append(m.Pairings, front.with(back))
			}
		}
	}
	return m
}

// routed are the front ends of a configuration: those its routes begin at, each
// with the virtual agent the route names, and those no route begins at.
func routed(parties []Party, routes []engine.Route) []frontEnd {
	byName := map[string]*Party{}
	for i := range parties {
		byName[parties[i].Account] = &parties[i]
	}
	var fronts []frontEnd
	for _, r := range routes {
		f := frontEnd{virtual: byName[r.VirtualAgent]}
		holder := byName[r.Entry()]
		if holder == nil {
			continue // its plugin does not run, which is told
		}
		if f.holder = *holder; f.virtual == holder {
			f.virtual = nil
		}
		if !slices.ContainsFunc(fronts, func(o frontEnd) bool { return o.holder.Account == f.holder.Account && o.virtual == f.virtual }) {
			fronts = append(fronts, f)
		}
	}
	for _, p := range parties {
		if p.leads() && !slices.ContainsFunc(fronts, func(f frontEnd) bool { return f.holder.Account == p.Account }) {
			fronts = append(fronts, frontEnd{holder: p})
		}
	}
	return fronts
}

// leads reports whether there is a customer at the party's far side.
func (p Party) leads() bool {
	return p.Role == event.RoleCustomer || p.Role == event.RoleVirtualAgent && p.profile.HoldsCustomer
}

// possible are the front ends where nothing is configured: every customer's, by
// itself, every virtual agent that has the customer, and every other one behind
// the first customer's account.
func possible(parties []Party) []frontEnd {
	var alone, behind []frontEnd
	for i, p := range parties {
		switch {
		case p.leads():
			alone = append(alone, frontEnd{holder: p})
		case p.Role == event.RoleVirtualAgent && len(alone) > 0:
			behind = append(behind, frontEnd{alone[0].holder, &parties[i]})
		}
	}
	return append(alone, behind...)
}

// replyWithin is the time of an endpoint that declares none.
const replyWithin = 10 * time.Second

func promises(p Party) []Promise {
	var all []Promise
	for _, e := range p.profile.Endpoints {
		promise := Promise{Party: p, Endpoint: e.Name, Answer: e.Answer, Repeats: e.Dedup, While: e.DedupWhile}
		if e.Signature != (adapter.Signature{}) {
			promise.Once = e.Signature.Remember().Seconds()
		}
		switch {
		case e.Transport != "":
			promise.Answer = e.Transport
		case e.Answer == adapter.AnswerReply:
			promise.Within = cmp.Or(e.Within, replyWithin).Seconds()
			promise.RetryWithin = p.profile.RetryWithin.Seconds()
		}
		all = append(all, promise)
	}
	return all
}

// builtIn are the levels of the accounts the bridge serves itself: its pages and
// its API have every event as it is.
func builtIn() adapter.Profile {
	return adapter.Profile{Levels: adapter.Levels{
		Content: map[string]adapter.Level{"text": adapter.Full, "media": adapter.Full, "choices": adapter.Full, "form": adapter.Full},
		Typing:  adapter.Full, Transcript: adapter.Full, QueuePosition: adapter.Full, CustomerEnd: adapter.Full}}
}

// ReadMatrix starts the plugins and makes the matrix of the configuration's
// accounts, or where o names no configuration of every adapter installed, with
// the settings it has by default. Accounts and adapters that cannot be
// asked come back in the error, along with the matrix of the others.
func ReadMatrix(ctx context.Context, o Options) (Matrix, error) {
	if o.Config == "" {
		return installedMatrix(ctx, o)
	}
	conf, _, err := config.Load(o.Config, o.Environ)
	if err != nil {
		return Matrix{}, err
	}
	a := looking(o, conf, slog.DiscardHandler)
	defer a.close()
	if err := a.startPlugins(ctx); err != nil {
		return Matrix{}, err
	}
	p, err := a.newPlan(ctx, conf)
	if err != nil {
		return Matrix{}, err
	}
	parties, missing := partiesOf(p.setup.Accounts, a.down)
	return matrixOf(parties, routed(parties, p.setup.Routes)), errors.Join(missing...)
}

// partiesOf are the accounts of a configuration, by name, but for those whose
// plugin is down, and why these are missing.
func partiesOf(accounts map[string]engine.Account, down map[string]error) ([]Party, []error) {
	var parties []Party
	var missing []error
	for _, name := range slices.Sorted(maps.Keys(accounts)) {
		account := accounts[name]
		party := Party{name, account.Adapter, account.Role, account.Profile}
		if account.Native() {
			party.profile = builtIn()
		} else if down := down[account.Adapter]; down != nil {
			missing = append(missing, fmt.Errorf("account %s: %w", name, down))
			continue
		}
		parties = append(parties, party)
	}
	return parties, missing
}

// installedMatrix is the matrix of what is installed, and of what is built in.
func installedMatrix(ctx context.Context, o Options) (Matrix, error) {
	s, err := openStage(o)
	if err != nil {
		return Matrix{}, err
	}
	defer s.Close()
	parties := []Party{{engine.Native, engine.Native, event.RoleCustomer, builtIn()}, {engine.Native, engine.Native, event.RoleLiveAgent, builtIn()}}
	var missing []error
	for _, name := range s.Installed() {
		parts, err := s.Parts(ctx, name)
		for _, p := range parts {
			parties = append(parties, Party{name, name, p.Role, p.Profile})
		}
		missing = append(missing, err)
	}
	return matrixOf(parties, possible(parties)), errors.Join(missing...)
}
