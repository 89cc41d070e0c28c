package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
)

// Inspection is how a journal stands.
type Inspection struct {
	// Schema is what the journal has, Known the last this program knows; the next
	// start brings the one up to the other.
	Schema, Known int64
}

// Inspect looks at the journal in dir without changing it, also while a program
// works with it: whether its pages are whole, this program may open it, and the
// key is the one it was made with. The file must be there.
func Inspect[K DataKey](ctx context.Context, dir string, keys Sealer[K]) (Inspection, error) {
	var i Inspection
	if name := networkFileSystem(dir); name != "" {
		return i, fmt.Errorf("it is on a network file system (%s), which cannot keep a journal safely: point [journal] dir to a folder on a local disk", name)
	}
	db, err := openPool(filepath.Join(dir, fileName), readerPragmas, 1)
	if err != nil {
		return i, err
	}
	defer db.Close()
	found := ""
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found); err != nil || found != "ok" {
		return i, fmt.Errorf("its file is damaged (%s%v): restore the journal from its backup", found, err)
	}
	steps := migrations()
	i.Known = steps[len(steps)-1].number
	if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM migrations`).Scan(&i.Schema); err != nil {
		return i, fmt.Errorf("it has no schema (%w): start the bridge once, or restore the journal from its backup", err)
	}
	if i.Schema > i.Known {
		return i, fmt.Errorf("written by a newer program (schema %d, this program knows up to %d): start that program's version or a later one", i.Schema, i.Known)
	}
	return i, checkMaster(ctx, db, newVault(keys))
}
