// Package conversation decides who may speak. It is the state machine of one
// conversation: pure, without clock, I/O or goroutine.
//
// Decide takes the state, one input and the facts of the moment, and gives the
// next state with everything that follows from it: the events to record, to
// which legs each goes, and the legs to open and close. The engine stores a Step
// before it acts on any of it.
package conversation

import (
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// Phase is where a conversation stands between software and people.
type Phase string

// The phases. Requested, Queued and Offered are the waiting phases; Returning is
// after a handback was asked for and before the virtual agent has taken over.
const (
	Automated Phase = "automated"
	Requested Phase = "requested"
	Queued    Phase = "queued"
	Offered   Phase = "offered"
	Active    Phase = "active"
	Returning Phase = "returning"
	Ended     Phase = "ended"
)

// Phases lists every phase, in the order a conversation takes them.
func Phases() []Phase {
	return []Phase{Automated, Requested, Queued, Offered, Active, Returning, Ended}
}

// Waiting reports whether a hand-off is under way and not yet accepted.
func (p Phase) Waiting() bool { return p == Requested || p == Queued || p == Offered }

// Leg is one account's side of the conversation. ID counts from "1" within the
// conversation and is never used again.
type Leg struct {
	ID      string     `json:"id"`
	Account string     `json:"account"`
	Role    event.Role `json:"role"`
	// HoldsCustomer says the leg's platform carries the customer too.
	HoldsCustomer bool `json:"holds_customer,omitempty"`
	// PlaceInWords says that the customer behind the leg learns their place in a
	// queue by words alone.
	PlaceInWords bool `json:"place_in_words,omitempty"`
	// Shows lists the extensions the leg's far side may be given, each VENDOR/NAME.
	Shows []string `json:"shows,omitempty"`
	// Detached says nothing is delivered to the leg any more; a detached
	// live-agent leg may still emit wrapup.completed and note.created.
	Detached bool `json:"detached,omitempty"`
}

// Owner is the leg and actor role that may speak to the customer now; the zero
// Owner is nobody.
type Owner struct {
	Leg  string     `json:"leg,omitempty"`
	Role event.Role `json:"role,omitempty"`
}

// State is everything the machine remembers of one conversation. It is stored as
// JSON with every turn; fields are only added.
type State struct {
	Phase Phase `json:"phase"`
	Owner Owner `json:"owner,omitzero"`
	Legs  []Leg `json:"legs,omitempty"`
	// Requester is the leg that asked for the hand-off under way, or made the
	// one that is active.
	Requester string `json:"requester,omitempty"`
	// Candidate is the live-agent leg that is asked now, while waiting.
	Candidate string `json:"candidate,omitempty"`
	// Untried are the accounts of the route not asked yet for this hand-off.
	Untried []string `json:"untried,omitempty"`
	// LastFailure is why the last account asked did not take the hand-off.
	LastFailure string `json:"last_failure,omitempty"`
	// RequestSeq is the position of the open handoff.requested, and the point
	// after which the customer's words have no reader yet if it fails.
	RequestSeq int64 `json:"request_seq,omitempty"`
	// Handoff is the open request without its transcript.
	Handoff event.HandoffRequested `json:"handoff,omitzero"`
	// Transferring says the waiting phase is a transfer; Former is the leg that
	// passes the conversation on, and owns it until it is accepted unless its
	// agent is gone.
	Transferring bool   `json:"transferring,omitempty"`
	Former       string `json:"former,omitempty"`
	// Agent is the live agent who has the conversation.
	Agent event.Actor `json:"agent,omitzero"`
	// ReadSeq is the position of the last event the live agent has read.
	ReadSeq int64 `json:"read_seq,omitempty"`
	// ResumeSeq is the position after which the customer's words are for the
	// virtual agent, while Returning.
	ResumeSeq int64 `json:"resume_seq,omitempty"`
	// Hops counts hand-offs that failed or came straight back, with no word of
	// the customer in between; the guard against two failing sides.
	Hops int `json:"hops,omitempty"`
	// HopAt is when the last of them ended. Two sides that throw a conversation
	// back and forth do it at once; later is another matter.
	HopAt time.Time `json:"hop_at,omitzero"`
	// Deadlines are the timers that run, by name.
	Deadlines map[TimerName]time.Time `json:"deadlines,omitempty"`
	// OpenStreams are the virtual agent's messages begun before its request.
	OpenStreams []string `json:"open_streams,omitempty"`
	// NextLeg is the number the next leg gets.
	NextLeg int `json:"next_leg,omitempty"`
	// LastCustomerSeq and LastAgentSeq are the positions of the last message of
	// the customer, and of the last live agent of this hand-off.
	LastCustomerSeq int64 `json:"last_customer_seq,omitempty"`
	LastAgentSeq    int64 `json:"last_agent_seq,omitempty"`
	// KeptSeq is the position after which the customer's words have been shown to
	// nobody: while Requested that of the request the Candidate began with, while
	// Returning that of the handback.
	KeptSeq int64 `json:"kept_seq,omitempty"`
	// Left is the message the customer was asked to leave, until somebody has it.
	Left Left `json:"left,omitzero"`
	// Rated says that the customer has answered a survey after the end; the bridge
	// takes one such answer.
	Rated bool `json:"rated,omitempty"`
}

// Left is a message left for live agents when nobody took a hand-off. It is open
// until a live agent gets the conversation or says that it is dealt with, through
// the end of the conversation too; the zero Left was not asked for.
type Left struct {
	// Asked is the position from which on words of the customer are the message.
	Asked int64 `json:"asked,omitempty"`
	// Since is when the customer said the first of them; zero as long as they have
	// not.
	Since time.Time `json:"since,omitzero"`
}

// Waits reports whether the customer has left a message that nobody has dealt
// with.
func (l Left) Waits() bool { return !l.Since.IsZero() }

// TimerName names one of the machine's timers.
type TimerName string

// The timers. TimerReturned runs after a handback where the virtual agent's
// platform holds the customer; the conversation then ends silently.
const (
	TimerWaiting         TimerName = "waiting"
	TimerAgentSilence    TimerName = "agent_silence"
	TimerCustomerSilence TimerName = "customer_silence"
	TimerTotal           TimerName = "total"
)

// Timers are a route's limits; 0 switches one off.
type Timers struct {
	Waiting, AgentSilence, CustomerSilence, Total time.Duration
}

// Backend is one live-agent account of the route, in the route's order.
type Backend struct {
	Account string
	// Refusal is why it takes nothing now, one of the event.Failed constants;
	// empty means it can be asked.
	Refusal string
	// Own says that its people are at the bridge's own desk: they may take a left
	// message up themselves.
	Own bool
}

// Facts are what the moment says: the route's settings and the world outside
// the conversation.
type Facts struct {
	Now      time.Time
	Timers   Timers
	Backends []Backend
	// LeaveMessage says that when nobody takes a hand-off the customer is asked
	// to leave a message, instead of going back to the virtual agent silently.
	LeaveMessage bool
	// Text gives a system text by key, in the customer's language; "" means the
	// text is switched off.
	Text func(key string) string
	// UpTo is the position of the event a handback or receipt names; 0 if it
	// names none.
	UpTo int64
	// Settled is the position of the last event the emitting leg has settled.
	Settled int64
	// NextSeq is the position the first recorded event of this step will get.
	NextSeq int64
}

// Input is one thing that happened: an emission of a leg, or with Leg "" of the
// bridge itself or of a live agent at its own desk who has no leg, or a timer that
// is due.
type Input struct {
	Leg   string
	Actor event.Actor
	Body  event.Body
	// Timer is set instead of Body when a deadline has passed.
	Timer TimerName
}

// Draft is an event to record. To lists the legs it is delivered to. Leg is
// where it came from; "" is the bridge.
type Draft struct {
	Leg   string
	Actor event.Actor
	Body  event.Body
	To    []string
	// Input says the draft is the input itself, which keeps its id, Ref and
	// Vendor.
	Input bool
}

// Resume gives a leg the customer's words recorded after a position, before
// anything else.
type Resume struct {
	Leg   string
	After int64
}

// Step is what follows from one input.
type Step struct {
	State  State
	Drafts []Draft
	// Refused is why the state does not allow the input; State is then
	// unchanged and Drafts empty. It is one of the Refused constants.
	Refused string
	// Open are the legs to open; they are in State.Legs already and begin with
	// the first draft addressed to them.
	Open []Leg
	// Closed are the legs detached by this step.
	Closed []string
	Resume []Resume
	// HandoffOver says a hand-off of the requester ended: failed, cancelled,
	// given back or with the conversation.
	HandoffOver bool
}

// Why an input is refused.
const (
	RefusedEnded    = "ended"            // the conversation is over
	RefusedNotOwner = "not_owner"        // only the owner speaks to the customer
	RefusedTaken    = "already_accepted" // another live agent was first
	RefusedNoOffer  = "no_offer"         // no hand-off is open that this leg was asked to take, and no message was left
	RefusedOpen     = "handoff_open"     // a hand-off is under way already
	RefusedRole     = "role"             // this role may not say this
	RefusedState    = "state"            // nothing for this input to act on
	RefusedDetached = "detached"         // the leg has left the conversation
)
