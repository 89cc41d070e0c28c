package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultLimit = 50
	maxLimit     = 1000
)

// page is what a list is asked for.
type page struct {
	limit int
	after string
}

// pageOf reads limit and after, and refuses parameters the list does not know.
func pageOf(q url.Values, filters ...string) (page, error) {
	p := page{limit: defaultLimit, after: q.Get("after")}
	for name := range q {
		if name != "limit" && name != "after" && !slices.Contains(filters, name) {
			return p, invalid(name, "take it out: this list knows limit, after and "+strings.Join(filters, ", "))
		}
	}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			return p, invalid("limit", "give a number from 1 to 1000")
		}
		p.limit = n
	}
	return p, nil
}

// position reads an after that is a number; "" is the beginning.
func position(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, invalid("after", "give next of the page before, unchanged")
	}
	return n, nil
}

// moment reads an after that is a time in microseconds and an id; zero is the
// beginning.
func (p page) moment() (time.Time, string, error) {
	if p.after == "" {
		return time.Time{}, "", nil
	}
	text, id, _ := strings.Cut(p.after, ".")
	micros, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id == "" {
		return time.Time{}, "", invalid("after", "give next of the page before, unchanged")
	}
	return time.UnixMicro(micros), id, nil
}

// next is the after of the following page; nil at the end.
func next(more bool, cursor string) *string {
	if !more {
		return nil
	}
	return &cursor
}

// sinceOf reads the filter since.
func sinceOf(q url.Values) (time.Time, error) {
	text := q.Get("since")
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, invalid("since", "give a time such as 2026-11-20T10:00:00Z")
	}
	return t, nil
}

// wordsOf reads a filter that may be given several times or with commas.
func wordsOf(q url.Values, name string) []string {
	var all []string
	for _, text := range q[name] {
		for word := range strings.SplitSeq(text, ",") {
			if word != "" {
				all = append(all, word)
			}
		}
	}
	return all
}
