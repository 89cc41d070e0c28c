package adapter

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// Input is what a turn is about: one of Request, Deliver, Result, Fired,
// Expired, Opened, Frame, Closed, Sent, Reconcile or Check. Inputs are added when an adapter first needs them; answer an input
// you do not know with ErrUnsupported.
type Input interface{ input() }

// Request is a call of the vendor at one of the adapter's endpoints. It is
// stored, and where the endpoint answers "ack" answered, before the turn.
type Request struct {
	// ID names the request in Reply, Hold and Expired.
	ID       string
	Endpoint string
	Method   string
	// Path is the path below the account's own, with a leading slash.
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
	// ReplyBy is when the vendor must have its answer, for an endpoint that
	// answers "reply"; zero otherwise.
	ReplyBy time.Time
}

// Deliver passes an event on to the vendor. The next one follows when this one
// is settled: by the end of the turn, or when no tag set in serving it is open.
type Deliver struct {
	Event event.Event
	// MaybeDuplicate says an earlier try may have reached the vendor.
	MaybeDuplicate bool
}

// The reasons of a Result without an answer, or with one that is not certain.
const (
	ReasonUnknown     = "unknown"      // the answer never came; the vendor may have acted
	ReasonBreakerOpen = "breaker_open" // not sent: the far side is known to be down
	ReasonTimeout     = "timeout"      // not sent in time
	ReasonRefused     = "refused"      // not sent: nobody took the connection
	ReasonNotAllowed  = "not_allowed"  // not sent: the address is not on the account's list
	ReasonTooLarge    = "too_large"    // the answer was larger than the limit
	ReasonCancelled   = "cancelled"    // not sent: the conversation went on without it
)

// Result is how a Call ended. Every call ends in exactly one Result, across
// restarts. Status is 0 where there was no answer; Reason then says why. With
// ReasonUnknown, Status, Header and Body are the answer to Call.Readback, where there is
// one: bind what it has, or call again under a new tag where it has nothing.
type Result struct {
	Tag    string
	Status int
	Header http.Header
	Body   []byte
	Reason string
	// MaybeDuplicate says the call was repeated after an unknown outcome.
	MaybeDuplicate bool
}

// OK reports whether the vendor answered with success.
func (r Result) OK() bool { return r.Reason == "" && r.Status >= 200 && r.Status < 300 }

// Refused reports whether the same call would be refused again: by the vendor, who
// answered that it is at fault (4xx, but for 429), or by the bridge before it left
// (ReasonNotAllowed).
func (r Result) Refused() bool {
	answered := r.Reason == "" && r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests
	return answered || r.Reason == ReasonNotAllowed
}

// MayHaveActed reports whether the vendor may have done what the call asks for: it says
// so, failed over it (5xx), or its answer was lost or too large. Where an answer does not
// name what was made, it is to be looked for before it is made again.
func (r Result) MayHaveActed() bool {
	return r.OK() || r.Reason == ReasonUnknown || r.Reason == ReasonTooLarge || r.Reason == "" && r.Status >= 500
}

// Fault says in words for people how a call failed; it is empty when it did not.
// credential names the account's credential that a vendor who refuses us wants to
// be checked; empty names none.
func (r Result) Fault(credential string) string {
	switch refused := r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden; {
	case r.OK():
		return ""
	case r.Reason != "":
		return "no answer: " + r.Reason
	case refused && credential != "":
		return fmt.Sprintf("answered %d: check the account's %s", r.Status, credential)
	}
	return fmt.Sprintf("answered %d", r.Status)
}

// Fired says a timer set with After is due.
type Fired struct{ Timer string }

// The reasons of an Expired.
const (
	ExpiredDeadline = "deadline" // ReplyBy passed without a Reply
	ExpiredLost     = "lost"     // the bridge restarted and the vendor did not ask again
)

// Expired says a request that was held can no longer be answered.
type Expired struct{ Request, Reason string }

// Opened says a connection stands: one the adapter dialled (Endpoint is empty), or
// one that somebody opened at an endpoint with a Transport. Conn names it in
// Send, Close, Frame and Closed.
type Opened struct {
	Conn     string
	Endpoint string
	// Path, Query and Header are those of the request that opened a served one;
	// credentials among them are masked.
	Path   string
	Query  url.Values
	Header http.Header
}

// Frame is one message of the far side on a connection. It is stored before its
// turn. Event is its name where the transport has names (Socket.IO).
type Frame struct {
	Conn   string
	Event  string
	Data   []byte
	Binary bool
}

// The reasons of a Closed.
const (
	ClosedByPeer     = "peer"        // the far side closed it
	ClosedByUs       = "closed"      // the adapter closed it
	ClosedLost       = "lost"        // the connection broke, or the bridge restarted
	ClosedReplaced   = "replaced"    // a newer connection with the same key took its place
	ClosedDialFailed = "dial_failed" // it never stood
	ClosedUnfilled   = "unfilled"    // nobody was dialled: an observer's address lacks a fact of the conversation, which the live agent was told
)

// Closed says a connection is gone. Every connection dialled or served ends in
// exactly one Closed, across restarts. Code is the WebSocket close code (RFC 6455
// section 7.4), 0 where there was none; Status is the HTTP status of a dial that
// was answered with something else than a connection.
type Closed struct {
	Conn   string
	Code   int
	Status int
	Reason string
}

// How a Send ended.
const (
	SentWritten = "written" // handed to the connection; most vendors confirm nothing more
	SentUnsent  = "unsent"  // the connection was not there: nothing left
	SentUnknown = "unknown" // it may have left
)

// Sent is how a Send ended. Every send with a tag ends in exactly one Sent,
// across restarts.
type Sent struct{ Tag, Outcome string }

// Reconcile asks the leg to read back what its vendor may have told us while nobody
// listened. It comes where Profile.Reconcile says so: after a start of the bridge,
// after the vendor was out of reach, and every few minutes, to every leg that is
// attached. What was emitted before with the same kind and Ref is not new when it is
// emitted again, so the answer to the read may be emitted whole.
type Reconcile struct {
	// Since is two minutes before the vendor was last heard from; before it nothing
	// can be missing.
	Since time.Time
}

// Check asks an account to prove itself before there is traffic: that its credentials
// are good, that what its settings name is there at the vendor, and that the vendor will
// call the bridge at Account.PublicURL. It is of the account, not of a leg: key and
// conversation are empty, nothing of it is stored, and Call and Report are its only
// effects. It ends with Tx.Report, within a minute.
type Check struct {
	// ID names the check in Report.
	ID string
	// Create says that what is missing at the vendor, such as a webhook, may be made.
	Create bool
}

func (Check) input()     {}
func (Reconcile) input() {}
func (Opened) input()    {}
func (Frame) input()     {}
func (Closed) input()    {}
func (Sent) input()      {}
func (Request) input()   {}
func (Deliver) input()   {}
func (Result) input()    {}
func (Fired) input()     {}
func (Expired) input()   {}
