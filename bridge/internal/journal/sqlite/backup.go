package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A backup is a folder with copies of the journal and, in a file of its own, the
// data keys as they are now. Copies hold no keys and are never changed; the file of
// keys is replaced by every backup. So whoever was erased cannot be read in any
// copy of the folder, however old.
const (
	copyPrefix = "journal-"
	copySuffix = ".db"
	copyTime   = "20060102T150405.000Z"
	keysName   = "journal.keys"
	partSuffix = ".part"
)

// keysHead is the first line of the file of keys; the rest is a line a key.
type keysHead struct {
	Version int `json:"version"`
	// Position is the journal's when the keys were read: copies made later may hold
	// conversations whose keys are not here.
	Position int64     `json:"position"`
	Taken    time.Time `json:"taken"`
}

type keyLine struct {
	Conversation string `json:"conversation"`
	Wrapped      []byte `json:"wrapped"`
}

// BackUp copies the journal in dir into a folder while a bridge may be writing it,
// and gives the name of the copy. beside copies what belongs to it, after the journal,
// so that all that is told of there is there, and before the keys, so that none of it
// is left that can be read. Keys are read last, so that they fit.
func BackUp(ctx context.Context, dir, into string, beside func() error) (name string, err error) {
	db, err := openSource(dir, into)
	if err != nil {
		return "", err
	}
	defer db.Close() //nolint:errcheck // nothing was written.
	name = filepath.Join(into, copyPrefix+time.Now().UTC().Format(copyTime)+copySuffix)
	if err := copyJournal(ctx, db, name); err != nil {
		return "", errors.Join(fmt.Errorf("copy the journal: %w", err), ignoreMissing(os.Remove(name+partSuffix)))
	}
	return name, errors.Join(beside(), backUpKeys(ctx, db, into))
}

// BackUpKeys replaces a backup's keys by those there are now: what was erased since
// cannot be read in its copies any more.
func BackUpKeys(ctx context.Context, dir, into string) error {
	db, err := openSource(dir, into)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written.
	return backUpKeys(ctx, db, into)
}

func openSource(dir, into string) (*sql.DB, error) {
	path := filepath.Join(dir, fileName)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil, fmt.Errorf("no journal is in %s: %w", dir, errors.Join(err, errors.New("set [journal] dir to the bridge's")))
	}
	if err := os.MkdirAll(into, 0o700); err != nil {
		return nil, fmt.Errorf("make the backup's folder: %w", err)
	}
	return openPool(path, append(slices.Clone(sharedPragmas), "wal_autocheckpoint(0)"), 1)
}

// copyJournal makes a copy of one moment and takes the keys out of it before it
// gets its name.
func copyJournal(ctx context.Context, db *sql.DB, name string) error {
	part := name + partSuffix
	if err := makePrivate(part); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, part); err != nil {
		return err
	}
	if err := change(ctx, part, `DELETE FROM keys`); err != nil {
		return err
	}
	return syncAs(part, name)
}

// change runs statements on a file nobody else has open, leaving nothing of what
// they delete.
func change(ctx context.Context, path string, statements ...string) error {
	db, err := openPool(path, []string{"journal_mode(MEMORY)", "secure_delete(1)", "synchronous(FULL)", "cache_spill(0)"}, 1)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	return db.Close()
}

func backUpKeys(ctx context.Context, db *sql.DB, into string) error {
	name := filepath.Join(into, keysName)
	err := writeKeys(ctx, db, name+partSuffix)
	if err == nil {
		err = syncAs(name+partSuffix, name)
	}
	if err != nil {
		return fmt.Errorf("back up the keys: %w", err)
	}
	return nil
}

func writeKeys(ctx context.Context, db *sql.DB, path string) error {
	if err := makePrivate(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = readKeys(ctx, db, json.NewEncoder(w))
	return errors.Join(err, w.Flush(), f.Close())
}

// BackedUp gives the conversations a backup has the keys of; no other can be read
// in any of its copies.
func BackedUp(into string) (map[string]bool, error) {
	ids := map[string]bool{}
	_, err := eachKey(filepath.Join(into, keysName), func(k keyLine) error { ids[k.Conversation] = true; return nil })
	return ids, err
}

// eachKey reads a file of keys.
func eachKey(path string, visit func(keyLine) error) (head keysHead, err error) {
	f, err := os.Open(path)
	if err != nil {
		return head, fmt.Errorf("read the keys: %w; mend: name the folder footbridge backup wrote into, whole", err)
	}
	defer f.Close() //nolint:errcheck // it was only read.
	in := json.NewDecoder(bufio.NewReader(f))
	if err := in.Decode(&head); err != nil || head.Version != 1 {
		return head, errors.Join(err, errors.New("the file of keys is none, or of a newer program"))
	}
	for {
		var k keyLine
		if err := in.Decode(&k); errors.Is(err, io.EOF) {
			return head, nil
		} else if err != nil {
			return head, fmt.Errorf("the file of keys is damaged: %w", err)
		}
		if err := visit(k); err != nil {
			return head, err
		}
	}
}

func readKeys(ctx context.Context, db *sql.DB, out *json.Encoder) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written.
	head := keysHead{Version: 1, Taken: time.Now().UTC()}
	if err := tx.QueryRowContext(ctx, positionNow).Scan(&head.Position); err != nil {
		return err
	}
	if err := out.Encode(head); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT conversation, wrapped FROM keys ORDER BY conversation`)
	if err != nil {
		return err
	}
	return eachOf(rows, func(scan func(...any) error) error {
		var k keyLine
		if err := scan(&k.Conversation, &k.Wrapped); err != nil {
			return err
		}
		return out.Encode(k)
	})
}

const positionNow = `SELECT COALESCE((SELECT value FROM counters WHERE name = 'position'), 0)`

// syncAs gives a file its name once it is on disk.
func syncAs(part, name string) error {
	if err := syncPath(part); err != nil {
		return err
	}
	if err := os.Rename(part, name); err != nil {
		return err
	}
	return syncPath(filepath.Dir(name))
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// copyFile copies a file into a new one that only this account can read.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read.
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
