package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Restored is what a restore found.
type Restored struct {
	// From is the copy that was restored.
	From string `json:"from"`
	// Conversations can be read; Erased are those whose keys are gone since the
	// copy was made.
	Conversations int `json:"conversations"`
	Erased        int `json:"erased"`
}

// Restore makes the journal in dir from a backup: from is one of its copies, or the
// folder, which stands for the newest. What was erased since the copy was made is
// erased in it too, and everything is verified; the error is around
// journal.ErrDamaged where something is broken. A folder that has a journal is
// refused, and so are keys that are older than the copy. beside brings what belongs to
// the journal, before it has its name: a restore that was cut short can be repeated.
func Restore[K DataKey](ctx context.Context, from, dir string, keys Sealer[K], o Options, beside func() error) (Restored, error) {
	name, err := newestCopy(from)
	if err != nil {
		return Restored{}, err
	}
	if err := putInPlace(ctx, name, dir, o, beside); err != nil {
		return Restored{}, fmt.Errorf("restore %s: %w", name, err)
	}
	j, err := Open(ctx, dir, keys, o)
	if err != nil {
		return Restored{}, err
	}
	r, err := j.finishRestore(ctx, name)
	return r, errors.Join(err, j.Close())
}

// newestCopy finds the copy that is meant.
func newestCopy(from string) (string, error) {
	info, err := os.Stat(from)
	if err != nil {
		return "", fmt.Errorf("find the backup: %w", err)
	}
	if !info.IsDir() {
		return from, nil
	}
	names, err := filepath.Glob(filepath.Join(from, copyPrefix+"*"+copySuffix))
	if err != nil || len(names) == 0 {
		return "", fmt.Errorf("no copy of a journal is in %s; mend: name the folder that footbridge backup wrote into", from)
	}
	return names[len(names)-1], nil // their names sort by time
}

// putInPlace puts the copy with its keys where the journal belongs.
func putInPlace(ctx context.Context, name, dir string, o Options, beside func() error) error {
	lock, err := openFolder(dir, o.logger())
	if err != nil {
		return err
	}
	defer lock.release() //nolint:errcheck // the kernel gives it up in any case.
	to := filepath.Join(dir, fileName)
	if info, err := os.Stat(to); err != nil || info.Size() > 0 {
		return errors.Join(err, fmt.Errorf("%s is there already; mend: move it away, with what begins with its name", to))
	}
	part := to + partSuffix
	if err := copyFile(name, part); err != nil {
		return err
	}
	err = addKeys(ctx, part, filepath.Join(filepath.Dir(name), keysName))
	if err == nil {
		err = beside()
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return syncAs(part, to)
}

// addKeys puts the keys that are left into a copy.
func addKeys(ctx context.Context, path, keysPath string) error {
	db, err := openPool(path, []string{"journal_mode(MEMORY)", "foreign_keys(0)"}, 1)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err == nil {
		if err = insertKeys(ctx, tx, keysPath); err == nil {
			err = tx.Commit()
		} else {
			err = errors.Join(err, tx.Rollback())
		}
	}
	return errors.Join(err, db.Close())
}

func insertKeys(ctx context.Context, tx *sql.Tx, keysPath string) error {
	head, err := eachKey(keysPath, func(k keyLine) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO keys (conversation, wrapped) SELECT id, ? FROM conversations WHERE id = ?`, k.Wrapped, k.Conversation)
		return damagedPages(err)
	})
	if err != nil {
		return err
	}
	var position int64
	if err := tx.QueryRowContext(ctx, positionNow).Scan(&position); err != nil {
		return damagedPages(err)
	}
	if position > head.Position {
		return errors.New("the keys are older than the copy: conversations begun between would be lost; mend: put the keys of the newest backup beside it")
	}
	return nil
}

// finishRestore erases what has lost its key, verifies everything and records that
// the journal was restored.
func (j *Journal) finishRestore(ctx context.Context, name string) (Restored, error) {
	r := Restored{From: name}
	err := j.eachConversation(ctx, func(id string) error {
		_, err := j.key(ctx, id)
		if !errors.Is(err, journal.ErrErased) {
			r.Conversations++
			return err
		}
		r.Erased++
		return j.submit(ctx, func(b *batch) error { return b.erase(id) })
	})
	if err == nil {
		err = j.Record(ctx, journal.Audit{Who: journal.AuditByItself, Action: journal.AuditRestored, Detail: filepath.Base(name)})
	}
	if err != nil {
		return r, fmt.Errorf("restore %s: %w", name, err)
	}
	return r, j.Scrub(ctx)
}
