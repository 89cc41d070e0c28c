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
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// Party is an account as the matrix has it.
type Party struct {
	Account string     `json:"account"`
	Adapter string     `json:"adapter"`
	Role    event.Role `json:"role"`
	profile adapter.Profile
}

// Pairing is what passes between a front end and a back end, in levels by the
// names of Capabilities.
type Pairing struct {
	Front  Party                    `json:"front"`
	Back   Party                    `json:"back"`
	Levels map[string]adapter.Level `json:"levels"`
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

// capability is one thing that passes, and how well between two sides.
type capability struct {
	name string
	of   func(front, back adapter.Levels) adapter.Level
}

// capabilities are the columns. What the bridge itself sees to, whatever the
// sides can do, is as good as the words it is told in.
func capabilities() []capability {
	told := func(front, _ adapter.Levels) adapter.Level { return content(front, "text") }
	return []capability{
		{"text", both("text")},
		{"transcript", func(_, back adapter.Levels) adapter.Level { return back.Transcript }},
		{"media", both("media")},
		{"choices", shown("choices")},
		{"form", shown("form")},
		{"typing", worst(func(l adapter.Levels) adapter.Level { return l.Typing })},
		{"long_text", worst(longText)},
		{"queue_position", worst(func(l adapter.Levels) adapter.Level { return l.QueuePosition })},
		{"handback", told},
		{"agent_ends", told},
		{"customer_ends", worst(func(l adapter.Levels) adapter.Level { return l.CustomerEnd })},
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

// both is a type of content that goes either way; shown one that people or
// software send to the customer.
func both(kind string) func(front, back adapter.Levels) adapter.Level {
	return worst(func(l adapter.Levels) adapter.Level { return content(l, kind) })
}

func shown(kind string) func(front, back adapter.Levels) adapter.Level {
	return func(front, _ adapter.Levels) adapter.Level { return content(front, kind) }
}

func worst(of func(adapter.Levels) adapter.Level) func(front, back adapter.Levels) adapter.Level {
	return func(front, back adapter.Levels) adapter.Level {
		return slices.MaxFunc([]adapter.Level{orDropped(of(front)), orDropped(of(back))}, byQuality)
	}
}

// byQuality puts better levels first.
func byQuality(a, b adapter.Level) int {
	best := []adapter.Level{adapter.Full, adapter.Partial, adapter.Fallback, adapter.Dropped, adapter.Rejected}
	return cmp.Compare(slices.Index(best, a), slices.Index(best, b))
}

// content is the level of a type of content; what is not named is degraded.
func content(l adapter.Levels, kind string) adapter.Level {
	return cmp.Or(l.Content[kind], adapter.Fallback)
}

// longText comes in one piece, or in parts that keep their order.
func longText(l adapter.Levels) adapter.Level {
	if l.MaxText > 0 {
		return adapter.Partial
	}
	return adapter.Full
}

func orDropped(l adapter.Level) adapter.Level { return cmp.Or(l, adapter.Dropped) }

// pair computes every capability of two sides.
func pair(front, back adapter.Levels) map[string]adapter.Level {
	levels := map[string]adapter.Level{}
	for _, c := range capabilities() {
		levels[c.name] = orDropped(c.of(front, back))
	}
	return levels
}

// matrixOf puts every front end, which leads to a customer or speaks for the
// business by itself, beside every back end, where people are.
func matrixOf(parties []Party) Matrix {
	m := Matrix{Parties: parties}
	for _, front := range parties {
		m.Promises = append(m.Promises, promises(front)...)
		if front.Role != event.RoleCustomer && front.Role != event.RoleVirtualAgent {
			continue
		}
		for _, back := range parties {
			if back.Role == event.RoleLiveAgent {
				m.Pairings = append(m.Pairings, Pairing{front, back, pair(front.profile.Levels, back.profile.Levels)})
			}
		}
	}
	return m
}

// replyWithin is the time of an endpoint that declares none.
const replyWithin = 10 * time.Second

func promises(p Party) []Promise {
	var all []Promise
	for _, e := range p.profile.Endpoints {
		promise := Promise{Party: p, Endpoint: e.Name, Answer: e.Answer, Repeats: e.Dedup, While: e.DedupWhile}
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
	a := &App{o: o, conf: conf, down: map[string]error{}, redactor: credential.NewRedactor(), metrics: observe.NewMetrics(), log: slog.New(slog.DiscardHandler)}
	defer a.close()
	if err := a.startPlugins(ctx); err != nil {
		return Matrix{}, err
	}
	p, err := a.newPlan(ctx, conf)
	if err != nil {
		return Matrix{}, err
	}
	var parties []Party
	var missing []error
	for _, name := range slices.Sorted(maps.Keys(p.setup.Accounts)) {
		account := p.setup.Accounts[name]
		party := Party{name, account.Adapter, account.Role, account.Profile}
		if account.Native() {
			party.profile = builtIn()
		} else if down := a.down[account.Adapter]; down != nil {
			missing = append(missing, fmt.Errorf("account %s: %w", name, down))
			continue
		}
		parties = append(parties, party)
	}
	return matrixOf(parties), errors.Join(missing...)
}

// installedMatrix is the matrix of what is installed, and of what is built in.
func installedMatrix(ctx context.Context, o Options) (Matrix, error) {
	s, err := newStage(o)
	if err != nil {
		return Matrix{}, err
	}
	defer s.plugins.Close()
	parties := []Party{{engine.Native, engine.Native, event.RoleCustomer, builtIn()}, {engine.Native, engine.Native, event.RoleLiveAgent, builtIn()}}
	var missing []error
	for _, name := range s.installed() {
		found, err := s.parties(ctx, name)
		parties = append(parties, found...)
		missing = append(missing, err)
	}
	return matrixOf(parties), errors.Join(missing...)
}

// parties are an adapter's roles, each as an account without settings, or with the
// examples of its manifest where it cannot do without.
func (s *stage) parties(ctx context.Context, name string) ([]Party, error) {
	m, err := s.plugins.Start(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []Party
	var refused []error
	for _, role := range m.Roles {
		_, profile, err := s.fit(ctx, m, Side{Adapter: name, Role: role})
		if err != nil {
			refused = append(refused, fmt.Errorf("adapter %s, role %s: %w", name, role, err))
			continue
		}
		all = append(all, Party{name, name, role, profile})
	}
	return all, errors.Join(refused...)
}
