package ingress

import (
	"io"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rates are how many requests a second are let in; 0 is no limit. Twice as many
// may come at once.
type Rates struct {
	// Peer is for each address that calls, before it is known who it is. This
	// machine has no limit.
	Peer int
	// Account is for each account, of callers who showed its credential: strangers
	// cannot use it up.
	Account int
}

// pace is the rates and who has used how much of them.
type pace struct {
	peers, accounts *buckets
}

// Limit changes the rates. What was used up before is forgotten.
func (i *Ingress) Limit(r Rates) {
	i.pace.Store(&pace{newBuckets(r.Peer), newBuckets(r.Account)})
}

// maxFields is how many header fields a request may have.
const maxFields = 100

// Paced lets no peer have more than its rate, before anything of its request is
// read but the header, and no header have more fields than anybody needs.
func (i *Ingress) Paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !i.local(r) {
			if wait := i.pace.Load().peers.take(i.bucket(r), time.Now()); wait > 0 {
				w.Header().Set("Connection", "close")
				i.refuse(w, "", "rate", tooMany(wait).reply)
				return
			}
		}
		if countFields(r.Header) > maxFields {
			w.Header().Set("Connection", "close")
			i.refuse(w, "", "header", problem(http.StatusRequestHeaderFieldsTooLarge, "too many header fields"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func countFields(h http.Header) int {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	return n
}

// bucket is whose rate a request counts against. A network of IPv6 is one peer;
// callers of whom a proxy does not say who they are have one bucket together.
func (i *Ingress) bucket(r *http.Request) string {
	const network = 64
	addr, ok := i.peer(r)
	if !ok {
		addr, _ = remote(r.RemoteAddr)
	}
	if addr.Is6() {
		return netip.PrefixFrom(addr, network).Masked().String()
	}
	return addr.String()
}

// paced turns away what is more than the account's rate.
func (d *door) paced() *refusal {
	if wait := d.i.pace.Load().accounts.take(d.account.Name, time.Now()); wait > 0 {
		return tooMany(wait)
	}
	return nil
}

func tooMany(wait time.Duration) *refusal {
	r := problem(http.StatusTooManyRequests, "too many requests")
	r.Header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return &refusal{"rate", r}
}

// buckets are rates by name. They may be used from many goroutines.
type buckets struct {
	perSecond int
	mu        sync.Mutex
	of        map[string]*rate.Limiter
	swept     time.Time
}

// mostBuckets bounds how many names are told apart; those beyond share one.
const mostBuckets = 100_000

// sweepEvery is how often those who used nothing of late are dropped. It costs
// milliseconds for the most buckets there can be.
const sweepEvery = 10 * time.Second

func newBuckets(perSecond int) *buckets {
	return &buckets{perSecond: perSecond, of: map[string]*rate.Limiter{}}
}

// take takes one of the name's; else it says how long to wait.
func (b *buckets) take(name string, now time.Time) time.Duration {
	if b.perSecond <= 0 {
		return 0
	}
	reserved := b.limiter(name, now).ReserveN(now, 1)
	wait := reserved.DelayFrom(now)
	if wait > 0 {
		reserved.CancelAt(now)
	}
	return wait
}

func (b *buckets) limiter(name string, now time.Time) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.swept) >= sweepEvery {
		b.sweep(now)
	}
	if _, known := b.of[name]; !known && len(b.of) >= mostBuckets {
		name = ""
	}
	l, known := b.of[name]
	if !known {
		l = rate.NewLimiter(rate.Limit(b.perSecond), 2*b.perSecond)
		b.of[name] = l
	}
	return l
}

// sweep drops who has used nothing of late.
func (b *buckets) sweep(now time.Time) {
	for name, l := range b.of {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(b.of, name)
		}
	}
	b.swept = now
}

// leastRate is how fast a body comes at least, in bytes a second.
const leastRate = 1 << 10

// hasty is a body that must come at leastRate, after a time to begin.
type hasty struct {
	body   io.Reader
	conn   *http.ResponseController
	start  time.Time
	within time.Duration
	got    int64
}

func (h *hasty) Read(p []byte) (int, error) {
	const usual = 10 * time.Second
	within := h.within
	if within <= 0 {
		within = usual
	}
	// A writer without deadlines is no connection, and has its body already.
	_ = h.conn.SetReadDeadline(h.start.Add(within + time.Duration(h.got)*time.Second/leastRate))
	n, err := h.body.Read(p)
	h.got += int64(n)
	return n, err
}
