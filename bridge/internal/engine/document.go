package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// document is what is stored of a conversation beside its events.
type document struct {
	Machine    conversation.State `json:"machine"`
	Route      string             `json:"route"`
	Customer   event.Actor        `json:"customer,omitzero"`
	Language   string             `json:"language,omitempty"`
	Queue      string             `json:"queue,omitempty"`
	Attributes map[string]string  `json:"attributes,omitempty"`
	// Vouched are the attributes as the business's own side gave them: what a
	// customer says is not among them.
	Vouched map[string]string `json:"vouched,omitempty"`
	Started bool              `json:"started,omitempty"`
	// Answering is the customer's event whose answer is not complete, where the
	// customer's far side waits for that.
	Answering *answering `json:"answering,omitempty"`
	// Streams are the messages in pieces that have no end yet.
	Streams map[string]stream `json:"streams,omitempty"`
	// Absent are the observers' accounts people were told of that do not listen.
	Absent []string `json:"absent,omitempty"`
	// Replays are the dead letters replayed, and whether their turn is done.
	Replays map[string]bool `json:"replays,omitempty"`
}

// pendingReplays are the dead letters whose replay has not had its turn.
func (d document) pendingReplays() []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(d.Replays)) {
		if !d.Replays[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// legDocument is what is stored of one leg.
type legDocument struct {
	Key          string `json:"key,omitempty"`
	State        []byte `json:"state,omitempty"`
	StateVersion int    `json:"state_version,omitempty"`
	// Queue are the positions of the events still to be delivered, in order.
	Queue []int64 `json:"queue,omitempty"`
	// Settled is the position of the last event settled.
	Settled  int64                `json:"settled,omitempty"`
	Delivery *delivery            `json:"delivery,omitempty"`
	Calls    map[string]*call     `json:"calls,omitempty"`
	Timers   map[string]time.Time `json:"timers,omitempty"`
	Held     map[string]*held     `json:"held,omitempty"`
	// Conns are the connections being dialled or open, by name.
	Conns map[string]*connection `json:"conns,omitempty"`
	// Sends are the messages being written, by tag.
	Sends map[string]*sending `json:"sends,omitempty"`
	// Tokens are the vendor's tokens captured for the leg, by name; the journal
	// seals them with everything else here.
	Tokens map[string]string `json:"tokens,omitempty"`
	// Choices are the answers the far side was shown as a numbered list.
	Choices []string `json:"choices,omitempty"`
	// Told is the fault people were told of last.
	Told string `json:"told,omitempty"`
	// Cut is the position the conversation has gone on to without what the leg
	// does for anything before it: such calls are not repeated.
	Cut int64 `json:"cut,omitempty"`
	// Again counts how often an event was given to the leg anew, by position.
	Again map[int64]int `json:"again,omitempty"`
	// Heard is when the vendor last told us something, Reconciled when its adapter
	// was last asked to read back what it may have told us unheard.
	Heard      time.Time `json:"heard,omitzero"`
	Reconciled time.Time `json:"reconciled,omitzero"`
	// Turns counts the leg's turns; ids derive from it where the input has none.
	Turns int64 `json:"turns,omitempty"`
}

// delivery is the event a leg is being given.
type delivery struct {
	Seq   int64  `json:"seq"`
	Event string `json:"event"`
	// Offered says the adapter has had its turn for it.
	Offered        bool `json:"offered,omitempty"`
	Postponed      bool `json:"postponed,omitempty"`
	Attempt        int  `json:"attempt,omitempty"`
	MaybeDuplicate bool `json:"maybe_duplicate,omitempty"`
	// Unsure says a try had an unknown outcome.
	Unsure  bool   `json:"unsure,omitempty"`
	Failure string `json:"failure,omitempty"`
	// Degraded names what the far side could not carry as it was.
	Degraded string `json:"degraded,omitempty"`
}

// call is one call under way.
type call struct {
	Call   adapter.Call `json:"call"`
	Turn   string       `json:"turn"`
	Serves bool         `json:"serves,omitempty"`
	// Attempts counts the tries whose first byte may have left.
	Attempts int       `json:"attempts,omitempty"`
	GiveUp   time.Time `json:"give_up"`
	// MaybeDuplicate says a try before may have reached the vendor.
	MaybeDuplicate bool `json:"maybe_duplicate,omitempty"`
	// Of is the position in the leg's order of what the call is made for.
	Of int64 `json:"of,omitempty"`
	// Unsent says the last try is known not to have left, and the next one has
	// not begun.
	Unsent bool `json:"unsent,omitempty"`

	// Reading says the outcome is not known, and is looked for by Call.Readback.
	Reading bool `json:"reading,omitempty"`

	resting bool    // between two tries, in this process
	last    Attempt // the try before
}

// held is a request whose answer is still owed to the vendor.
type held struct {
	ReplyBy time.Time `json:"reply_by"`
	// Answered says a reply is committed and waits to be written.
	Answered bool `json:"answered,omitempty"`
	// Lost says the connection went with a restart.
	Lost bool `json:"lost,omitempty"`
	// Once says the vendor cannot ask for the answer again.
	Once bool `json:"once,omitempty"`
}

// leg is one leg while its conversation is loaded.
type leg struct {
	conversation.Leg
	doc   legDocument
	dirty bool
}

// fullID is the leg's id across conversations.
func fullID(conversationID, leg string) string { return conversationID + "." + leg }

// shortID is the leg's id within its conversation.
func shortID(full string) string {
	_, short, _ := strings.Cut(full, ".")
	return short
}

func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return data, nil
}

// storedInput is an input as frames and dead letters hold it.
type storedInput struct {
	Kind    string           `json:"kind"`
	Request *adapter.Request `json:"request,omitempty"`
	Result  *adapter.Result  `json:"result,omitempty"`
	Fired   *adapter.Fired   `json:"fired,omitempty"`
	Expired *adapter.Expired `json:"expired,omitempty"`
	Opened  *adapter.Opened  `json:"opened,omitempty"`
	Frame   *adapter.Frame   `json:"frame,omitempty"`
	Closed  *adapter.Closed  `json:"closed,omitempty"`
	Sent    *adapter.Sent    `json:"sent,omitempty"`
	// Reconcile is the input of that name.
	Reconcile *adapter.Reconcile `json:"reconcile,omitempty"`
	Event     string             `json:"event,omitempty"`
}

func store(in adapter.Input) storedInput {
	switch in := in.(type) {
	case adapter.Request:
		return storedInput{Kind: "request", Request: &in}
	case adapter.Result:
		return storedInput{Kind: "result", Result: &in}
	case adapter.Fired:
		return storedInput{Kind: "fired", Fired: &in}
	case adapter.Expired:
		return storedInput{Kind: "expired", Expired: &in}
	case adapter.Opened:
		return storedInput{Kind: "opened", Opened: &in}
	case adapter.Frame:
		return storedInput{Kind: "frame", Frame: &in}
	case adapter.Closed:
		return storedInput{Kind: "closed", Closed: &in}
	case adapter.Sent:
		return storedInput{Kind: "sent", Sent: &in}
	case adapter.Reconcile:
		return storedInput{Kind: "reconcile", Reconcile: &in}
	case adapter.Deliver:
		return storedInput{Kind: "deliver", Event: in.Event.ID}
	}
	return storedInput{Kind: "unknown"}
}
