package vonagesim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
	"unicode/utf16"
)

// The states of a Studio session.
const (
	StateConnecting   = "connecting" // start is out
	StateLiveAgent    = "live_agent"
	StateVirtualAgent = "virtual_agent" // disconnected: the flow goes on
	StateFailed       = "failed"        // the node's Failed output
	StateEnded        = "ended"
)

// textLimit is the vendor's. Page "Live Agent Routing": "The text characters
// limit is currently 4096 characters in total".
const textLimit = 4096

// Options are a Studio's.
type Options struct {
	// Key is the API key callers must send.
	Key string
	// BridgeURL is where the node's endpoints are, without /start: in the bridge
	// https://host/in/ACCOUNT.
	BridgeURL string
	// Header is sent with every request to the bridge, for an account whose
	// inbound setting asks for one.
	Header http.Header
	// IdempotencyHeader is recognised when set: a key seen before in a session is
	// answered as it was, without effect.
	IdempotencyHeader string
	// Client is used towards the bridge; nil is one with a limit of 15 s.
	Client *http.Client
	// Flow is what the HTTP agent says; the zero Flow is DefaultFlow.
	Flow Flow
	// Life is how long a session of the HTTP agent lasts, 24 h by default, and
	// Idle how long its socket may be silent, 10 min by default. Page "Websockets
	// connections for Live agent Routing", "When does the WebSocket communication
	// disconnect?".
	Life, Idle time.Duration
}

// Studio simulates AI Studio for any number of sessions. It is safe for
// concurrent use.
type Studio struct {
	options Options
	bridge  caller
	faults  faults
	mu      sync.Mutex
	states  map[string]string
	records []Record
	seen    map[string]string // onceKey to the message's id
	replies map[string]any    // onceKey to what was answered in this process
	file    *recordFile

	sessions map[string]*session // of the HTTP agent
	order    []string
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	work     sync.WaitGroup // calls and sockets of sessions
}

// NewStudio makes a Studio that remembers nothing; Persist gives it a memory.
func NewStudio(o Options) *Studio {
	ctx, stop := context.WithCancel(context.Background())
	return &Studio{options: o.filled(), states: map[string]string{}, seen: map[string]string{}, replies: map[string]any{},
		sessions: map[string]*session{}, ctx: ctx, stop: stop,
		bridge: caller{client: clientOr(o.Client), base: o.BridgeURL, header: o.Header}}
}

// Handler serves the vendor's endpoints and, below /sim/, the control of the
// simulation. The control is not authenticated: listen on loopback only.
func (s *Studio) Handler() http.Handler {
	mux := http.NewServeMux()
	// Page "Live Agent Routing": POST /live-agent/outbound/:session_id and
	// POST /live-agent/disconnect/:session_id.
	mux.HandleFunc("POST /live-agent/outbound/{session}", s.serve("outbound", s.keyed, s.outbound))
	mux.HandleFunc("POST /live-agent/disconnect/{session}", s.serve("disconnect", s.keyed, s.disconnect))
	s.agent(mux)
	s.control(mux)
	return mux
}

// Fail plans a fault at "outbound" or "disconnect".
func (s *Studio) Fail(f Fault) { s.faults.add(f) }

// Heal forgets every fault planned.
func (s *Studio) Heal() { s.faults.clear() }

// Records are all attempts so far.
func (s *Studio) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}

// State is where a session stands, or "" for one never started.
func (s *Studio) State(session string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[session]
}

// Shown is what a session's customer saw from the live agent, in order, with
// what they saw twice.
func (s *Studio) Shown(session string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var shown []string
	for _, r := range s.records {
		if r.Session == session && r.Committed && r.Endpoint == "outbound" {
			shown = append(shown, r.Shown)
		}
	}
	return shown
}

// commit does what an endpoint is for, once every check has passed. It reports
// the answer and completes the record. It is called with the lock held.
type commit func(r *Record) (status int, body any)

// keyed reports whether the caller shows the account's key.
func (s *Studio) keyed(r *http.Request) bool { return keyMatches(r, s.options.Key) }

