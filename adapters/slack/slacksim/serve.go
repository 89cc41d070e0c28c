package slacksim

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bodyLimit is what is read of a request.
const bodyLimit = 64 << 20

// The places of a Fault's Drop.
const (
	DropBefore = "before" // nothing was done
	DropAfter  = "after"  // it was done, and nobody hears of it
)

// Fault is what goes wrong with calls of a method; "" is every method.
type Fault struct {
	Method string `json:"method"`
	// Status is answered, or with Error {"ok":false} under 200.
	Status int    `json:"status"`
	Error  string `json:"error"`
	// Drop ends the connection without an answer.
	Drop string `json:"drop"`
	// Times is how often; 0 is once, below 0 always.
	Times      int           `json:"times"`
	RetryAfter int           `json:"retry_after"`
	Latency    time.Duration `json:"latency"`
}

// Fail makes calls go wrong, the first fault that fits first.
func (s *Server) Fail(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal forgets all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// call is one call of a method while it is dealt with.
type call struct {
	*http.Request
	body   []byte
	fields map[string]any
}

// text is an argument.
func (c *call) text(name string) string {
	switch v := c.fields[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (c *call) number(name string, other int) int {
	n, err := strconv.Atoi(c.text(name))
	if err != nil {
		return other
	}
	return n
}

// answer is what a call comes to; status 0 is 200.
type answer struct {
	status, retryAfter int
	body               map[string]any
}

// read takes arguments from a query, a form or JSON. docs.slack.dev/apis/web-api.
func read(r *http.Request) *call {
	body, _ := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	c := &call{Request: r, body: body, fields: map[string]any{}}
	arguments := r.URL.Query()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(body, &c.fields)
	} else if form, err := url.ParseQuery(string(body)); err == nil {
		for name, values := range form {
			arguments[name] = values
		}
	}
	for name := range arguments {
		c.fields[name] = arguments.Get(name)
	}
	return c
}

// serve reads a call, lets it go wrong, and has it answered with the lock held.
func (s *Server) serve(method string, do func(*call) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := read(r)
		f := s.fault(method)
		time.Sleep(f.Latency)
		if f.Drop == DropBefore {
			s.drop(w, method, c)
			return
		}
		if f.Drop == "" && (f.Status != 0 || f.Error != "") {
			s.write(w, method, c, answer{f.Status, f.RetryAfter, map[string]any{"ok": false, "error": f.Error}})
			return
		}
		s.mu.Lock()
		out := refused("invalid_auth")
		if s.holds(r) {
			out = do(c)
		}
		s.mu.Unlock()
		if f.Drop == DropAfter {
			s.drop(w, method, c)
			return
		}
		s.write(w, method, c, out)
	}
}

// holds says that the caller shows the token.
func (s *Server) holds(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+s.options.Token)) == 1
}

func (s *Server) fault(method string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.faults, func(f *Fault) bool { return f.Method == "" || f.Method == method })
	if i < 0 {
		return Fault{}
	}
	f := s.faults[i]
	if f.Times > 0 {
		if f.Times--; f.Times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
	}
	return *f
}

// drop ends the connection without an answer.
func (s *Server) drop(w http.ResponseWriter, method string, c *call) {
	s.record(method, c, 0)
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// write answers: whatever went wrong but too many calls, the status is 200.
func (s *Server) write(w http.ResponseWriter, method string, c *call, a answer) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	s.record(method, c, a.status)
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	w.Header().Set("X-OAuth-Scopes", strings.Join(s.options.Scopes, ","))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body)
}

func (s *Server) record(method string, c *call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := string(c.body)
	if shown == "" {
		shown = c.URL.RawQuery
	}
	s.records = append(s.records, Record{Method: method, Body: shown, Status: status})
}
