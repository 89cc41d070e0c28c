package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Account is how one account stands now.
type Account struct {
	Name    string `json:"name"`
	Adapter string `json:"adapter"`
	Role    string `json:"role"`
	Ready   bool   `json:"ready"`
	// Unready is why it makes no calls and takes no hand-offs.
	Unready string `json:"unready,omitempty"`
	// Drained says that an operator lets it take nothing new.
	Drained bool `json:"drained,omitempty"`
	// Breakers are the states of its circuit breakers by host.
	Breakers map[string]string `json:"breakers,omitempty"`
	// Guards are the same with since when, why, and when the next try is.
	Guards []Guard `json:"guards,omitempty"`
	// Feeds are the connections on which its vendor speaks to it.
	Feeds []Listening `json:"feeds,omitempty"`
	// Version is the adapter's, Backlog how many frames wait for their turn.
	Version string `json:"version,omitempty"`
	Backlog int64  `json:"backlog"`
	// Open says its unsigned endpoints answer anybody.
	Open bool `json:"allow_unauthenticated,omitempty"`
	// Capabilities are what its far side carries.
	Capabilities adapter.Levels `json:"capabilities"`
	// Assumptions are what could not be confirmed of its vendor.
	Assumptions []string `json:"assumptions,omitempty"`
}

// Guard is how one circuit breaker of an account stands.
type Guard struct {
	Host  string `json:"host"`
	State string `json:"state"`
	// Since is of the last change; it is left out where there was none.
	Since time.Time `json:"since,omitzero"`
	// Next is when an open one lets a try through.
	Next time.Time `json:"next,omitzero"`
	// Reason is what went wrong last.
	Reason string `json:"reason,omitempty"`
}

// Listening is how one connection stands on which an account's vendor speaks.
type Listening struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
	// Since is when that began; Reason is why it is not up.
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
}

