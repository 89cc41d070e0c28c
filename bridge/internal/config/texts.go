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

// translations are the same in the languages the chat speaks by itself.
//
//nolint:gochecknoglobals // a table that is never written.
var translations = map[string]map[string]string{
	"de": {
		"no_agents":      "Gerade ist leider niemand da.",
		"out_of_hours":   "Wir haben gerade leider geschlossen.",
		"queue_full":     "Gerade warten leider zu viele. Bitte versuchen Sie es später noch einmal.",
		"timed_out":      "Leider hatte niemand rechtzeitig Zeit für Sie.",
		"backend_down":   "Wir erreichen unsere Kolleginnen und Kollegen gerade leider nicht.",
		"declined":       "Gerade kann leider niemand Ihre Anfrage übernehmen.",
		"rejected":       "Wir konnten leider niemanden für Sie finden. Bitte versuchen Sie es später noch einmal.",
		"leave_message":  "Bitte hinterlassen Sie eine Nachricht, wir melden uns bei Ihnen.",
		"agent_silent":   "Leider kam schon lange keine Antwort mehr.",
		"customer_gone":  "Wir haben eine Weile nichts von Ihnen gehört, deshalb endet das Gespräch hier.",
		"say_again":      "Bitte schreiben Sie das noch einmal: Ihre letzte Nachricht konnte nicht weitergegeben werden.",
		"queue_position": "Sie sind auf Platz {position} der Warteschlange.",
		"agent_lost":     "Die Verbindung zu unserer Seite ist abgebrochen. Wir suchen jemand anderen für Sie.",
	},
	"es": {
		"no_agents":      "Lo sentimos, ahora mismo no hay nadie disponible.",
		"out_of_hours":   "Lo sentimos, ahora mismo estamos cerrados.",
		"queue_full":     "Lo sentimos, ahora mismo espera demasiada gente. Inténtelo de nuevo más tarde.",
		"timed_out":      "Lo sentimos, nadie ha podido atenderle a tiempo.",
		"backend_down":   "Lo sentimos, ahora mismo no podemos contactar con nuestro equipo.",
		"declined":       "Lo sentimos, ahora mismo nadie puede atender su petición.",
		"rejected":       "Lo sentimos, no hemos encontrado a nadie para usted. Inténtelo de nuevo más tarde.",
		"leave_message":  "Deje un mensaje, por favor: le responderemos.",
		"agent_silent":   "Lo sentimos, hace mucho que no le responden.",
		"customer_gone":  "Hace un rato que no sabemos de usted, así que la conversación termina aquí.",
		"say_again":      "Escríbalo otra vez, por favor: no hemos podido pasar su último mensaje.",
		"queue_position": "Es usted el número {position} de la cola.",
		"agent_lost":     "Se ha perdido la conexión con quien le atendía. Buscamos a otra persona.",
	},
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
// pt-BR), else its own in that language, else in English. A text whose English is switched off is said in no language
// it is not configured for. An unknown key gives nothing.
func (c *Config) Text(language, key string) string {
	base, _, _ := strings.Cut(language, "-")
	for _, lang := range []string{language, base} {
		if words, ok := c.Texts[lang][key]; ok {
			return words
		}
	}
	words := c.Texts[english][key]
	if own := translations[base][key]; own != "" && words != "" {
		return own
	}
	return words
}
