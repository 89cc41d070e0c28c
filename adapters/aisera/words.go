package aisera

import "github.com/footbridge/footbridge/bridge/adapter/codec"

// words are the fields of Aisera's frames and requests, by every name one has
// been documented or guessed under.
func words() codec.Words {
	const text, object = codec.String, codec.Object
	return codec.NewWords(nil, []codec.Field{
		{Name: "token userId userEmail channelId userFullName reqId followUpId formId", Kind: text | codec.Number},
		{Name: "data response", Kind: object},
		{Name: "sessionVars formFieldValues", Kind: object | codec.Own},
		{Name: "text message messages displayText", Kind: text | object},
		{Name: "isKL isReset needsSessionHistory isFormSupported isPopupSupported handleOffToLiveAgent required", Kind: codec.Bool},
		{Name: "channelCapabilities followUpData followUpContext form followUps buttons options sessionHistory history", Kind: object},
		{Name: "options/options values", Kind: object | text},
		{Name: "modeType", Kind: text | codec.Names, Values: `LiveAgent LiveAgentWaiting LiveAgentJoined LiveAgentExited
			LiveAgentWaitingUpdate LiveAgentTyping Error FormError ExternalSystemError FlowStarted FlowCompleted SilentModeAnswerFound
			SilentModeAnswered SilentModeAnsweredConfidentially SilentModeFirstResponse SilentModeResolved SilentModeEscalated
			SilentModeTicketCreated SilentModeCancelled SilentModeFollowUp SilentModeConversationEnded SilentModeStopResponding
			StatusUpdate StreamingInProgress StreamingCompleted Campaign AskForApproval`},
		{Name: "type", Kind: text | codec.Names, Values: "LiveAgentPickUp LiveAgentCompleted LiveAgentTransfer SessionTimeout EndSessionSurvey"},
		{Name: "followUpContext/type", Kind: text, Values: "FlowGoBack FlowStartOver"},
		{Name: "fields/type", Kind: text, Values: `string text simplestring textarea text_area date select dropdown radio radios
			radiobuttons checkbox checkboxes multiselect multiselectcheckboxes boolean number integer`},
		{Name: "fields", Kind: object},
		{Name: "agent", Kind: text | object},
		{Name: "id name key label title value url displayName queue toAgentId comment", Kind: text | codec.Number},
		{Name: "agentId liveAgentId agentName liveAgentName initMsg", Kind: text},
		{Name: "position queuePosition waitTime estimatedWaitTime code", Kind: codec.Number | text},
		{Name: "score rating", Kind: codec.Number | text},
		{Name: "typing isTyping", Kind: codec.Bool},
		{Name: "error path", Kind: text},
		{Name: "errors", Kind: object | text},
		{Name: "role from sender time timestamp", Kind: text},
	})
}
