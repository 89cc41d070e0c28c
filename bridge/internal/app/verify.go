package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/egress"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/verify"
)

// ErrNoAccount says that the configuration has no account of a name.
var ErrNoAccount = errors.New("no such account")

// Verify has accounts prove themselves at their vendors before there is traffic: that
// the credentials are good, that what the settings name is there, and that the vendor
// calls the bridge. With create it makes at the vendor what is missing and can be made.
// It opens no journal and no listener, and may run beside the bridge. The error says
// that the check could not be made; ErrNoAccount, a *config.Error and others.
func Verify(ctx context.Context, o Options, names []string, create bool) (*Diagnosis, error) {
	d := &Diagnosis{Config: o.Config, Findings: []Finding{}}
	conf, _, err := config.Load(o.Config, o.Environ)
	if err != nil {
		return d, err
	}
	for _, name := range names {
		if _, ok := conf.Accounts[name]; !ok {
			return d, fmt.Errorf("%w as %s: the configuration has %s", ErrNoAccount, name, strings.Join(slices.Sorted(maps.Keys(conf.Accounts)), ", "))
		}
	}
	a := looking(o, conf, slog.DiscardHandler)
	defer a.close()
	if err := a.startPlugins(ctx); err != nil {
		return d, err
	}
	p, err := a.newPlan(ctx, conf)
	if err != nil {
		return d, err
	}
	options, err := a.verifying(p)
	if err != nil {
		return d, err
	}
	for _, name := range names {
		a.verify(ctx, d, options, p.setup.Accounts[name], create)
	}
	return d, ctx.Err()
}

// verifying makes the ways out that checks need.
func (a *App) verifying(p *plan) (verify.Options, error) {
	way, err := network(a.conf, a.env)
	if err != nil {
		return verify.Options{}, err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	placeholders := credential.NewPlaceholders(key)
	a.egress = egress.New(egress.Options{Breakers: a.breakers, Placeholders: placeholders, Network: way, Logger: a.log})
	a.onClose(a.egress.Close)
	a.egress.Configure(p.ways)
	for _, s := range p.secrets {
		a.redactor.Add(s)
	}
	desk := &frontDesk{placeholders: placeholders, setup: func() *engine.Setup { return p.setup }}
	return verify.Options{Caller: a.egress, Turner: &turner{plugins: a.plugins, breakers: a.breakers, blamed: map[string]int{}},
		Placeholders: func(account, turn string) map[string]string { return desk.Placeholders(account, turn, nil) }}, nil
}

// verify has one account proved.
func (a *App) verify(ctx context.Context, d *Diagnosis, o verify.Options, account engine.Account, create bool) {
	subject := "account " + account.Name
	switch {
	case account.Native():
		d.good(subject, "is the bridge's own: there is no vendor to ask")
		return
	case account.Unready != "":
		d.fault(subject, account.Unready, "set it in the environment, or write it into the file it names")
		return
	}
	found, err := verify.Run(ctx, o, account, create)
	switch {
	case errors.Is(err, verify.ErrNoCheck):
		d.warn(subject, "its adapter cannot prove it: only traffic will show whether it works", "")
	case err != nil:
		d.fault(subject, a.redactor.Redact(err.Error()), "see that its vendor can be reached, or report this to the adapter's author")
	}
	for _, f := range found {
		d.Findings = append(d.Findings, a.finding(subject, f))
	}
}

// finding is one of an adapter's, as the doctor writes them. Vendors repeat what they
// are sent, so it is cleaned of secrets.
func (a *App) finding(subject string, f adapter.Finding) Finding {
	out := Finding{Check: subject + ", " + f.What, State: FindingGood, What: cmp.Or(f.Said, "is good"), Mend: f.Mend}
	if f.Fault != "" {
		out.State, out.What = FindingFault, f.Fault
	}
	out.Check, out.What, out.Mend = a.redactor.Redact(out.Check), a.redactor.Redact(out.What), a.redactor.Redact(out.Mend)
	return out
}
