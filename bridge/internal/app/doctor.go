package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

// How a finding stands.
const (
	FindingGood    = "good"
	FindingWarning = "warning" // works, but is probably not meant
	FindingFault   = "fault"   // does not work
)

// Finding is one thing the doctor looked at.
type Finding struct {
	// Check is what was looked at, such as "journal" or "account studio".
	Check string `json:"check"`
	State string `json:"state"`
	What  string `json:"what"`
	// Mend says what to do about it; empty where it is good.
	Mend string `json:"mend,omitempty"`
}

// Diagnosis is everything the doctor found.
type Diagnosis struct {
	Config   string    `json:"config"`
	Findings []Finding `json:"findings"`
	// Unusable says that the configuration is not good, so that little else could
	// be looked at.
	Unusable bool `json:"unusable"`
}

// Faults counts what does not work.
func (d *Diagnosis) Faults() int { return d.count(FindingFault) }

func (d *Diagnosis) count(state string) (n int) {
	for _, f := range d.Findings {
		if f.State == state {
			n++
		}
	}
	return n
}

func (d *Diagnosis) good(check, format string, args ...any) {
	d.Findings = append(d.Findings, Finding{Check: check, State: FindingGood, What: fmt.Sprintf(format, args...)})
}

func (d *Diagnosis) warn(check, what, mend string) {
	d.Findings = append(d.Findings, Finding{check, FindingWarning, what, mend})
}

func (d *Diagnosis) fault(check, what, mend string) {
	d.Findings = append(d.Findings, Finding{check, FindingFault, what, mend})
}

// told takes a text that may end in its own mend.
func (d *Diagnosis) told(state, check, text string) {
	what, mend, _ := strings.Cut(text, "mend: ")
	what = strings.TrimRight(what, "; –")
	if mend == "" {
		what, mend, _ = strings.Cut(what, "; ")
	}
	d.Findings = append(d.Findings, Finding{check, state, what, mend})
}

// Print writes the diagnosis for people.
func (d *Diagnosis) Print(w io.Writer) {
	sign := map[string]string{FindingGood: "ok     ", FindingWarning: "warning", FindingFault: "FAULT  "}
	for _, f := range d.Findings {
		fmt.Fprintf(w, "%s  %s: %s\n", sign[f.State], f.Check, f.What)
		if f.Mend != "" {
			fmt.Fprintf(w, "         mend: %s\n", f.Mend)
		}
	}
	fmt.Fprintf(w, "%s: %d faults, %d warnings, %d good\n", d.Config, d.Faults(), d.count(FindingWarning), d.count(FindingGood))
}

// doctor is one examination.
type doctor struct {
	*App
	*Diagnosis
	// live is the bridge that runs with this configuration, nil for none.
	live *liveBridge
}

// Diagnose looks at everything the bridge needs, before it is started or while it
// runs: configuration, files, clock, listeners, certificate, journal, plugins,
// accounts, doors and sign-in. It calls no vendor's API: of their hosts it sees
// whether they can be connected to. It changes nothing.
func Diagnose(ctx context.Context, o Options) *Diagnosis {
	d := &Diagnosis{Config: o.Config, Findings: []Finding{}}
	conf, warnings, err := config.Load(o.Config, o.Environ)
	for _, w := range warnings {
		d.warn("configuration", withoutMend(w), w.Mend)
	}
	if err != nil {
		d.configuration(err)
		d.Unusable = true
		return d
	}
	doc := &doctor{Diagnosis: d, App: looking(o, conf, &overheard{d: d})}
	defer doc.close()
	d.good("configuration", "%d accounts, %d routes", len(conf.Accounts), len(conf.Routes))
	doc.live = findLive(ctx, conf)
	for _, look := range []func(context.Context){doc.account, doc.files, doc.journalFile, doc.clock, doc.listeners, doc.certificate,
		doc.running, doc.plugged, doc.secrets, doc.signIns} {
		look(ctx)
	}
	return d
}

func (d *Diagnosis) configuration(err error) {
	var conf *config.Error
	if !errors.As(err, &conf) {
		d.told(FindingFault, "configuration", err.Error())
		return
	}
	for _, p := range conf.Problems {
		mend := p.Mend
		p.Mend = ""
		if mend == "" {
			mend = "see config.example.toml"
		}
		d.fault("configuration", p.String(), mend)
	}
}

// account warns of an account that may do too much.
func (d *doctor) account(context.Context) {
	if os.Geteuid() == 0 {
		d.warn("system account", "runs as root", "run the bridge under an account of its own (docs/hardening.md)")
		return
	}
	d.good("system account", "number %d", os.Geteuid())
}

// overheard makes findings of what parts of the bridge warn of as they start.
type overheard struct {
	slog.Handler
	d *Diagnosis
}

// Enabled is true from warnings on.
func (*overheard) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle takes one warning; plugins that do not start are told elsewhere.
func (o *overheard) Handle(_ context.Context, r slog.Record) error {
	what, mend := r.Message, ""
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "mend":
			mend = a.Value.String()
		case "missing", "reason", "error":
			what += ": " + a.Value.String()
		}
		return true
	})
	if r.Level == slog.LevelWarn && mend != "" {
		o.d.warn("sandbox", what, mend)
	}
	return nil
}

// WithAttrs and WithGroup give the same: only the message and the mend are used.
func (o *overheard) WithAttrs([]slog.Attr) slog.Handler { return o }

// WithGroup is as WithAttrs.
func (o *overheard) WithGroup(string) slog.Handler { return o }

func withoutMend(w config.Warning) string {
	w.Mend = ""
	return w.String()
}
