// Package omiliasim simulates the backend of Omilia's Agent Assist Operations
// socket: Server takes the sockets of desks, tells them about calls on its 14
// channels, and answers their commands.
//
// Fields, channels and commands are those of the vendor's page "Agent Assist
// Operations Websocket API". The page shows no frame: the envelope, where the
// token goes and what names the call are assumptions, and each is an option.
package omiliasim

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Where the token of a socket may be looked for; with none of them, anywhere.
const (
	InQuery    = "query"
	InBearer   = "bearer"
	InProtocol = "protocol"
)

// Envelopes beside those that name their channel in a field of that name, such as
// "channel", "topic", "type", "message_type" or "event".
const (
	Keyed = "key"  // {"ai_info":{…}}
	Bare  = "none" // the payload alone
)

// Options are what a Server is made of.
type Options struct {
	// Token is what every socket must show ("Authentication: Token-based (via
	// session token)").
	Token string
	// TokenIn is InQuery, InBearer or InProtocol.
	TokenIn string
	// Envelope is Keyed, Bare or the field that names the channel ("channel");
	// Payload is the field beside it ("data").
	Envelope, Payload string
	// Dotted writes liveness_score and satResult as the page's table does:
	// "liveness_score.label". Otherwise they are objects.
	Dotted bool
	// Silent answers no command.
	Silent bool
}

// Server is the backend: http.Handler of its sockets. The last part of a socket's
// path names its call. It is safe for concurrent use.
type Server struct {
	o Options

	mu      sync.Mutex
	calls   map[string]*call
	refuse  []int
	refused int
}

// call is what the backend knows of one call, whoever listens.
type call struct {
	line     *websocket.Conn
	opened   int
	dialog   []Utterance
	flows    []Flow
	commands []Command
	problems []string
	over     bool
}

// NewServer makes a backend nobody listens to yet.
func NewServer(o Options) *Server {
	if o.Envelope == "" {
		o.Envelope = "channel"
	}
	if o.Payload == "" {
		o.Payload = "data"
	}
	return &Server{o: o, calls: map[string]*call{}}
}

// of gives a call, new or known. It is called with the lock held.
func (s *Server) of(name string) *call {
	k := s.calls[name]
	if k == nil {
		k = &call{}
		s.calls[name] = k
	}
	return k
}

// ServeHTTP takes one socket. "Connection must be authenticated using a valid
// token": without it the answer is 401. A call that is over is not found.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, err := url.PathUnescape(path.Base(r.URL.EscapedPath()))
	status := s.admit(r, name)
	if err != nil {
		status = http.StatusBadRequest
	}
	if status != 0 {
		http.Error(w, http.StatusText(status), status)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: offered(r)})
	if err != nil {
		return
	}
	s.mu.Lock()
	k := s.of(name)
	k.line = conn
	k.opened++
	s.mu.Unlock()
	s.listen(conn, name)
}

// admit is 0, or the status a socket is refused with.
func (s *Server) admit(r *http.Request, name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := 0
	switch k := s.calls[name]; {
	case !s.shown(r):
		status = http.StatusUnauthorized
	case len(s.refuse) > 0:
		status, s.refuse = s.refuse[0], s.refuse[1:]
	case k != nil && k.over:
		status = http.StatusNotFound
	}
	if status != 0 {
		s.refused++
	}
	return status
}

// shown reports whether the token is where it has to be.
func (s *Server) shown(r *http.Request) bool {
	q := r.URL.Query()
	places := map[string][]string{
		InQuery:    {q.Get("token"), q.Get("session_token")},
		InBearer:   {strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")},
		InProtocol: offered(r),
	}
	for where, tokens := range places {
		right := slices.ContainsFunc(tokens, func(t string) bool {
			return t != "" && subtle.ConstantTimeCompare([]byte(t), []byte(s.o.Token)) == 1
		})
		if right && (s.o.TokenIn == "" || s.o.TokenIn == where) {
			return true
		}
	}
	return false
}

// offered are the sub-protocols of a handshake; the first is chosen.
func offered(r *http.Request) []string {
	var all []string
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			all = append(all, strings.TrimSpace(p))
		}
	}
	return all
}

