package vonage

import "github.com/footbridge/footbridge/bridge/adapter/codec"

// words are the fields of AI Studio's frames and answers, and of the servers that
// stand beside it, by every name one has been seen or guessed under.
func words() codec.Words {
	const text, number, object, own = codec.String, codec.Number, codec.Object, codec.Own
	return codec.NewWords(nil, []codec.Field{
		{Name: "sessionId session_id agentId agent_id session_token session_start_time session_expiration_time sessionExpirationTime", Kind: text},
		{Name: "calldirection", Kind: text, Values: "inbound outbound"},
		{Name: "history", Kind: object},
		{Name: "transcription transcript", Kind: object | text},
		{Name: "agent user enduser customer client caller visitor liveagent human humanagent representative operator bot assistant virtualagent virtualassistant ai system", Kind: text | object},
		{Name: "parameters", Kind: object},
		{Name: "name", Kind: text},
		{Name: "key", Kind: text},
		{Name: "parameters/value parameters/values", Kind: text},
		{Name: "type message_type messageType", Kind: text | codec.Names, Values: "text image video audio file"},
		{Name: "error/type", Kind: text},
		{Name: "image video audio file", Kind: object | text},
		{Name: "url link href caption filename mime_type mimeType", Kind: text},
		{Name: "text message messages body content", Kind: text | object},
		{Name: "input", Kind: text},
		{Name: "action", Kind: text | codec.Names, Values: "step"},
		{Name: "session_status sessionStatus", Kind: text, Values: "AWAITING_INPUT ENDED"},
		{Name: "status", Kind: text, Values: "submitted delivered read rejected undeliverable failed"},
		{Name: "nodes", Kind: object | own},
		{Name: "message_uuid messageUuid message_id messageId to from channel timestamp", Kind: text},
		{Name: "connectionId requestId", Kind: text},
		{Name: "error", Kind: object | text},
		{Name: "title detail reason code role author sender speaker utterance", Kind: text | number},
	})
}
