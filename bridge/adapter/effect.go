package adapter

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// Effect is one thing a turn asks for: one of Emission, Answer, Holding,
// Calling, Dialing, Sending, Closing, Timer, TimerStop, Binding, Learned,
// Minting, Postponed or Failure. Adapters
// record effects with the methods of Tx; the bridge reads them.
type Effect interface{ effect() }

// Emission says that something happened at the vendor. The bridge decides what
// becomes of it; an emission the conversation does not allow is recorded as
// refused.
type Emission struct {
	Body  event.Body
	Actor event.Actor
	// Ref is the vendor's own id. The same kind and Ref emitted again for the
	// leg is the same event.
	Ref string
	// Echo is the id of our own event where the vendor sends it back.
	Echo   string
	Vendor map[string]json.RawMessage
}

// Reply is an HTTP answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Answer gives the Request named its Reply.
type Answer struct {
	Request string
	Reply   Reply
}

// Finding is one thing a Check looked at.
type Finding struct {
	// What was looked at: "credential key", "setting inbox_id", "webhook".
	What string `json:"what"`
	// Said is what was found there, for people; Fault what is wrong with it, "" where it
	// is good; Mend what to do about that.
	Said  string `json:"said,omitempty"`
	Fault string `json:"fault,omitempty"`
	Mend  string `json:"mend,omitempty"`
}

// Report is everything a Check found, as the body of its Answer.
type Report struct {
	Findings []Finding `json:"findings"`
}

// Holding keeps the Request named open for a later turn to answer.
type Holding struct{ Request string }

// How a Call may be repeated after an unknown outcome.
const (
	// RepeatMarked repeats until GiveUp and marks each repeat as a possible
	// duplicate. It is the default.
	RepeatMarked = "marked"
	// RepeatKeyed repeats freely: the vendor honours the key in the call.
	RepeatKeyed = "keyed"
	// RepeatNever reports the unknown outcome at once. What never left is tried until
	// GiveUp all the same: that repeats nothing.
	RepeatNever = "never"
	// RepeatReadback makes Call.Readback after an unknown outcome in place of a repeat:
	// for a vendor that honours no key and has a list to look in.
	RepeatReadback = "readback"
)

// Call is one HTTP call to the vendor. Secrets are written as the placeholder
// Tx.Credential gives, in URL, Header or Body.
type Call struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Form makes the body multipart/form-data (RFC 7578) of these fields in their
	// order, in place of Body; its Content-Type is the bridge's.
	Form []FormField
	// Upload, in place of Body, is the URL of a file the leg was given: the body is
	// that file, and where Header names no Content-Type it has the file's.
	Upload string
	// Repeat is one of the Repeat constants; empty means RepeatMarked.
	Repeat string
	// Readback, with RepeatReadback, is the read by which one sees whether the call did
	// anything. It is tried, as often as it takes, within its own GiveUp from the unknown
	// outcome on (0 means one minute), also when a restart has made the outcome unknown;
	// what it is answered comes as Result with ReasonUnknown. Its Repeat, Binds and
	// Readback mean nothing.
	Readback *Call
	// GiveUp bounds all tries, the one under way included; 0 means ten minutes.
	GiveUp time.Duration
	// Binds says the result will bind a key of the vendor's (Tx.Bind); inbound
	// for an unknown key waits meanwhile where the endpoint says so.
	Binds bool
	// Lane names what the vendor takes one call after the other of, such as a channel:
	// calls of the account with the same Lane leave in the order they were asked for, at
	// least Profile.Pace apart, and none while the vendor has asked one of them to wait.
	// Empty is no lane.
	Lane string
	// Capture takes tokens out of a good answer before the adapter sees it.
	Capture []Capture
}

// Content is the body as somebody may look at it: Body, or as JSON the fields of Form
// or the file of Upload, without what makes a link to a file good.
func (c Call) Content() []byte {
	type field struct {
		Name  string `json:"name"`
		Value string `json:"value,omitempty"`
		File  string `json:"file,omitempty"`
	}
	var whole struct {
		Form   []field `json:"form,omitempty"`
		Upload string  `json:"upload,omitempty"`
	}
	for _, f := range c.Form {
		whole.Form = append(whole.Form, field{f.Name, f.Value, bare(f.File)})
	}
	if whole.Upload = bare(c.Upload); len(whole.Form) == 0 && whole.Upload == "" {
		return c.Body
	}
	data, err := json.Marshal(whole)
	if err != nil {
		return nil // it has nothing that has no JSON
	}
	return data
}

