package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ours refuses a journal of another account. Root could open it, and its owner could
// not open any more what root had written into it.
func ours(dir string) error {
	info, err := os.Stat(filepath.Join(dir, "journal.db"))
	if errors.Is(err, fs.ErrPermission) {
		info, err = os.Stat(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return writable(dir)
	}
	if err != nil {
		return fmt.Errorf("look at the journal: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("the journal in %s belongs to account %d, this process runs as %d; mend: run it as %d, or give the folder to this account (chown -R %d %s)",
			dir, owner.Uid, os.Geteuid(), owner.Uid, os.Geteuid(), dir)
	}
	return writable(dir)
}

// writable refuses a folder that nothing can be written into.
func writable(dir string) error {
	probe, err := os.CreateTemp(dir, ".footbridge-*")
	if err != nil {
		return fmt.Errorf("write into the journal's folder: %w; mend: give this account write access to %s, or set [journal] dir to another folder; "+
			"a file system mounted read-only must be mended first", err, dir)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
