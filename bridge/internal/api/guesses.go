package api

import (
	"net"
	"net/http"
	"net/netip"
)

// How many wrong proofs one address may show in a minute: on the page people sign
// in with, and in programs' requests.
const (
	wrongSignIns = 5
	wrongTokens  = 60
)

// guesses counts wrong proofs by address. Past the limit right ones are refused
// too, or guessing would go on.
type guesses = perMinute[netip.Prefix]

// refused is a problem while the address has guessed too often.
func refused(g *guesses, from netip.Prefix) error {
	if g.full(from) {
		return fault(codeGuessing)
	}
	return nil
}

// address is where a request comes from, as far as that can be told: of the sixth
// version the network, of which one customer has the whole.
func (a *API) address(r *http.Request) netip.Prefix {
	addr := a.peer(r)
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // of no address: none
	return p
}

func (a *API) peer(r *http.Request) netip.Addr {
	if a.Peer != nil {
		addr, _ := a.Peer(r)
		return addr.Unmap()
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap()
}
