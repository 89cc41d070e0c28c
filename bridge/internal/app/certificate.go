package app

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

// certificate is what the public listener shows, and where it came from.
type certificate struct {
	tls.Certificate
	from config.TLS
	seen stamp
}

// stamp is one state of the two files; nil stands for one that is not there.
type stamp [2]os.FileInfo

func stampOf(t config.TLS) stamp {
	var s stamp
	for i, name := range [...]string{t.Cert, t.Key} {
		if info, err := os.Stat(name); err == nil {
			s[i] = info
		}
	}
	return s
}

// same tells whether nothing was written and no other file took a place.
func (s stamp) same(other stamp) bool {
	for i, a := range s {
		b := other[i]
		if (a == nil) != (b == nil) || a != nil && (!os.SameFile(a, b) || !a.ModTime().Equal(b.ModTime()) || a.Size() != b.Size()) {
			return false
		}
	}
	return true
}

// certificateOf reads the certificate; it is nil where none is set. One that
// cannot be used is a *config.Error.
func certificateOf(c *config.Config) (*certificate, error) {
	t := c.Server.TLS
	if !t.Enabled() {
		return nil, nil
	}
	found, err := readCertificate(t)
	if err != nil {
		return nil, &config.Error{Problems: []config.Problem{c.Problem("server.tls", "cannot be used: "+err.Error(), "name a certificate and its key in PEM form")}}
	}
	return found, nil
}

func readCertificate(t config.TLS) (*certificate, error) {
	seen := stampOf(t) // before they are read, so that a change meanwhile is seen
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, err
	}
	return &certificate{pair, t, seen}, nil
}

// encrypted speaks TLS on a listener, with the certificate there is when a
// connection begins: those that are there keep theirs.
func (d *doors) encrypted(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &d.certificate.Load().Certificate, nil }})
}

// renewals takes up certificates whose files change, until ctx ends. Whoever renews
// them writes one file after the other: two that do not fit are looked at again.
func (d *doors) renewals(ctx context.Context, log *slog.Logger) {
	const every = 5 * time.Second
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var refused stamp
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			refused = d.renew(log, refused)
		}
	}
}

// renew looks once. It gives the state of the files that could not be used, so that
// it is told once.
func (d *doors) renew(log *slog.Logger, refused stamp) stamp {
	was := d.certificate.Load()
	if was == nil {
		return refused
	}
	now := stampOf(was.from)
	if now.same(was.seen) || now.same(refused) {
		return refused
	}
	next, err := readCertificate(was.from)
	if err != nil {
		log.Error("certificate not renewed; the old one stays", "error", err, "mend", "write a certificate and the key that fits it")
		return now
	}
	if d.certificate.CompareAndSwap(was, next) {
		log.Info("certificate renewed", "cert", was.from.Cert)
	}
	return stamp{}
}