// listen takes commands until the socket ends.
func (s *Server) listen(conn *websocket.Conn, name string) {
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			s.mu.Lock()
			if k := s.of(name); k.line == conn {
				k.line = nil
			}
			s.mu.Unlock()
			return
		}
		s.hear(conn, name, data)
	}
}

// hear takes a command and answers it.
func (s *Server) hear(conn *websocket.Conn, name string, data []byte) {
	c, err := s.open(data)
	s.mu.Lock()
	k := s.of(name)
	if err != nil {
		k.problems = append(k.problems, err.Error())
	} else {
		k.commands = append(k.commands, c)
	}
	answers := []answer{{"error_info", ErrorInfo{Message: "Bad request", MessageDetails: "the frame is no command_request"}}}
	if err == nil {
		answers = k.answers(c)
	}
	s.mu.Unlock()
	for _, a := range answers {
		if !s.o.Silent {
			_ = s.write(conn, a.channel, a.payload)
		}
	}
}

// ErrNobody says nobody listens to the call.
var ErrNobody = errors.New("nobody listens to the call")

// Send tells the listener of a call something on a channel: one of the payloads
// of this package, or anything that is one in JSON.
func (s *Server) Send(name, channel string, payload any) error {
	if err := check(payload); err != nil {
		return err
	}
	s.mu.Lock()
	conn := s.of(name).line
	s.mu.Unlock()
	if conn == nil {
		return ErrNobody
	}
	return s.write(conn, channel, payload)
}

// writeWithin bounds the writing of one frame.
const writeWithin = 10 * time.Second

func (s *Server) write(conn *websocket.Conn, channel string, payload any) error {
	data, err := s.frame(channel, payload)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, data)
}

// Refuse answers the next sockets with these statuses.
func (s *Server) Refuse(statuses ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = append(s.refuse, statuses...)
}

// Drop breaks the socket of a call, as networks do.
func (s *Server) Drop(name string) {
	if conn := s.leave(name, false); conn != nil {
		_ = conn.CloseNow()
	}
}

// End ends a call: its status is CLOSED (Call Info), its summary is told (Call
// Summary, "Post-call summary"), and its socket closes.
func (s *Server) End(name, summary string) error {
	err := errors.Join(s.Send(name, "call_info", CallInfo{Status: "CLOSED"}), s.Send(name, "summary_info", Summary{Data: summary}))
	if conn := s.leave(name, true); conn != nil {
		err = errors.Join(err, conn.Close(websocket.StatusNormalClosure, "the call is over"))
	}
	return err
}

func (s *Server) leave(name string, over bool) *websocket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.of(name)
	conn := k.line
	k.line, k.over = nil, k.over || over
	return conn
}

// Calls lists the calls anybody listened to or that were spoken in.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.calls {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Listening reports whether a call has a listener now, and Opened how often one
// came.
func (s *Server) Listening(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name] != nil && s.calls[name].line != nil
}

// Opened counts the sockets a call has had.
func (s *Server) Opened(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.calls[name]; k != nil {
		return k.opened
	}
	return 0
}

// Commands are those a call's listeners sent, in order.
func (s *Server) Commands(name string) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.calls[name]; k != nil {
		return slices.Clone(k.commands)
	}
	return nil
}

// Problems are what was wrong with frames of a call's listeners.
func (s *Server) Problems(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.calls[name]; k != nil {
		return slices.Clone(k.problems)
	}
	return nil
}

// Refused counts the sockets that were not let in.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Command is what a listener asks for ("Client-Initiated Commands").
type Command struct {
	Command    string                     `json:"command"`
	Parameters map[string]json.RawMessage `json:"parameters"`
}
