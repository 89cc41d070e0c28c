package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Native is the name of the adapter that is built in: its legs have no plugin,
// their far side reads the journal and speaks through the API.
const Native = "native"

// Account is one configured account as the engine needs it.
type Account struct {
	Name        string
	Adapter     string
	Role        event.Role
	Settings    json.RawMessage
	Credentials []string
	PublicURL   string
	// Language is the one conversations of the account begin in.
	Language string
	Profile  adapter.Profile
	// Unready is why the account makes no calls and takes no hand-offs, for
	// example a credential that is not set; empty means it is ready.
	Unready string
	// FailUnknown says a call with an unknown outcome is not repeated unless
	// the vendor honours a key.
	FailUnknown bool
	// Reconcile is how often legs of the account read back what its vendor may have
	// told us unheard; 0 is never.
	Reconcile time.Duration
	// Anybody says that whoever reaches the account's endpoints may speak as its
	// far side: what it says of a conversation is nobody's word.
	Anybody bool
}

// Native reports whether the account is served by the bridge itself.
func (a Account) Native() bool { return a.Adapter == Native }

// extensions are those the account's far side may be given, each VENDOR/NAME.
func (a Account) extensions() []string {
	var out []string
	for _, name := range a.Profile.Levels.Extensions {
		out = append(out, a.Adapter+"/"+name)
	}
	return out
}

// Route says which accounts work together.
type Route struct {
	Name         string
	Customer     string
	VirtualAgent string
	LiveAgents   []string
	// Observers are the accounts that listen, and the kind of event with which
	// each begins to.
	Observers    []Listening
	Queue        string
	Match        Match
	Timers       conversation.Timers
	LeaveMessage bool
	// TrustCustomer lets facts that only the customer's side gave fill the
	// addresses of observers.
	TrustCustomer bool
}

// Listening is an observer's account and the kind of event with which it begins.
type Listening struct {
	Account string
	OpenOn  event.Kind
}

// Entry is the account a conversation of the route begins at.
func (r Route) Entry() string {
	if r.Customer != "" {
		return r.Customer
	}
	return r.VirtualAgent
}

// Match narrows a route; zero fields match everything.
type Match struct {
	Queue, Language string
	Attributes      map[string]string
}

// Setup is the configuration the engine works by. It is replaced as a whole;
// conversations that run keep their route by name.
type Setup struct {
	Accounts map[string]Account
	Routes   []Route
	// Text gives a system text by language and key; "" switches it off.
	Text func(language, key string) string
}

func (s *Setup) routeNamed(name string) (Route, bool) {
	for _, r := range s.Routes {
		if r.Name == name {
			return r, true
		}
	}
	return Route{}, false
}

func (m Match) covers(o Match) bool {
	if m.Queue != "" && m.Queue != o.Queue || m.Language != "" && m.Language != o.Language {
		return false
	}
	for k, v := range m.Attributes {
		if o.Attributes[k] != v {
			return false
		}
	}
	return true
}

// Intake stores what comes from outside and finds whose it is.
type Intake interface {
	AcceptFrame(context.Context, journal.Frame) (journal.Accepted, error)
	FindLeg(ctx context.Context, account, key string) (journal.Leg, error)
	Reply(ctx context.Context, frame string) ([]byte, error)
}

// Marks remembers what was signed and taken.
type Marks interface {
	Marked(ctx context.Context, account, endpoint, mark string) (until time.Time, err error)
}

// Committer stores turns and gives conversations back.
type Committer interface {
	Commit(context.Context, journal.Commit) error
	Load(ctx context.Context, conversation string) (journal.Conversation, error)
	Waking(context.Context) ([]journal.Waking, error)
}

// Reader reads what was recorded.
type Reader interface {
	Events(ctx context.Context, conversation string, after int64, limit int) ([]event.Event, error)
	Event(ctx context.Context, id string) (event.Event, error)
	Ref(ctx context.Context, leg string, kind event.Kind, ref string) (string, error)
}

// Outcomes tells what became of a conversation's events at each leg, and of an input.
type Outcomes interface {
	Frame(ctx context.Context, conversation, id string) (journal.Frame, error)
	Deliveries(ctx context.Context, conversation string) ([]journal.Delivery, error)
}

// Ledger remembers API calls and dead letters.
type Ledger interface {
	Idempotent(ctx context.Context, token, key string) (journal.Idempotent, error)
	DeadLetter(ctx context.Context, id string) (journal.DeadLetter, error)
	MarkReplayed(ctx context.Context, id string, at time.Time) error
}

// Eraser destroys the content of conversations.
type Eraser interface {
	Erase(ctx context.Context, conversation string, why journal.Audit) error
}

// Drainer remembers which accounts take nothing new.
type Drainer interface {
	Drain(ctx context.Context, account string, drained bool, who journal.Audit) error
	Drained(context.Context) ([]string, error)
}

// Journal is everything the engine asks of the journal.
type Journal interface {
	Intake
	Marks
	Committer
	Reader
	Outcomes
	Ledger
	Eraser
	Drainer
}

// Turner runs one turn of an adapter. An error means the turn did not run to
// its end; ErrUnavailable in its chain means it did not begin.
type Turner interface {
	Turn(ctx context.Context, adapter string, t adapter.Turn) (adapter.Outcome, error)
}

// Attempt is one try of a call and what came of it.
type Attempt struct {
	Status int
	Header map[string][]string
	Body   []byte
	// Reason is one of the adapter.Reason constants when there is no answer.
	Reason string
	// RetryAfter is what the far side asked for, 0 if nothing.
	RetryAfter time.Duration
}

// Caller makes one try of an HTTP call. It never retries.
type Caller interface {
	// tokens are the leg's captured tokens, by name.
	Call(ctx context.Context, account, turn string, tokens map[string]string, c adapter.Call) Attempt
}

// Media keeps the files of conversations.
type Media interface {
	// Claim gives a file an adapter tells of the handle it will be kept under. The
	// same event gives the same handle; a handle the file has already goes.
	Claim(conversation, eventID string, m event.Media) event.Media
	// Link gives the file of a message as a far side can have it. pending asks to
	// be asked again soon; refused is why the far side cannot have it.
	Link(ctx context.Context, e event.Event, m event.Media) (out event.Media, pending bool, refused string)
}

// Desk answers for the live-agent accounts whether they take a hand-off now.
type Desk interface {
	// Refusal is why the account takes no hand-off for the queue now, one of
	// the event.Failed constants; "" means it does.
	Refusal(account, queue string) string
	// Placeholders gives a turn's stand-ins for an account's credentials and for
	// the captured tokens named.
	Placeholders(account, turn string, tokens []string) map[string]string
	// Mint makes a token that is good for one leg's key at the endpoints that ask
	// for tokens of that name, until it expires.
	Mint(account, key, name string, at time.Time, ttl time.Duration) string
}

// TurnReport says how one call of an adapter went: Outcome is good, unsupported,
// failed or died.
type TurnReport struct {
	Account, Adapter, Outcome string
	Took                      time.Duration
	// ReadsBack says the turn was to read back what the vendor may have told unheard.
	ReadsBack bool
	// Unknown is adapter.Outcome.Unknown. A turn that is repeated says it again.
	Unknown map[string]int
}

// Observer is told what the engine did, for metrics and for live views. Its
// methods must not block.
type Observer interface {
	Committed(c journal.Commit, took time.Duration)
	Turned(t TurnReport)
	Transient(e event.Event)
}
