// Package app puts the program together: configuration, journal, plugins,
// engine, doors and pages. It holds wiring only.
package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/desk"
	"github.com/footbridge/footbridge/bridge/internal/egress"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/feed"
	"github.com/footbridge/footbridge/bridge/internal/host"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
	"github.com/footbridge/footbridge/bridge/internal/media"
	"github.com/footbridge/footbridge/bridge/internal/observe"
	"github.com/footbridge/footbridge/bridge/internal/openid"
)

// Options are what a run of the program is given.
type Options struct {
	// Config is the path of the configuration file.
	Config string
	// Environ is the environment, as os.Environ gives it.
	Environ []string
	// Out takes the lines meant for the person who starts the program, Log the
	// log.
	Out, Log io.Writer
	Version  string
	// Reload asks for the configuration to be read again, as SIGHUP does.
	Reload <-chan os.Signal
	// Launcher shuts adapter processes off from within: host.Self in a program
	// whose main calls host.Launch. Without it they have namespaces alone.
	Launcher string
}

// App is the running program.
type App struct {
	o        Options
	log      *slog.Logger
	redactor *credential.Redactor
	metrics  *observe.Metrics
	health   *observe.Health

	mu   sync.Mutex
	conf *config.Config
	plan *plan
	down map[string]error

	keys     *credential.Keyring
	journal  *sqlite.Journal
	breakers *breaker.Set
	plugins  *host.Host
	egress   *egress.Egress
	media    *media.Store
	engine   *engine.Engine
	ingress  *ingress.Ingress
	feeds    *feed.Feeds
	runDir   string
	people   *desk.Desk
	api      *api.API
	tokens   []token
	provider *openid.Provider // nil where nobody signs in at one
	doors    *doors
	// revive asks for another look at the accounts whose adapter was down.
	revive  chan struct{}
	fatal   chan error
	closers []func()
}

// Run runs the program until ctx ends or it cannot go on. Configuration that
// must be mended is a *config.Error.
func Run(ctx context.Context, o Options) error {
	conf, warnings, err := config.Load(o.Config, o.Environ)
	if err != nil {
		return err
	}
	redactor := credential.NewRedactor()
	a := &App{o: o, conf: conf, redactor: redactor, metrics: observe.NewMetrics(), health: observe.NewHealth(redactor),
		fatal: make(chan error, 1), revive: make(chan struct{}, 1), down: map[string]error{}}
	a.log = observe.NewLogger(o.Log, conf.Log.Format, logLevel(conf.Log.Level), a.redactor, a.metrics.LogDropped.Inc)
	defer a.close()
	for _, w := range warnings {
		a.log.Warn(w.String())
	}
	if err := a.build(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // it was ended while it began
		}
		return err
	}
	return a.serve(ctx)
}

// looking is an App that looks at a configuration: without a journal or a listener.
// It can start plugins, and is closed in the end.
func looking(o Options, c *config.Config, log slog.Handler) *App {
	return &App{o: o, conf: c, down: map[string]error{}, redactor: credential.NewRedactor(), metrics: observe.NewMetrics(), log: slog.New(log)}
}

func logLevel(word string) slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(word)); err != nil {
		return slog.LevelInfo
	}
	return l
}

// build makes every part, the ones others need first.
func (a *App) build(ctx context.Context) error {
	for _, step := range []func(context.Context) error{a.openJournal, a.openTokens, a.openProvider, a.openDoors, a.startPlugins, a.makeEngine, a.startEngine} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) onClose(f func()) { a.closers = append(a.closers, f) }

func (a *App) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
}

