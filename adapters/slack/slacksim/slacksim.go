// Package slacksim is a simulated Slack on real sockets: one workspace with channels,
// its people, an app's methods, and the events and presses it tells the app of. It
// imports no adapter.
//
// What it takes, answers and tells is taken from slackapi/slack-api-specs
// (web-api/slack_web_openapi_v2.json, events-api/slack_events-api_async_v1.json) and the
// pages below docs.slack.dev/reference; each place is named where it is played.
package slacksim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// The workspace and the app.
const (
	teamID = "T0SIM"
	appID  = "A0SIM"
	botID  = "B0SIM"
	selfID = "U0BOT"
)

// Options are what a Server is made of.
type Options struct {
	// Token is the bot's token and Secret signs what is sent; both must be set.
	Token, Secret string
	// AppToken opens Socket Mode; with it everything is told there, and nothing posted.
	AppToken string
	// Scopes are those the token has; empty is all that are asked for.
	Scopes []string
	// EventsURL and ActionsURL are the app's request addresses; "" sends none.
	EventsURL, ActionsURL string
	// Channels are the channels there are; empty is one, C0SUPPORT, with the app in it.
	Channels []Channel
	// Retries are the pauses before an event is sent again that was not answered with
	// 2xx in three seconds; nil is Slack's own: at once, a minute, five minutes.
	// docs.slack.dev/apis/events-api: retries.
	Retries []time.Duration
	// Burst is how many messages a channel takes at once before it takes one a second
	// only; 0 is no limit. docs.slack.dev/apis/web-api/rate-limits: posting messages.
	Burst int
	// PageSize is the most messages a page has; 0 is what the call asks for.
	PageSize int
}

// Channel is one of the workspace.
type Channel struct {
	ID, Name                  string
	Member, Private, Archived bool
}

// Person is somebody who works there.
type Person struct{ ID, Name, Display string }

// real is somebody's full name, and shown the name others see.
func (p Person) real() string  { return strings.ToUpper(p.Name[:1]) + p.Name[1:] }
func (p Person) shown() string { return cmp.Or(p.Display, p.real()) }

// Message is one message of a channel.
type Message struct {
	TS, Thread, Channel       string
	User, Bot, Username, Icon string
	Subtype, Text             string
	Plain                     bool // sent with mrkdwn off
	Blocks, Metadata          any
	Edited                    string
	Files                     []File
	Deleted                   bool
	Buttons                   []string // the action_ids it has now
}

// File is a file, uploaded or of a person.
type File struct {
	ID, Name, MIME, Title string
	Data                  []byte
}

// Server is a simulated Slack. All its methods are safe for concurrent use.
type Server struct {
	simvendor.API
	*simvendor.Post[notice]
	options  Options
	mu       sync.Mutex
	channels []Channel
	messages []*Message
	values   map[string]string // of buttons, by thread and action_id, since they were first shown
	uploads  map[string]*File
	last     int64 // the newest timestamp, in microseconds
	next     int   // of ids
	base     string
	buckets  map[string]*bucket
	sockets  *sockets // nil where everything is posted
}

// New makes a Server. Close ends what it sends.
func New(o Options) *Server {
	if len(o.Channels) == 0 {
		o.Channels = []Channel{{ID: "C0SUPPORT", Name: "support", Member: true}}
	}
	if o.Retries == nil {
		o.Retries = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	s := &Server{options: o, channels: slices.Clone(o.Channels), values: map[string]string{}, uploads: map[string]*File{}, buckets: map[string]*bucket{}}
	s.Wrong = func(f simvendor.Fault) any { return map[string]any{"ok": false, "error": f.Error} }
	s.Post = simvendor.NewPost(answerWithin, 0, s.deliver)
	if o.AppToken != "" {
		s.sockets = &sockets{acks: map[string]chan struct{}{}}
	}
	return s
}

// Close ends what is under way; what waits is not sent.
func (s *Server) Close() {
	if s.sockets != nil {
		s.sockets.drop()
	}
	s.Post.Close()
}

// People are those who work there.
func People() []Person {
	return []Person{{"U0SAM", "sam", "Sam"}, {"U0KIM", "kim", "Kim"}, {"U0LEE", "lee", ""}}
}

// Serves says where the Server itself is, for the addresses of files.
func (s *Server) Serves(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = base
}

// Handler serves the methods below /api, files, and the control below /sim/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.methods(mux)
	s.filing(mux)
	mux.HandleFunc("/api/apps.connections.open", s.serve(s.options.AppToken, s.connect))
	mux.HandleFunc("GET /link/", s.link)
	s.control(mux)
	return mux
}

// Threads are the timestamps of the heads of threads the app began, in order.
func (s *Server) Threads() []string {
	var all []string
	for _, m := range s.all(func(m Message) bool { return m.Bot != "" && m.Thread == "" }) {
		all = append(all, m.TS)
	}
	return all
}