func (s *Studio) serve(endpoint string, authentic func(*http.Request) bool, do commit) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec, err := attempt(r, endpoint, r.PathValue("session"))
		if err != nil {
			return
		}
		fault := s.faults.take(endpoint)
		fault.wait(r.Context())
		if s.options.IdempotencyHeader != "" {
			rec.Key = r.Header.Get(s.options.IdempotencyHeader)
		}
		status, body := s.perform(&rec, authentic(r), fault, do)
		if status == 0 {
			drop(w)
			return
		}
		if fault.RetryAfter > 0 && status == fault.Status {
			w.Header().Set("Retry-After", fmt.Sprint(fault.RetryAfter))
		}
		answer(w, status, body)
	}
}

// perform decides and records one attempt under the lock, so that records are in
// the order of their effects. Status 0 means the answer is lost.
func (s *Studio) perform(rec *Record, authentic bool, fault Fault, do commit) (status int, body any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := fault.Drop == DropBefore || (fault.Status != 0 && !fault.Commit)
	switch {
	case before:
		status, body = fault.Status, nestError(fault.Status, "Simulated fault")
	case !authentic:
		status, body = http.StatusUnauthorized, nestError(http.StatusUnauthorized, "Unauthorized")
	default:
		status, body = s.once(rec, do)
	}
	if fault.Commit && fault.Status != 0 {
		status, body = fault.Status, nestError(fault.Status, "Simulated fault")
	}
	if fault.Drop != "" {
		status = 0
	}
	rec.Status = status
	s.keep(*rec)
	return status, body
}

// once does it, unless the idempotency key was seen in this session.
func (s *Studio) once(rec *Record, do commit) (int, any) {
	key := onceKey(*rec)
	if body, answered := s.replies[key]; answered {
		rec.Repeat, rec.Message = true, s.seen[key]
		return http.StatusOK, body
	}
	if message, seen := s.seen[key]; seen && rec.Key != "" {
		rec.Repeat, rec.Message = true, message
		return http.StatusOK, map[string]string{"message_uuid": message}
	}
	status, body := do(rec)
	if rec.Committed && rec.Key != "" {
		s.replies[key] = body
	}
	return status, body
}

func onceKey(r Record) string { return r.Endpoint + "\n" + r.Session + "\n" + r.Key }

// outbound accepts a live agent's message. Frames: {"message_type":"text",
// "text":…} and the media objects of every public server found, first among them
// nexmo-se/ai-studio-whatsapp-agent; {text} of the vendor's page.
func (s *Studio) outbound(rec *Record) (int, any) {
	if !s.live(rec.Session) {
		return http.StatusNotFound, nestError(http.StatusNotFound, "Session not found")
	}
	shown, problem := shownOf(rec.Body)
	if problem != "" {
		return http.StatusBadRequest, nestError(http.StatusBadRequest, problem)
	}
	rec.Committed, rec.Shown = true, shown
	rec.Message = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(s.records)+1)
	s.tell(rec.Session, rec.Body)
	// The page shows a body of one object and nothing in it; message_uuid is what
	// a Messages API answer has.
	return http.StatusOK, map[string]string{"message_uuid": rec.Message}
}

// disconnect gives the session back to its flow; a second one finds none.
func (s *Studio) disconnect(rec *Record) (int, any) {
	if !s.live(rec.Session) {
		return http.StatusNotFound, nestError(http.StatusNotFound, "Session not found")
	}
	rec.Committed = true
	s.move(rec.Session, StateVirtualAgent)
	s.resume(rec.Session, s.options.Flow.Back)
	return http.StatusOK, map[string]any{}
}

func (s *Studio) live(session string) bool {
	state := s.states[session]
	return state == StateLiveAgent || state == StateConnecting
}

// shownOf is what a customer sees of an outbound body, or what is wrong with it.
func shownOf(body string) (shown, problem string) {
	var frame map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &frame); err != nil {
		return "", "body must be a JSON object"
	}
	kind := word(frame["message_type"])
	if kind == "" || kind == "text" {
		text := word(frame["text"])
		switch n := len(utf16.Encode([]rune(text))); {
		case n == 0:
			return "", "text should not be empty"
		case n > textLimit:
			return "", fmt.Sprintf("text must be shorter than or equal to %d characters", textLimit)
		}
		return text, ""
	}
	if !slices.Contains([]string{"image", "video", "audio", "file"}, kind) {
		return "", "message_type must be one of text, image, video, audio, file"
	}
	var media struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(frame[kind], &media); err != nil || media.URL == "" {
		return "", kind + ".url must be a URL address"
	}
	return media.URL, ""
}

func word(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
