package sqlite

import (
	"bytes"
	"errors"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// TestBlobs: a piece of a file opens with its conversation's key, as the piece it
// is, and with nothing once the key is destroyed.
func TestBlobs(t *testing.T) {
	j, ctx := openJournal(t, t.TempDir(), Options{}), t.Context()
	commit(t, j, fullTurn())
	sealed, err := j.SealBlob(ctx, "c", "file/0", []byte("plain bytes"))
	if err != nil || bytes.Contains(sealed, []byte("plain")) {
		t.Fatalf("sealed %q %v", sealed, err)
	}
	if plain, err := j.OpenBlob(ctx, "c", "file/0", sealed); err != nil || string(plain) != "plain bytes" {
		t.Errorf("opened %q %v", plain, err)
	}
	if _, err := j.OpenBlob(ctx, "c", "file/1", sealed); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("as another piece: %v", err)
	}
	if _, err := j.SealBlob(ctx, "none", "file/0", nil); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("of no conversation: %v", err)
	}
	tamper(t, j, `DELETE FROM keys`)
	j.vault.forget("c")
	if _, err := j.OpenBlob(ctx, "c", "file/0", sealed); !errors.Is(err, journal.ErrErased) {
		t.Errorf("without its key: %v", err)
	}
	if _, err := j.SealBlob(ctx, "c", "file/0", nil); !errors.Is(err, journal.ErrErased) {
		t.Errorf("sealed without a key: %v", err)
	}
}
