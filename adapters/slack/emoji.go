package slack

// emojis are the names Slack writes for what people use to strangers; others stay as
// their names.
func emojis() map[string]string {
	return map[string]string{"slightly_smiling_face": "🙂", "smile": "😄", "smiley": "😃", "grinning": "😀", "blush": "😊", "wink": "😉", "joy": "😂",
		"relaxed": "☺️", "sweat_smile": "😅", "grin": "😁", "laughing": "😆", "thinking_face": "🤔", "disappointed": "😞", "cry": "😢", "sob": "😭",
		"confused": "😕", "neutral_face": "😐", "white_frowning_face": "☹️", "slightly_frowning_face": "🙁", "sunglasses": "😎", "hugging_face": "🤗",
		"heart": "❤️", "thumbsup": "👍", "+1": "👍", "thumbsdown": "👎", "-1": "👎", "ok_hand": "👌", "clap": "👏", "wave": "👋", "pray": "🙏",
		"raised_hands": "🙌", "muscle": "💪", "point_up": "☝️", "point_right": "👉", "eyes": "👀", "tada": "🎉", "rocket": "🚀", "fire": "🔥", "star": "⭐",
		"sparkles": "✨", "100": "💯", "white_check_mark": "✅", "heavy_check_mark": "✔️", "x": "❌", "warning": "⚠️", "exclamation": "❗", "question": "❓",
		"information_source": "ℹ️", "bulb": "💡", "email": "📧", "phone": "☎️", "calendar": "📆", "hourglass": "⌛", "package": "📦", "coffee": "☕",
		"lock": "🔒", "link": "🔗", "bug": "🐛", "wrench": "🔧"}
}
