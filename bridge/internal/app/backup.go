package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
	"github.com/footbridge/footbridge/bridge/internal/media"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// masterKey is the file of the master key, beside the journal.
const masterKey = "master.key"

// BackingUp says what a backup holds beside the journal.
type BackingUp struct {
	// Into is the folder it goes into.
	Into string
	// KeysOnly leaves the copies as they are and replaces the keys alone.
	KeysOnly bool
	// MasterKey puts the master key into the folder too: whoever has the folder can
	// then read it.
	MasterKey bool
}

// BackUp copies the configured journal and its files while a bridge may be running on
// it, and gives the name of the copy, "" where only keys were asked for. Files nobody
// can read any more, for their keys are gone, leave the backup.
func BackUp(ctx context.Context, o Options, b BackingUp) (copied string, err error) {
	conf, _, err := config.Load(o.Config, o.Environ)
	if err != nil {
		return "", err
	}
	if b.KeysOnly {
		err = sqlite.BackUpKeys(ctx, conf.Journal.Dir, b.Into)
	} else {
		copied, err = sqlite.BackUp(ctx, conf.Journal.Dir, b.Into, func() error {
			return media.Copy(ctx, filesOf(conf.Journal.Dir), filesOf(b.Into), func(string) bool { return true })
		})
	}
	if err == nil {
		err = dropUnreadable(b.Into)
	}
	if err == nil && b.MasterKey {
		err = copyKey(conf.Journal.Dir, b.Into)
	}
	return copied, err
}

// filesOf is the folder of files beside a journal, and in a backup.
func filesOf(dir string) string { return filepath.Join(dir, "media") }

func dropUnreadable(backup string) error {
	readable, err := sqlite.BackedUp(backup)
	if err != nil {
		return err
	}
	return media.Prune(filesOf(backup), func(id string) bool { return readable[id] })
}

// copyKey copies the master key into another folder, where there must be none but
// the same.
func copyKey(from, to string) error {
	key, err := os.ReadFile(filepath.Join(from, masterKey))
	if err != nil {
		return fmt.Errorf("read the master key: %w", err)
	}
	name := filepath.Join(to, masterKey)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("write the master key: %w", err)
	}
	there, err := io.ReadAll(f)
	switch {
	case err == nil && len(there) == 0:
		if _, err = f.Write(key); err == nil {
			err = f.Sync()
		}
	case err == nil && string(there) != string(key):
		err = fmt.Errorf("%s is the master key of another journal; mend: use another folder", name)
	}
	return errors.Join(err, f.Close())
}

// Restore makes the configured journal from a backup: one of its copies, or its
// folder for the newest. The master key is taken from the backup where the
// journal's folder has none.
func Restore(ctx context.Context, o Options, from string) (sqlite.Restored, error) {
	conf, _, err := config.Load(o.Config, o.Environ)
	if err != nil {
		return sqlite.Restored{}, err
	}
	dir := conf.Journal.Dir
	if err := bringKey(from, dir); err != nil {
		return sqlite.Restored{}, err
	}
	keys, err := credential.OpenKeyring(dir)
	if err != nil {
		return sqlite.Restored{}, err
	}
	log := observe.NewLogger(o.Log, conf.Log.Format, logLevel(conf.Log.Level), credential.NewRedactor(), nil)
	return sqlite.Restore(ctx, from, dir, keys, sqlite.Options{Logger: log}, func() error {
		backup := folderOf(from)
		readable, err := sqlite.BackedUp(backup)
		if err != nil {
			return err
		}
		return media.Copy(ctx, filesOf(backup), filesOf(dir), func(id string) bool { return readable[id] })
	})
}

// folderOf is the backup's folder, which may be named by one of its copies.
func folderOf(from string) string {
	if info, err := os.Stat(from); err == nil && !info.IsDir() {
		return filepath.Dir(from)
	}
	return from
}

// bringKey sees that the journal's folder has a master key: a new one would open
// nothing.
func bringKey(from, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, masterKey)); err == nil {
		return nil
	}
	from = folderOf(from)
	if _, err := os.Stat(filepath.Join(from, masterKey)); err != nil {
		return fmt.Errorf("no master key is in %s or %s; mend: put the journal's own %s into the first, mode 0600", dir, from, masterKey)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the journal's folder: %w", err)
	}
	return copyKey(from, dir)
}
