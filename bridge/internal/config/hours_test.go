package config

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var office = Hours{
	Timezone: "Europe/Berlin",
	Week:     Week{Mon: []string{"09:00-12:00", "13:00-17:30"}, Tue: []string{"00:00-24:00"}, Wed: []string{"00:00-08:00"}},
	Holidays: []string{"2026-12-21"},
}

func TestOpen(t *testing.T) {
	for _, c := range []struct {
		at   string
		open bool
		next string
	}{
		{"2026-12-14T07:59:59Z", false, "2026-12-14T08:00:00Z"}, // Monday, 08:59:59 in Berlin
		{"2026-12-14T08:00:00Z", true, "2026-12-14T11:00:00Z"},
		{"2026-12-14T10:59:59Z", true, "2026-12-14T11:00:00Z"},
		{"2026-12-14T11:00:00Z", false, "2026-12-14T12:00:00Z"},
		{"2026-12-14T16:30:00Z", false, "2026-12-14T23:00:00Z"}, // until Tuesday 00:00
		{"2026-12-15T12:00:00Z", true, "2026-12-16T07:00:00Z"},  // through midnight into Wednesday
		{"2026-12-16T12:00:00Z", false, "2026-12-21T23:00:00Z"}, // the holiday on Monday is skipped
		{"2026-12-21T09:00:00Z", false, "2026-12-21T23:00:00Z"},
		{"2026-07-06T06:59:00Z", false, "2026-07-06T07:00:00Z"}, // summer time
	} {
		now, _ := time.Parse(time.RFC3339, c.at)
		open, next := office.Open(now)
		if got := next.UTC().Format(time.RFC3339); open != c.open || got != c.next {
			t.Errorf("at %s: %v until %s, want %v until %s", c.at, open, got, c.open, c.next)
		}
	}
}

func TestOpenWithoutChange(t *testing.T) {
	all := []string{"00:00-12:00", "12:00-24:00"}
	always := Hours{Timezone: "UTC", Week: Week{all, all, all, all, all, all, all}}
	festive := always
	festive.Holidays = []string{"2027-12-25", "2026-01-01"}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		hours Hours
		open  bool
		next  time.Time
	}{
		{"always", always, true, time.Time{}},
		{"never", Hours{Timezone: "UTC"}, false, time.Time{}},
		{"no zone", Hours{Week: always.Week}, false, time.Time{}},
		{"until a far holiday", festive, true, time.Date(2027, 12, 25, 0, 0, 0, 0, time.UTC)},
	} {
		if open, next := c.hours.Open(now); open != c.open || !next.Equal(c.next) {
			t.Errorf("%s: %v until %v, want %v until %v", c.name, open, next, c.open, c.next)
		}
	}
}

// Mondays alone, and all of the next ones holidays: the next opening is the first that is none.
func TestOpenBeyondManyHolidays(t *testing.T) {
	hours := Hours{Timezone: "UTC", Week: Week{Mon: []string{"09:00-10:00"}}}
	monday := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for i := range 60 {
		hours.Holidays = append(hours.Holidays, monday.AddDate(0, 0, 7*i).Format(time.DateOnly))
	}
	open, next := hours.Open(monday)
	if want := monday.AddDate(0, 0, 7*60).Add(9 * time.Hour); open || !next.Equal(want) {
		t.Errorf("got %v until %v, want closed until %v", open, next, want)
	}
}

// On the days clocks change, the hours follow the wall: the night is an hour shorter, or longer.
func TestOpenFollowsTheClock(t *testing.T) {
	hours := Hours{Timezone: "Europe/Berlin", Week: Week{Sun: []string{"01:00-05:00"}}}
	for _, c := range []struct{ before, opens, closes string }{
		{"2026-03-28T12:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z"},
		{"2026-10-24T12:00:00Z", "2026-10-24T23:00:00Z", "2026-10-25T04:00:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339, c.before)
		open, opens := hours.Open(now)
		still, closes := hours.Open(opens)
		if open || !still || opens.UTC().Format(time.RFC3339) != c.opens || closes.UTC().Format(time.RFC3339) != c.closes {
			t.Errorf("opens %v, closes %v, want %s and %s", opens, closes, c.opens, c.closes)
		}
	}
}

func genHours(t *rapid.T) Hours {
	day := func(name string) []string {
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(0, 96), 0, 6, rapid.ID).Draw(t, name)
		slices.Sort(cuts)
		var out []string
		for i := 0; i+1 < len(cuts); i += 2 {
			out = append(out, fmt.Sprintf("%02d:%02d-%02d:%02d", cuts[i]/4, cuts[i]%4*15, cuts[i+1]/4, cuts[i+1]%4*15))
		}
		return out
	}
	return Hours{
		Timezone: rapid.SampledFrom([]string{"UTC", "Asia/Kolkata", "America/New_York", "Africa/Cairo"}).Draw(t, "zone"),
		Week:     Week{day("mon"), day("tue"), day("wed"), day("thu"), day("fri"), day("sat"), day("sun")},
		Holidays: rapid.SliceOf(rapid.SampledFrom([]string{"2026-06-03", "2026-06-04", "2026-06-05", "2026-06-08"})).Draw(t, "holidays"),
	}
}

// openOnTheWall is Open's first answer by reading the clock on the wall.
func openOnTheWall(h Hours, now time.Time) bool {
	zone, _ := time.LoadLocation(h.Timezone)
	local := now.In(zone)
	if slices.Contains(h.Holidays, local.Format(time.DateOnly)) {
		return false
	}
	clock := local.Format("15:04")
	return slices.ContainsFunc(h.Week.Day(local.Weekday()), func(r string) bool { return r[:5] <= clock && clock < r[6:] })
}

// Far from clock changes: the answer is that of the wall, it holds until next, and next is a change.
func TestOpenProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHours(t)
		now := time.Date(2026, 6, 1, 0, rapid.IntRange(0, 14*24*60).Draw(t, "minute"), 0, 0, time.UTC)
		open, next := h.Open(now)
		if want := openOnTheWall(h, now); open != want {
			t.Fatalf("open is %v, the wall says %v", open, want)
		}
		limit := now.AddDate(0, 0, 21)
		for at := now.Truncate(15 * time.Minute).Add(15 * time.Minute); at.Before(limit); at = at.Add(15 * time.Minute) {
			changed := openOnTheWall(h, at) != open
			if changed != at.Equal(next) {
				t.Fatalf("at %v the wall changes: %v, next is %v", at, changed, next)
			}
			if changed {
				return
			}
		}
		if !next.IsZero() && next.Before(limit) {
			t.Fatalf("next is %v, where nothing changes", next)
		}
	})
}
