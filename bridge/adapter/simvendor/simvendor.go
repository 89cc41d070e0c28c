// Package simvendor is what simulated vendors have in common, whatever their frames
// are: an API whose calls are recorded and go wrong on order, a Post that carries what
// the vendor tells and gets it there late, twice or never, and the control below /sim/.
// Simulators adapters/x/xsim use it; adapters do not.
package simvendor

import (
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The places of a Fault's Drop.
const (
	DropBefore = "before" // nothing was done
	DropAfter  = "after"  // it was done, and nobody hears of it; with an Error, that is said of it
)

// Fault is what goes wrong with calls.
type Fault struct {
	// Path is how the path of the calls ends; "" is every call.
	Path string `json:"path"`
	// Method is that of HTTP or, where a vendor's methods are paths, the last of the
	// path; "" is any.
	Method string `json:"method"`
	// Status is answered, with Error where the vendor's errors have names; an Error
	// without a Status comes under 200.
	Status int    `json:"status"`
	Error  string `json:"error"`
	// Drop ends the connection without an answer, but for an Error that comes after.
	Drop string `json:"drop"`
	// Times is how often; 0 is once, below 0 always.
	Times int `json:"times"`
	// RetryAfter goes with Status, in seconds.
	RetryAfter int `json:"retry_after"`
	// Latency is how long the call waits before anything becomes of it or, with
	// DropAfter, until anybody hears what became of it.
	Latency time.Duration `json:"latency"`
}

// Record is one call that was made; Status 0 is a connection that was ended. Of a form
// the Body names the fields.
type Record struct {
	Method, Path, Body string
	Status             int
}

// API answers the calls of a vendor. Its methods are safe for concurrent use; the
// fields are set before the first call.
type API struct {
	// Wrong is the body of an answer that a Fault asks for.
	Wrong func(Fault) any
	// PerSecond is how many calls a second are answered; the others go wrong as
	// TooMany says. 0 is no limit.
	PerSecond int
	TooMany   Fault

	mu      sync.Mutex
	faults  []*Fault
	records []Record
	second  time.Time
	inIt    int
}

// Fail makes calls go wrong, the first fault that fits first.
func (a *API) Fail(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, &f)
}

// Heal forgets all faults.
func (a *API) Heal() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// Records are the calls that were made, in the order they were answered.
func (a *API) Records() []Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.records)
}

// Serve reads a call, lets it go wrong where it is to, and has it answered by do, which
// is called from many goroutines at once.
func (a *API) Serve(do func(*Call) Answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := read(r)
		if err != nil {
			return // nobody waits for an answer
		}
		f := a.fault(r)
		if f.Drop != DropAfter {
			time.Sleep(f.Latency)
		}
		out := Answer{Status: f.Status, RetryAfter: f.RetryAfter}
		late := f.Drop == DropAfter && f.Error != ""
		switch {
		case late:
			do(c)
			out.Body = a.Wrong(f)
		case f.Drop == "" && (f.Status != 0 || f.Error != ""):
			out.Body = a.Wrong(f)
		case f.Drop != DropBefore:
			out = do(c)
		}
		if f.Drop == DropAfter {
			time.Sleep(f.Latency)
		}
		if f.Drop != "" && !late {
			a.record(c, 0)
			drop(w)
			return
		}
		if out.Instead != nil {
			out.Instead(w, r)
			return
		}
		out.Status = max(out.Status, http.StatusOK)
		a.record(c, out.Status)
		out.write(w)
	}
}

// fault is what goes wrong with a call, the zero Fault where nothing does.
func (a *API) fault(r *http.Request) Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limited() {
		return a.TooMany
	}
	i := slices.IndexFunc(a.faults, func(f *Fault) bool {
		return strings.HasSuffix(r.URL.Path, f.Path) && slices.Contains([]string{"", r.Method, path.Base(r.URL.Path)}, f.Method)
	})
	if i < 0 {
		return Fault{}
	}
	f := a.faults[i]
	if f.Times--; f.Times == 0 {
		a.faults = slices.Delete(a.faults, i, i+1)
	}
	return *f
}

// limited counts a call, and says that it is one too many.
func (a *API) limited() bool {
	if now := time.Now(); now.Sub(a.second) >= time.Second {
		a.second, a.inIt = now, 0
	}
	a.inIt++
	return a.PerSecond > 0 && a.inIt > a.PerSecond
}

func (a *API) record(c *Call, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.records = append(a.records, Record{Method: c.Method, Path: c.URL.RequestURI(), Body: c.shown, Status: status})
}

// drop ends the connection without an answer.
func drop(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// Answer is what a call comes to. Status 0 is 200, and a nil Body an empty one.
type Answer struct {
	Status int
	Body   any
	// RetryAfter is a header in seconds; 0 is none.
	RetryAfter int
	// Instead, where it is set, answers: it opens a socket. There is no Record of it.
	Instead http.HandlerFunc
}

func (a Answer) write(w http.ResponseWriter) {
	if a.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.RetryAfter))
	}
	reply(w, a.Status, a.Body)
}
