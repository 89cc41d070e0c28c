package event

// Why a hand-off failed, in handoff.failed.
const (
	FailedNoAgents    = "no_agents"
	FailedOutOfHours  = "out_of_hours"
	FailedQueueFull   = "queue_full"
	FailedTimedOut    = "timed_out"
	FailedDeclined    = "declined"
	FailedBackendDown = "backend_down"
	FailedRejected    = "rejected"
)

// Routing says where a hand-off or transfer should go.
type Routing struct {
	Queue    string   `json:"queue,omitempty"`
	Skills   []string `json:"skills,omitempty"`
	Priority int      `json:"priority,omitempty"`
	Language string   `json:"language,omitempty"`
}

// HandoffRequested asks for a live agent. Everything a live agent needs to go
// on comes with it.
type HandoffRequested struct {
	Reason     string            `json:"reason,omitempty"`
	Summary    string            `json:"summary,omitempty"`
	Transcript []TranscriptEntry `json:"transcript,omitempty"`
	Context    map[string]string `json:"context,omitempty"`
	Routing    Routing           `json:"routing,omitzero"`
	// Waiting is the vendor's own limit until an agent must have accepted, in
	// seconds; 0 means it has none.
	Waiting int `json:"waiting,omitempty"`
}

// HandoffQueued says the desk holds the hand-off in a queue. Position counts
// from 1 and Wait is the desk's estimate in seconds; both are 0 if unknown.
type HandoffQueued struct {
	Position int `json:"position,omitempty"`
	Wait     int `json:"wait,omitempty"`
}

// HandoffOffered says one live agent has been asked.
type HandoffOffered struct {
	Agent Actor `json:"agent,omitzero"`
}

// HandoffAccepted says the event's actor has taken the conversation.
type HandoffAccepted struct{}

// HandoffDeclined says a desk or an agent will not take the conversation.
type HandoffDeclined struct {
	Reason string `json:"reason,omitempty"`
}

// HandoffCancelled withdraws the request.
type HandoffCancelled struct {
	Reason string `json:"reason,omitempty"`
	By     Role   `json:"by,omitempty"`
}

// HandoffFailed says nobody will take the conversation; Reason is one of the
// Failed constants.
type HandoffFailed struct {
	Reason string `json:"reason"`
}

// HandbackRequested gives the conversation back to the virtual agent. UpTo is
// the id of the last event the live agent has seen.
type HandbackRequested struct {
	Reason  string `json:"reason,omitempty"`
	Summary string `json:"summary,omitempty"`
	UpTo    string `json:"up_to,omitempty"`
}

// HandbackCompleted says the virtual agent has the conversation again.
type HandbackCompleted struct{}

// HandbackFailed says the virtual agent did not take the conversation back.
type HandbackFailed struct {
	Reason string `json:"reason,omitempty"`
}

// TransferRequested asks to pass the conversation to another agent or queue.
type TransferRequested struct {
	Reason  string  `json:"reason,omitempty"`
	Agent   string  `json:"agent,omitempty"`
	Routing Routing `json:"routing,omitzero"`
}

// TransferCompleted says the new live agent has the conversation.
type TransferCompleted struct{}

// TransferFailed says the transfer did not happen.
type TransferFailed struct {
	Reason string `json:"reason,omitempty"`
}
