package zendesksim

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bodyLimit is what is read of a request. openapi.yaml: file upload, 50 MB.
const bodyLimit = 50 << 20

// The places of a Fault's Drop.
const (
	DropBefore = "before" // nothing was done
	DropAfter  = "after"  // it was done, and nobody hears of it
)

// Fault is what goes wrong with calls whose path ends in Path; "" is every call.
type Fault struct {
	Path   string `json:"path"`
	Method string `json:"method"`
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
	// file is what a form brings, with its name and type.
	file       []byte
	name, kind string
}

func textField(of map[string]any, name string) string {
	text, _ := of[name].(string)
	return text
}

func object(of map[string]any, name string) map[string]any {
	o, _ := of[name].(map[string]any)
	return o
}

// answer is what a call comes to.
type answer struct {
	status int
	body   any
}

// serve reads a call, lets it go wrong, and has it answered with the lock held.
func (s *Server) serve(do func(*call) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
		if err != nil {
			return
		}
		c := &call{Request: r, body: body, fields: map[string]any{}}
		c.read()
		f := s.fault(r)
		time.Sleep(f.Latency)
		switch id, key, given := r.BasicAuth(); {
		case f.Drop == DropBefore:
			s.drop(w, c)
		case f.Status != 0 && f.Drop == "":
			if f.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
			}
			s.write(w, c, wrong(f.Status, "fault"))
		case !given || !same(id, s.options.KeyID) || !same(key, s.options.KeySecret):
			s.write(w, c, wrong(http.StatusUnauthorized, "unauthorized"))
		case r.PathValue("app") != s.options.AppID:
			s.write(w, c, wrong(http.StatusNotFound, "app_not_found"))
		case c.file == nil && len(body) > jsonLimit:
			s.write(w, c, wrong(http.StatusRequestEntityTooLarge, "request_entity_too_large"))
		default:
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
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// read takes a body of JSON or a form apart. The field of a file is "source".
// components/requestBodies/attachmentUploadBody.yaml.
func (c *call) read() {
	kind, parameters, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		_ = json.Unmarshal(c.body, &c.fields)
		return
	}
	r := multipart.NewReader(bytes.NewReader(c.body), parameters["boundary"])
	for {
		part, err := r.NextPart()
		if err != nil {
			return
		}
		data, err := io.ReadAll(part)
		if err == nil && part.FormName() == "source" {
			c.file, c.name, c.kind = data, part.FileName(), part.Header.Get("Content-Type")
		}
	}
}

// drop ends the connection without an answer.
func (s *Server) drop(w http.ResponseWriter, c *call) {
	s.record(c, 0)
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func (s *Server) fault(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, limited := s.limited(); limited {
		return f
	}
	i := slices.IndexFunc(s.faults, func(f *Fault) bool {
		return strings.HasSuffix(r.URL.Path, f.Path) && (f.Method == "" || f.Method == r.Method)
	})
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

// limited counts a call, and refuses those beyond the limit. openapi.yaml: Rate Limits;
// it names no Retry-After.
func (s *Server) limited() (Fault, bool) {
	if now := time.Now(); now.Sub(s.second) >= time.Second {
		s.second, s.inIt = now, 0
	}
	s.inIt++
	return Fault{Status: http.StatusTooManyRequests}, s.options.PerSecond > 0 && s.inIt > s.options.PerSecond
}

func (s *Server) write(w http.ResponseWriter, c *call, a answer) {
	s.record(c, a.status)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body)
}

func (s *Server) record(c *call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := string(c.body)
	if c.file != nil {
		shown = "form"
	}
	s.records = append(s.records, Record{Method: c.Method, Path: c.URL.RequestURI(), Body: shown, Status: status})
}

func ok(body any) answer      { return answer{http.StatusOK, body} }
func created(body any) answer { return answer{http.StatusCreated, body} }

// wrong is an error. openapi.yaml: Errors.
func wrong(status int, code string) answer {
	return answer{status, map[string]any{"errors": []map[string]any{{"code": code, "title": "It went wrong"}}}}
}
