package omilia

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// connection is our name of the leg's socket; there is one at a time.
const connection = "assist"

// The timers of a leg.
const (
	timerRedial = "redial"
	timerDialog = "dialog"
)

const (
	// dialLimit bounds one dial with its own tries.
	dialLimit = 30 * time.Second
	// The wait before the next dial doubles from the least to the longest.
	leastWait, longestWait = time.Second, time.Minute
	// answerLimit is how long GET_DIALOG may take; after dialogTries without the
	// missing words it is not asked again.
	answerLimit = 10 * time.Second
	dialogTries = 3
)

// The phases of a leg.
const (
	phaseNone     = ""
	phaseDialling = "dialling"
	phaseOpen     = "open"
	phaseResting  = "resting" // waits before it dials again
	phaseEnded    = "ended"
)

// state is what an observer's leg remembers between turns.
type state struct {
	Phase string `json:"phase,omitempty"`
	// Failed counts the connections in a row that told nothing.
	Failed int `json:"failed,omitempty"`
	// Told says the live agent knows that there is no connection.
	Told bool `json:"told,omitempty"`
	// Wanted is the request a connection was dialled for, Repeated the one that
	// may not have left and is sent once more.
	Wanted   string `json:"wanted,omitempty"`
	Repeated string `json:"repeated,omitempty"`
	Dialog   dialog `json:"dialog,omitzero"`
}

// dialog is what is known of the order of utterances.
type dialog struct {
	Seen bool  `json:"seen,omitempty"`
	Last int64 `json:"last,omitempty"`
	// Missing is the last utterance of a gap; Tries counts how often it was asked
	// for, and Asked says an answer is due, to the request By if it is not ours.
	Missing int64  `json:"missing,omitempty"`
	Tries   int    `json:"tries,omitempty"`
	Asked   bool   `json:"asked,omitempty"`
	By      string `json:"by,omitempty"`
}

func handle(tx *adapter.Tx, s *state, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Deliver:
		return s.deliver(tx, in.Event)
	case adapter.Opened:
		return s.opened(tx, in)
	case adapter.Frame:
		return s.frame(tx, in)
	case adapter.Closed:
		s.closed(tx, in)
		return nil
	case adapter.Sent:
		s.sent(tx, in)
		return nil
	case adapter.Fired:
		return s.fired(tx, in.Timer)
	}
	return adapter.ErrUnsupported
}

// deliver connects with the first event, whatever it is; of the others only
// requests for insights and the end mean something to the far side.
func (s *state) deliver(tx *adapter.Tx, e event.Event) error {
	if s.Phase == phaseEnded || event.Transient(e.Body) {
		return nil
	}
	if _, over := e.Body.(event.ConversationEnded); over {
		s.end(tx)
		return nil
	}
	_, facts := e.Body.(event.ContextUpdated) // the address may be whole now
	if s.Phase == phaseNone || s.Phase == phaseResting && facts {
		if err := s.dial(tx); err != nil {
			return err
		}
	}
	body, ok := e.Body.(event.InsightRequested)
	if ok && body.Type != event.SuggestionAnswered && (e.Actor.Role == event.RoleLiveAgent || e.Actor.Role == event.RoleSystem) {
		return s.request(tx, e.ID, body)
	}
	return nil
}

func (s *state) end(tx *adapter.Tx) {
	tx.Stop(timerRedial)
	tx.Stop(timerDialog)
	if s.Phase == phaseOpen || s.Phase == phaseDialling {
		tx.Close(connection, 1000)
	}
	*s = state{Phase: phaseEnded}
}

func (s *state) dial(tx *adapter.Tx) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	s.Phase = phaseDialling
	tx.Stop(timerRedial)
	tx.Dial(connection, set.dial(tx.Credential(credential)))
	return nil
}

// request sends a command, or waits once for the connection it needs.
func (s *state) request(tx *adapter.Tx, id string, want event.InsightRequested) error {
	c, ok := commandOf(want)
	switch {
	case !ok:
		tx.Fail(fmt.Sprintf("insight %q cannot be asked for: ask for dialog, flow, or by a command of the vendor", want.Type))
		return nil
	case s.Phase == phaseOpen:
		return s.send(tx, id, c)
	case s.Phase == phaseDialling:
	case s.Wanted == id:
		s.giveUp(tx)
		return nil
	default:
		if err := s.dial(tx); err != nil {
			return err
		}
	}
	s.Wanted = id
	tx.Later()
	return nil
}

