package sqlite

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	fileName = "journal.db"
	lockName = "journal.lock"
)

// folderLock is the lock on the journal's folder. The kernel gives it up with the
// process, so none is left behind by a crash.
type folderLock struct{ file *os.File }

// openFolder makes dir with its empty journal file where they are missing, sees
// that nobody else can read them, and locks them.
func openFolder(dir string, log *slog.Logger) (*folderLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make journal folder: %w", err)
	}
	if name := networkFileSystem(dir); name != "" {
		return nil, fmt.Errorf("journal folder %s is on a network file system (%s), which cannot keep a journal safely: "+
			"point [journal] dir to a folder on a local disk", dir, name)
	}
	if err := closeFolder(dir, log); err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	if err := makePrivate(filepath.Join(dir, fileName)); err != nil {
		return nil, errors.Join(err, lock.release())
	}
	return lock, nil
}

// closeFolder takes other people's rights to our own folder away. A shared
// folder, one with the sticky bit, is left alone.
func closeFolder(dir string, log *slog.Logger) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at journal folder: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	mine := ok && int(owner.Uid) == os.Geteuid()
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if !mine || info.Mode()&os.ModeSticky != 0 {
		log.Warn("other people may look into the journal folder: give the journal a folder of its own with mode 0700", "dir", dir)
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("close journal folder to others (chmod 700 %s): %w", dir, err)
	}
	return nil
}

// makePrivate makes the file if it is missing and closes it to others. It comes
// before the database opens the file; the log beside it takes the same mode.
func makePrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("make journal file: %w", err)
	}
	err = file.Chmod(0o600)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("close journal file to others (chmod 600 %s): %w", path, err)
	}
	return nil
}

func lockFolder(dir string) (*folderLock, error) {
	path := filepath.Join(dir, lockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal lock: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer file.Close() //nolint:errcheck // nothing was written.
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock journal folder %s: %w", dir, err)
		}
		return nil, fmt.Errorf("journal folder %s is in use by process %s: stop that process, "+
			"or give this one another folder in [journal] dir", dir, ownerOf(file))
	}
	err = file.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(file, "%d\n", os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write owner into %s: %w", path, err), file.Close())
	}
	return &folderLock{file}, nil
}

func ownerOf(file *os.File) string {
	text, err := io.ReadAll(io.LimitReader(file, 32))
	if pid := strings.TrimSpace(string(text)); err == nil && pid != "" {
		return pid
	}
	return "unknown"
}

func (l *folderLock) release() error { return l.file.Close() }