func (a *App) openJournal(ctx context.Context) error {
	dir := a.conf.Journal.Dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the journal's folder: %w; mend: set [journal] dir to a folder this account may write", err)
	}
	if err := ours(dir); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		a.log.Warn("the bridge runs as root", "mend", "run it under an account of its own (docs/hardening.md)")
	}
	keys, err := credential.OpenKeyring(dir)
	if err != nil {
		return err
	}
	a.keys = keys
	a.journal, err = sqlite.Open(ctx, dir, keys, sqlite.Options{Logger: a.log, OnFatal: a.stop})
	if err != nil {
		return fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	a.onClose(func() { _ = a.journal.Close() })
	a.runDir = runDir(dir)
	a.health.Set("journal", nil)
	a.health.Set("engine", errors.New("starting"))
	return nil
}

// maxRunDir is the longest path of a run folder: sockets leave no more room.
const maxRunDir = 60

// runDir is the folder of the plugins' sockets and copies: beside the journal,
// whose lock makes it ours, so that every start empties what a crash left. Where
// the path is too long for sockets it is one of its own in the system's temporary
// folder, the same at every start.
func runDir(journalDir string) string {
	abs, err := filepath.Abs(journalDir)
	if err != nil {
		return ""
	}
	if dir := filepath.Join(abs, "run"); len(dir) <= maxRunDir {
		return dir
	}
	sum := sha256.Sum256([]byte(abs))
	dir := filepath.Join(os.TempDir(), "footbridge-"+hex.EncodeToString(sum[:8]))
	if len(dir) > maxRunDir {
		return ""
	}
	return dir
}

// stop ends the program: the journal can no longer be trusted.
func (a *App) stop(err error) {
	a.health.Set("journal", err)
	select {
	case a.fatal <- fmt.Errorf("journal failed, stopping so that nothing is acknowledged that is not stored: %w", err):
	default:
	}
}

func (a *App) startPlugins(ctx context.Context) error {
	c := a.conf
	var err error
	a.breakers, err = breaker.NewSet(breaker.Options{Failures: uint32(c.Breaker.Failures), Interval: c.Breaker.Interval,
		Open: c.Breaker.Open, MaxOpen: c.Breaker.MaxOpen, Deadline: c.Breaker.Deadline}, a.breakerChanged)
	if err != nil {
		return err
	}
	a.onClose(a.breakers.Close)
	a.metrics.CountReplaced(a.breakers.Replaced)
	beside, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program's own folder: %w", err)
	}
	a.plugins, err = host.New(host.Options{RunDir: a.runDir, Dir: c.Plugins.Dir, Beside: filepath.Dir(beside), Checksums: c.Plugins.Checksums,
		StartTimeout: c.Plugins.StartTimeout, TurnTimeout: c.Plugins.TurnTimeout, Sandbox: c.Plugins.Sandbox, Memory: c.Plugins.Memory, Logger: a.log, Launcher: a.o.Launcher,
		Quarantine: quarantine(),
		OnRestart:  func(name string) { a.metrics.PluginRestarts.WithLabelValues(name).Inc() }, OnState: a.pluginChanged})
	if err != nil {
		return err
	}
	a.onClose(a.plugins.Close)
	a.startAdapters(ctx, c)
	return nil
}

// startAdapters starts the plugin of every adapter the configuration names. One
// that does not start leaves its accounts unready; the rest runs.
func (a *App) startAdapters(ctx context.Context, c *config.Config) {
	for _, name := range adapters(c) {
		_, err := a.plugins.Start(ctx, name)
		if err != nil {
			a.log.Error("adapter does not run", "adapter", name, "error", err, "mend", adapterMend(name))
			a.down[name] = err
			continue
		}
		delete(a.down, name)
	}
}

func adapterMend(name string) string {
	return "put a footbridge-adapter-" + name + " that runs beside the program or into [plugins] dir"
}

// adapters lists the adapters of a configuration that are plugins.
func adapters(c *config.Config) []string {
	seen := map[string]bool{engine.Native: true}
	var names []string
	for _, account := range c.Accounts {
		if !seen[account.Adapter] {
			seen[account.Adapter] = true
			names = append(names, account.Adapter)
		}
	}
	return names
}