func (s *state) giveUp(tx *adapter.Tx) {
	s.Wanted, s.Repeated = "", ""
	tx.Fail("the assistant is not connected: ask again later")
}

// send leaves out a GET_DIALOG while one is outstanding, whose answer serves both.
func (s *state) send(tx *adapter.Tx, id string, c command) error {
	if c.Command == getDialog && s.Dialog.Asked {
		return nil
	}
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	data, err := set.frame(c)
	if err != nil {
		return err
	}
	if c.Command == getDialog {
		s.Dialog.Asked, s.Dialog.By = true, id
		tx.After(timerDialog, answerLimit)
	}
	tx.Send("ask/"+id, connection, data)
	return nil
}

// sent repeats a request once that may not have left; a question asked twice
// does no harm.
func (s *state) sent(tx *adapter.Tx, in adapter.Sent) {
	id, ours := strings.CutPrefix(in.Tag, "ask/")
	if !ours || s.Phase == phaseEnded {
		return
	}
	if in.Outcome == adapter.SentWritten {
		s.Wanted, s.Repeated = "", ""
		return
	}
	if s.Dialog.By == id {
		s.noAnswer(tx)
	}
	if s.Repeated == id {
		s.giveUp(tx)
		return
	}
	s.Repeated = id
	tx.Later()
}

// noAnswer forgets that an answer is due.
func (s *state) noAnswer(tx *adapter.Tx) {
	if s.Dialog.Asked {
		s.Dialog.Asked, s.Dialog.By = false, ""
		tx.Stop(timerDialog)
	}
}

// opened asks for what was said while there was no connection.
func (s *state) opened(tx *adapter.Tx, in adapter.Opened) error {
	if in.Conn != connection {
		return nil
	}
	if s.Phase == phaseEnded {
		tx.Close(connection, 1000)
		return nil
	}
	s.Phase, s.Told = phaseOpen, false
	if s.Dialog.Seen {
		s.Dialog.Tries = 0
		return s.askDialog(tx)
	}
	return nil
}

// closed dials again after a while, for as long as the conversation lasts. An
// answer that was due is asked for on the next connection.
func (s *state) closed(tx *adapter.Tx, in adapter.Closed) {
	if in.Conn != connection || s.Phase == phaseEnded {
		return
	}
	s.Dialog.Seen = s.Dialog.Seen || s.Dialog.Asked
	s.noAnswer(tx)
	s.Phase = phaseResting
	wait := min(leastWait<<min(s.Failed, 10), longestWait)
	s.Failed = min(s.Failed+1, 100)
	tx.After(timerRedial, wait)
	if in.Reason == adapter.ClosedDialFailed && !s.Told {
		s.Told = true
		report(tx, "not_connected", refusal(in.Status))
	}
}

// refusal says in words why a dial failed.
func refusal(status int) string {
	switch status {
	case 0:
		return "the assistant cannot be reached"
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("the assistant answered %d: check the credential token and the setting token_in", status)
	}
	return fmt.Sprintf("the assistant answered %d: check the setting url", status)
}

func report(tx *adapter.Tx, code, detail string) {
	tx.Emit(adapter.Emission{Actor: observer(), Body: event.ErrorReported{Code: code, Detail: detail}})
}

func observer() event.Actor { return event.Actor{Role: event.RoleObserver} }

func (s *state) fired(tx *adapter.Tx, timer string) error {
	switch {
	case timer == timerRedial && s.Phase == phaseResting:
		return s.dial(tx)
	case timer == timerDialog && s.Phase == phaseOpen && s.Dialog.Asked:
		s.Dialog.Asked, s.Dialog.By = false, ""
		if s.Dialog.Missing > 0 && s.Dialog.Tries < dialogTries {
			return s.askDialog(tx)
		}
		s.Dialog.Missing, s.Dialog.Tries = 0, 0
		report(tx, "no_answer", "the assistant was asked for the dialog and did not answer")
	}
	return nil
}

