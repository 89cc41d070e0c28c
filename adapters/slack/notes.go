package slack

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// private is what follows the mark of a note. Whatever a person sees before the mark is
// no word: spaces, also such as nobody sees, and the signs of bold, italics, strike,
// quotes and lists.
func (d desk) private(text string) (rest string, private bool) {
	marks := d.noteMarks()
	for rest = text; rest != ""; {
		for _, mark := range marks {
			if len(rest) >= len(mark) && strings.EqualFold(rest[:len(mark)], mark) {
				return strings.TrimSpace(rest[len(mark):]), true
			}
		}
		size := unseen(rest)
		if size == 0 {
			break
		}
		rest = rest[size:]
	}
	return text, false
}

// noteMarks are the marks as Slack may write them: an emoji is a name there, mostly,
// and who writes Japanese has wide strokes.
func (d desk) noteMarks() []string {
	var marks []string
	for _, prefix := range d.set.NotePrefixes {
		prefix = strings.TrimSpace(prefix)
		marks = append(marks, escape(prefix), escape(strings.ReplaceAll(prefix, "/", "／")))
		for name, sign := range emojis() {
			name = ":" + name + ":"
			if strings.Contains(prefix, name) || strings.Contains(prefix, sign) {
				marks = append(marks, escape(strings.ReplaceAll(prefix, name, sign)), escape(strings.ReplaceAll(prefix, sign, name)))
			}
		}
	}
	return marks
}

// unseen is the size of what a text begins with that is no word of it; 0 where it is one.
func unseen(text string) int {
	if strings.HasPrefix(text, "&gt;") {
		return len("&gt;")
	}
	if r, size := utf8.DecodeRuneInString(text); unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("*_~•◦▪\ufe0e\ufe0f", r) {
		return size
	}
	return 0
}
