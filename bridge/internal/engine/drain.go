package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// ErrDrained says a conversation cannot begin because an account it needs takes
// nothing new; nothing was stored.
var ErrDrained = errors.New("account is drained")

// drained are the accounts that take nothing new, as the journal has them.
type drained struct {
	change   sync.Mutex // held while the journal is told
	accounts atomic.Pointer[[]string]
}

func (d *drained) has(account string) bool {
	all := d.accounts.Load()
	return all != nil && slices.Contains(*all, account)
}

// Drain lets an account take nothing new, until it is given false: no
// conversation begins with it, no hand-off goes to it and it observes nothing it
// does not observe already. What it has goes on. It holds after a restart, and who
// said so is in the audit trail.
func (e *Engine) Drain(ctx context.Context, account string, drain bool, who journal.Audit) error {
	e.drained.change.Lock()
	defer e.drained.change.Unlock()
	if err := e.Journal.Drain(ctx, account, drain, who); err != nil {
		return err
	}
	return e.readDrained(ctx)
}

// Drained reports whether an account takes nothing new.
func (e *Engine) Drained(account string) bool { return e.drained.has(account) }

// readDrained asks the journal which accounts take nothing new.
func (e *Engine) readDrained(ctx context.Context) error {
	all, err := e.Journal.Drained(ctx)
	if err == nil {
		e.drained.accounts.Store(&all)
	}
	return err
}

// takes finds the first route that begins at the account, matches and has no
// drained account to begin with.
func (e *Engine) takes(s *Setup, entry string, m Match) (Route, error) {
	known := false
	for _, r := range s.Routes {
		if r.Entry() != entry || !r.Match.covers(m) {
			continue
		}
		if known = true; !e.drained.has(entry) && !e.drained.has(r.VirtualAgent) {
			return r, nil
		}
	}
	if known {
		return Route{}, fmt.Errorf("no route from account %s takes a conversation: %w", entry, ErrDrained)
	}
	return Route{}, fmt.Errorf("no route begins at account %s; mend: add a [[routes]] entry with it", entry)
}

// newcomer reports whether a drained account would get its first leg of the
// conversation. One that has a leg there is not new to it: people of a drained
// desk may pass a conversation on among themselves.
func (b *batch) newcomer(account string) bool {
	has := func(l conversation.Leg) bool { return l.Account == account && !l.Detached }
	return b.c.e.drained.has(account) && !slices.ContainsFunc(b.c.doc.Machine.Legs, has)
}
