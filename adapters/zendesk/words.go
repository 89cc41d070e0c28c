package zendesk

import "github.com/footbridge/footbridge/bridge/adapter/codec"

// words are the fields of Zendesk's webhooks and answers, as the public specification of
// the API has them.
func words() codec.Words {
	const text, num, object, truth, own = codec.String, codec.Number, codec.Object, codec.Bool, codec.Own
	return codec.NewWords(nil, append(contentWords(), []codec.Field{
		{Name: "payload/payload", Kind: text},
		{Name: "payload", Kind: object | text},
		{Name: "type", Kind: text | codec.Names, Values: `conversation:create conversation:join conversation:leave conversation:remove conversation:message
			conversation:read conversation:typing conversation:postback conversation:referral conversation:message:delivery:channel
			conversation:message:delivery:failure conversation:message:delivery:user client:add client:remove client:update
			switchboard:acceptControl switchboard:acceptControl:failure switchboard:offerControl switchboard:offerControl:failure
			switchboard:passControl switchboard:passControl:failure switchboard:releaseControl user:merge user:update user:remove`},
		{Name: "source/type destination/type client/type integrations/type integration/type app/type", Kind: text},
		{Name: "events app webhook conversation conversations message messages activity postback source destination", Kind: object},
		{Name: "author user users participants activeSwitchboardIntegration pendingSwitchboardIntegration", Kind: object},
		{Name: "mergedUsers mergedConversations surviving discarded error errors meta links attachment", Kind: object},
		{Name: "id userId userExternalId externalId integrationId brandId originalMessageId", Kind: text},
		{Name: "integrationType name displayName description iconUrl avatarUrl version", Kind: text},
		{Name: "createdAt received originalMessageTimestamp signedUpAt lastUpdatedAt businessLastRead lastRead", Kind: text},
		{Name: "author/type", Kind: text, Values: "business user"},
		{Name: "conversation/type surviving/type discarded/type", Kind: text, Values: "personal sdkGroup"},
		{Name: "activity/type", Kind: text, Values: "typing:start typing:stop conversation:read"},
		{Name: "subtypes", Kind: text},
		{Name: "metadata discardedMetadata client device profile identities externalMessages quotedMessage", Kind: object | own},
		{Name: "recentNotifications", Kind: object | own},
		{Name: "reason", Kind: text, Values: "ticketClosed transferToEmail"},
		{Name: "creationReason code title message/message error/message", Kind: text},
		{Name: "hasMore isFinalEvent isDefault authenticated hasPaymentInfo subscribeSDKClient", Kind: truth},
		{Name: "afterCursor beforeCursor prev next", Kind: text},
		{Name: "unreadCount", Kind: num},
		{Name: "toBeRetained deleted", Kind: truth},
	}...))
}

// contentWords are the fields of what a message says.
func contentWords() []codec.Field {
	const text, num, object, truth, own = codec.String, codec.Number, codec.Object, codec.Bool, codec.Own
	return []codec.Field{
		{Name: "content location coordinates items actions fields options select displaySettings template", Kind: object},
		{Name: "content/type", Kind: text, Values: "text carousel file form formResponse image list location template"},
		{Name: "actions/type", Kind: text, Values: "buy link locationRequest postback reply webview"},
		{Name: "fields/type", Kind: text, Values: "email select text"},
		{Name: "text htmlText markdownText textFallback altText mediaUrl mediaType uri fallback size label placeholder email address currency state", Kind: text},
		{Name: "mediaSize amount lat long minSize maxSize", Kind: num},
		{Name: "blockChatInput default openOnReceive", Kind: truth},
		{Name: "extraChannelOptions imageAspectRatio attachmentId", Kind: text | object | own},
	}
}
