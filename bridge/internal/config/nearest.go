package config

import (
	"reflect"
	"strings"
)

// unknownMend helps with a key that its table does not have: the likely spelling, the table it belongs into, or all
// there are.
func unknownMend(key string, known []string) string {
	if near := nearest(key, known); near != "" {
		return "did you mean " + near + "?"
	}
	if home := home(reflect.TypeFor[Config](), "", key); home != "" {
		return "it belongs into " + home
	}
	return "known here: " + strings.Join(known, ", ")
}

// choiceMend helps with a value that is not one of the words allowed.
func choiceMend(value string, allowed []string) string {
	if near := nearest(value, allowed); near != "" {
		return "did you mean " + near + "?"
	}
	return "use one of " + strings.Join(allowed, ", ")
}

// nearest gives the known word a typing mistake away from s, or none.
func nearest(s string, known []string) string {
	best, limit := "", 3
	for _, word := range known {
		if strings.EqualFold(s, word) {
			return word
		}
		if d := distance(strings.ToLower(s), word); d < limit && d*2 < len(word) {
			best, limit = word, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements between two words; words of very different length are
// simply far apart.
func distance(a, b string) int {
	if len(a) > len(b)+2 || len(b) > len(a)+2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// home finds a table of the structs that has the key, written as a header with NAME for names.
func home(t reflect.Type, path, key string) string {
	for _, f := range fields(t) {
		if f.name == key && path != "" {
			return "[" + path + "]"
		}
		inner, at := t.Field(f.index).Type, join(path, f.name)
		switch inner.Kind() {
		case reflect.Map:
			inner, at = inner.Elem(), at+".NAME"
		case reflect.Slice:
			inner = inner.Elem()
		}
		if inner.Kind() != reflect.Struct {
			continue
		}
		if found := home(inner, at, key); found != "" {
			return found
		}
	}
	return ""
}