// Head is the head of a thread as it stands.
func (s *Server) Head(thread string) Message {
	for _, m := range s.all(func(m Message) bool { return m.TS == thread }) {
		return m
	}
	return Message{}
}

// Replies are the messages of a thread below its head, in order; deleted ones are gone.
func (s *Server) Replies(thread string) []Message {
	return s.all(func(m Message) bool { return m.Thread == thread && !m.Deleted })
}

// Said are the texts of a thread that stand under a name given by the app.
func (s *Server) Said(thread, username string) []string {
	var all []string
	for _, m := range s.Replies(thread) {
		if m.Username == username {
			all = append(all, m.Text)
		}
	}
	return all
}

// Lines are the texts of a thread the app wrote in its own name.
func (s *Server) Lines(thread string) []string {
	var all []string
	for _, m := range s.Replies(thread) {
		if m.Bot != "" && m.Username == "" {
			all = append(all, m.Text)
		}
	}
	return all
}

func (s *Server) all(which func(Message) bool) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.messages {
		if which(*m) {
			out = append(out, *m)
		}
	}
	return out
}

// stamp is the timestamp of a new message: it grows, over all channels here.
func (s *Server) stamp() string {
	s.last = max(s.last+1, time.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.last/1e6, s.last%1e6)
}

func (s *Server) id(kind string) string {
	s.next++
	return fmt.Sprintf("%s0%06d", kind, s.next)
}

func (s *Server) channel(id string) *Channel {
	i := slices.IndexFunc(s.channels, func(c Channel) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &s.channels[i]
}

func (s *Server) find(channel, ts string) *Message {
	i := slices.IndexFunc(s.messages, func(m *Message) bool { return m.Channel == channel && m.TS == ts && !m.Deleted })
	if i < 0 {
		return nil
	}
	return s.messages[i]
}

// add puts a message into its channel and tells of it. It is called with the lock
// held, as is all below.
func (s *Server) add(m *Message) *Message {
	m.TS = s.stamp()
	s.messages = append(s.messages, m)
	s.buttons(m)
	body := s.shown(m)
	body["channel"], body["event_ts"], body["channel_type"] = m.Channel, m.TS, "channel"
	s.tell(body)
	return m
}

// changed tells that a message is another now. docs.slack.dev/reference/events/message/message_changed.
func (s *Server) changed(m *Message, previous map[string]any) {
	at := s.stamp()
	s.tell(map[string]any{"type": "message", "subtype": "message_changed", "hidden": true, "channel": m.Channel, "channel_type": "channel",
		"message": s.shown(m), "previous_message": previous, "ts": at, "event_ts": at})
}

// buttons notes the buttons a message has.
func (s *Server) buttons(m *Message) {
	m.Buttons = nil
	blocks, _ := m.Blocks.([]any)
	for _, block := range blocks {
		of, _ := block.(map[string]any)
		elements, _ := of["elements"].([]any)
		for _, element := range elements {
			e, _ := element.(map[string]any)
			id, _ := e["action_id"].(string)
			if value, _ := e["value"].(string); id != "" {
				m.Buttons = append(m.Buttons, id)
				s.values[m.TS+" "+strings.TrimSpace(id)] = value
			}
		}
	}
}

// shown is a message as lists and events have it. docs.slack.dev/reference/events/message.
func (s *Server) shown(m *Message) map[string]any {
	out := map[string]any{"type": "message", "ts": m.TS, "text": m.Text, "team": teamID}
	for name, value := range map[string]string{"thread_ts": m.Thread, "user": m.User, "bot_id": m.Bot, "username": m.Username, "subtype": m.Subtype} {
		if value != "" {
			out[name] = value
		}
	}
	if m.Bot != "" {
		out["app_id"] = appID
		out["bot_profile"] = map[string]any{"id": botID, "app_id": appID, "name": "footbridge", "team_id": teamID}
	} else if m.Subtype == "" {
		out["client_msg_id"] = "3c1ee4b6-0000-4000-8000-" + strings.ReplaceAll(m.TS, ".", "")[:12]
	}
	if m.Blocks != nil {
		out["blocks"] = m.Blocks
	}
	if m.Edited != "" {
		out["edited"] = map[string]any{"user": m.User, "ts": m.Edited}
	}
	if len(m.Files) > 0 {
		out["files"] = s.filed(m.Files)
	}
	if n := s.replies(m); n > 0 {
		out["reply_count"], out["thread_ts"] = n, m.TS
	}
	return out
}

func (s *Server) replies(m *Message) (n int) {
	for _, one := range s.messages {
		if one.Thread == m.TS && one.Channel == m.Channel && !one.Deleted {
			n++
		}
	}
	return n
}
