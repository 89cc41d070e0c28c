package ingress

import (
	"crypto/sha256"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/signature"
)

// signedBy is how the Auth of an endpoint begins whose requests are signed.
const signedBy = "signature:"

// door makes the door of an endpoint. One whose key cannot be used stays shut: it
// answers as to a wrong signature.
func (i *Ingress) door(a Account, e adapter.Endpoint) *door {
	d := &door{i: i, account: a, endpoint: e}
	name, signed := strings.CutPrefix(e.Auth, signedBy)
	if d.signed = signed; !signed {
		return d
	}
	keys := a.secrets(name)
	if len(keys) == 0 {
		return d // the account is unconfigured, and shown so
	}
	var err error
	if d.verifier, err = signature.New(e.Signature, keys); err != nil {
		i.o.Logger.Error("endpoint takes nothing", "account", a.Name, "endpoint", e.Name, "error", err)
	}
	return d
}

// early turns away what shows without its body that it is not signed.
func (d *door) early(r *http.Request) *refusal {
	if d.verifier == nil || d.verifier.Early(r.Header, time.Now()) != nil {
		return d.denied()
	}
	return nil
}

// verify checks the signature of a request that is read, and gives its mark.
func (d *door) verify(f *fields) (string, *refusal) {
	mark, err := d.verifier.Verify(signature.Request{Method: f.r.Method, URL: d.calledURL(f.r), Header: f.r.Header, Body: f.body}, time.Now())
	if err != nil {
		return "", d.denied()
	}
	return mark, nil
}

// calledURL is the address as the vendor called it: what the configuration says of
// us, never what the request says, but for a host that is the account's own.
func (d *door) calledURL(r *http.Request) string {
	own, err := url.Parse(d.account.PublicURL)
	if err != nil || own.Host == "" {
		return ""
	}
	if path, below := strings.CutPrefix(r.RequestURI, "/in/"+d.account.Name); below {
		return d.account.PublicURL + path
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !slices.Contains(d.account.Hosts, host) {
		return ""
	}
	return own.Scheme + "://" + r.Host + r.RequestURI
}

// once is the endpoint for one request. A signed one that was taken already can
// only be its own repetition: the engine knows it by its dedup id and answers as
// before, and it begins nothing, even if its conversation has ended.
func (d *door) once(f *fields) adapter.Endpoint {
	e := d.endpoint
	if f.mark != "" && d.i.seen.has(d.place(f.mark), time.Now()) {
		e.Unknown = adapter.UnknownRefuse
	}
	return e
}

func (d *door) place(mark string) string {
	return d.account.Name + "\x00" + d.endpoint.Name + "\x00" + mark
}

// memory is what was signed and taken. It forgets by time alone: a flood pushes
// nothing out, and nobody without a key adds to it. It may be used from many
// goroutines.
type memory struct {
	mu    sync.Mutex
	until map[[16]byte]time.Time
	// due are the entries in the order they came, by how long they are kept: so the
	// first of each is the next to go.
	due map[time.Duration][][16]byte
}

func newMemory() *memory {
	return &memory{until: map[[16]byte]time.Time{}, due: map[time.Duration][][16]byte{}}
}

func (m *memory) add(place string, now time.Time, keep time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	id := short(place)
	if _, there := m.until[id]; there {
		return
	}
	m.until[id] = now.Add(keep)
	m.due[keep] = append(m.due[keep], id)
}

func (m *memory) has(place string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	_, there := m.until[short(place)]
	return there
}

// forget drops what is over. It costs as much as was added since.
func (m *memory) forget(now time.Time) {
	for keep, queue := range m.due {
		n := 0
		for n < len(queue) && !now.Before(m.until[queue[n]]) {
			delete(m.until, queue[n])
			n++
		}
		m.due[keep] = queue[n:]
	}
}

func short(place string) [16]byte {
	sum := sha256.Sum256([]byte(place))
	return [16]byte(sum[:16])
}
