package egress

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// connectWithin bounds the way to one address, and to a proxy and through it.
const connectWithin = 5 * time.Second

// Network is how the program reaches the world. The zero Network dials directly
// and trusts the system's certificate authorities.
type Network struct {
	// Proxy, an http or https URL without path, carries everything but what is
	// dialled by an address the operator named; nil is none. What a name leads to
	// is then the proxy's to judge: ours is the list of names.
	Proxy *url.URL
	// ProxyLogin is user:password for the proxy; the zero Secret is none.
	ProxyLogin credential.Secret
	// Roots are the certificate authorities; nil is the system's.
	Roots *x509.CertPool
	// Private are the networks in which hosts the operator named by name may be.
	Private []netip.Prefix
	// Resolver replaces the system's; nil outside tests.
	Resolver *net.Resolver
}

// TLS is how connections of the network are encrypted. The caller may change it.
func (n Network) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.Roots}
}

// Transport makes exchanges of the bridge's own, which are no account's, such as
// those with the provider people sign in at. named are the hosts the operator wrote
// down for it, as "host" or "host:port"; the rules are those of an account's calls.
// It may be used from many goroutines.
func (n Network) Transport(named ...string) http.RoundTripper {
	return (&dialler{Network: n, named: named}).transport()
}

func (d *dialler) transport() *http.Transport {
	return &http.Transport{DialContext: d.DialContext, TLSClientConfig: d.TLS(), TLSHandshakeTimeout: connectWithin,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 60 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true}
}

// errAddress says an address is not one the bridge connects to.
var errAddress = errors.New("address is not of the internet at large; mend: if it is meant, name the host in the account's allowed_hosts or settings (a provider's in its issuer), and a host given by name with its network in [egress] private_networks")

// dialler opens every connection to an account's hosts, for calls, sockets and
// files alike. Addresses are checked as they are connected to, after DNS, so that
// no name can lead elsewhere between the check and the use.
type dialler struct {
	Network
	// named are the hosts the operator wrote down, as "host" or "host:port". They
	// alone may be private.
	named []string
}

// DialContext connects to host:port.
func (d *dialler) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil {
		err = plausible(host)
	}
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	named := listed(d.named, host, port)
	literal, err := netip.ParseAddr(host)
	isLiteral := err == nil
	if d.Proxy != nil && !(named && isLiteral) {
		if isLiteral && !public(literal) || !named && local(host) {
			return nil, fmt.Errorf("dial %s: %w", addr, errAddress)
		}
		return d.tunnel(ctx, addr)
	}
	nd := net.Dialer{Timeout: connectWithin, KeepAlive: 30 * time.Second, Resolver: d.Resolver,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return d.check(host, named, address)
		}}
	return nd.DialContext(ctx, network, addr)
}

// check judges the address a host turned out to have.
func (d *dialler) check(host string, named bool, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	a := at.Addr().Unmap()
	if public(a) && !ours(a) {
		return nil
	}
	literal, err := netip.ParseAddr(host)
	switch {
	case !named:
	case err == nil && literal.Unmap() == a, host == "localhost" && a.IsLoopback(), within(d.Private, a):
		return nil
	}
	return errAddress
}

// local reports whether a name is never one of the internet at large (RFC 6761,
// 6762, 8375 and what clouds call their own).
func local(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, zone := range []string{"localhost", "local", "internal", "home.arpa", "localdomain", "lan", "intranet"} {
		if host == zone || strings.HasSuffix(host, "."+zone) {
			return true
		}
	}
	return !strings.Contains(host, ".") && !strings.Contains(host, ":")
}

// listed reports whether a host and port are on a list of "host", which means any
// port, and "host:port".
func listed(list []string, host, port string) bool {
	for _, l := range list {
		if strings.EqualFold(l, host) || strings.EqualFold(l, net.JoinHostPort(host, port)) || strings.EqualFold(l, "["+host+"]") {
			return true
		}
	}
	return false
}

// tunnel connects through the proxy.
func (d *dialler) tunnel(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	conn, err := d.toProxy(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial proxy %s: %w", d.Proxy.Host, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err = d.ask(conn, addr)
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("reach %s through proxy %s: %w", addr, d.Proxy.Host, err)
	}
	return conn, nil
}

func (d *dialler) toProxy(ctx context.Context) (net.Conn, error) {
	port := map[string]string{"http": "80", "https": "443"}[d.Proxy.Scheme]
	nd := net.Dialer{KeepAlive: 30 * time.Second}
	conn, err := nd.DialContext(ctx, "tcp", net.JoinHostPort(d.Proxy.Hostname(), cmp.Or(d.Proxy.Port(), port)))
	if err != nil || d.Proxy.Scheme != "https" {
		return conn, err
	}
	config := d.TLS()
	config.ServerName = d.Proxy.Hostname()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// ask has the proxy open the tunnel.
func (d *dialler) ask(conn net.Conn, addr string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if login := d.ProxyLogin.Reveal(); login != "" {
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(login)))
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, 4<<10)
	answer, err := http.ReadResponse(in, req)
	switch {
	case err != nil:
		return err
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("it answered %d", answer.StatusCode)
	case in.Buffered() > 0:
		return errors.New("it spoke before it was spoken to")
	}
	return nil
}