// Adapter is how one plugin stands now.
type Adapter struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	// State is the supervisor's word, Breaker the circuit breaker's.
	State    string    `json:"state"`
	Breaker  string    `json:"breaker,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Pid      int       `json:"pid,omitempty"`
	Restarts int       `json:"restarts"`
	Since    time.Time `json:"since,omitzero"`
	// Sandbox is what keeps the process in.
	Sandbox string `json:"sandbox,omitempty"`
}

// AccountList is every account.
type AccountList struct {
	Accounts []Account `json:"accounts"`
}

// AdapterList is every plugin.
type AdapterList struct {
	Adapters []Adapter `json:"adapters"`
}

// Party is one account of a Pairing.
type Party struct {
	Account string     `json:"account"`
	Adapter string     `json:"adapter"`
	Role    event.Role `json:"role"`
}

// Pairing is what passes between a front end, which has the customer and may have
// a virtual agent behind it, and a back end: a level of full, partial, fallback,
// dropped or rejected for each capability.
type Pairing struct {
	Front        Party             `json:"front"`
	VirtualAgent *Party            `json:"virtual_agent,omitempty"`
	Back         Party             `json:"back"`
	Levels       map[string]string `json:"levels"`
}

// PairingList is every front end with every back end.
type PairingList struct {
	Pairings []Pairing `json:"pairings"`
}

// Frame is one input as it came from a vendor.
type Frame struct {
	ID       string    `json:"id"`
	Leg      string    `json:"leg"`
	Account  string    `json:"account"`
	Endpoint string    `json:"endpoint"`
	Received time.Time `json:"received"`
	// Outcome is empty until a turn has dealt with it; "conflict" is another body under an id that came before.
	Outcome string     `json:"outcome,omitempty"`
	Dedup   string     `json:"dedup,omitempty"`
	Method  string     `json:"method,omitempty"`
	Path    string     `json:"path,omitempty"`
	Query   url.Values `json:"query,omitempty"`
	// Connection says what a connection brought: opened, message (with the Event
	// of Socket.IO) or closed (with Status and Reason).
	Connection string `json:"connection,omitempty"`
	Event      string `json:"event,omitempty"`
	Status     int    `json:"status,omitempty"`
	Reason     string `json:"reason,omitempty"`
	// Body is the body as JSON; Text is it where it is not JSON.
	Body json.RawMessage `json:"body,omitempty"`
	Text string          `json:"text,omitempty"`
}

// FrameList is one page of frames, in order of arrival.
type FrameList struct {
	Frames []Frame `json:"frames"`
	Next   *string `json:"next"`
}

// DeadLetter is an input whose turn failed for good.
type DeadLetter struct {
	ID           string     `json:"id"`
	Conversation string     `json:"conversation"`
	Leg          string     `json:"leg"`
	Account      string     `json:"account"`
	Adapter      string     `json:"adapter"`
	Version      string     `json:"version,omitempty"`
	Frame        string     `json:"frame,omitempty"`
	Reason       string     `json:"reason"`
	At           time.Time  `json:"at"`
	Replayed     *time.Time `json:"replayed"`
}

// DeadLetterList is one page of dead letters.
type DeadLetterList struct {
	DeadLetters []DeadLetter `json:"dead_letters"`
	Next        *string      `json:"next"`
}

// Replayed says a dead letter was given to its conversation again.
type Replayed struct {
	ID       string `json:"id"`
	Replayed bool   `json:"replayed"`
}

func (a *API) listAccounts(w http.ResponseWriter, r *http.Request, _ principal) error {
	backlog, err := a.Journal.Backlog(r.Context())
	if err != nil {
		return err
	}
	out := AccountList{Accounts: append([]Account{}, a.Status.Accounts()...)}
	for i := range out.Accounts {
		out.Accounts[i].Backlog = backlog[out.Accounts[i].Name]
	}
	return answer(w, http.StatusOK, out)
}

func (a *API) drainAccount(w http.ResponseWriter, r *http.Request, p principal) error {
	return a.drain(w, r, p, true)
}

func (a *API) resumeAccount(w http.ResponseWriter, r *http.Request, p principal) error {
	return a.drain(w, r, p, false)
}

// drain answers with the account as it stands then.
func (a *API) drain(w http.ResponseWriter, r *http.Request, p principal, drain bool) error {
	named := func(c Account) bool { return c.Name == r.PathValue("name") }
	all := a.Status.Accounts()
	i := slices.IndexFunc(all, named)
	if i < 0 {
		return fault(codeNotFound).mending("name an account of GET /accounts")
	}
	if err := a.Engine.Drain(r.Context(), all[i].Name, drain, journal.Audit{Who: p.name}); err != nil {
		return err
	}
	a.Logger.Info("account takes what is new", "account", all[i].Name, "takes", !drain, "by", p.name)
	all[i].Drained = drain
	return answer(w, http.StatusOK, all[i])
}

func (a *API) listAdapters(w http.ResponseWriter, _ *http.Request, _ principal) error {
	return answer(w, http.StatusOK, AdapterList{Adapters: append([]Adapter{}, a.Status.Adapters()...)})
}

func (a *API) getMatrix(w http.ResponseWriter, _ *http.Request, _ principal) error {
	return answer(w, http.StatusOK, PairingList{Pairings: append([]Pairing{}, a.Status.Matrix()...)})
}

func (a *API) listFrames(w http.ResponseWriter, r *http.Request, _ principal) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if _, err := a.Journal.Conversation(r.Context(), id); err != nil {
		return err
	}
	frames, err := a.Journal.Frames(r.Context(), id, p.after, p.limit)
	if err != nil {
		return err
	}
	out := FrameList{Frames: make([]Frame, 0, len(frames))}
	for _, f := range frames {
		out.Frames = append(out.Frames, a.showFrame(f))
	}
	if len(frames) > 0 {
		out.Next = next(len(frames) == p.limit, frames[len(frames)-1].ID)
	}
	return answer(w, http.StatusOK, out)
}

// showFrame leaves the headers out: they are where vendors send credentials.
// Secrets may be anywhere else: in an address, or where somebody typed them.
func (a *API) showFrame(f journal.Frame) Frame {
	out := Frame{ID: f.ID, Leg: f.Leg, Account: f.Account, Endpoint: f.Endpoint, Received: f.Received.UTC(), Outcome: f.Outcome, Dedup: f.Dedup}
	var stored struct {
		Request *adapter.Request `json:"request"`
		Opened  *adapter.Opened  `json:"opened"`
		Frame   *adapter.Frame   `json:"frame"`
		Closed  *adapter.Closed  `json:"closed"`
	}
	if json.Unmarshal(f.Data, &stored) != nil {
		return out
	}
	switch {
	case stored.Request != nil:
		r := stored.Request
		out.Method, out.Path, out.Query = r.Method, a.Redact(r.Path), a.redacted(r.Query)
		out.Body, out.Text = a.showBytes(r.Body)
	case stored.Opened != nil:
		out.Connection, out.Path, out.Query = "opened", a.Redact(stored.Opened.Path), a.redacted(stored.Opened.Query)
	case stored.Frame != nil:
		out.Connection, out.Event = "message", stored.Frame.Event
		out.Body, out.Text = a.showBytes(stored.Frame.Data)
	case stored.Closed != nil:
		out.Connection, out.Status, out.Reason = "closed", cmp.Or(stored.Closed.Code, stored.Closed.Status), stored.Closed.Reason
	}
	return out
}

// redacted are the parameters of an address without secrets.
func (a *API) redacted(query url.Values) url.Values {
	out := url.Values{}
	for name, values := range query {
		for _, value := range values {
			out.Add(a.Redact(name), a.Redact(value))
		}
	}
	return out
}

// showBytes gives bytes without secrets as JSON, or else as text.
func (a *API) showBytes(data []byte) (body json.RawMessage, text string) {
	shown := a.Redact(string(data))
	if json.Valid([]byte(shown)) {
		return json.RawMessage(shown), ""
	}
	return nil, strings.ToValidUTF8(shown, "\ufffd")
}

func (a *API) listDeadLetters(w http.ResponseWriter, r *http.Request, _ principal) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	at, id, err := p.moment()
	if err != nil {
		return err
	}
	letters, err := a.Journal.DeadLetters(r.Context(), at, id, p.limit)
	if err != nil {
		return err
	}
	out := DeadLetterList{DeadLetters: make([]DeadLetter, 0, len(letters))}
	for _, d := range letters {
		out.DeadLetters = append(out.DeadLetters, showLetter(d))
	}
	if len(letters) > 0 {
		last := letters[len(letters)-1]
		out.Next = next(len(letters) == p.limit, fmt.Sprintf("%d.%s", last.At.UnixMicro(), last.ID))
	}
	return answer(w, http.StatusOK, out)
}

func showLetter(d journal.DeadLetter) DeadLetter {
	out := DeadLetter{ID: d.ID, Conversation: d.Conversation, Leg: d.Leg, Account: d.Account, Adapter: d.Adapter,
		Version: d.Version, Frame: d.Frame, Reason: d.Reason, At: d.At.UTC()}
	if at := d.Replayed.UTC(); !d.Replayed.IsZero() {
		out.Replayed = &at
	}
	return out
}

func (a *API) replayDeadLetter(w http.ResponseWriter, r *http.Request, p principal) error {
	id := r.PathValue("id")
	if err := a.Engine.Replay(r.Context(), id); err != nil {
		return err
	}
	if err := a.Journal.Record(r.Context(), journal.Audit{Who: p.name, Action: journal.AuditReplayed, Subject: id}); err != nil {
		return err
	}
	a.Logger.Info("dead letter replayed", "dead_letter", id, "by", p.name)
	return answer(w, http.StatusOK, Replayed{ID: id, Replayed: true})
}
