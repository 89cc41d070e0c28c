package vonagesim

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The two values of session_status. Page "Working with HTTP agents".
const (
	statusAwaiting = "AWAITING_INPUT"
	statusEnded    = "ENDED"
)

// session is one of the HTTP agent, guarded by its Studio.
type session struct {
	id, token string
	expires   time.Time
	greeted   bool
	heard     []string // every input, as it came
	said      []Line   // the transcription
	given     []Parameter
	line      *line // the newest socket
	calls     []func(context.Context)
}

// stepAnswer is what a step is answered, and a frame of the socket: the page has
// none of the latter and says communication by socket "is similar to HTTP
// requests". Items of messages and session_status: page "Working with HTTP
// agents"; parameters stand for what a flow's author adds.
type stepAnswer struct {
	Messages   []spoken    `json:"messages"`
	Status     string      `json:"session_status"`
	Parameters []Parameter `json:"parameters,omitempty"`
}

type spoken struct {
	Text string `json:"text"`
}

func (o Options) filled() Options {
	if o.Life <= 0 {
		o.Life = 24 * time.Hour
	}
	if o.Idle <= 0 {
		o.Idle = 10 * time.Minute
	}
	if len(o.Flow.Turns) == 0 {
		o.Flow = DefaultFlow()
	}
	return o
}

// agent serves the HTTP agent: POST /http/init and POST /http/:session_id/step
// (page "Working with HTTP agents") and the socket, at /ws here and at a host of
// its own there.
func (s *Studio) agent(mux *http.ServeMux) {
	mux.HandleFunc("POST /http/init", s.serve("init", s.keyed, s.init))
	mux.HandleFunc("POST /http/{session}/step", s.serve("step", s.bears, s.step))
	mux.HandleFunc("GET /ws", s.socket)
}

// Sessions are those of the HTTP agent, in the order they began.
func (s *Studio) Sessions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// Heard are the inputs a session was stepped with, in order; the empty one that
// fetches the greeting among them.
func (s *Studio) Heard(session string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.sessions[session]; k != nil {
		return slices.Clone(k.heard)
	}
	return nil
}

// Given are the parameters that came with a session's steps, in order.
func (s *Studio) Given(session string) []Parameter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.sessions[session]; k != nil {
		return slices.Clone(k.given)
	}
	return nil
}

// init begins a session. The answer's two times differ in precision and in
// having a zone, as on the page "Working with HTTP agents".
func (s *Studio) init(rec *Record) (int, any) {
	var body struct {
		AgentID string `json:"agent_id"`
	}
	if json.Unmarshal([]byte(rec.Body), &body) != nil || body.AgentID == "" {
		return http.StatusBadRequest, nestError(http.StatusBadRequest, "agent_id should not be empty")
	}
	now := time.Now().UTC()
	k := &session{id: newID(), expires: now.Add(s.options.Life)}
	k.token = token(s.options.Key, k.id, now, k.expires)
	s.sessions[k.id], s.order = k, append(s.order, k.id)
	s.move(k.id, StateVirtualAgent)
	rec.Committed, rec.Shown = true, k.id
	return http.StatusOK, map[string]string{
		"session_id":              k.id,
		"session_start_time":      now.Format("2006-01-02T15:04:05.000000"),
		"session_expiration_time": k.expires.Format("2006-01-02T15:04:05.000Z"),
		"session_token":           k.token,
	}
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// token is a session_token: a JWT of HS256 with session_id, iat and exp (page
// "Working with HTTP agents", the token of its example).
func token(key, id string, begun, expires time.Time) string {
	claims := fmt.Sprintf(`{"session_id":%q,"iat":%d,"exp":%d}`, id, begun.Unix(), expires.Unix())
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	sum := hmac.New(sha256.New, []byte(key))
	sum.Write([]byte(signed))
	return signed + "." + encode(sum.Sum(nil))
}

// bears reports whether the caller shows the token of the session it steps. Page
// "Websockets connections …": a token is valid for one session only.
func (s *Studio) bears(r *http.Request) bool {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.sessions[r.PathValue("session")]
	return k != nil && subtle.ConstantTimeCompare([]byte(k.token), []byte(bearer)) == 1
}

// step is a step by request. A session that is over has the 404 whose numeric
// statusCode every version of nexmo-se/ai-studio-whatsapp-agent reads.
func (s *Studio) step(rec *Record) (int, any) {
	k := s.going(rec.Session)
	if k == nil {
		return http.StatusNotFound, nestError(http.StatusNotFound, "Session not found")
	}
	input, given, ok := inputOf([]byte(rec.Body))
	if !ok {
		return http.StatusBadRequest, nestError(http.StatusBadRequest, "body must be a JSON object")
	}
	k.given = append(k.given, given...)
	rec.Committed, rec.Shown = true, input
	return http.StatusOK, s.advance(k, input)
}

// going is a session whose time is not up, or nil. It is called with the lock
// held, as are all below.
func (s *Studio) going(id string) *session {
	k := s.sessions[id]
	if k == nil || s.states[id] == StateEnded || time.Now().After(k.expires) {
		return nil
	}
	return k
}

// inputOf reads a step: input, also with the blank the page "Websockets
// connections …" has behind it. An input of "" or null fetches the first words
// (Vonage-Community/demo-video-verify-messages-node…:src/AIStudio.js,
// TamirVonage/vonage-chat-widget:src/services/session-service.ts).
func inputOf(data []byte) (input string, given []Parameter, ok bool) {
	var body struct {
		Input      *string     `json:"input"`
		Blank      *string     `json:"input "`
		Parameters []Parameter `json:"parameters"`
	}
	if json.Unmarshal(data, &body) != nil {
		return "", nil, false
	}
	for _, text := range []*string{body.Input, body.Blank} {
		if text != nil {
			return *text, body.Parameters, true
		}
	}
	return "", body.Parameters, true
}
