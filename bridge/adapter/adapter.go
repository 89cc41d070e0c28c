// Package adapter is what an author of an adapter writes against.
//
// An adapter translates between one vendor's frames and the canonical events of
// package event. It is a function of (state, input) to (state, effects): it
// opens no socket, reads no clock, keeps no secret and remembers nothing between
// turns but the state it hands back. The bridge stores the effects of a turn
// before it acts on them, so a crash of the adapter loses nothing, and a test of
// an adapter is a text file (package adaptertest).
//
// An author writes a Definition: a Manifest that says what the adapter can do,
// a Configure function that fits it to one account, and an Adapter made with
// Func or ByRole. Package serve runs a Definition as a plugin process.
package adapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// ErrUnsupported is returned by an Adapter that does not know an input. The turn
// is counted and otherwise treated as if nothing had happened.
var ErrUnsupported = errors.New("unsupported input")

// Adapter handles one turn of one leg. It is called for one turn of a leg at a
// time; turns of different legs may run at once, so an Adapter holds no state of
// its own. An error other than ErrUnsupported discards everything the turn
// recorded; the turn is tried again and after three times becomes a dead letter.
type Adapter interface {
	Handle(tx *Tx, in Input) error
}

// Upgrader is implemented by an Adapter whose state changed its form. It is
// called with a state an older version wrote, before the turn.
type Upgrader interface {
	Upgrade(from int, state []byte) ([]byte, error)
}

// Definition is a whole adapter: what serve runs and adaptertest tests.
type Definition struct {
	Manifest Manifest
	// Configure fits the manifest to one account. It is called at start and on
	// every reload, and reports settings it cannot work with as an error that
	// names the setting and the mend. It must be deterministic.
	Configure func(Account) (Profile, error)
	Adapter   Adapter
	// Unknown counts what of a frame of the vendor's the adapter does not know, by
	// what it is; codec.Words makes it from a table. It is asked for the body of
	// every request and frame, and of the answers to calls the manifest has a
	// Sample for. It must be deterministic; nil counts nothing.
	Unknown func(data []byte) map[string]int
}

// Check says what the definition lacks to be run; serve and adaptertest ask before
// anything else.
func (d Definition) Check() error {
	switch {
	case d.Configure == nil:
		return errors.New("the adapter's Definition has no Configure: set the function that gives an account's Profile")
	case d.Adapter == nil:
		return errors.New("the adapter's Definition has no Adapter: set what handles its inputs, such as adapter.Func(handle)")
	}
	return nil
}

// Account is one configured login of a vendor, as the adapter may see it:
// without its secrets.
type Account struct {
	Name     string          `json:"name"`
	Role     event.Role      `json:"role"`
	Settings json.RawMessage `json:"settings,omitempty"`
	// Credentials names the credentials the account is to have, never their values. An
	// account of which one is not set makes no calls.
	Credentials []string `json:"credentials,omitempty"`
	// PublicURL is where the bridge serves the account's endpoints, without a
	// trailing slash: https://host/in/NAME.
	PublicURL string `json:"public_url,omitempty"`
}

// Turn is one call of an adapter for one leg: everything the adapter may know.
type Turn struct {
	// ID is unique and the same when the turn is repeated; ids and credential
	// placeholders derive from it.
	ID      string
	Account Account
	// Key is the leg's key at the vendor, or the conversation's id for a leg
	// the bridge opened that has not been bound yet.
	Key          string
	Conversation string
	Now          time.Time
	State        []byte
	StateVersion int
	// Placeholders stand for the account's credentials, by name.
	Placeholders map[string]string
	Input        Input
}

// Outcome is what one turn came to. Err is empty when the turn is good; State
// and Effects count only then.
type Outcome struct {
	State        []byte
	StateVersion int
	Effects      []Effect
	Err          string
	Unsupported  bool
	// Unknown counts what of the input the adapter does not know, by what it is;
	// see the Unknown constants. It is nil where everything is known.
	Unknown map[string]int
}

