package codec

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Length counts text as vendors count characters: in UTF-16 code units. It is
// never less than the number of runes or of grapheme clusters.
func Length(text string) int {
	n := 0
	for _, r := range text {
		n += units(r)
	}
	return n
}

func units(r rune) int { return max(utf16.RuneLen(r), 1) }

// Split cuts text into parts of at most limit UTF-16 code units each, in order;
// joined they are the text again. A part ends between two grapheme clusters,
// unless one cluster alone is longer than the limit. No text gives no parts; a
// limit under 2 counts as 2, since a rune may need that many.
func Split(text string, limit int) []string {
	var parts []string
	for text != "" {
		var head string
		head, text = Cut(text, limit)
		parts = append(parts, head)
	}
	return parts
}

// Cut gives the first part Split would give, and the rest.
func Cut(text string, limit int) (head, rest string) {
	limit = max(limit, 2)
	if len(text) <= limit {
		return text, ""
	}
	end, used, state := 0, 0, -1
	for end < len(text) {
		cluster, _, _, next := uniseg.FirstGraphemeClusterInString(text[end:], state)
		size := Length(cluster)
		if used+size > limit {
			break
		}
		end, used, state = end+len(cluster), used+size, next
	}
	if end == 0 {
		end = runesWithin(text, limit)
	}
	return text[:end], text[end:]
}

// Within is the beginning of a text that takes no more than limit bytes, cut between two
// grapheme clusters where one alone takes no more, else between two characters.
func Within(text string, limit int) string {
	for units := limit; len(text) > limit && units >= 2; units -= max(len(text)-limit, 4) / 4 {
		text, _ = Cut(text, units)
	}
	for len(text) > limit && text != "" {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// runesWithin is the number of bytes of the longest run of runes at the front of
// text that is within limit.
func runesWithin(text string, limit int) int {
	end, used := 0, 0
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		if used+units(r) > limit {
			break
		}
		end, used = end+size, used+units(r)
	}
	return end
}
