package scripted

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// find is the answer to a customer's words, or whether they ask for a person.
// Words that are a keyword count before words that hold one, so that a choice
// leads to the answer that has it for a keyword.
func (s *settings) find(text string) (found *answer, person bool) {
	said := words(text)
	for _, fits := range []func(said, keyword []string) bool{slices.Equal[[]string], holds} {
		if anyKeyword(s.Handoff.Keywords, said, fits) {
			return nil, true
		}
		for i := range s.Answers {
			if anyKeyword(s.Answers[i].Keywords, said, fits) {
				return &s.Answers[i], false
			}
		}
	}
	return nil, false
}

func anyKeyword(keywords, said []string, fits func(said, keyword []string) bool) bool {
	return slices.ContainsFunc(keywords, func(k string) bool { return fits(said, words(k)) })
}

// holds reports whether the keyword's words stand in said, one after another.
func holds(said, keyword []string) bool {
	for i := 0; i+len(keyword) <= len(said); i++ {
		if slices.Equal(said[i:i+len(keyword)], keyword) {
			return true
		}
	}
	return false
}

// picked is the number of a choice, from 1, where text is nothing but that: "2",
// "2.", "#2"; else 0.
func picked(text string) int {
	digits := strings.TrimRight(strings.TrimPrefix(strings.TrimSpace(text), "#"), ".)")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// words splits text at everything that is no letter, digit or sign of its own,
// in a form that is the same for all cases. Scripts that write no spaces are
// split at every character.
func words(text string) []string {
	var out []string
	joined := false // the next letter belongs to the last word
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Cf, unicode.Variation_Selector):
		case unicode.IsSymbol(r) || unicode.In(r, spaceless()...):
			out, joined = append(out, string(folded(r))), false
		case !unicode.In(r, unicode.L, unicode.N, unicode.M):
			joined = false
		case joined:
			out[len(out)-1] += string(folded(r))
		default:
			out, joined = append(out, string(folded(r))), true
		}
	}
	return out
}

// spaceless lists scripts that do not put spaces between words.
func spaceless() []*unicode.RangeTable {
	return []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar}
}

// folded is the least of the characters that differ from r in case only.
func folded(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}
