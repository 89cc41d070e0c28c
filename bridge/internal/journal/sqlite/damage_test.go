package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// tamper changes the file behind the journal's back.
func tamper(t testing.TB, j *Journal, statements ...string) {
	t.Helper()
	db, err := openPool(j.path, []string{"busy_timeout(5000)"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test sees what was done.
	for _, s := range statements {
		result, err := db.Exec(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		data := !strings.HasPrefix(s, "CREATE") && !strings.HasPrefix(s, "ALTER")
		if n, _ := result.RowsAffected(); data && n == 0 {
			t.Fatalf("%s: changed nothing", s)
		}
	}
}

// flip changes the lowest bit of the last byte of a blob.
func flip(column string) string {
	return fmt.Sprintf(`%[1]s = CAST(substr(%[1]s, 1, length(%[1]s) - 1) || CASE hex(substr(%[1]s, -1)) WHEN '00' THEN x'01' ELSE x'00' END AS BLOB)`, column)
}

// exchange swaps a column between two rows.
func exchange(table, column, key, a, b string) []string {
	return []string{
		fmt.Sprintf(`CREATE TABLE x AS SELECT %s AS k, %s AS v FROM %s WHERE %s IN (%s, %s)`, key, column, table, key, a, b),
		fmt.Sprintf(`UPDATE %s SET %s = (SELECT v FROM x WHERE k = CASE %s.%s WHEN %s THEN %s ELSE %s END) WHERE %s IN (%s, %s)`,
			table, column, table, key, a, b, a, key, a, b),
	}
}

// Each row damages a journal of one conversation with four events. Verify has to
// find it; reading has to refuse the events where they are touched.
func TestDamageIsFound(t *testing.T) {
	const events, other = true, false
	for name, row := range map[string]struct {
		damage []string
		events bool
	}{
		"body":            {[]string{`UPDATE bodies SET ` + flip("sealed") + ` WHERE position = 2`}, events},
		"digest":          {[]string{`UPDATE events SET ` + flip("digest") + ` WHERE position = 2`}, events},
		"chain":           {[]string{`UPDATE events SET ` + flip("chain") + ` WHERE position = 2`}, events},
		"last chain":      {[]string{`UPDATE events SET ` + flip("chain") + ` WHERE position = 4`}, events},
		"end of chain":    {[]string{`UPDATE conversations SET ` + flip("chain")}, events},
		"kind":            {[]string{`UPDATE events SET kind = 'note.created' WHERE position = 2`}, events},
		"time":            {[]string{`UPDATE events SET time = time + 1000 WHERE position = 2`}, events},
		"role":            {[]string{`UPDATE events SET role = 'live_agent' WHERE position = 2`}, events},
		"id":              {[]string{`UPDATE events SET id = 'c-9' WHERE position = 2`}, events},
		"seq":             {[]string{`UPDATE events SET seq = 9 WHERE position = 4`}, events},
		"conversation":    {[]string{`UPDATE events SET conversation = 'other' WHERE position = 4`}, events},
		"count":           {[]string{`UPDATE conversations SET seq = 3`}, events},
		"body gone":       {[]string{`DELETE FROM bodies WHERE position = 2`}, events},
		"first gone":      {[]string{`DELETE FROM bodies WHERE position = 1`, `DELETE FROM events WHERE position = 1`}, events},
		"middle gone":     {[]string{`DELETE FROM bodies WHERE position = 2`, `DELETE FROM events WHERE position = 2`}, events},
		"last gone":       {[]string{`DELETE FROM bodies WHERE position = 4`, `DELETE FROM events WHERE position = 4`}, events},
		"bodies swapped":  {exchange("bodies", "sealed", "position", "2", "3"), events},
		"digests swapped": {exchange("events", "digest", "position", "2", "3"), events},
		"bodies and digests swapped": {append(exchange("bodies", "sealed", "position", "2", "3"),
			append([]string{`ALTER TABLE x RENAME TO y`}, exchange("events", "digest", "position", "2", "3")...)...), events},
		"rows swapped": {[]string{`UPDATE events SET seq = 9 WHERE position = 2`, `UPDATE events SET seq = 2 WHERE position = 3`,
			`UPDATE events SET seq = 3 WHERE position = 2`}, events},
		"state":             {[]string{`UPDATE conversations SET ` + flip("sealed")}, other},
		"version":           {[]string{`UPDATE conversations SET version = 2`}, other},
		"wake":              {[]string{`UPDATE conversations SET wake = 7`}, other},
		"summary":           {[]string{`UPDATE conversations SET ` + flip("summary")}, other},
		"owner":             {[]string{`UPDATE conversations SET owner = 'somebody'`}, other},
		"leg":               {[]string{`UPDATE legs SET ` + flip("sealed")}, other},
		"role of leg":       {[]string{`UPDATE legs SET role = 'live_agent'`}, other},
		"frame":             {[]string{`UPDATE frame_bodies SET ` + flip("sealed") + ` WHERE arrival = 1`}, other},
		"endpoint of frame": {[]string{`UPDATE frames SET endpoint = 'out' WHERE arrival = 1`}, other},
		"digest of frame":   {[]string{`UPDATE frames SET ` + flip("digest") + ` WHERE arrival = 1`}, other},
		"frame gone":        {[]string{`DELETE FROM frame_bodies WHERE arrival = 1`}, other},
		"frames swapped":    {exchange("frame_bodies", "sealed", "arrival", "1", "2"), other},
		"reply":             {[]string{`UPDATE replies SET ` + flip("sealed")}, other},
		"input":             {[]string{`UPDATE dead_letters SET ` + flip("input")}, other},
		"reason":            {[]string{`UPDATE dead_letters SET ` + flip("reason")}, other},
		"adapter of letter": {[]string{`UPDATE dead_letters SET adapter = 'x'`}, other},
		"turn":              {[]string{`UPDATE turns SET ` + flip("sealed")}, other},
		"leg of turn":       {[]string{`UPDATE turns SET leg = 'c/2'`}, other},
		"number of turn":    {[]string{`UPDATE turns SET number = 2`}, other},
		"key":               {[]string{`UPDATE keys SET ` + flip("wrapped")}, events},
	} {
		t.Run(name, func(t *testing.T) { findDamage(t, row.damage, row.events) })
	}
}

func findDamage(t *testing.T, damage []string, events bool) {
	t.Helper()
	dir, ctx := t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	c := fullTurn()
	c.Events = append(c.Events, said("c", 3, "three"), said("c", 4, "four"))
	commit(t, j, c)
	if err := j.Scrub(ctx); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil { // so that no key is remembered
		t.Fatal(err)
	}
	j = openJournal(t, dir, Options{})
	tamper(t, j, damage...)
	damaged(t, "Verify", j.Verify(ctx, "c"))
	damaged(t, "Scrub", j.Scrub(ctx))
	if _, err := j.Events(ctx, "c", 0, 0); events {
		damaged(t, "Events", err)
	} else if err != nil {
		t.Errorf("Events: %v", err)
	}
}

func damaged(t *testing.T, what string, err error) {
	t.Helper()
	isError(t, what, err, journal.ErrDamaged)
	if err != nil && (strings.Contains(err.Error(), "hello") || !strings.Contains(err.Error(), "\"")) {
		t.Errorf("%s names no row, or shows content: %v", what, err)
	}
}

// Damage no single conversation shows is found by the scrub.
func TestScrubFindsWhatVerifyCannot(t *testing.T) {
	whole := []string{`DELETE FROM bodies`, `DELETE FROM events`, `DELETE FROM keys`, `DELETE FROM leg_keys`, `DELETE FROM legs`,
		`DELETE FROM frame_bodies`, `DELETE FROM frames`, `DELETE FROM replies`, `DELETE FROM deliveries`, `DELETE FROM dead_letters`, `DELETE FROM conversations`}
	for name, damage := range map[string][]string{
		"conversation gone":          {`DELETE FROM conversations`},
		"everything of it gone":      whole,
		"a frame gone with its body": {`DELETE FROM frame_bodies WHERE arrival = 1`, `DELETE FROM frames WHERE arrival = 1`},
	} {
		t.Run(name, func(t *testing.T) {
			j := openJournal(t, t.TempDir(), Options{})
			commit(t, j, fullTurn())
			tamper(t, j, damage...)
			damaged(t, "Scrub", j.Scrub(context.Background()))
		})
	}
}

func TestAKeyThatLeadsToALegOfAnotherAccountIsDamage(t *testing.T) {
	j := openJournal(t, t.TempDir(), Options{})
	commit(t, j, fullTurn())
	tamper(t, j, `UPDATE leg_keys SET account = 'desk'`)
	_, err := j.FindLeg(context.Background(), "desk", "visitor")
	damaged(t, "FindLeg", err)
}

// Whatever bits of the file flip, what is read is either what was stored or an
// error; nothing wrong is ever served.
func TestAFlippedBitIsNeverServed(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, Options{})
	want := fullTurn()
	for n := int64(3); n < 40; n++ {
		want.Events = append(want.Events, said("c", n, strings.Repeat("more ", 50)))
	}
	commit(t, j, want)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	images, n, found := t.TempDir(), 0, 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		at := rapid.SliceOfN(rapid.IntRange(0, len(sound)*8-1), 1, 3).Draw(r, "bits")
		image := append([]byte(nil), sound...)
		for _, bit := range at {
			image[bit/8] ^= 1 << (bit % 8)
		}
		copyTo := filepath.Join(images, fmt.Sprint(n))
		if err := errors.Join(os.Mkdir(copyTo, 0o700), os.WriteFile(filepath.Join(copyTo, fileName), image, 0o600)); err != nil {
			r.Fatal(err)
		}
		if readDamaged(r, t, copyTo, dir, want) {
			found++
		}
		os.RemoveAll(copyTo) //nolint:errcheck,gosec // the folder goes with the test.
	})
	t.Logf("%d of %d images were refused; the others read as they were stored", found, n)
}

