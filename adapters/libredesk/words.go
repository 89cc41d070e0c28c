package libredesk

import "github.com/footbridge/footbridge/bridge/adapter/codec"

// words are the fields of Libredesk's webhooks, answers and frames, as its source has
// them.
func words() codec.Words {
	const text, num, object, truth, own = codec.String, codec.Number, codec.Object, codec.Bool, codec.Own
	return codec.NewWords(nil, append(conversationWords(), []codec.Field{
		{Name: "event", Kind: text | codec.Names, Values: `conversation.created conversation.status_changed conversation.assigned
			conversation.unassigned conversation.tags_changed message.created message.updated webhook.test`},
		{Name: "timestamp created_at updated_at", Kind: text},
		{Name: "payload data conversation author user contact results messages attachments last_message", Kind: object},
		{Name: "/status", Kind: text, Values: "success error"},
		{Name: "message error_type session_token token", Kind: text},
		{Name: "data/message", Kind: text},
		{Name: "id uuid user_id sender_id conversation_id contact_id inbox_id actor_id assigned_to assignee_id", Kind: num | text},
		{Name: "conversation_uuid", Kind: text},
		{Name: "/type", Kind: text | codec.Names, Values: "joined pong new_message conversation_update typing error ping join page_visit"},
		{Name: "type", Kind: text, Values: "incoming outgoing activity"},
		{Name: "author/type assignee/type contact/type", Kind: text, Values: "agent contact visitor ai_assistant"},
		{Name: "sender_type", Kind: text, Values: "agent contact"},
		{Name: "content text_content", Kind: text},
		{Name: "content_type", Kind: text, Values: "text html"},
		{Name: "attachments/content_type", Kind: text},
		{Name: "private is_typing is_visitor is_active enabled", Kind: truth},
		{Name: "meta", Kind: object | text | own},
		{Name: "first_name last_name email avatar_url external_user_id phone_number phone_number_country_code country", Kind: text},
		{Name: "availability_status", Kind: text, Values: "online away away_manual offline away_and_reassigning"},
		{Name: "last_active_at active_at last_login_at", Kind: text},
		{Name: "name url content_id disposition thumbnail_url header", Kind: text},
		{Name: "size width height", Kind: num},
		{Name: "total per_page total_pages page unread_message_count", Kind: num},
		{Name: "previous_status new_status snooze_until", Kind: text},
		{Name: "business_hours_id working_hours_utc_offset", Kind: num},
		{Name: "previous_tags new_tags", Kind: text},
		{Name: "tags", Kind: text | object | own},
	}...))
}

// conversationWords are the fields of a conversation.
func conversationWords() []codec.Field {
	const text, num, object, own = codec.String, codec.Number, codec.Object, codec.Own
	return []codec.Field{
		// Statuses are the operator's own, their categories are not; those of messages
		// are others.
		{Name: "status", Kind: text},
		{Name: "status_category", Kind: text, Values: "open waiting resolved"},
		{Name: "status_id priority_id assigned_user_id assigned_team_id sla_policy_id applied_sla_id csat_rating", Kind: num},
		{Name: "assignee", Kind: object},
		{Name: "priority subject inbox_mail inbox_reply_to inbox_name inbox_channel reference_number sla_policy_name csat_feedback last_message_sender last_interaction last_interaction_sender", Kind: text},
		{Name: "conversation/last_message payload/last_message data/last_message", Kind: text | object},
		{Name: `closed_at resolved_at last_resolved_at contact_last_seen_at first_reply_at last_reply_at waiting_since snoozed_until last_message_at
			last_interaction_at next_sla_deadline_at first_response_deadline_at resolution_deadline_at next_response_deadline_at
			next_response_met_at last_inbound_at contact_last_inbound_at csat_responded_at`, Kind: text},
		{Name: "custom_attributes previous_conversations channel_identities unread_messages", Kind: object | own},
	}
}
