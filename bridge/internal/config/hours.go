package config

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"time"
	_ "time/tzdata" // so that a host without time zones does not refuse a good file
)

// span is part of a day in minutes of its wall clock, from inclusive, to exclusive.
type span struct{ from, to int }

var spanForm = regexp.MustCompile(`^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$`)

func parseSpan(s string) (span, bool) {
	m := spanForm.FindStringSubmatch(s)
	if m == nil {
		return span{}, false
	}
	at := func(hour, minute string) int {
		h, _ := strconv.Atoi(hour)
		m, _ := strconv.Atoi(minute)
		return h*60 + m
	}
	out := span{at(m[1], m[2]), at(m[3], m[4])}
	return out, max(out.from, out.to) <= 24*60
}

// zone loads an IANA time zone. Local is refused: it would mean something else on every host.
func zone(name string) (*time.Location, error) {
	if name == "Local" || name == "" {
		return nil, errors.New("name a time zone")
	}
	return time.LoadLocation(name)
}

// Open tells whether the hours are open at now, and when that next changes: the closing time when open, the next
// opening when closed. next is zero when it never changes. Hours that no parse accepted are closed. Safe for
// concurrent use.
func (h Hours) Open(now time.Time) (open bool, next time.Time) {
	location, err := zone(h.Timezone)
	if err != nil {
		return false, time.Time{}
	}
	today := now.In(location)
	var until time.Time
	for i := -1; i <= h.horizon(today); i++ {
		day := time.Date(today.Year(), today.Month(), today.Day()+i, 12, 0, 0, 0, location)
		for _, s := range h.spans(day) {
			from, to := s.on(day)
			switch {
			case !to.After(now) || !from.Before(to):
			case until.IsZero() && from.After(now):
				return false, from
			case until.IsZero() || !from.After(until):
				until = later(until, to)
			default:
				return true, until
			}
		}
	}
	return !until.IsZero(), time.Time{}
}

// horizon is the number of days after which nothing new can happen: the last holiday is past, and every weekday has
// come once more.
func (h Hours) horizon(today time.Time) int {
	days := 8
	for _, text := range h.Holidays {
		if day, err := time.Parse(time.DateOnly, text); err == nil {
			days = max(days, int(day.Sub(today)/(24*time.Hour))+9)
		}
	}
	return days
}

// spans are the open parts of a day in order.
func (h Hours) spans(day time.Time) []span {
	ranges := h.Week.Day(day.Weekday())
	if len(ranges) == 0 || slices.Contains(h.Holidays, day.Format(time.DateOnly)) {
		return nil
	}
	out := make([]span, 0, len(ranges))
	for _, text := range ranges {
		if s, ok := parseSpan(text); ok {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return out
}

// on places the span on a day's wall clock.
func (s span) on(day time.Time) (from, to time.Time) {
	at := func(minutes int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), 0, minutes, 0, 0, day.Location())
	}
	return at(s.from), at(s.to)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
