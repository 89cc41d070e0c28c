package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// The limits of the listeners.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 15 * time.Second
	idleTimeout   = 75 * time.Second
	maxHeader     = 16 << 10
	drainTimeout  = 15 * time.Second
)

// serve listens, runs the background work and waits for the end.
func (a *App) serve(ctx context.Context) error {
	public, err := a.listen(a.conf.Server.Listen, "[server] listen")
	if err != nil {
		return err
	}
	admin, err := a.listen(a.conf.Admin.Listen, "[admin] listen")
	if err != nil {
		_ = public.Close()
		return err
	}
	if cert := a.conf.Server.TLS; cert.Enabled() {
		if public, err = withTLS(public, cert.Cert, cert.Key); err != nil {
			return err
		}
	}
	handler, err := a.publicHandler()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	servers := []*http.Server{a.server(handler), a.server(observe.AdminHandler(a.metrics, a.health))}
	var work sync.WaitGroup
	failed := make(chan error, len(servers))
	for i, l := range []net.Listener{public, admin} {
		work.Go(func() {
			if err := servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("listener %s: %w", l.Addr(), err)
			}
		})
	}
	work.Go(func() { a.people.Run(ctx, a.engine) })
	work.Go(func() { a.reloads(ctx) })
	a.health.Set("engine", nil)
	a.greet(public.Addr())
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

func (a *App) listen(address, key string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s = %q: %w; mend: choose a free address, or stop the program that has it", key, address, err)
	}
	return l, nil
}

func withTLS(l net.Listener, cert, key string) (net.Listener, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("[server] tls: %w; mend: name a certificate and its key in PEM form", err)
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}), nil
}

func (a *App) server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
}

// publicHandler sends each request to the part that serves it.
func (a *App) publicHandler() (http.Handler, error) {
	pages, err := a.newPages()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/in/"):
			a.ingress.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/api/"):
			a.api.ServeHTTP(w, r)
		case a.ingress.Serves(r):
			a.ingress.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	}), nil
}

// greet tells the person who starts the program where things are.
func (a *App) greet(addr net.Addr) {
	base := a.conf.Server.PublicURL
	if base == "" {
		base = "http://" + addr.String()
	}
	fmt.Fprintf(a.o.Out, "Footbridge %s is ready at %s\n", a.o.Version, base)
	fmt.Fprintf(a.o.Out, "  chat  %s/chat\n", base)
	for _, t := range a.tokens {
		if t.made {
			fmt.Fprintf(a.o.Out, "  desk  %s/desk#token=%s  (token %s, made for you; set %s to choose your own)\n", base, t.secret.Reveal(), t.Name, t.Token.Token)
		} else {
			fmt.Fprintf(a.o.Out, "  desk  %s/desk  (sign in with token %s)\n", base, t.Name)
		}
	}
}
