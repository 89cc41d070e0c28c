package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/media"
	"github.com/footbridge/footbridge/bridge/internal/observe"
	"github.com/footbridge/footbridge/bridge/internal/retention"
)

// The limits of the listeners.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 15 * time.Second // vendor endpoints have their own, by what has come
	idleTimeout   = 75 * time.Second
	maxHeader     = 16<<10 - 4<<10 // net/http adds 4 KiB of its own
	drainTimeout  = 15 * time.Second
)

// doors are the listeners, and what a reload changes of them.
type doors struct {
	public, admin net.Listener
	bounds        *ingress.Listener
	certificate   atomic.Pointer[certificate] // nil without TLS
	pages         atomic.Pointer[http.Handler]
}

// openDoors takes the addresses before anything else begins: with one of them in
// use nothing must be done for anybody.
func (a *App) openDoors(context.Context) error {
	d := &doors{}
	certificate, err := certificateOf(a.conf)
	if err != nil {
		return err
	}
	public, err := listen(a.conf.Server.Listen, "[server] listen")
	if err != nil {
		return err
	}
	d.bounds = ingress.Listen(public, connections(a.conf), a.conf.Server.Proxies(), a.refused)
	d.public = d.bounds
	a.onClose(func() { _ = d.public.Close() })
	if d.admin, err = listen(a.conf.Admin.Listen, "[admin] listen"); err != nil {
		return err
	}
	a.onClose(func() { _ = d.admin.Close() })
	if certificate != nil {
		d.certificate.Store(certificate)
		d.public = d.encrypted(d.public)
	}
	a.doors = d
	return nil
}

func connections(c *config.Config) ingress.Connections {
	return ingress.Connections{Total: c.Server.MaxConnections, Peer: c.Server.MaxPeerConnections}
}

func rates(c *config.Config) ingress.Rates {
	return ingress.Rates{Peer: c.Server.PeerRate, Account: c.Server.AccountRate}
}

// serve runs the listeners and the background work, and waits for the end.
func (a *App) serve(ctx context.Context) error {
	pages, err := newPages(a.conf)
	if err != nil {
		return err
	}
	a.doors.pages.Store(&pages)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	servers := []*http.Server{a.server(a.ingress.Paced(http.HandlerFunc(a.servePublic))), a.server(observe.AdminHandler(a.metrics, a.health, a.look))}
	var work sync.WaitGroup
	failed := make(chan error, len(servers))
	for i, l := range []net.Listener{a.doors.public, a.doors.admin} {
		work.Go(func() {
			if err := servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("listener %s: %w", l.Addr(), err)
			}
		})
	}
	work.Go(func() { a.people.Run(ctx, a.engine) })
	work.Go(func() {
		a.claimed(ctx)
		a.media.Run(ctx)
	})
	work.Go(func() { a.reloads(ctx) })
	work.Go(func() {
		retention.Run(ctx, retention.Options{Store: a.journal, Rules: a.retention, Removed: a.tooOld, Logger: a.log})
	})
	work.Go(func() { a.doors.renewals(ctx, a.log) })
	work.Go(func() { a.feeds.Run(ctx) })
	a.health.Set("engine", nil)
	a.greet(ctx)
	err = a.wait(ctx, failed)
	cancel()
	a.shutdown(servers)
	work.Wait()
	return err
}

func (a *App) wait(ctx context.Context, failed <-chan error) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	case err := <-a.fatal:
		return err
	}
}

// shutdown stops taking requests and lets those under way finish.
func (a *App) shutdown(servers []*http.Server) {
	a.health.Set("engine", errors.New("shutting down"))
	a.log.Info("shutting down")
	a.api.Close()
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	for _, s := range servers {
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close()
		}
	}
}

func listen(address, key string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s = %q: %w; mend: %s", key, address, err, listenMend(err))
	}
	return l, nil
}

// listenMend says what to do about an address that cannot be had.
func listenMend(err error) string {
	switch {
	case errors.Is(err, syscall.EACCES):
		return "choose a port from 1024 on, or let this account take it (CAP_NET_BIND_SERVICE)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "choose an address of this host"
	}
	return "choose a free address, or stop the program that has it"
}

func (a *App) server(h http.Handler) *http.Server {
	return &http.Server{Handler: a.survive(h), ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
}

// survive answers a request whose handling panics, and tells where that was: what
// the panic says may hold people's words.
func (a *App) survive(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if why := recover(); why != nil {
				a.log.Error("panic while a request was served", "type", fmt.Sprintf("%T", why), "stack", string(debug.Stack()))
				http.Error(w, "something went wrong here", http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// servePublic sends each request to the part that serves it.
func (a *App) servePublic(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.shut(r.URL.Path):
		w.Header().Set("Retry-After", "5")
		http.Error(w, "this account's adapter does not run now", http.StatusServiceUnavailable)
	case strings.HasPrefix(r.URL.Path, "/in/"):
		a.ingress.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/api/"):
		a.api.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, media.Root):
		a.media.ServeHTTP(w, r)
	case a.ingress.Serves(r):
		a.ingress.ServeHTTP(w, r)
	default:
		(*a.doors.pages.Load()).ServeHTTP(w, r)
	}
}

// shut reports whether the path is for an account whose adapter has not run yet,
// so that nobody knows its endpoints. Its vendor is to try again: 404 would mean
// that a conversation is gone.
func (a *App) shut(path string) bool {
	rest, vendor := strings.CutPrefix(path, "/in/")
	name, _, _ := strings.Cut(rest, "/")
	account, known := a.setup().Accounts[name]
	return vendor && known && !account.Native() && account.Unready != "" && len(account.Profile.Endpoints) == 0
}

// greet tells the person who starts the program where things are. A token is
// shown only once that is in the audit trail.
func (a *App) greet(ctx context.Context) {
	base := baseURL(a.conf, a.doors.public.Addr().String())
	fmt.Fprintf(a.o.Out, "Footbridge %s is ready at %s\n", a.o.Version, base)
	if len(sites(a.conf)) > 0 {
		fmt.Fprintf(a.o.Out, "  chat  %s/chat\n", base)
	}
	if len(a.tokens) == 0 {
		fmt.Fprintln(a.o.Out, "  desk  has no token: add one under [[api.tokens]] with the role live_agent")
	}
	for _, t := range a.tokens {
		reveal := t.made && a.record(ctx, journal.Audit{Action: journal.AuditRevealed, Subject: t.Name})
		for _, page := range opens(t.Roles) {
			if reveal {
				fmt.Fprintf(a.o.Out, "  %-5s %s  (token %s, made for you; set %s to choose your own)\n", page, t.link(base, page, true), t.Name, t.Token.Token)
			} else {
				fmt.Fprintf(a.o.Out, "  %-5s %s  (sign in with token %s)\n", page, t.link(base, page, false), t.Name)
			}
		}
	}
}

// opens are the pages a token with the roles is good for.
func opens(roles []string) (pages []string) {
	for _, page := range []struct {
		name, first, second string
	}{{"desk", "live_agent", ""}, {"console", "supervisor", "operator"}} {
		if slices.Contains(roles, page.first) || slices.Contains(roles, page.second) {
			pages = append(pages, page.name)
		}
	}
	return pages
}

// baseURL is where the public listener is reached, without a slash at the end.
func baseURL(c *config.Config, address string) string {
	switch {
	case c.Server.PublicURL != "":
		return strings.TrimRight(c.Server.PublicURL, "/")
	case c.Server.TLS.Enabled():
		return "https://" + address
	}
	return "http://" + address
}
