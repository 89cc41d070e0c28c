package ingress

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Connections bounds how many connections there are; 0 is no limit.
type Connections struct {
	Total int
	// Peer is for each address but this machine's and trusted proxies'.
	Peer int
}

// Listener is a listener that closes at once what is too much. It may be used from
// many goroutines.
type Listener struct {
	net.Listener
	limits  atomic.Pointer[Connections]
	trusted []netip.Prefix
	refused func(account, reason string)

	mu    sync.Mutex
	total int
	peers map[netip.Addr]int
}

// Listen puts the bounds on a listener of TCP. trusted are proxies, which are many
// peers in one; refused counts, and may be nil.
func Listen(l net.Listener, c Connections, trusted []netip.Prefix, refused func(account, reason string)) *Listener {
	bounded := &Listener{Listener: l, trusted: trusted, refused: refused, peers: map[netip.Addr]int{}}
	bounded.Limit(c)
	return bounded
}

// Limit changes the bounds; connections that are there stay.
func (l *Listener) Limit(c Connections) { l.limits.Store(&c) }

// Accept waits for a connection that is not too much.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, ok := l.take(c)
		if ok {
			return &bounded{Conn: c, l: l, peer: peer}, nil
		}
		_ = c.Close()
		if l.refused != nil {
			l.refused("", "connections")
		}
	}
}

// take counts a connection; its peer is invalid where it has no bound of its own.
func (l *Listener) take(c net.Conn) (netip.Addr, bool) {
	peer, known := remote(c.RemoteAddr().String())
	if !known || peer.IsLoopback() || among(l.trusted, peer) {
		peer = netip.Addr{}
	}
	limits := l.limits.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	if limits.Total > 0 && l.total >= limits.Total || peer.IsValid() && limits.Peer > 0 && l.peers[peer] >= limits.Peer {
		return peer, false
	}
	l.total++
	if peer.IsValid() {
		l.peers[peer]++
	}
	return peer, true
}

func (l *Listener) release(peer netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.peers[peer]--; l.peers[peer] <= 0 {
		delete(l.peers, peer)
	}
}

// bounded is a connection that is counted until it is closed.
type bounded struct {
	net.Conn
	l    *Listener
	peer netip.Addr
	once sync.Once
}

// Close ends the connection, and with the first call its count.
func (c *bounded) Close() error {
	c.once.Do(func() { c.l.release(c.peer) })
	return c.Conn.Close()
}
