package config

import "strings"

const english = "en"

// texts are the keys of the bridge's own words, with the English ones.
//
//nolint:gochecknoglobals // a table that is never written.
var texts = []struct{ key, words string }{
	{"no_agents", "Sorry, nobody is available right now."},
	{"out_of_hours", "Sorry, we are closed right now."},
	{"queue_full", "Sorry, too many people are waiting right now. Please try again later."},
	{"timed_out", "Sorry, nobody could take your request in time."},
	{"backend_down", "Sorry, we cannot reach our colleagues right now."},
	{"declined", "Sorry, nobody can take your request right now."},
	{"rejected", "Sorry, we could not find anybody for you. Please try again later."},
	{"leave_message", "Please leave a message: we will come back to you."},
	{"agent_silent", "Sorry, your colleague has not answered for a long time."},
	{"customer_gone", "We have not heard from you for a while, so this conversation ends here."},
	{"say_again", "Please say that again: your last message could not be passed on."},
	{"queue_position", "You are number {position} in the queue."},
	{"agent_lost", "The connection to your colleague was lost. We are looking for another one."},
}

// ChatTextKeys lists the keys an account's chat has words for, in a fixed order; the
// words are in the pages.
func ChatTextKeys() []string {
	return strings.Fields(`
	title greeting open close unread messages compose placeholder send attach end end_question stay again
	you agent virtual_agent writing looking waiting next place about connected returning over
	fact_looking joined passed_on back ended reconnecting unreachable unnamed
	sending sent delivered read failed cut_off retry discard form picture location
	survey survey_score survey_comment survey_send survey_skip survey_thanks`)
}

// TextKeys lists the keys Text knows, in a fixed order.
func TextKeys() []string {
	keys := make([]string, len(texts))
	for i, text := range texts {
		keys[i] = text.key
	}
	return keys
}

// Text gives the bridge's words for a key in a language: as configured for that language, else for its base (pt for
// pt-BR), else in English. An unknown key gives nothing.
func (c *Config) Text(language, key string) string {
	base, _, _ := strings.Cut(language, "-")
	for _, lang := range []string{language, base, english} {
		if words, ok := c.Texts[lang][key]; ok {
			return words
		}
	}
	return ""
}
