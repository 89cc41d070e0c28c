package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

// Report is what a check of the configuration found.
type Report struct {
	Config   string        `json:"config"`
	Accounts []string      `json:"accounts"`
	Adapters []AdapterLine `json:"adapters"`
	Warnings []string      `json:"warnings"`
	// Problems are what must be mended; with none the configuration is good.
	Problems []string `json:"problems"`
}

// AdapterLine is one adapter in a Report.
type AdapterLine struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Roles   []string `json:"roles"`
	State   string   `json:"state"`
	// Sandbox is what its process is shut off with, "" for nothing.
	Sandbox string `json:"sandbox"`
}

// Check reads the configuration, starts the adapters it names and fits the
// accounts to them, without opening a journal or a listener. What must be mended
// is in Problems; the error says that the check itself could not be made.
func Check(ctx context.Context, o Options) (Report, error) {
	r := Report{Config: o.Config, Warnings: []string{}, Adapters: []AdapterLine{}, Accounts: []string{}, Problems: []string{}}
	conf, warnings, err := config.Load(o.Config, o.Environ)
	for _, w := range warnings {
		r.Warnings = append(r.Warnings, w.String())
	}
	if err != nil {
		return r, r.problem(err)
	}
	if _, err := certificateOf(conf); err != nil {
		_ = r.problem(err) // it is of the configuration
	}
	a := looking(o, conf, slog.DiscardHandler)
	defer a.close()
	_, err = network(conf, a.env)
	for _, err := range []error{err, scanner(conf)} {
		if err != nil {
			_ = r.problem(err)
		}
	}
	if err := a.startPlugins(ctx); err != nil {
		return r, err
	}
	for _, m := range a.plugins.Missing() {
		r.Warnings = append(r.Warnings, m.String())
	}
	for _, name := range adapters(conf) {
		r.Adapters = append(r.Adapters, a.describe(ctx, name))
	}
	r.absent(conf, a.down)
	p, err := a.newPlan(ctx, conf)
	if err != nil {
		return r, r.problem(err)
	}
	r.Warnings = append(r.Warnings, p.warnings...)
	r.Accounts = slices.Sorted(maps.Keys(p.setup.Accounts))
	return r, ctx.Err()
}

// problem takes what must be mended into the report; any other error comes back.
func (r *Report) problem(err error) error {
	var conf *config.Error
	if !errors.As(err, &conf) {
		return err
	}
	for _, p := range conf.Problems {
		r.Problems = append(r.Problems, p.String())
	}
	return nil
}

// absent reports the accounts whose adapter does not run.
func (r *Report) absent(c *config.Config, down map[string]error) {
	for _, name := range slices.Sorted(maps.Keys(c.Accounts)) {
		if err := down[c.Accounts[name].Adapter]; err != nil {
			r.Problems = append(r.Problems, c.Problem("accounts."+name+".adapter", err.Error(), adapterMend(c.Accounts[name].Adapter)).String())
		}
	}
}

func (a *App) describe(ctx context.Context, name string) AdapterLine {
	line := AdapterLine{Name: name, State: "running", Roles: []string{}}
	if a.down[name] != nil {
		line.State = "down"
		return line
	}
	m, err := a.plugins.Start(ctx, name)
	if err != nil {
		line.State = "down"
	}
	line.Version = m.Version
	for _, s := range a.plugins.States() {
		if s.Adapter == name {
			line.Sandbox = s.Sandbox
		}
	}
	for _, role := range m.Roles {
		line.Roles = append(line.Roles, string(role))
	}
	return line
}

// Print writes the report for people.
func (r Report) Print(w io.Writer) {
	for _, text := range r.Problems {
		fmt.Fprintln(w, text)
	}
	for _, text := range r.Warnings {
		fmt.Fprintln(w, "warning:", text)
	}
	if len(r.Problems) == 0 {
		fmt.Fprintf(w, "%s: good (%d accounts, %d adapters)\n", r.Config, len(r.Accounts), len(r.Adapters))
	}
}
