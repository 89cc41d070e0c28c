package omilia

import "github.com/footbridge/footbridge/bridge/adapter/codec"

// words are the fields of the socket's channels, in every envelope they may come
// in, alike as the rest of this package reads them.
func words() codec.Words {
	const text, number, flag, object, own = codec.String, codec.Number, codec.Bool, codec.Object, codec.Own
	rows := []codec.Field{
		{Name: "payload", Kind: object},
		{Name: "data message", Kind: object | text},
		{Name: "data/data attached_data/data", Kind: text | object | own},
		{Name: "level global_post score score_llr score_nllr list_size match_count speech_frames ageEstimate trustIndicator", Kind: number},
		{Name: "latestSeqId seqId startTime endTime", Kind: number},
		{Name: "liveness_score.global_post satResult.ageEstimate", Kind: number},
		{Name: "user_anger_detected isFinal valid satResult.valid", Kind: flag},
		{Name: "user_emotions user_intents agent_next_task agent_suggested_prompt", Kind: text},
		{Name: "user_sentiment agent_sentiment", Kind: text, Values: "POSITIVE NEUTRAL NEGATIVE"},
		{Name: "agent_tasks agent_remaining_tasks utterances entity_instances liveness_score satResult", Kind: object},
		{Name: "agent_tasks/key agent_tasks/value agent_remaining_tasks/key agent_remaining_tasks/value", Kind: text},
		{Name: "entity_instances", Kind: object | own},
		{Name: "agentPartialUtterance userPartialUtterance utterance messageDetails error_description calledNumber", Kind: text},
		{Name: "participantType", Kind: text, Values: "USER AGENT"},
		{Name: "status", Kind: text},
		{Name: "risk_level", Kind: text, Values: "LOW_RISK MEDIUM_RISK HIGH_RISK"},
		{Name: "label liveness_score.label satResult.label gender satResult.gender", Kind: text},
		{Name: "liveness_score/label", Kind: text, Values: "GENUINE SPOOFED SYNTHETIC"},
		{Name: "custom_agent_message custom_ui_message fraudster_id blocklist_id", Kind: text},
		{Name: "flow_instance_id intent entityId entity_value", Kind: text},
		{Name: "flow_instance_status", Kind: text, Values: "NOT_STARTED RUNNING COMPLETED"},
	}
	names := ""
	for _, c := range channels {
		names += c.name + " "
		rows = append(rows, codec.Field{Name: c.name, Kind: object | text})
	}
	for _, idle := range idle {
		names += idle + " "
	}
	for _, name := range channelNames {
		rows = append(rows, codec.Field{Name: name, Kind: text | codec.Names, Values: names})
	}
	return codec.NewWords(alike, rows)
}
