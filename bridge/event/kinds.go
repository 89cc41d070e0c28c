package event

import (
	"encoding/json"
	"time"
)

// The kinds this program knows.
const (
	KindConversationStarted Kind = "conversation.started"
	KindConversationEnded   Kind = "conversation.ended"
	KindContextUpdated      Kind = "context.updated"
	KindTranscriptShared    Kind = "transcript.shared"
	KindMessageCreated      Kind = "message.created"
	KindMessagePartial      Kind = "message.partial"
	KindMessageDelivered    Kind = "message.delivered"
	KindMessageRead         Kind = "message.read"
	KindMessageFailed       Kind = "message.failed"
	KindMessageLeft         Kind = "message.left"
	KindAnswerCompleted     Kind = "answer.completed"
	KindTypingStarted       Kind = "typing.started"
	KindTypingStopped       Kind = "typing.stopped"
	KindParticipantJoined   Kind = "participant.joined"
	KindParticipantLeft     Kind = "participant.left"
	KindAvailabilityChanged Kind = "availability.changed"
	KindHandoffRequested    Kind = "handoff.requested"
	KindHandoffQueued       Kind = "handoff.queued"
	KindHandoffOffered      Kind = "handoff.offered"
	KindHandoffAccepted     Kind = "handoff.accepted"
	KindHandoffDeclined     Kind = "handoff.declined"
	KindHandoffCancelled    Kind = "handoff.cancelled"
	KindHandoffFailed       Kind = "handoff.failed"
	KindHandbackRequested   Kind = "handback.requested"
	KindHandbackCompleted   Kind = "handback.completed"
	KindHandbackFailed      Kind = "handback.failed"
	KindTransferRequested   Kind = "transfer.requested"
	KindTransferCompleted   Kind = "transfer.completed"
	KindTransferFailed      Kind = "transfer.failed"
	KindCommandIssued       Kind = "command.issued"
	KindSurveyOffered       Kind = "survey.offered"
	KindSurveyAnswered      Kind = "survey.answered"
	KindWrapupCompleted     Kind = "wrapup.completed"
	KindInsightObserved     Kind = "insight.observed"
	KindInsightRequested    Kind = "insight.requested"
	KindNoteCreated         Kind = "note.created"
	KindErrorReported       Kind = "error.reported"
	KindExtension           Kind = "extension"
)

type decoder func(json.RawMessage) (Body, error)

func bodyOf[B Body](data json.RawMessage) (Body, error) {
	var b B
	err := json.Unmarshal(data, &b)
	return b, err
}

// decoders has one row a kind; Kinds is read from it.
//
//nolint:gochecknoglobals // a table that is never written.
var decoders = map[Kind]decoder{
	KindConversationStarted: bodyOf[ConversationStarted],
	KindConversationEnded:   bodyOf[ConversationEnded],
	KindContextUpdated:      bodyOf[ContextUpdated],
	KindTranscriptShared:    bodyOf[TranscriptShared],
	KindMessageCreated:      bodyOf[MessageCreated],
	KindMessagePartial:      bodyOf[MessagePartial],
	KindMessageDelivered:    bodyOf[MessageDelivered],
	KindMessageRead:         bodyOf[MessageRead],
	KindMessageFailed:       bodyOf[MessageFailed],
	KindMessageLeft:         bodyOf[MessageLeft],
	KindAnswerCompleted:     bodyOf[AnswerCompleted],
	KindTypingStarted:       bodyOf[TypingStarted],
	KindTypingStopped:       bodyOf[TypingStopped],
	KindParticipantJoined:   bodyOf[ParticipantJoined],
	KindParticipantLeft:     bodyOf[ParticipantLeft],
	KindAvailabilityChanged: bodyOf[AvailabilityChanged],
	KindHandoffRequested:    bodyOf[HandoffRequested],
	KindHandoffQueued:       bodyOf[HandoffQueued],
	KindHandoffOffered:      bodyOf[HandoffOffered],
	KindHandoffAccepted:     bodyOf[HandoffAccepted],
	KindHandoffDeclined:     bodyOf[HandoffDeclined],
	KindHandoffCancelled:    bodyOf[HandoffCancelled],
	KindHandoffFailed:       bodyOf[HandoffFailed],
	KindHandbackRequested:   bodyOf[HandbackRequested],
	KindHandbackCompleted:   bodyOf[HandbackCompleted],
	KindHandbackFailed:      bodyOf[HandbackFailed],
	KindTransferRequested:   bodyOf[TransferRequested],
	KindTransferCompleted:   bodyOf[TransferCompleted],
	KindTransferFailed:      bodyOf[TransferFailed],
	KindCommandIssued:       bodyOf[CommandIssued],
	KindSurveyOffered:       bodyOf[SurveyOffered],
	KindSurveyAnswered:      bodyOf[SurveyAnswered],
	KindWrapupCompleted:     bodyOf[WrapupCompleted],
	KindInsightObserved:     bodyOf[InsightObserved],
	KindInsightRequested:    bodyOf[InsightRequested],
	KindNoteCreated:         bodyOf[NoteCreated],
	KindErrorReported:       bodyOf[ErrorReported],
	KindExtension:           bodyOf[Extension],
}

