package omiliasim

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The payloads, by the sections of "Real-Time Server Messages".
type (
	// SoundInfo is of "Sound Info", channel sound_info. Level is 0 to 2.
	SoundInfo struct {
		Level int `json:"level"`
	}
	// AIInfo is of "AI Info", channel ai_info. Tasks are "key-value task objects".
	AIInfo struct {
		UserSentiment        string           `json:"user_sentiment,omitempty"`
		UserEmotions         string           `json:"user_emotions,omitempty"`
		UserAngerDetected    bool             `json:"user_anger_detected"`
		UserIntents          string           `json:"user_intents,omitempty"`
		AgentSentiment       string           `json:"agent_sentiment,omitempty"`
		AgentTasks           []map[string]any `json:"agent_tasks,omitempty"`
		AgentRemainingTasks  []map[string]any `json:"agent_remaining_tasks,omitempty"`
		AgentNextTask        string           `json:"agent_next_task,omitempty"`
		AgentSuggestedPrompt string           `json:"agent_suggested_prompt,omitempty"`
	}
	// DialogInfo is of "Dialog Info", channel dialog_info.
	DialogInfo struct {
		LatestSeqID           int64       `json:"latestSeqId"`
		Utterances            []Utterance `json:"utterances"`
		AgentPartialUtterance string      `json:"agentPartialUtterance"`
		UserPartialUtterance  string      `json:"userPartialUtterance"`
	}
	// Utterance is of "Dialog Diff", channel dialog_info_diff. The times are
	// "Epoch", here in milliseconds.
	Utterance struct {
		SeqID           int64  `json:"seqId"`
		ParticipantType string `json:"participantType"`
		Utterance       string `json:"utterance"`
		StartTime       int64  `json:"startTime,omitempty"`
		EndTime         int64  `json:"endTime,omitempty"`
		IsFinal         bool   `json:"isFinal"`
	}
	// CallInfo is of "Call Info", channel call_info.
	CallInfo struct {
		Status           string `json:"status"`
		ErrorDescription string `json:"error_description,omitempty"`
	}
	// Verification is of "Verification Result", channel verification_result.
	Verification struct {
		Label              string  `json:"label"`
		Status             string  `json:"status"`
		RiskLevel          string  `json:"risk_level"`
		Score              float64 `json:"score"`
		FraudsterID        string  `json:"fraudster_id,omitempty"`
		BlocklistID        string  `json:"blocklist_id,omitempty"`
		CustomAgentMessage string  `json:"custom_agent_message,omitempty"`
		CustomUIMessage    string  `json:"custom_ui_message,omitempty"`
		ScoreLLR           float64 `json:"score_llr"`
		ScoreNLLR          float64 `json:"score_nllr"`
		SpeechFrames       int64   `json:"speech_frames"`
		ListSize           int64   `json:"list_size"`
		MatchCount         int64   `json:"match_count"`
	}
	// VoiceInfo is of "Voice Info", channel voice_info.
	VoiceInfo struct {
		Liveness Liveness  `json:"liveness_score"`
		Sat      SatResult `json:"satResult"`
	}
	// Liveness is the part liveness_score of VoiceInfo.
	Liveness struct {
		Label      string  `json:"label"`
		GlobalPost float64 `json:"global_post"`
	}
	// SatResult is the part satResult of VoiceInfo.
	SatResult struct {
		Label       string `json:"label"`
		Valid       bool   `json:"valid"`
		Gender      string `json:"gender"`
		AgeEstimate int    `json:"ageEstimate"`
	}
	// ErrorInfo is of "Error Info", channel error_info.
	ErrorInfo struct {
		Message        string `json:"message"`
		MessageDetails string `json:"messageDetails"`
	}
	// Summary is of "Call Summary", channel summary_info.
	Summary struct {
		Data string `json:"data"`
	}
	// TTSDetection is of "TTS Detection", channel tts_detection.
	TTSDetection struct {
		Label      string  `json:"label"`
		GlobalPost float64 `json:"global_post"`
	}
	// CallerNumber is of "ANI Validation Results", channel
	// ani_validation_results. TrustIndicator is 0 to 100.
	CallerNumber struct {
		CalledNumber   string `json:"calledNumber"`
		TrustIndicator int    `json:"trustIndicator"`
	}
	// Flow is of "Business Flow Info", channel business_flow.
	Flow struct {
		ID              string           `json:"flow_instance_id"`
		Status          string           `json:"flow_instance_status"`
		Intent          string           `json:"intent"`
		EntityInstances []map[string]any `json:"entity_instances"`
	}
	// FlowDiff is of "Business Flow Diff", channel business_flow_diff.
	FlowDiff struct {
		ID          string `json:"flow_instance_id"`
		Status      string `json:"flow_instance_status"`
		EntityID    string `json:"entityId"`
		EntityValue string `json:"entity_value"`
	}
	// AttachedData is of "Attached Data", channel attached_data.
	AttachedData struct {
		Data []map[string]any `json:"data"`
	}
)

// check refuses what the documented ranges forbid.
func check(payload any) error {
	switch p := payload.(type) {
	case SoundInfo:
		return within("level", p.Level, 2)
	case CallerNumber:
		return within("trustIndicator", p.TrustIndicator, 100)
	}
	return nil
}

func within(field string, n, most int) error {
	if n < 0 || n > most {
		return fmt.Errorf("%s is %d; the page has 0 to %d", field, n, most)
	}
	return nil
}

// frame puts a payload into the envelope of the options.
func (s *Server) frame(channel string, payload any) ([]byte, error) {
	data, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", channel, err)
	}
	if s.o.Dotted && channel == "voice_info" {
		if data, err = dotted(data); err != nil {
			return nil, fmt.Errorf("encode %s: %w", channel, err)
		}
	}
	switch s.o.Envelope {
	case Bare:
		return data, nil
	case Keyed:
		return json.Marshal(map[string]json.RawMessage{channel: data})
	}
	return json.Marshal(map[string]any{s.o.Envelope: channel, s.o.Payload: json.RawMessage(data)})
}

// dotted writes the members of an object's objects beside them, "a.b".
func dotted(data []byte) ([]byte, error) {
	var parts map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return nil, err
	}
	flat := map[string]json.RawMessage{}
	for part, fields := range parts {
		for name, value := range fields {
			flat[part+"."+name] = value
		}
	}
	return json.Marshal(flat)
}

// open takes a command out of the envelope of the options.
func (s *Server) open(data []byte) (Command, error) {
	var c Command
	frame := map[string]json.RawMessage{}
	if s.o.Envelope != Bare {
		if err := json.Unmarshal(data, &frame); err != nil {
			return c, fmt.Errorf("read a frame: %w", err)
		}
		channel := ""
		switch _ = json.Unmarshal(frame[s.o.Envelope], &channel); {
		case s.o.Envelope == Keyed:
			data = frame["command_request"]
		case channel == "command_request":
			data = frame[s.o.Payload]
		default:
			return c, fmt.Errorf("channel %q is not command_request", channel)
		}
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("read a command: %w", err)
	}
	if c.Command == "" || c.Parameters == nil {
		return c, errors.New("a command has a command and parameters")
	}
	return c, nil
}