// bare is a link without its query.
func bare(link string) string {
	link, _, _ = strings.Cut(link, "?")
	return link
}

// FormField is one part of a Call's form: words, or a file.
type FormField struct {
	Name string
	// Value is what the field says. A secret is written as its placeholder.
	Value string
	// File, in place of Value, is the URL of a file the leg was given (event.Media in
	// a delivery): the bridge sends the file itself. It can be a file the bridge keeps
	// only; where the URL is another, the call is refused with ReasonNotAllowed.
	File string
	// Filename and MIME are what the part says of the file; empty means what the
	// bridge knows of it.
	Filename, MIME string
}

// Capture names a token in the JSON answer to a Call. It is kept sealed for the
// leg; from the Result on Tx.Credential(Name) stands for it, and the Result has
// CapturedMark in its place. A later answer replaces it.
type Capture struct {
	Name string
	// Pointer is the JSON pointer (RFC 6901) of the token, "/session_token".
	Pointer string
}

// CapturedMark stands in a Result where a token was.
const CapturedMark = "[captured]"

// The transports of a connection.
const (
	TransportWebSocket = "websocket" // RFC 6455
	TransportSocketIO  = "socketio"  // Socket.IO protocol 5 over Engine.IO 4, WebSocket only
)

// Dial is one connection to the vendor. It is tried with back-off until it
// stands or GiveUp passes; once it stood it is never dialled again unasked.
// Secrets are written as the placeholder Tx.Credential gives, in URL, Header or
// Protocols.
type Dial struct {
	URL    string
	Header http.Header
	// Protocols are the WebSocket sub-protocols offered.
	Protocols []string
	// Transport is one of the Transport constants; empty means TransportWebSocket.
	Transport string
	// Event is the name our messages go out under, for Socket.IO; empty means
	// "message".
	Event string
	// GiveUp bounds all tries; 0 means one minute.
	GiveUp time.Duration
	// Binds is as in Call.
	Binds bool
}

// Dialing asks for a connection: Opened or Closed comes back under Conn, which
// must not be in use in this leg.
type Dialing struct {
	Conn string
	Dial Dial
}

// Sending writes one message to a connection; its Sent comes back under Tag. In
// the turn of a transient event, and with an empty Tag, it is tried once at most
// and no Sent comes. A secret is written as its placeholder.
type Sending struct {
	Tag    string
	Conn   string
	Data   []byte
	Binary bool
}

// Closing closes a connection with a WebSocket close code; its Closed comes back.
// What was sent before it leaves before it.
type Closing struct {
	Conn string
	Code int
}

// Minting makes a token that opens the leg at an endpoint whose Auth is
// "minted:NAME". Placeholder stands for it in the turn's replies and sends.
type Minting struct {
	Name        string
	Placeholder string
	TTL         time.Duration
}

// Calling asks for a Call; its Result comes back under Tag.
type Calling struct {
	Tag  string
	Call Call
}

// Timer asks for Fired after a time. Setting a name again replaces it.
type Timer struct {
	Name  string
	After time.Duration
}

// TimerStop forgets a timer.
type TimerStop struct{ Name string }

// Binding gives the leg one more key of the vendor's.
type Binding struct{ Key string }

// Learned ties an event to the vendor's id of it, so that receipts find it.
type Learned struct{ Event, Ref string }

// Postponed settles nothing: the delivery is offered again after the leg's next
// other turn.
type Postponed struct{}

// Failure settles the delivery as failed.
type Failure struct{ Reason string }

func (Dialing) effect()   {}
func (Sending) effect()   {}
func (Closing) effect()   {}
func (Minting) effect()   {}
func (Emission) effect()  {}
func (Answer) effect()    {}
func (Holding) effect()   {}
func (Calling) effect()   {}
func (Timer) effect()     {}
func (TimerStop) effect() {}
func (Binding) effect()   {}
func (Learned) effect()   {}
func (Postponed) effect() {}
func (Failure) effect()   {}
