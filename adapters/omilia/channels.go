package omilia

import (
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// channel is one of the vendor's: how its payload is read.
type channel struct {
	name string
	// own is a field of the payload that is named as an envelope's payload is.
	own string
	// read gives nil for a payload that tells nothing.
	read func(*fields) event.Insight
	// plain takes what is biometric out of an insight, nil when nothing else was
	// in it; channels without it have nothing biometric.
	plain func(event.Insight) event.Insight
}

//nolint:gochecknoglobals // a table that is never written.
var channels = []channel{
	{name: "sound_info", read: soundInfo},
	{name: "ai_info", read: aiInfo},
	{name: "dialog_info", read: dialogInfo},
	{name: "dialog_info_diff", read: func(f *fields) event.Insight { return utterance(f) }},
	{name: "call_info", read: callInfo},
	{name: "verification_result", read: verificationResult, plain: plainVerification},
	{name: "voice_info", read: voiceInfo, plain: plainVoice},
	{name: "error_info", own: "message", read: errorInfo},
	{name: "summary_info", own: "data", read: summaryInfo},
	{name: "tts_detection", read: ttsDetection, plain: plainSynthetic},
	{name: "ani_validation_results", read: aniResults},
	{name: "business_flow", read: businessFlow},
	{name: "business_flow_diff", read: businessFlowDiff},
	{name: "attached_data", own: "data", read: attachedData},
}

// channelOf finds a channel by its name; what stands before a last slash is a
// topic's.
func channelOf(name string) (channel, bool) {
	name = alike(name[strings.LastIndexByte(name, '/')+1:])
	i := slices.IndexFunc(channels, func(c channel) bool { return alike(c.name) == name })
	if i < 0 {
		return channel{}, false
	}
	return channels[i], true
}

func soundInfo(f *fields) event.Insight {
	level := f.number("level")
	if level == nil {
		return nil
	}
	return event.SoundLevel{Level: *level}
}

func aiInfo(f *fields) event.Insight {
	return event.Analysis{
		CustomerSentiment: f.text("user_sentiment"),
		CustomerEmotions:  f.words("user_emotions"),
		CustomerAngry:     f.flag("user_anger_detected"),
		CustomerIntents:   f.words("user_intents"),
		AgentSentiment:    f.text("agent_sentiment"),
		Tasks:             f.items("agent_tasks"),
		RemainingTasks:    f.items("agent_remaining_tasks"),
		NextTask:          f.text("agent_next_task"),
		SuggestedReply:    f.text("agent_suggested_prompt"),
	}
}

func dialogInfo(f *fields) event.Insight {
	d := event.Dialog{Latest: f.integer("latestSeqId"),
		AgentPartial: f.text("agentPartialUtterance"), CustomerPartial: f.text("userPartialUtterance")}
	f.each("utterances", func(u *fields) { d.Utterances = append(d.Utterances, utterance(u)) })
	return d
}

func utterance(f *fields) event.Utterance {
	return event.Utterance{Index: f.integer("seqId"), Speaker: speaker(f.text("participantType")), Text: f.text("utterance"),
		Started: f.moment("startTime"), Ended: f.moment("endTime"), Final: f.flag("isFinal")}
}

// speaker is whom a participant's type means; other types stay as they are.
func speaker(kind string) event.Role {
	switch strings.ToUpper(kind) {
	case "USER":
		return event.RoleCustomer
	case "AGENT":
		return event.RoleLiveAgent
	}
	return event.Role(kind)
}

func callInfo(f *fields) event.Insight {
	return event.Call{Status: f.text("status"), Detail: f.text("error_description")}
}

func verificationResult(f *fields) event.Insight {
	return event.Verification{
		Label: f.text("label"), Status: f.text("status"), Risk: f.text("risk_level"),
		AgentText: f.text("custom_agent_message"), DisplayText: f.text("custom_ui_message"),
		Score: f.number("score"), LikelihoodRatio: f.number("score_llr"), NormalizedLikelihoodRatio: f.number("score_nllr"),
		Fraudster: f.text("fraudster_id"), Blocklist: f.text("blocklist_id"), BlocklistSize: f.integer("list_size"),
		Matches: f.integer("match_count"), SpeechFrames: f.integer("speech_frames"),
	}
}

// plainVerification leaves the outcome and what the agent is to be told.
func plainVerification(i event.Insight) event.Insight {
	v, _ := i.(event.Verification)
	v = event.Verification{Label: v.Label, Status: v.Status, Risk: v.Risk, AgentText: v.AgentText, DisplayText: v.DisplayText}
	if v == (event.Verification{}) {
		return nil
	}
	return v
}

// voiceInfo reads objects within, or names with a dot as the vendor's own table
// writes them.
func voiceInfo(f *fields) event.Insight {
	v := event.Voice{
		Liveness: f.text("liveness_score.label"), LivenessScore: f.number("liveness_score.global_post"),
		Quality: f.text("satResult.label"), Usable: f.flag("satResult.valid"),
		Gender: f.text("satResult.gender"), Age: f.integer("satResult.ageEstimate"),
	}
	f.inner("liveness_score", func(f *fields) { v.Liveness, v.LivenessScore = f.text("label"), f.number("global_post") })
	f.inner("satResult", func(f *fields) {
		v.Quality, v.Usable, v.Gender, v.Age = f.text("label"), f.flag("valid"), f.text("gender"), f.integer("ageEstimate")
	})
	return v
}

// plainVoice leaves whether there was speech enough.
func plainVoice(i event.Insight) event.Insight {
	v, _ := i.(event.Voice)
	if v.Quality == "" && v.Usable == nil {
		return nil
	}
	return event.Voice{Quality: v.Quality, Usable: v.Usable}
}

func errorInfo(f *fields) event.Insight {
	return event.Fault{Text: f.text("message"), Detail: f.text("messageDetails")}
}

func summaryInfo(f *fields) event.Insight {
	text := f.text("data")
	if text == "" {
		return nil
	}
	return event.Summary{Text: text}
}

func ttsDetection(f *fields) event.Insight {
	return event.SyntheticSpeech{Label: f.text("label"), Score: f.number("global_post")}
}

// plainSynthetic leaves the verdict, which says nothing of the person.
func plainSynthetic(i event.Insight) event.Insight {
	v, _ := i.(event.SyntheticSpeech)
	if v.Label == "" {
		return nil
	}
	return event.SyntheticSpeech{Label: v.Label}
}

func aniResults(f *fields) event.Insight {
	return event.CallerNumber{Number: f.text("calledNumber"), Trust: f.integer("trustIndicator")}
}

func businessFlow(f *fields) event.Insight {
	return event.Flow{ID: f.text("flow_instance_id"), Status: f.text("flow_instance_status"),
		Intent: f.text("intent"), Entities: f.items("entity_instances")}
}

func businessFlowDiff(f *fields) event.Insight {
	return event.FlowChange{ID: f.text("flow_instance_id"), Status: f.text("flow_instance_status"),
		Entity: f.text("entityId"), Value: f.text("entity_value")}
}

func attachedData(f *fields) event.Insight {
	return event.AttachedData{Entries: f.items("data")}
}
