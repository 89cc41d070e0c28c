package slack

import "github.com/footbridge/footbridge/bridge/adapter/codec"

// words are the fields of Slack's events, presses and answers, as its documents and
// its own SDKs have them.
func words() codec.Words {
	const text, num, object, truth, own = codec.String, codec.Number, codec.Object, codec.Bool, codec.Own
	return codec.NewWords(nil, append(answerWords(), []codec.Field{
		{Name: "token team_id api_app_id event_id event_context context_team_id context_enterprise_id challenge trigger_id response_url", Kind: text},
		{Name: "type", Kind: text | codec.Names, Values: `event_callback url_verification app_rate_limited message block_actions button section actions context
			mrkdwn plain_text message_attachment rich_text`},
		{Name: "container/type", Kind: text, Values: "message"},
		{Name: "event_time minute_rate_limited", Kind: num},
		{Name: "authorizations authed_users authed_teams", Kind: object | text | own},
		{Name: "is_ext_shared_channel is_enterprise_install hidden is_ephemeral is_locked subscribed is_starred", Kind: truth},
		{Name: "event message previous_message container edited metadata root", Kind: object},
		{Name: "subtype", Kind: text, Values: `file_share thread_broadcast message_changed message_deleted bot_message channel_join channel_leave
			message_replied me_message slackbot_response tombstone`},
		{Name: "channel user team enterprise", Kind: text | object},
		{Name: "channel_type", Kind: text, Values: "channel group im mpim"},
		{Name: "text client_msg_id bot_id app_id username user_team source_team parent_user_id inviter permalink latest_reply last_read channel_id user_id", Kind: text},
		{Name: "ts thread_ts event_ts deleted_ts message_ts action_ts", Kind: text},
		{Name: "blocks attachments bot_profile reactions state icons files element elements room", Kind: object | text | own},
		{Name: "reply_users", Kind: text},
		{Name: "reply_count reply_users_count unread_count", Kind: num},
		{Name: "upload display_as_bot no_notifications", Kind: truth},
		{Name: "actions", Kind: object},
		{Name: "action_id block_id value style", Kind: text},
		{Name: "actions/text", Kind: object | own},
		{Name: "event_type", Kind: text},
		{Name: "event_payload", Kind: object | own},
	}...))
}

// answerWords are the fields of answers alone.
func answerWords() []codec.Field {
	const text, num, object, truth, own = codec.String, codec.Number, codec.Object, codec.Bool, codec.Own
	return []codec.Field{
		{Name: "ok has_more is_bot deleted is_app_user", Kind: truth},
		{Name: "error warning needed provided next_cursor url team_name bot_user_id upload_url file_id", Kind: text},
		{Name: "messages response_metadata profile", Kind: object},
		{Name: "response_metadata/messages", Kind: text},
		{Name: "warnings", Kind: text},
		{Name: "pin_count channel_actions_count", Kind: num},
		{Name: "channel_actions_ts", Kind: text},
		{Name: "id name real_name display_name image_72 domain name_normalized", Kind: text},
		{Name: "user/profile", Kind: object | own},
		{Name: "tz tz_label color locale who_can_share_contact_card", Kind: text},
		{Name: "tz_offset updated", Kind: num},
		{Name: "is_admin is_owner is_primary_owner is_restricted is_ultra_restricted is_email_confirmed has_2fa is_invited_user", Kind: truth},
	}
}
