package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// Report is what a check of the configuration found.
type Report struct {
	Config   string        `json:"config"`
	Accounts []string      `json:"accounts"`
	Adapters []AdapterLine `json:"adapters"`
	Warnings []string      `json:"warnings"`
}

// AdapterLine is one adapter in a Report.
type AdapterLine struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Roles   []string `json:"roles"`
	State   string   `json:"state"`
}

// Check reads the configuration, starts the adapters it names and fits the
// accounts to them, without opening a journal or a listener. What must be mended
// is a *config.Error.
func Check(ctx context.Context, o Options) (Report, error) {
	conf, warnings, err := config.Load(o.Config, o.Environ)
	if err != nil {
		return Report{}, err
	}
	r := Report{Config: o.Config, Warnings: []string{}, Adapters: []AdapterLine{}, Accounts: []string{}}
	for _, w := range warnings {
		r.Warnings = append(r.Warnings, w.String())
	}
	a := &App{o: o, conf: conf, down: map[string]error{}, redactor: credential.NewRedactor(), metrics: observe.NewMetrics(), log: slog.New(slog.DiscardHandler)}
	defer a.close()
	if err := a.startPlugins(ctx); err != nil {
		return Report{}, err
	}
	p, err := newPlan(ctx, conf, a.plugins, a.env, a.down)
	if err != nil {
		return Report{}, err
	}
	r.Warnings = append(r.Warnings, p.warnings...)
	for name := range p.setup.Accounts {
		r.Accounts = append(r.Accounts, name)
	}
	for _, name := range adapters(conf) {
		line := AdapterLine{Name: name, State: "running"}
		m, err := a.plugins.Start(ctx, name)
		if err != nil {
			line.State = "down"
			r.Warnings = append(r.Warnings, fmt.Sprintf("adapter %s does not run: %v; mend: build footbridge-adapter-%s and put it beside the program or into [plugins] dir", name, err, name))
		}
		line.describe(m)
		r.Adapters = append(r.Adapters, line)
	}
	return r, nil
}

func (l *AdapterLine) describe(m adapter.Manifest) {
	l.Version = m.Version
	for _, role := range m.Roles {
		l.Roles = append(l.Roles, string(role))
	}
}

// Print writes the report for people.
func (r Report) Print(w io.Writer) {
	fmt.Fprintf(w, "%s: good (%d accounts, %d adapters)\n", r.Config, len(r.Accounts), len(r.Adapters))
	for _, text := range r.Warnings {
		fmt.Fprintln(w, "warning:", text)
	}
}