func (a *App) breakerChanged(name string, from, to breaker.State) {
	a.metrics.SetBreaker(name, string(to))
	a.log.Warn("breaker changed", "breaker", name, "from", string(from), "to", string(to))
}

func (a *App) pluginChanged(name, state string) {
	quarantined := 0.0
	if state == "quarantined" {
		quarantined = 1
	}
	a.metrics.PluginQuarantined.WithLabelValues(name).Set(quarantined)
	a.log.Info("plugin changed", "adapter", name, "state", state)
	if state == "running" {
		select {
		case a.revive <- struct{}{}:
		default:
		}
	}
}

// env looks a variable up in the environment the program was given.
func (a *App) env(name string) (string, bool) {
	for _, pair := range a.o.Environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value, value != ""
		}
	}
	return "", false
}

func (a *App) makeEngine(ctx context.Context) error {
	p, err := a.newPlan(ctx, a.conf)
	if err != nil {
		return err
	}
	way, err := network(a.conf, a.env)
	if err == nil {
		err = scanner(a.conf)
	}
	if err != nil {
		return err
	}
	a.redactor.Add(way.ProxyLogin)
	placeholders := credential.NewPlaceholders(a.keys.Derive("placeholders"))
	a.egress = egress.New(egress.Options{Breakers: a.breakers, Placeholders: placeholders, Network: way, Logger: a.log, Called: a.called, Given: a.given})
	a.onClose(a.egress.Close)
	a.media = a.newMedia()
	a.onClose(a.media.Close)
	minter := credential.NewMinter(a.keys.Derive("minted tokens"))
	front := &frontDesk{plugins: a.plugins, breakers: a.breakers, placeholders: placeholders, minter: minter, setup: a.setup}
	a.engine = engine.New(engine.Options{Journal: a.journal, Turner: &turner{plugins: a.plugins, breakers: a.breakers, blamed: map[string]int{}}, Caller: a.egress, Dialer: a.egress, Media: a.media, Desk: front,
		Observer: a, Setup: p.setup, Logger: a.log, Redact: a.redactor.Redact, Fail: failpoint(a.plugins)})
	a.people = a.newDesk()
	front.people = a.people
	a.ingress = ingress.New(ingress.Options{Engine: a.engine, Sockets: a.engine, Minter: minter, Logger: a.log, TrustedProxies: a.conf.Server.Proxies(),
		Received: a.received, Refused: a.refused})
	a.ingress.Limit(rates(a.conf))
	a.openFeeds(placeholders)
	a.apply(p)
	return a.makeAPI()
}

// newPlan fits a configuration's accounts to the adapters as they are now.
func (a *App) newPlan(ctx context.Context, c *config.Config) (*plan, error) {
	pl := planner{conf: c, plugins: a.plugins, env: a.env, down: a.down}
	if a.plan != nil {
		pl.before = a.plan.setup.Accounts
	}
	return pl.plan(ctx)
}

func (a *App) setup() *engine.Setup {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.plan.setup
}

// apply makes a plan the one that holds.
func (a *App) apply(p *plan) {
	a.mu.Lock()
	old := a.plan
	a.plan = p
	a.mu.Unlock()
	for _, s := range p.secrets {
		a.redactor.Add(s)
	}
	if old != nil {
		for _, s := range old.secrets {
			a.redactor.Remove(s)
		}
	}
	for _, w := range p.warnings {
		a.log.Warn(w)
	}
	a.egress.Configure(p.ways)
	a.engine.Configure(p.setup)
	a.ingress.Configure(p.doors)
	a.feeds.Configure(p.feeds)
}

func (a *App) startEngine(ctx context.Context) error {
	if err := a.seedDesk(ctx); err != nil {
		return err
	}
	if err := a.engine.Start(ctx); err != nil {
		return err
	}
	const grace = 20 * time.Second
	a.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if err := a.engine.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			a.log.Error("engine closed", "error", err)
		}
	})
	return nil
}
