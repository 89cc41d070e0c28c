// Package journal says what is stored and how it is asked for. It holds records
// only; package sqlite beneath it stores them, and the engine declares which of
// its methods it needs.
//
// Everything a person said or a vendor sent is sealed under its conversation's
// own key before it reaches the disk; what lies open is what is looked up.
package journal

import (
	"errors"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// ErrFenced says the conversation was changed by somebody else since it was
// loaded; nothing of the commit was stored.
var ErrFenced = errors.New("conversation changed since it was loaded")

// ErrNotFound says there is no such record.
var ErrNotFound = errors.New("not found")

// ErrDamaged says stored bytes do not match their digest. What is damaged is
// reported and never served.
var ErrDamaged = errors.New("stored data is damaged")

// ErrKeyTaken says an (account, key) already leads to another leg.
var ErrKeyTaken = errors.New("key belongs to another leg")

// ErrErased says the content was destroyed with its conversation's key. What
// lies open about the conversation is still there.
var ErrErased = errors.New("content was erased")

// ErrReading says that what was erased cannot be taken out of the log yet, for
// somebody reads the journal for long. Erase again.
var ErrReading = errors.New("the log that may still hold destroyed keys is in use")

// ErrRepeated says an idempotency key was used before and has not expired;
// nothing of the commit was stored.
var ErrRepeated = errors.New("idempotency key was used before")

// ErrClosed says the journal takes nothing more: it was closed, or a write to
// its disk failed and the process has to be started again.
var ErrClosed = errors.New("journal is closed")

// Frame is one input as it came from outside, stored before anybody acts on it.
// IDs sort by time of arrival.
type Frame struct {
	ID           string
	Conversation string
	Leg          string
	Account      string
	Endpoint     string
	Received     time.Time
	// Data is the whole input in the engine's encoding; it is stored sealed.
	Data []byte
	// Dedup is the vendor's id of the input; "" means it has none.
	Dedup string
	// DedupWhile is how long Dedup is remembered: WhileHandoff until the leg is
	// named in Commit.Forget, otherwise for ever.
	DedupWhile string
	// Mark tells a signed frame from every other of its endpoint until MarkUntil,
	// whatever has become of its conversation; "" for one that is not signed.
	Mark      string
	MarkUntil time.Time
	// ReplyBy is when a held answer is due; zero where the endpoint acknowledges.
	ReplyBy time.Time
	// Outcome is empty until a turn has dealt with the frame.
	Outcome string
}

// How a frame ends.
const (
	FrameDone = "done" // a turn has dealt with it
	FrameDead = "dead" // it became a dead letter
	// FrameConflict has another body than the one its dedup id came with first: it is
	// kept, and no turn has it.
	FrameConflict = "conflict"
)

// WhileHandoff remembers a dedup id as long as the hand-off is open.
const WhileHandoff = "handoff"

// Accepted is what became of a frame offered to the journal.
type Accepted struct {
	// Duplicate is the id of the frame that has the same dedup id or mark; "" if
	// none.
	Duplicate string
	// Reply is the answer committed for the duplicate, if there is one.
	Reply []byte
}

// Turn is what one commit was, as its author tells: what came, what was sent and
// how it went. Number is the version of the conversation that the commit made.
type Turn struct {
	Number int64
	At     time.Time
	// Leg is the one it was a turn of; "" where it was the bridge's own.
	Leg string
	// Data is the telling in the engine's encoding; it is stored sealed.
	Data []byte
}

// Leg is one leg as it is stored. ID is unique across conversations.
type Leg struct {
	ID           string
	Conversation string
	Account      string
	Role         event.Role
	// Data is the engine's own state of the leg; it is stored sealed.
	Data []byte
}

// Key leads from a vendor's key to a leg.
type Key struct {
	Account, Key, Leg string
	// From is the leg the key is taken over from, its conversation having ended;
	// "" means the key must be free, or lead to Leg already.
	From string
}

// Ref ties a vendor's id to an event of a leg. Kind is empty for ids learned of
// events we sent.
type Ref struct {
	Leg   string
	Kind  event.Kind
	Ref   string
	Event string
}

// Index is what conversations are found by.
type Index struct {
	State string
	Owner string
	Route string
	Queue string
	Agent string
	// Left is since when a message the customer left waits; zero for none.
	Left time.Time
	// Summary is what a list shows, in the API's form; it is stored sealed.
	Summary []byte
}

// Delivery is the outcome of one event at one leg. Every event has exactly one
// for each leg it is for.
type Delivery struct {
	Event          string
	Leg            string
	Outcome        string
	Reason         string
	MaybeDuplicate bool
	At             time.Time
}

// The outcomes of a delivery.
const (
	Delivered    = "delivered"
	Failed       = "failed"
	Dead         = "dead"
	Undelivered  = "undelivered" // the leg left before its turn came
	RefusedEvent = "refused"     // the conversation did not allow it
	Erased       = "erased"      // the conversation was erased before its turn came
)

// StateEnded is Index.State of a conversation that is over.
const StateEnded = "ended"

// DeadLetter is an input whose turn failed for good.
type DeadLetter struct {
	ID           string
	Conversation string
	Leg          string
	Account      string
	Adapter      string
	Version      string
	// Frame is the frame it came from, "" when it was no frame.
	Frame  string
	Reason string
	// Input is the input in the engine's encoding; it is stored sealed.
	Input    []byte
	At       time.Time
	Replayed time.Time
}

// Idempotent remembers what an API call with an Idempotency-Key came to.
type Idempotent struct {
	Token, Key string
	Digest     []byte
	Event      string
	Expires    time.Time
}

// Commit is everything one turn stores, in one transaction or not at all.
type Commit struct {
	Conversation string
	// Version is the version the conversation was loaded with; 0 creates it.
	Version int64
	Created time.Time
	Updated time.Time
	// State is the engine's own state of the conversation; it is stored sealed.
	State []byte
	Index Index
	// Wake is when the conversation next needs the engine by itself; zero means
	// never. Time in the past means as soon as possible after a start.
	Wake   time.Time
	Legs   []Leg
	Keys   []Key
	Refs   []Ref
	Events []event.Event
	// Frames are frames accepted in this very commit.
	Frames []Frame
	// Ended are frames dealt with, by id, with their outcome.
	Ended map[string]string
	// Replies are the answers given to held frames, by frame id; stored sealed.
	Replies map[string][]byte
	// Forget are legs whose dedup ids kept "while the hand-off is open" go.
	Forget      []string
	Deliveries  []Delivery
	DeadLetters []DeadLetter
	Idempotent  *Idempotent
	// Told is what the commit was; empty Data tells nothing.
	Told Turn
}

// Conversation is what the engine needs to go on with a conversation.
type Conversation struct {
	ID      string
	Version int64
	Created time.Time
	Updated time.Time
	Seq     int64
	State   []byte
	Legs    []Leg
	// Pending are the frames no turn has dealt with, in order of arrival.
	Pending []Frame
}

// Waking says when a conversation next needs the engine.
type Waking struct {
	Conversation string
	At           time.Time
}

// Positioned is an event with its place in the journal as a whole, from 1.
type Positioned struct {
	Position int64
	Event    event.Event
}

// Filter chooses conversations for a list; empty fields choose all.
type Filter struct {
	State, Owner, Queue, Account, Agent, Route string
	Since                                      time.Time
	// Left chooses those where a message the customer left waits.
	Left bool
	// Before is the id of the last conversation of the page before; the list is
	// newest first.
	Before string
	Limit  int
}

// Listed is one row of a list.
type Listed struct {
	ID      string
	Created time.Time
	Updated time.Time
	Index   Index
	// Erased says the content is gone; Index.Summary is then empty.
	Erased bool
}

// Counts is how much of everything the journal holds, for metrics and pages.
type Counts struct {
	// Conversations are counted by the state of their index.
	Conversations map[string]int64
	// Deliveries are counted by outcome.
	Deliveries map[string]int64
	// Events were stored since the journal began.
	Events int64
	// Pending are the frames no turn has dealt with.
	Pending int64
	// DeadLetters are those that were not replayed.
	DeadLetters int64
	// Left are the conversations where a message the customer left waits.
	Left int64
}
