package chatwoot

import "github.com/footbridge/footbridge/bridge/adapter/codec"

// words are the fields of Chatwoot's webhooks and answers, as its documents and its
// own serializers have them.
func words() codec.Words {
	const text, num, object, truth, own = codec.String, codec.Number, codec.Object, codec.Bool, codec.Own
	return codec.NewWords(nil, append(conversationWords(), []codec.Field{
		{Name: "event", Kind: text | codec.Names, Values: `message_created message_updated conversation_created conversation_updated
			conversation_status_changed conversation_typing_on conversation_typing_off conversation_contact_changed contact_created contact_updated
			inbox_created inbox_updated webwidget_triggered`},
		{Name: "id message_id account_id inbox_id conversation_id contact_id assignee_id team_id sender_id", Kind: num | text},
		{Name: "content processed_message_content", Kind: text},
		{Name: "message_type", Kind: text | num, Values: "incoming outgoing activity template 0 1 2 3"},
		{Name: "content_type", Kind: text, Values: `text input_text input_textarea input_email input_select cards form article
			incoming_email input_csat integrations sticker voice_call`},
		{Name: "content_attributes additional_attributes custom_attributes", Kind: object | text | own},
		{Name: "private is_private", Kind: truth},
		{Name: "source_id echo_id uuid pubsub_token client_message_id", Kind: text},
		{Name: "created_at updated_at timestamp", Kind: text | num},
		{Name: "sender user contact assignee team account inbox conversation meta contact_inbox payload attachments messages", Kind: object},
		{Name: "sender_type assignee_type", Kind: text},
		{Name: "type", Kind: text, Values: "user contact agent_bot captain_assistant"},
		{Name: "name available_name email phone_number identifier avatar avatar_url thumbnail", Kind: text},
		{Name: "role availability_status", Kind: text},
		{Name: "availability auto_offline confirmed custom_role_id provider blocked", Kind: truth | text | num},
		{Name: "file_type", Kind: text, Values: "image audio video file location fallback share story_mention contact ig_reel ig_post ig_story embed"},
		{Name: "data_url thumb_url extension fallback_title transcribed_text", Kind: text},
		{Name: "file_size width height coordinates_lat coordinates_long", Kind: num},
		{Name: "sentiment external_source_ids error", Kind: object | text | own},
		{Name: "external_error description", Kind: text},
		{Name: "success allow_auto_assign", Kind: truth},
		{Name: "current_status", Kind: text, Values: "open resolved pending snoozed"},
		{Name: "event_info", Kind: object | own},
	}...))
}

// conversationWords are the fields of a conversation.
func conversationWords() []codec.Field {
	const text, num, object, truth, own = codec.String, codec.Number, codec.Object, codec.Bool, codec.Own
	return []codec.Field{
		{Name: "status", Kind: text, Values: "open resolved pending snoozed sent delivered read failed progress"},
		{Name: "changed_attributes", Kind: object | own},
		{Name: "can_reply hmac_verified muted", Kind: truth},
		{Name: "channel", Kind: text},
		{Name: "labels", Kind: text},
		{Name: "priority", Kind: text, Values: "urgent high medium low"},
		{Name: "snoozed_until waiting_since first_reply_created_at agent_last_seen_at assignee_last_seen_at contact_last_seen_at last_activity_at",
			Kind: text | num},
		{Name: "unread_count display_id sla_policy_id", Kind: num},
		{Name: "last_non_activity_message applied_sla sla_events group_contacts", Kind: object | own},
		{Name: "group", Kind: truth},
		{Name: "group_source_id group_title", Kind: text},
	}
}
