package ws

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lxzan/gws"
)

const (
	handshakeWithin = 15 * time.Second
	readBuffer      = 1 << 10 // the library's; the wire beneath has its own
)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, readBuffer) }

// Dialer opens the connection beneath. It is where addresses are checked and proxies used;
// net.Dialer is one.
type Dialer interface {
	// DialContext connects to a host:port whose host is as in the URL, not resolved.
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Dial opens a WebSocket to a ws or wss URL and sends header with the handshake, apart from
// headers that belong to the handshake itself. ctx bounds it, and 15 s do. Redirects are not
// followed. Every error is a *HandshakeError, and none quotes the URL's path or query. The caller
// must Run the connection.
func Dial(ctx context.Context, d Dialer, target string, header http.Header, o Options) (*Conn, error) {
	u, err := parseTarget(target)
	if err != nil {
		return nil, &HandshakeError{Err: err}
	}
	o = o.filled()
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	raw, err := connect(ctx, d, u, o.TLS)
	if err != nil {
		return nil, &HandshakeError{Err: fmt.Errorf("dial %s: %w", u.Host, err)}
	}
	c := newConn(raw, true, o)
	sock, answer, err := request(ctx, c, u, header)
	if err != nil {
		raw.Close()
		return nil, refused(answer, fmt.Errorf("open %s: %w", u.Host, err))
	}
	return c.open(sock, answer.Header.Get("Sec-WebSocket-Protocol")), nil
}

func refused(answer *http.Response, err error) *HandshakeError {
	if answer == nil {
		return &HandshakeError{Err: err}
	}
	return &HandshakeError{Status: answer.StatusCode, Header: answer.Header, Err: err}
}

func parseTarget(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return nil, errors.New("the URL cannot be parsed")
	case u.Scheme != "ws" && u.Scheme != "wss":
		return nil, fmt.Errorf("the URL's scheme is %q: it must be ws or wss", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("the URL has no host")
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("the URL must have no credentials and no fragment: send credentials in a header")
	}
	return u, nil
}

func connect(ctx context.Context, d Dialer, u *url.URL, config *tls.Config) (net.Conn, error) {
	ports := map[string]string{"ws": "80", "wss": "443"}
	raw, err := d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme])))
	if err != nil || u.Scheme == "ws" {
		return raw, err
	}
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.ServerName = cmp.Or(config.ServerName, u.Hostname())
	config.NextProtos = []string{"http/1.1"}
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}

// request runs the HTTP exchange. ctx ends it by closing the connection; the library's own
// timeout lies behind that, since its writer goroutine would outlive it.
func request(ctx context.Context, c *Conn, u *url.URL, header http.Header) (*gws.Conn, *http.Response, error) {
	stop := context.AfterFunc(ctx, func() { c.wire.Conn.Close() })
	sock, answer, err := gws.NewClientFromConn(events{c: c}, &gws.ClientOption{
		Addr:                u.String(),
		RequestHeader:       clientHeader(header, c.opt.Protocols),
		HandshakeTimeout:    handshakeWithin + time.Minute,
		ReadBufferSize:      readBuffer,
		ReadMaxPayloadSize:  c.opt.MaxMessage,
		WriteMaxPayloadSize: c.opt.OutboxBytes,
		CheckUtf8Enabled:    true,
	}, c.wire)
	if !stop() {
		return nil, answer, ctx.Err()
	}
	if err == nil {
		err = errors.Join(c.wire.answered(), checkAnswer(answer.Header, c.opt.Protocols))
	}
	return sock, answer, err
}

// clientHeader is the caller's header without what the handshake sets. The subprotocols stand
// under the RFC's spelling, which the library does not look up: it would refuse a server that
// agrees to none.
func clientHeader(header http.Header, protocols []string) http.Header {
	own := []string{"Connection", "Upgrade"}
	h := http.Header{}
	for name, values := range header {
		canonical := http.CanonicalHeaderKey(name)
		if !slices.Contains(own, canonical) && !strings.HasPrefix(canonical, "Sec-Websocket-") {
			h[canonical] = slices.Clone(values)
		}
	}
	if len(protocols) > 0 {
		h["Sec-WebSocket-Protocol"] = []string{strings.Join(protocols, ", ")}
	}
	return h
}

// checkAnswer refuses what we did not ask for.
func checkAnswer(h http.Header, protocols []string) error {
	chosen := h.Values("Sec-WebSocket-Protocol")
	switch {
	case len(h.Values("Sec-WebSocket-Extensions")) > 0:
		return errors.New("the server uses an extension that was not offered")
	case len(chosen) > 1 || len(chosen) == 1 && !slices.Contains(protocols, chosen[0]):
		return errors.New("the server chose a subprotocol that was not offered")
	}
	return nil
}