// Kinds lists every kind this program knows, in no particular order.
func Kinds() []Kind {
	kinds := make([]Kind, 0, len(decoders))
	for k := range decoders {
		kinds = append(kinds, k)
	}
	return kinds
}

// Transient reports whether an event with this body has no position, is never
// stored and is the first to be dropped. It depends on the body, for of all
// insights only a sound level is out of date at once.
func Transient(b Body) bool {
	switch b := b.(type) {
	case TypingStarted, TypingStopped:
		return true
	case InsightObserved:
		_, loudness := b.Insight.(SoundLevel)
		return loudness
	}
	return false
}

// ConversationStarted is the first event of every conversation.
type ConversationStarted struct {
	Customer   Actor             `json:"customer,omitzero"`
	Language   string            `json:"language,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// ConversationEnded is the last event but for wrap-up. By is the role that
// ended it; Reason is a short word such as "completed", "gone" or "expired".
type ConversationEnded struct {
	Reason string `json:"reason,omitempty"`
	By     Role   `json:"by,omitempty"`
}

// ContextUpdated adds or replaces facts known about the conversation.
type ContextUpdated struct {
	Attributes map[string]string `json:"attributes"`
}

// TranscriptEntry is one past message. Time is zero where the source gives none.
type TranscriptEntry struct {
	Actor   Actor     `json:"actor"`
	Time    time.Time `json:"time,omitzero"`
	Content Content   `json:"content"`
	// Event is the id of the event the entry was made from, where it is one of
	// this conversation.
	Event string `json:"event,omitempty"`
}

// TranscriptShared hands over past messages, oldest first.
type TranscriptShared struct {
	Entries []TranscriptEntry `json:"entries"`
}

// MessageCreated is a whole message. Stream names the partial messages it closes.
type MessageCreated struct {
	Content Content `json:"content"`
	Stream  string  `json:"stream,omitempty"`
	// Incomplete says the stream was cut before its author finished.
	Incomplete bool `json:"incomplete,omitempty"`
}

// MessagePartial is a piece of a message that is still being written. Mode is
// "append" or "replace"; Index counts from 0 within Stream.
type MessagePartial struct {
	Stream string `json:"stream"`
	Index  int64  `json:"index"`
	Mode   string `json:"mode"`
	Text   string `json:"text"`
}

// MessageDelivered says the event named Message reached its reader's device.
type MessageDelivered struct {
	Message string `json:"message"`
}

// MessageRead says the event named Message, and all before it, were displayed.
type MessageRead struct {
	Message string `json:"message"`
}

// MessageFailed says the event named Message will not be delivered, and why.
type MessageFailed struct {
	Message string `json:"message"`
	Reason  string `json:"reason,omitempty"`
}

// MessageLeft says that the customer has left words for live agents when none took
// a hand-off: the message.created before it is the first of them. Desks list it
// until somebody has dealt with it.
type MessageLeft struct{}

// AnswerCompleted says the owner has finished answering the event named To.
type AnswerCompleted struct {
	To string `json:"to,omitempty"`
}

// TypingStarted says its actor is writing. Expires is when that stops being
// true unless repeated.
type TypingStarted struct {
	Expires time.Time `json:"expires,omitzero"`
}

// TypingStopped says its actor is no longer writing.
type TypingStopped struct{}

// ParticipantJoined says a person or program joined the conversation.
type ParticipantJoined struct {
	Participant Actor `json:"participant"`
}

// ParticipantLeft says a person or program left the conversation.
type ParticipantLeft struct {
	Participant Actor  `json:"participant"`
	Reason      string `json:"reason,omitempty"`
}

// AvailabilityChanged says whether an account takes hand-offs now.
type AvailabilityChanged struct {
	Open       bool      `json:"open"`
	NextOpen   time.Time `json:"next_open,omitzero"`
	QueueDepth int       `json:"queue_depth,omitempty"`
}

// The commands the bridge itself has an outcome for.
const (
	// CommandHistory asks for what was said so far; the answer is
	// transcript.shared.
	CommandHistory = "history"
	// CommandLogout is an order to the virtual agent, and the customer's end where
	// none has the conversation.
	CommandLogout = "logout"
)

// CommandIssued is an order of the customer to the far side: "back",
// "start_over", "reset", "logout", "history" or "cancel".
type CommandIssued struct {
	Name string `json:"name"`
}

// SurveyOffered asks the customer for a rating.
type SurveyOffered struct {
	Question string   `json:"question,omitempty"`
	Options  []Choice `json:"options,omitempty"`
}

// SurveyAnswered is the customer's rating.
type SurveyAnswered struct {
	Score   string `json:"score,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// WrapupCompleted is the live agent's work after the end.
type WrapupCompleted struct {
	Disposition string `json:"disposition,omitempty"`
	Note        string `json:"note,omitempty"`
}

// NoteCreated is a private note among live agents. It never reaches the customer.
type NoteCreated struct {
	Text string `json:"text"`
}

// ErrorReported is a fault a far side told us of, for people to read.
type ErrorReported struct {
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
}

// Extension is for what only one vendor has.
type Extension struct {
	Vendor string          `json:"vendor"`
	Name   string          `json:"name"`
	Data   json.RawMessage `json:"data,omitempty"`
}