// What of a vendor's frame an adapter may not know. Whatever it is, the rest of
// the frame keeps its meaning.
const (
	UnknownFrame = "frame" // a frame of a kind that is not among the vendor's
	UnknownField = "field" // a field that no frame of the vendor's has
	UnknownValue = "value" // a value that is not among a field's
	UnknownType  = "type"  // a value of another JSON type than the field's
)

// Run performs one turn. It recovers panics of the adapter and reports them as
// an error of the turn. It is safe for concurrent use.
func Run(d Definition, t Turn) (out Outcome) {
	tx := newTx(t, d.Manifest.StateVersion)
	defer func() {
		if p := recover(); p != nil {
			out = Outcome{Err: fmt.Sprintf("panic: %v", p)}
		}
	}()
	if err := upgrade(d, tx); err != nil {
		return Outcome{Err: fmt.Sprintf("upgrade state from version %d: %v", t.StateVersion, err)}
	}
	switch err := d.Adapter.Handle(tx, t.Input); {
	case errors.Is(err, ErrUnsupported):
		return Outcome{State: t.State, StateVersion: t.StateVersion, Unsupported: true, Unknown: d.unknown(t.Input)}
	case err != nil:
		return Outcome{Err: err.Error()}
	}
	return Outcome{State: tx.state, StateVersion: d.Manifest.StateVersion, Effects: tx.effects, Unknown: d.unknown(t.Input)}
}

// unknown counts what the adapter does not know of what the vendor wrote.
func (d Definition) unknown(in Input) map[string]int {
	if d.Unknown == nil {
		return nil
	}
	switch in := in.(type) {
	case Request:
		return d.Unknown(in.Body)
	case Frame:
		return d.Unknown(in.Data)
	case Result:
		told := func(s Sample) bool {
			return strings.HasPrefix(in.Tag, s.Tag) && len(s.Body) > 0 && string(s.Body) != "{}"
		}
		if in.OK() && slices.ContainsFunc(d.Manifest.Samples, told) {
			return d.Unknown(in.Body)
		}
	}
	return nil
}

func upgrade(d Definition, tx *Tx) error {
	from := tx.turn.StateVersion
	if len(tx.state) == 0 || from == d.Manifest.StateVersion {
		return nil
	}
	u, ok := d.Adapter.(Upgrader)
	if !ok {
		return fmt.Errorf("the adapter reads version %d only", d.Manifest.StateVersion)
	}
	state, err := u.Upgrade(from, tx.state)
	tx.state = state
	return err
}

// Func makes an Adapter with typed state, as http.HandlerFunc makes a handler.
// S is read from and written to JSON around each turn; a leg without state yet
// begins with the zero S.
func Func[S any](h func(tx *Tx, s *S, in Input) error) Adapter { return typed[S]{h} }

type typed[S any] struct {
	handle func(tx *Tx, s *S, in Input) error
}

func (f typed[S]) Handle(tx *Tx, in Input) error {
	var s S
	if len(tx.state) > 0 {
		if err := json.Unmarshal(tx.state, &s); err != nil {
			return fmt.Errorf("read state: %w", err)
		}
	}
	if err := f.handle(tx, &s, in); err != nil {
		return err
	}
	var state bytes.Buffer
	w := json.NewEncoder(&state)
	w.SetEscapeHTML(false) // a & takes one byte of the room, and not six
	if err := w.Encode(s); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	tx.state = bytes.TrimSuffix(state.Bytes(), []byte("\n"))
	return nil
}

// ByRole makes an Adapter of one Adapter a role.
func ByRole(roles map[event.Role]Adapter) Adapter { return byRole(roles) }

type byRole map[event.Role]Adapter

func (r byRole) Handle(tx *Tx, in Input) error {
	a, ok := r[tx.turn.Account.Role]
	if !ok {
		return fmt.Errorf("role %s is not served", tx.turn.Account.Role)
	}
	return a.Handle(tx, in)
}
