package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// InsightObserved is something an observer found out about the conversation, for
// the live agent alone: it never reaches the customer or the virtual agent. Its
// body is the insight's own fields with its "type" first; without an insight it
// is an empty object. A SoundLevel is transient, see Transient.
type InsightObserved struct{ Insight Insight }

// InsightRequested is a live agent's wish that an observer looks again. Type is
// the insight wanted, such as "dialog" or "flow", or a word only the observer
// knows; Parameters narrow it, by names of the observer's own. With the type
// SuggestionAnswered it asks for nothing.
type InsightRequested struct {
	Type       string                     `json:"type"`
	Parameters map[string]json.RawMessage `json:"parameters,omitempty"`
}

// SuggestionAnswered is the type of an InsightRequested that tells what became of
// an Analysis' suggested reply: the parameter "insight" is its event's id,
// "outcome" is "accepted", "edited" or "dismissed". Observers that learn from
// that take it up; to the others it means nothing.
const SuggestionAnswered = "suggestion_answered"

// Insight is one arm of the insight sum: one of SoundLevel, Analysis, Dialog,
// Utterance, Call, Verification, Voice, Summary, SyntheticSpeech, CallerNumber,
// Flow, FlowChange, AttachedData, Fault or UnknownInsight. Words such as a status
// are the source's own and open; a field that is absent was not told.
type Insight interface {
	// InsightType is the word in the JSON field "type".
	InsightType() string
}

// SoundLevel is how loud the speaker is now, in steps of the source (mostly 0 to
// 2). It is out of date at once, and so transient.
type SoundLevel struct {
	Level float64 `json:"level"`
}

// Analysis is what is made of the talk so far: moods, wishes, and what the live
// agent should do. A task is as the source has it, mostly an object of keys and
// values.
type Analysis struct {
	CustomerSentiment string            `json:"customer_sentiment,omitempty"`
	CustomerEmotions  []string          `json:"customer_emotions,omitempty"`
	CustomerAngry     *bool             `json:"customer_angry,omitempty"`
	CustomerIntents   []string          `json:"customer_intents,omitempty"`
	AgentSentiment    string            `json:"agent_sentiment,omitempty"`
	Tasks             []json.RawMessage `json:"tasks,omitempty"`
	RemainingTasks    []json.RawMessage `json:"remaining_tasks,omitempty"`
	NextTask          string            `json:"next_task,omitempty"`
	SuggestedReply    string            `json:"suggested_reply,omitempty"`
}

// Dialog is all that was said up to and with the utterance Latest. The partial
// texts are what is being said now.
type Dialog struct {
	Latest          *int64      `json:"latest,omitempty"`
	Utterances      []Utterance `json:"utterances,omitempty"`
	CustomerPartial string      `json:"customer_partial,omitempty"`
	AgentPartial    string      `json:"agent_partial,omitempty"`
}

