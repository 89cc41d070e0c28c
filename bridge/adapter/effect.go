package adapter

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// Effect is one thing a turn asks for: one of Emission, Answer, Holding,
// Calling, Timer, TimerStop, Binding, Learned, Postponed or Failure. Adapters
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

// Holding keeps the Request named open for a later turn to answer.
type Holding struct{ Request string }

// How a Call may be repeated after an unknown outcome.
const (
	// RepeatMarked repeats until GiveUp and marks each repeat as a possible
	// duplicate. It is the default.
	RepeatMarked = "marked"
	// RepeatKeyed repeats freely: the vendor honours the key in the call.
	RepeatKeyed = "keyed"
	// RepeatNever reports the unknown outcome at once.
	RepeatNever = "never"
)

// Call is one HTTP call to the vendor. Secrets are written as the placeholder
// Tx.Credential gives, in URL, Header or Body.
type Call struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Repeat is one of the Repeat constants; empty means RepeatMarked.
	Repeat string
	// GiveUp bounds all tries, the one under way included; 0 means ten minutes.
	GiveUp time.Duration
	// Binds says the result will bind a key of the vendor's (Tx.Bind); inbound
	// for an unknown key waits meanwhile where the endpoint says so.
	Binds bool
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
