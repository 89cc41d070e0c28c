package sqlite

import (
	"context"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// What was said of an account holds after a restart, and stands in the trail once.
func TestDrainedAccounts(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	for _, step := range []struct {
		account string
		drained bool
	}{{"studio", true}, {"desk", true}, {"desk", true}, {"studio", false}, {"studio", false}, {"web", false}} {
		if err := j.Drain(ctx, step.account, step.drained, journal.Audit{At: noon, Who: "token ops"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openJournal(t, dir, Options{})
	drained, err := j.Drained(ctx)
	equal(t, "drained", drained, []string{"desk"}, err)
	trail, err := j.AuditTrail(ctx, 0, 0)
	var said [][3]string
	for _, a := range trail {
		said = append(said, [3]string{a.Who, a.Action, a.Subject})
	}
	equal(t, "trail", said, [][3]string{{"token ops", "account.resumed", "studio"}, {"token ops", "account.drained", "desk"},
		{"token ops", "account.drained", "studio"}}, err)
}
