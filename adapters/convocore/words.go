package convocore

import "github.com/footbridge/footbridge/bridge/adapter/codec"

// words are the fields of the vendor's frames, objects and events. A string that
// holds an object counts as that object, as a snapshot in a chunk does.
func words() codec.Words {
	const text, number, flag, object, own = codec.String, codec.Number, codec.Bool, codec.Object, codec.Own
	return codec.NewWords(nil, []codec.Field{
		{Name: "agentId convoId sessionId prompt mid nodeId llmUsed modelId", Kind: text},
		{Name: "bucket", Kind: text},
		{Name: "isV2 v2 isTest isLLMStudio kbPreview disableUiEngine disableRecordHistory ui_engine required isSubmitted submitOnEnter success", Kind: flag},
		{Name: "agentProfileId", Kind: text},
		{Name: "agentData workspaceData toolTest initNodesOptions toolMetadata/input toolMetadata/output action/payload capturedVariables patch turn", Kind: object | own},
		{Name: "type", Kind: text | codec.Names, Values: `chunk debug action metadata sync_chat_history turn_patch turn_commit
			message_received conversation_updated chat_delegated form_submitted lead_captured bug_reported webhook_test`},
		{Name: "action/type", Kind: text | codec.Names, Values: "request_handoff tool_call"},
		{Name: "item/type messages/type rawItem/type content/type", Kind: text, Values: `text choice visual image card cardV2 carousel iFrame form input
			file VoiceNote audio video`},
		{Name: "request/type", Kind: text, Values: "text open_url"},
		{Name: "onSubmit/type", Kind: text, Values: "submit_form submit_input"},
		{Name: "fields/type field/type field_type", Kind: text, Values: `text email password number tel url textarea select checkbox radio date
			time datetime-local file`},
		{Name: "messageType", Kind: text, Values: "text visual"},
		{Name: "formType", Kind: text, Values: "ui_engine_form ui_engine_input"},
		{Name: "origin channel", Kind: text, Values: `web-chat voice telephony vapi whatsapp messenger instagram discord telegram sms
			email outlook zoho gb-chat slack`},
		{Name: "state", Kind: text, Values: "requested_chat human-chatting ai-chatting ended_chat"},
		{Name: "from messageFrom role", Kind: text, Values: "bot human system user agent ai assistant humanagent liveagent operator team"},
		{Name: "layout", Kind: text, Values: "vertical horizontal"},
		{Name: "lightConvoData nodesInfo actionMetadata visualPayload replyTo formSubmissionMetadata toolMetadata metadata", Kind: object},
		{Name: "action turns turnsHistory messages item rawItem buttons request cards field fields options onSubmit submitButton", Kind: object},
		{Name: "sources", Kind: text | object},
		{Name: "sources/payload", Kind: object | own},
		{Name: "payload content description", Kind: object | text},
		{Name: "chunk", Kind: text | object},
		{Name: "chunkIndex imageCount index messageIndex turnIndex inputTokens outputTokens ts createdAt similarity delay", Kind: number},
		{Name: "userID userName userEmail userPhone userImage currentNode chatAssignedTo assignedToUserId delegatedBy workspaceSecret", Kind: text},
		{Name: "toolName messageContent messageId namespace tags title name label value image images imageUrl url src message text", Kind: text},
		{Name: "id field_id fieldId formId", Kind: text},
		{Name: "form lead", Kind: object | own},
		{Name: "note reason", Kind: text},
		{Name: "timeout", Kind: number},
	})
}
