package api

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// How many wrong proofs one address may show in a minute: on the page people sign
// in with, and in programs' requests.
const (
	wrongSignIns = 5
	wrongTokens  = 60
	// maxGuessers bounds the addresses that are remembered.
	maxGuessers = 10_000
)

// guesses counts wrong proofs by address. Past the limit right ones are refused
// too, or guessing would go on.
type guesses struct {
	limit int

	mu   sync.Mutex
	from map[netip.Prefix]*guesser
}

type guesser struct {
	since time.Time
	wrong int
}

func (g *guesses) wrong(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.from == nil {
		g.from = map[netip.Prefix]*guesser{}
	}
	was, now := g.from[from], time.Now()
	if was == nil || now.Sub(was.since) >= time.Minute {
		g.room(now)
		was = &guesser{since: now}
		g.from[from] = was
	}
	was.wrong++
}

// room forgets whose minute is over, and everybody where that is not enough:
// memory is worth more than the count.
func (g *guesses) room(now time.Time) {
	if len(g.from) < maxGuessers {
		return
	}
	for from, was := range g.from {
		if now.Sub(was.since) >= time.Minute {
			delete(g.from, from)
		}
	}
	if len(g.from) >= maxGuessers {
		clear(g.from)
	}
}

// refuse is a problem while the address has guessed too often.
func (g *guesses) refuse(from netip.Prefix) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.from[from]
	if was == nil || was.wrong < g.limit || time.Since(was.since) >= time.Minute {
		return nil
	}
	return fault(codeGuessing)
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