// Utterance is one thing that was said. Index counts the utterances of a talk;
// one that is not final yet comes again with the same Index. Speaker is
// "customer", "live_agent" or a word of the source's own.
type Utterance struct {
	Index   *int64    `json:"index,omitempty"`
	Speaker Role      `json:"speaker,omitempty"`
	Text    string    `json:"text,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Final   *bool     `json:"final,omitempty"`
}

// Call is how the call stands that is listened to.
type Call struct {
	Status string `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Verification is whether the speaker is who they say. Its scores and matches
// are biometric: adapters leave them out unless their account asks for them.
type Verification struct {
	Label  string `json:"label,omitempty"`
	Status string `json:"status,omitempty"`
	Risk   string `json:"risk,omitempty"`
	// AgentText is for the live agent to read, DisplayText for the screen.
	AgentText   string `json:"agent_text,omitempty"`
	DisplayText string `json:"display_text,omitempty"`
	// Score is the overall one; the others are log-likelihood ratios.
	Score                     *float64 `json:"score,omitempty"`
	LikelihoodRatio           *float64 `json:"likelihood_ratio,omitempty"`
	NormalizedLikelihoodRatio *float64 `json:"normalized_likelihood_ratio,omitempty"`
	Fraudster                 string   `json:"fraudster,omitempty"`
	Blocklist                 string   `json:"blocklist,omitempty"`
	BlocklistSize             *int64   `json:"blocklist_size,omitempty"`
	Matches                   *int64   `json:"matches,omitempty"`
	SpeechFrames              *int64   `json:"speech_frames,omitempty"`
}

// Voice is what is heard of the voice. All but Quality and Usable is biometric,
// as with Verification.
type Voice struct {
	// Quality and Usable say whether there was speech enough to judge.
	Quality       string   `json:"quality,omitempty"`
	Usable        *bool    `json:"usable,omitempty"`
	Liveness      string   `json:"liveness,omitempty"`
	LivenessScore *float64 `json:"liveness_score,omitempty"`
	Gender        string   `json:"gender,omitempty"`
	// Age is estimated, in years.
	Age *int64 `json:"age,omitempty"`
}

// Summary is the talk in a few words.
type Summary struct {
	Text string `json:"text"`
}

// SyntheticSpeech is whether the voice was made by a machine. Score is biometric,
// as with Verification.
type SyntheticSpeech struct {
	Label string   `json:"label,omitempty"`
	Score *float64 `json:"score,omitempty"`
}

// CallerNumber is how far the number of the call can be trusted, from 0 to 100.
type CallerNumber struct {
	Number string `json:"number,omitempty"`
	Trust  *int64 `json:"trust,omitempty"`
}

// Flow is one process the customer is in, whole. An entity is as the source has
// it: a value and what asked for it.
type Flow struct {
	ID       string            `json:"id,omitempty"`
	Status   string            `json:"status,omitempty"`
	Intent   string            `json:"intent,omitempty"`
	Entities []json.RawMessage `json:"entities,omitempty"`
}

// FlowChange is what changed in a Flow.
type FlowChange struct {
	ID     string `json:"id,omitempty"`
	Status string `json:"status,omitempty"`
	Entity string `json:"entity,omitempty"`
	Value  string `json:"value,omitempty"`
}

// AttachedData is what other programs attached to the conversation, mostly
// objects of keys and values.
type AttachedData struct {
	Entries []json.RawMessage `json:"entries,omitempty"`
}

// Fault is what went wrong at the observer.
type Fault struct {
	Text   string `json:"text,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// UnknownInsight carries an insight type this program does not know, untouched.
type UnknownInsight struct {
	Name string
	JSON json.RawMessage
}

// InsightType is "sound_level".
func (SoundLevel) InsightType() string { return "sound_level" }

// InsightType is "analysis".
func (Analysis) InsightType() string { return "analysis" }

// InsightType is "dialog".
func (Dialog) InsightType() string { return "dialog" }

// InsightType is "utterance".
func (Utterance) InsightType() string { return "utterance" }

// InsightType is "call".
func (Call) InsightType() string { return "call" }

// InsightType is "verification".
func (Verification) InsightType() string { return "verification" }

// InsightType is "voice".
func (Voice) InsightType() string { return "voice" }

// InsightType is "summary".
func (Summary) InsightType() string { return "summary" }

// InsightType is "tts".
func (SyntheticSpeech) InsightType() string { return "tts" }

// InsightType is "caller_number".
func (CallerNumber) InsightType() string { return "caller_number" }

// InsightType is "flow".
func (Flow) InsightType() string { return "flow" }

// InsightType is "flow_change".
func (FlowChange) InsightType() string { return "flow_change" }

// InsightType is "attached_data".
func (AttachedData) InsightType() string { return "attached_data" }

// InsightType is "error".
func (Fault) InsightType() string { return "error" }

// InsightType is the type as it was read.
func (u UnknownInsight) InsightType() string { return u.Name }

type insightDecoder func([]byte) (Insight, error)

func insightOf[I Insight](data []byte) (Insight, error) {
	var i I
	err := json.Unmarshal(data, &i)
	return i, err
}

//nolint:gochecknoglobals // a table that is never written.
var insightDecoders = map[string]insightDecoder{
	"sound_level":   insightOf[SoundLevel],
	"analysis":      insightOf[Analysis],
	"dialog":        insightOf[Dialog],
	"utterance":     insightOf[Utterance],
	"call":          insightOf[Call],
	"verification":  insightOf[Verification],
	"voice":         insightOf[Voice],
	"summary":       insightOf[Summary],
	"tts":           insightOf[SyntheticSpeech],
	"caller_number": insightOf[CallerNumber],
	"flow":          insightOf[Flow],
	"flow_change":   insightOf[FlowChange],
	"attached_data": insightOf[AttachedData],
	"error":         insightOf[Fault],
}

// Insights gives an empty insight of every type this program knows, in no
// particular order.
func Insights() []Insight {
	insights := make([]Insight, 0, len(insightDecoders))
	for _, decode := range insightDecoders {
		if insight, err := decode([]byte("{}")); err == nil {
			insights = append(insights, insight)
		}
	}
	return insights
}

// MarshalJSON writes the insight with its type first.
func (o InsightObserved) MarshalJSON() ([]byte, error) {
	switch i := o.Insight.(type) {
	case nil:
		return []byte("{}"), nil
	case UnknownInsight:
		return tagged(i.Name, i.JSON)
	}
	return typed(o.Insight.InsightType(), o.Insight)
}

// UnmarshalJSON reads an insight by its "type"; an unknown type is kept
// untouched.
func (o *InsightObserved) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	if o.Insight = nil; len(fields) == 0 {
		return nil
	}
	name, err := typeOf(data)
	if err != nil {
		return fmt.Errorf("insight: %w", err)
	}
	decode, known := insightDecoders[name]
	if !known {
		o.Insight = UnknownInsight{Name: name, JSON: append(json.RawMessage(nil), data...)}
		return nil
	}
	insight, err := decode(data)
	if err != nil {
		return fmt.Errorf("insight %s: %w", name, err)
	}
	o.Insight = insight
	return nil
}
