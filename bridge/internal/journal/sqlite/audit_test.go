package sqlite

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

func record(t testing.TB, j *Journal, n int) {
	t.Helper()
	for i := range n {
		a := journal.Audit{At: noon, Who: "token ops", Action: journal.AuditReplayed, Subject: fmt.Sprintf("letter-%d", i+1), Reason: "mended"}
		if err := j.Record(context.Background(), a); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheAuditTrailKeepsWhatWasRecorded(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	empty, err := j.VerifyAudit(ctx)
	equal(t, "empty", []int64{empty.First, empty.Last}, []int64{1, 0}, err)
	record(t, j, 5)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openJournal(t, dir, Options{})
	newest, err := j.AuditTrail(ctx, 0, 2)
	equal(t, "newest", []string{newest[0].Subject, newest[1].Subject}, []string{"letter-5", "letter-4"}, err)
	rest, err := j.AuditTrail(ctx, newest[1].Position, 0)
	equal(t, "rest", len(rest), 3, err)
	first := rest[2]
	first.Chain = ""
	equal(t, "first", first, journal.Audit{Position: 1, At: noon, Who: "token ops", Action: journal.AuditReplayed, Subject: "letter-1", Reason: "mended"}, nil)
	ends, err := j.VerifyAudit(ctx)
	equal(t, "ends", ends, journal.AuditEnds{First: 1, Last: 5, Chain: newest[0].Chain}, err)
	file, err := os.ReadFile(j.path)
	if err != nil || strings.Contains(string(file), "letter-3") {
		t.Errorf("the trail lies open in the file (%v)", err)
	}
}

// Whatever is changed, removed or swapped is found, and so is a trail that was
// computed anew by somebody without the master key.
func TestAChangedAuditTrailIsFound(t *testing.T) {
	for name, damage := range map[string][]string{
		"content":       {`UPDATE audit SET ` + flip("sealed") + ` WHERE position = 2`},
		"chain":         {`UPDATE audit SET ` + flip("chain") + ` WHERE position = 2`},
		"last chain":    {`UPDATE audit SET ` + flip("chain") + ` WHERE position = 4`},
		"time":          {`UPDATE audit SET at = at + 1 WHERE position = 2`},
		"first gone":    {`DELETE FROM audit WHERE position = 1`},
		"middle gone":   {`DELETE FROM audit WHERE position = 2`},
		"last gone":     {`DELETE FROM audit WHERE position = 4`},
		"all gone":      {`DELETE FROM audit`},
		"last cut off":  {`DELETE FROM audit WHERE position = 4`, `UPDATE audit_ends SET last = 3`},
		"first cut off": {`DELETE FROM audit WHERE position = 1`, `UPDATE audit_ends SET first = 2`},
		"first cut off well": {`UPDATE audit_ends SET first = 2, before = (SELECT chain FROM audit WHERE position = 1)`,
			`DELETE FROM audit WHERE position = 1`},
		"rows swapped": {`UPDATE audit SET position = 9 WHERE position = 2`, `UPDATE audit SET position = 2 WHERE position = 3`,
			`UPDATE audit SET position = 3 WHERE position = 9`},
		"contents swapped": exchange("audit", "sealed", "position", "2", "3"),
		"one more":         {`INSERT INTO audit SELECT 5, at, sealed, chain FROM audit WHERE position = 4`},
		"proof":            {`UPDATE audit_ends SET ` + flip("proof")},
	} {
		t.Run(name, func(t *testing.T) {
			j := openJournal(t, t.TempDir(), Options{})
			record(t, j, 4)
			tamper(t, j, damage...)
			_, err := j.VerifyAudit(context.Background())
			damaged(t, "VerifyAudit", err)
			damaged(t, "Scrub", j.Scrub(context.Background()))
		})
	}
}

func TestAnAuditTrailWithoutItsEndsIsRefused(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, Options{})
	record(t, j, 1)
	tamper(t, j, `DELETE FROM audit_ends`)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), dir, openKeys(t, dir), Options{})
	damaged(t, "Open", err)
}

// A record of another life of the same trail fits its own place and the one
// before it, and is still not what was written last.
func TestARecordOfAnotherLifeIsFound(t *testing.T) {
	j := openJournal(t, t.TempDir(), Options{})
	record(t, j, 3)
	tamper(t, j, `CREATE TABLE ends AS SELECT * FROM audit_ends`)
	record(t, j, 1)
	tamper(t, j, `CREATE TABLE other AS SELECT * FROM audit WHERE position = 4`, `DELETE FROM audit WHERE position = 4`,
		`UPDATE audit_ends SET last = 3, proof = (SELECT proof FROM ends)`)
	record(t, j, 1)
	if _, err := j.VerifyAudit(context.Background()); err != nil {
		t.Fatal(err)
	}
	tamper(t, j, `DELETE FROM audit WHERE position = 4`, `INSERT INTO audit SELECT * FROM other`)
	_, err := j.VerifyAudit(context.Background())
	damaged(t, "VerifyAudit", err)
}
