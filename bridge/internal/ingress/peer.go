package ingress

import (
	"net/http"
	"net/netip"
)

// Peer is the address a request comes from, past proxies that are trusted; false
// where a proxy does not say, or is not trusted to. It is safe for concurrent use.
func (i *Ingress) Peer(r *http.Request) (netip.Addr, bool) { return i.peer(r) }