// askDialog asks for the whole dialog, unless an answer is due already.
func (s *state) askDialog(tx *adapter.Tx) error {
	if s.Dialog.Asked {
		return nil
	}
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	data, err := set.frame(command{Command: getDialog, Parameters: map[string]json.RawMessage{}})
	if err != nil {
		return err
	}
	s.Dialog.Asked = true
	s.Dialog.Tries++
	tx.Send("", connection, data)
	tx.After(timerDialog, answerLimit)
	return nil
}

func (s *state) frame(tx *adapter.Tx, in adapter.Frame) error {
	if in.Conn != connection || s.Phase != phaseOpen {
		return nil
	}
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	for _, p := range partsOf(in.Data) {
		if err := s.part(tx, p, set.KeepBiometrics); err != nil {
			return err
		}
	}
	return nil
}

// part says what one payload means. A sound level changes no state: its turn is
// transient.
func (s *state) part(tx *adapter.Tx, p part, keep bool) error {
	if p.body == nil {
		s.Failed = 0
		tx.Emit(adapter.Emission{Actor: observer(), Vendor: vendorOf(p.frame.rest(), nil),
			Body: event.Extension{Vendor: vendor, Name: p.name, Data: p.data}})
		return nil
	}
	insight := p.channel.read(p.body)
	rest := vendorOf(p.frame.rest(), p.body.rest())
	if p.channel.plain != nil && !keep && insight != nil {
		insight, rest = p.channel.plain(insight), nil
	}
	if insight == nil {
		return nil
	}
	body := event.InsightObserved{Insight: insight}
	tx.Emit(adapter.Emission{Actor: observer(), Ref: refOf(insight), Vendor: rest, Body: body})
	if event.Transient(body) {
		return nil
	}
	s.Failed = 0
	return s.follow(tx, insight)
}

// refOf names an utterance that will not change, so that it counts once although
// the vendor repeats it.
func refOf(i event.Insight) string {
	u, ok := i.(event.Utterance)
	if !ok || u.Index == nil || u.Final == nil || !*u.Final {
		return ""
	}
	return fmt.Sprintf("utterance/%d/%s", *u.Index, u.Speaker)
}

// vendorOf holds what the envelope and the payload have that the body does not.
func vendorOf(frame, data json.RawMessage) map[string]json.RawMessage {
	if frame == nil && data == nil {
		return nil
	}
	kept, err := codec.Encode(struct {
		Frame json.RawMessage `json:"frame,omitempty"`
		Data  json.RawMessage `json:"data,omitempty"`
	}{frame, data})
	if err != nil {
		return nil
	}
	return map[string]json.RawMessage{vendor: kept}
}

// follow looks for utterances that never came.
func (s *state) follow(tx *adapter.Tx, i event.Insight) error {
	switch i := i.(type) {
	case event.Utterance:
		if i.Index != nil && *i.Index >= 0 && s.Dialog.saw(*i.Index) {
			return s.askDialog(tx)
		}
	case event.Dialog:
		return s.snapshot(tx, i)
	}
	return nil
}

// saw notes an utterance and reports whether some before it are missing.
func (d *dialog) saw(index int64) bool {
	gap := d.Seen && index > d.Last+1 || !d.Seen && index > 1
	if gap {
		d.Missing = index - 1
	}
	d.Last = max(d.Last, index)
	d.Seen = true
	return gap && d.Tries < dialogTries
}

// snapshot is an answer to GET_DIALOG, or came unasked. One that ends before the
// gap is asked for again.
func (s *state) snapshot(tx *adapter.Tx, d event.Dialog) error {
	s.noAnswer(tx)
	latest, told := latestOf(d)
	if told && s.Dialog.Missing > latest && s.Dialog.Tries < dialogTries {
		return s.askDialog(tx)
	}
	last := s.Dialog.Last
	if s.Dialog.Missing > latest {
		last = latest // the vendor counts anew
	}
	s.Dialog = dialog{Seen: s.Dialog.Seen || told, Last: max(last, latest)}
	return nil
}

func latestOf(d event.Dialog) (int64, bool) {
	latest, told := int64(0), d.Latest != nil
	if told {
		latest = *d.Latest
	}
	for _, u := range d.Utterances {
		if u.Index != nil {
			latest, told = max(latest, *u.Index), true
		}
	}
	return latest, told
}
