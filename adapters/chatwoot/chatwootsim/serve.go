package chatwootsim

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
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

// Fault is what goes wrong with calls whose path ends in Path; "" is every call.
type Fault struct {
	Path   string `json:"path"`
	Status int    `json:"status"`
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

// call is one request while it is dealt with.
type call struct {
	*http.Request
	body   []byte
	fields map[string]any
	files  []Attachment
}

// text is a field of the body.
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

func (c *call) number(name string) int {
	n, err := strconv.Atoi(c.text(name))
	if err != nil {
		return 0
	}
	return n
}

// answer is what a call comes to.
type answer struct {
	status int
	body   any
}

// serve reads a call, lets it go wrong, and has it answered with the lock held.
func (s *Server) serve(allowed func(*http.Request) bool, do func(*call) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
		if err != nil {
			return
		}
		c := &call{Request: r, body: body, fields: map[string]any{}}
		c.read()
		f := s.fault(r.URL.Path)
		time.Sleep(f.Latency)
		if f.Drop == DropBefore {
			s.drop(w, c)
			return
		}
		if f.Status != 0 && f.Drop == "" {
			if f.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
			}
			s.write(w, c, answer{f.Status, map[string]any{"error": "it went wrong"}})
			return
		}
		if !allowed(r) {
			s.write(w, c, answer{http.StatusUnauthorized, map[string]any{"error": "Invalid Access Token"}})
			return
		}
		s.mu.Lock()
		out := do(c)
		s.mu.Unlock()
		if f.Drop == DropAfter {
			s.drop(w, c)
			return
		}
		s.write(w, c, out)
	}
}

// read takes a body of JSON or a form apart.
func (c *call) read() {
	kind, parameters, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		_ = json.Unmarshal(c.body, &c.fields)
		return
	}
	form, err := multipartOf(c.body, parameters["boundary"])
	if err != nil {
		return
	}
	for _, part := range form {
		if part.Name == "" {
			c.fields[part.MIME] = string(part.Data)
			continue
		}
		c.files = append(c.files, part)
	}
}

// drop ends the connection without an answer.
func (s *Server) drop(w http.ResponseWriter, c *call) {
	s.record(c, 0)
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func (s *Server) fault(path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, limited := s.limited(); limited {
		return f
	}
	i := slices.IndexFunc(s.faults, func(f *Fault) bool { return strings.HasSuffix(path, f.Path) })
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

// limited counts a call, and refuses those beyond the limit.
// config/initializers/rack_attack.rb: 429 and Retry-After.
func (s *Server) limited() (Fault, bool) {
	if now := time.Now(); now.Sub(s.second) >= time.Second {
		s.second, s.inIt = now, 0
	}
	s.inIt++
	return Fault{Status: http.StatusTooManyRequests, RetryAfter: 1}, s.options.PerSecond > 0 && s.inIt > s.options.PerSecond
}

func (s *Server) write(w http.ResponseWriter, c *call, a answer) {
	s.record(c, a.status)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	if a.body != nil {
		_ = json.NewEncoder(w).Encode(a.body)
	}
}

func (s *Server) record(c *call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := string(c.body)
	if len(c.files) > 0 {
		shown = "form of " + strings.Join(slices.Sorted(maps.Keys(c.fields)), " ")
	}
	s.records = append(s.records, Record{Method: c.Method, Path: c.URL.RequestURI(), Body: shown, Status: status})
}

// anybody may call the public API: its address is hard to guess.
func anybody(*http.Request) bool { return true }

// keyed says that the caller shows the access token.
// app/controllers/concerns/access_token_auth_helper.rb.
func (s *Server) keyed(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("Api_access_token")), []byte(s.options.Token)) == 1
}

func ok(body any) answer { return answer{http.StatusOK, body} }

func missing() answer {
	return answer{http.StatusNotFound, map[string]any{"error": "Resource could not be found"}}
}

// multipartOf reads a form: files, and fields as files without a name whose MIME is
// the name of the field.
func multipartOf(body []byte, boundary string) ([]Attachment, error) {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	var all []Attachment
	for {
		part, err := r.NextPart()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		one := Attachment{Name: part.FileName(), MIME: part.Header.Get("Content-Type"), Data: data}
		if one.Name == "" {
			one.MIME = part.FormName()
		}
		all = append(all, one)
	}
}