// readDamaged reads everything of a damaged image and says whether damage was met.
func readDamaged(r *rapid.T, t *testing.T, dir, keys string, want journal.Commit) (refused bool) {
	ctx := context.Background()
	j, err := Open(ctx, dir, openKeys(t, keys), Options{})
	if err != nil {
		return true
	}
	defer j.Close() //nolint:errcheck // the file is broken.
	see := func(what string, got, want any, err error) {
		if err != nil {
			refused = true
		} else if !reflect.DeepEqual(got, want) {
			r.Errorf("%s: got %+v, want %+v", what, got, want)
		}
	}
	events, err := j.Events(ctx, "c", 0, 0)
	see("Events", events, want.Events, err)
	loaded, err := j.Load(ctx, "c")
	see("Load", []any{loaded.Version, loaded.State}, []any{int64(1), want.State}, err)
	listed, err := j.Conversation(ctx, "c")
	see("Conversation", listed.Index, want.Index, err)
	for i := range want.Events {
		e, err := j.Event(ctx, want.Events[i].ID)
		see("Event", e, want.Events[i], err)
	}
	feed, err := j.Feed(ctx, 0, 0)
	for i := range feed {
		see("Feed", feed[i].Event, want.Events[feed[i].Position-1], nil)
	}
	see("Feed", nil, nil, err)
	frames, err := j.Frames(ctx, "c", "f1", 0)
	for i := range frames {
		frames[i].Outcome = ""
		see("Frames", frames[i], want.Frames[1], err)
	}
	see("Scrub", nil, nil, j.Scrub(ctx))
	return refused
}
