package aisera

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// How a new connection in the middle of a conversation is made known.
const (
	resumeHistory = "history"
	resumeNone    = "none"
)

// Who answers when a flow wants a person.
const (
	peopleOurs   = "ours"
	peopleVendor = "vendor"
)

// What it means that a chat client logs out.
const (
	logoutCommands = "command"
	logoutEnds     = "end"
)

// settings are an account's, with the defaults filled in.
type settings struct {
	Host          string `json:"host"`
	BaseURL       string `json:"base_url"`
	Path          string `json:"path"`
	Transport     string `json:"transport"`
	Event         string `json:"event"`
	ChannelID     string `json:"channel_id"`
	UserEmail     string `json:"user_email"`
	UserID        string `json:"user_id"`
	UserKey       string `json:"user_key"`
	People        string `json:"people"`
	TypeIn        string `json:"type_in"`
	AnswerIn      string `json:"answer_in"`
	Logout        string `json:"logout"`
	Streaming     string `json:"streaming"`
	TextFormat    string `json:"text_format"`
	AskText       string `json:"ask_text"`
	LeaveText     string `json:"leave_text"`
	Resume        string `json:"resume"`
	SummaryVar    string `json:"summary_var"`
	TranscriptVar string `json:"transcript_var"`
}

// fill takes the defaults of the manifest, so that they are written once.
func (s *settings) fill() {
	values := s.byName()
	for _, setting := range manifest().Settings {
		if value := values[setting.Name]; *value == "" {
			*value = setting.Default
		}
	}
	if s.Path == "" {
		s.Path = map[string]string{"socketio": "/socket.io/"}[s.Transport]
		s.Path = cmp.Or(s.Path, "/ws")
	}
	if s.BaseURL == "" && s.Host != "" {
		s.BaseURL = "https://" + s.Host
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
}

func (s *settings) byName() map[string]*string {
	return map[string]*string{
		"host": &s.Host, "base_url": &s.BaseURL, "path": &s.Path, "transport": &s.Transport, "event": &s.Event,
		"channel_id": &s.ChannelID, "user_email": &s.UserEmail, "user_id": &s.UserID, "user_key": &s.UserKey,
		"people": &s.People, "type_in": &s.TypeIn, "answer_in": &s.AnswerIn, "logout": &s.Logout, "streaming": &s.Streaming,
		"text_format": &s.TextFormat, "ask_text": &s.AskText, "leave_text": &s.LeaveText,
		"resume": &s.Resume, "summary_var": &s.SummaryVar, "transcript_var": &s.TranscriptVar,
	}
}

func settingsOf(tx *adapter.Tx) (settings, error) {
	var s settings
	err := tx.Settings(&s)
	s.fill()
	return s, err
}

func configure(a adapter.Account) (adapter.Profile, error) {
	var s settings
	if err := manifest().ReadSettings(a, &s); err != nil {
		return adapter.Profile{}, err
	}
	s.fill()
	if err := s.check(); err != nil {
		return adapter.Profile{}, err
	}
	switch a.Role {
	case event.RoleCustomer:
		return s.customerProfile(), nil
	case event.RoleVirtualAgent:
		return s.clientProfile(virtualLevels(), append(clientAssumptions(), virtualAssumptions()...))
	default:
		return s.clientProfile(peopleLevels(), append(clientAssumptions(), peopleAssumptions()...))
	}
}

func (s *settings) check() error {
	if u, err := url.Parse(s.Path); err != nil || !strings.HasPrefix(s.Path, "/") || u.Host != "" {
		return fmt.Errorf("setting path is %q: use a path such as /socket.io/", s.Path)
	}
	return nil
}

func (s *settings) clientProfile(l adapter.Levels, assumptions []string) (adapter.Profile, error) {
	if s.BaseURL == "" {
		return adapter.Profile{}, fmt.Errorf("setting host is empty: use the tenant's chat host, such as acme.chatbot.aisera.cloud")
	}
	u, err := s.address()
	if err != nil {
		return adapter.Profile{}, err
	}
	return adapter.Profile{Hosts: []string{u.Host}, Levels: l, Mask: []string{"/" + credential}, Assumptions: assumptions}, nil
}

// address is where the socket is.
func (s *settings) address() (*url.URL, error) {
	u, err := url.Parse(s.BaseURL + s.Path)
	scheme := map[string]string{"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}
	if err != nil || u.Host == "" || u.User != nil || scheme[u.Scheme] == "" {
		return nil, fmt.Errorf("setting base_url or host gives no address: use one such as https://acme.chatbot.aisera.cloud, without a name and password")
	}
	u.Scheme = scheme[u.Scheme]
	return u, nil
}

func (s *settings) transport() string {
	if s.Transport == "raw" {
		return adapter.TransportWebSocket
	}
	return adapter.TransportSocketIO
}

// event is the name frames go out under, where the transport has names.
func (s *settings) event() string {
	if s.transport() != adapter.TransportSocketIO {
		return ""
	}
	return s.Event
}

// formats are the text formats the far side shows.
func (s *settings) formats() []string {
	if s.TextFormat == event.FormatPlain {
		return nil
	}
	return []string{s.TextFormat}
}

func (s *settings) customerProfile() adapter.Profile {
	full, partial := adapter.Full, adapter.Partial
	return adapter.Profile{
		Endpoints: []adapter.Endpoint{{Name: endpoint, Method: http.MethodGet, Transport: s.transport(), Event: s.event(), Path: s.Path,
			Answer: adapter.AnswerAck, Key: "frame:/userId,frame:/userid", Unknown: adapter.UnknownOpen,
			Auth: "frame:/" + credential + "=" + credential}},
		Levels: adapter.Levels{
			Content: map[string]adapter.Level{"text": full, "choices": full, "form": partial},
			Formats: s.formats(), Typing: partial, Receipts: adapter.Dropped, Partials: partial,
			Transcript: partial, QueuePosition: full, CustomerEnd: full, Push: adapter.PushSocket,
			Extensions: []string{"FlowStarted", "FlowCompleted", "Campaign", "AskForApproval"},
		},
		Assumptions: customerAssumptions(),
	}
}

func virtualLevels() adapter.Levels {
	return adapter.Levels{
		Content: map[string]adapter.Level{"text": adapter.Full, "form_response": adapter.Full},
		Typing:  adapter.Dropped, Receipts: adapter.Dropped, Partials: adapter.Fallback,
		Transcript: adapter.Dropped, QueuePosition: adapter.Dropped, CustomerEnd: adapter.Full, Push: adapter.PushSocket,
		Extensions: []string{typeSurvey},
	}
}

func peopleLevels() adapter.Levels {
	return adapter.Levels{
		Content: map[string]adapter.Level{"text": adapter.Full, "form_response": adapter.Full},
		Typing:  adapter.Dropped, Receipts: adapter.Dropped, Partials: adapter.Fallback,
		Transcript: adapter.Full, QueuePosition: adapter.Full, CustomerEnd: adapter.Partial, Push: adapter.PushSocket,
	}
}

func clientAssumptions() []string {
	return []string{
		"the socket is Socket.IO at /socket.io/ (settings transport, path)",
		"frames are sent under the event message (setting event)",
		"the token given to the account is good for every frame and does not expire while a frame is on its way",
		"an answer has modeType at its top, in data or in response, and its text under text, message, messages or displayText",
		"an answer may repeat the reqId of its request and nothing else names it, so an answer sent twice is shown twice",
		"the session is found again by userId once a frame has come over the new connection (setting resume), and answers sent meanwhile are not repeated",
		"sessionVars change the variables they name and leave the others",
	}
}

func virtualAssumptions() []string {
	return []string{
		"the type of a live agent's request stands in data (setting type_in)",
		"LiveAgentCompleted also withdraws a wish for a person that nobody took",
		"StreamingInProgress holds the next piece of the answer (setting streaming), StreamingCompleted all of it",
		"texts are plain (setting text_format)",
		"words in an Error, FormError or ExternalSystemError under text or displayText are for the customer, under message, error or errors for operators",
		"words in a SilentMode frame or StatusUpdate are not for the customer",
		"EndSessionSurvey with words or a score is the customer's answer, and without them asks for the survey",
	}
}

func peopleAssumptions() []string {
	return []string{
		"a flow of the tenant hands over to a person when it reads ask_text",
		"what the virtual agent says before and beside its people is not for the customer",
		"LiveAgentExited before LiveAgentJoined says that nobody came",
	}
}

func customerAssumptions() []string {
	return []string{
		"clients open Socket.IO at /socket.io/ (settings transport, path) and listen to the event message",
		"an answer is read with modeType and text at its top (setting answer_in)",
		"queue position and waiting time are read under position and waitTime, the live agent under agentName and agentId",
		"choices are read as followUps with followUpId and text, forms as form with formId and fields",
		"the history is read as sessionHistory with role, text and time",
		"a client that logs out may go on with a new session in the same conversation (setting logout)",
		"a client that reports SessionTimeout opens a new socket for its next conversation",
	}
}
