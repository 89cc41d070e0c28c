package ingress

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// local reports whether the caller is on this machine. What a proxy forwards is
// not, unless the proxy is trusted and says so.
func (i *Ingress) local(r *http.Request) bool {
	peer, ok := i.peer(r)
	return ok && peer.IsLoopback()
}

// forwarding are the headers by which a proxy shows itself.
//
//nolint:gochecknoglobals // a table that is never written.
var forwarding = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"}

// peer is the caller's address: the connection's, or where that is a trusted
// proxy, the right-most address it forwards that is not one. There is none where
// a proxy does not say, or is not trusted to.
func (i *Ingress) peer(r *http.Request) (netip.Addr, bool) {
	addr, ok := remote(r.RemoteAddr)
	if !ok {
		return netip.Addr{}, false
	}
	if !i.trusted(addr) {
		return addr, !slices.ContainsFunc(forwarding, func(name string) bool { return r.Header.Get(name) != "" })
	}
	plain, rfc := r.Header.Values("X-Forwarded-For"), r.Header.Values("Forwarded")
	if len(rfc) == 0 {
		return i.rightmost(addr, split(plain))
	}
	told, ok := i.rightmost(addr, nodes(rfc))
	if len(plain) > 0 {
		// A proxy adds to one of the two, and passes on what a caller made up in the
		// other: they count only where they agree.
		other, also := i.rightmost(addr, split(plain))
		ok = ok && also && other == told
	}
	return told, ok
}

// rightmost follows the forwarded addresses from the right as long as they are
// trusted proxies.
func (i *Ingress) rightmost(addr netip.Addr, forwarded []string) (netip.Addr, bool) {
	for at := len(forwarded) - 1; at >= 0 && i.trusted(addr); at-- {
		next, err := netip.ParseAddr(forwarded[at])
		if err != nil {
			return netip.Addr{}, false
		}
		addr = next.Unmap()
	}
	return addr, true
}

func split(values []string) []string {
	var all []string
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		all = append(all, strings.TrimSpace(part))
	}
	return all
}

// nodes are the addresses of Forwarded headers (RFC 7239); what is not one, such as
// "unknown", stays as it is and is no address to anybody.
func nodes(values []string) []string {
	var all []string
	for _, element := range split(values) {
		node := element
		for pair := range strings.SplitSeq(element, ";") {
			if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && strings.EqualFold(name, "for") {
				node = strings.Trim(value, `"`)
			}
		}
		if host, _, err := net.SplitHostPort(node); err == nil {
			node = host
		}
		all = append(all, strings.TrimSuffix(strings.TrimPrefix(node, "["), "]"))
	}
	return all
}

func (i *Ingress) trusted(a netip.Addr) bool { return among(i.o.TrustedProxies, a) }

func among(all []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// remote reads the address of a connection.
func remote(address string) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap().WithZone(""), err == nil
}

// Peer is the address a request comes from, past proxies that are trusted; false
// where a proxy does not say, or is not trusted to. It is safe for concurrent use.
func (i *Ingress) Peer(r *http.Request) (netip.Addr, bool) { return i.peer(r) }
