package sqlite

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// noon is when everything in these tests happens, unless they say otherwise.
//
//nolint:gochecknoglobals // never written.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 123_000_000, time.UTC)

// openKeys gives the keyring of a folder, making it at first.
func openKeys(t testing.TB, dir string) *credential.Keyring {
	t.Helper()
	keys, err := credential.OpenKeyring(dir + "-master")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// openJournal opens the journal in dir and closes it with the test.
func openJournal(t testing.TB, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(context.Background(), dir, openKeys(t, dir), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func commit(t testing.TB, j *Journal, c journal.Commit) {
	t.Helper()
	if err := j.Commit(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

// newTurn is the first commit of a conversation, with one leg.
func newTurn(conversation string) journal.Commit {
	return journal.Commit{
		Conversation: conversation, Created: noon, Updated: noon, State: []byte("state of " + conversation),
		Index: journal.Index{State: "automated", Owner: "helper", Route: "web", Queue: "q", Agent: "a", Summary: []byte("summary")},
		Legs:  []journal.Leg{{ID: conversation + "/1", Account: "web", Role: event.RoleCustomer, Data: []byte("leg")}},
	}
}

// said is an event in which the customer says something.
func said(conversation string, seq int64, text string) event.Event {
	return event.Event{
		ID: fmt.Sprintf("%s-%d", conversation, seq), Conversation: conversation, Seq: seq, Time: noon,
		Actor: event.Actor{Role: event.RoleCustomer, ID: "ada"}, Body: event.MessageCreated{Content: event.Plain(text)},
	}
}

// everything is the whole content of a journal, row by row.
func everything(t *testing.T, j *Journal) (rows []string) {
	t.Helper()
	for _, table := range tables(t, j) {
		found, err := j.reads.Query(`SELECT * FROM ` + table)
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := found.Columns()
		err = eachOf(found, func(scan func(...any) error) error {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			err := scan(into...)
			rows = append(rows, fmt.Sprintf("%s %v", table, values))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(rows)
	return rows
}

func tables(t *testing.T, j *Journal) (names []string) {
	t.Helper()
	found, err := j.reads.Query(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	err = eachOf(found, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
