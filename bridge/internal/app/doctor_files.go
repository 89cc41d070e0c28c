package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/journal/sqlite"
)

// What a disk must have and do.
const (
	leastFree = 100 << 20 // bytes: below that the bridge is about to stop
	wantFree  = 1 << 30
	slowSync  = 100 * time.Millisecond
)

// files looks at who may read and change what the bridge keeps.
func (d *doctor) files(context.Context) {
	if info, err := os.Stat(d.o.Config); err == nil && info.Mode().Perm()&0o022 != 0 {
		d.fault("configuration file", fmt.Sprintf("mode %04o: others may change it", info.Mode().Perm()), "chmod go-w "+d.o.Config)
	}
	dir := d.conf.Journal.Dir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.parent(dir)
		return
	case err != nil || !info.IsDir():
		d.fault("data folder", dir+" is no folder that can be looked into", "set [journal] dir to a folder of this account")
		return
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() && os.Geteuid() != 0 {
		d.fault("data folder", fmt.Sprintf("%s belongs to account %d, this is %d", dir, owner.Uid, os.Geteuid()), "run as its owner, or chown it")
	}
	if info.Mode().Perm()&0o077 != 0 {
		d.fault("data folder", fmt.Sprintf("%s has mode %04o: others may look into it", dir, info.Mode().Perm()), "chmod 700 "+dir)
	}
	d.disk(dir)
	d.private(dir)
}

// parent looks at where the first start is to make the folder.
func (d *doctor) parent(dir string) {
	above := filepath.Dir(filepath.Clean(dir))
	probe, err := os.MkdirTemp(above, ".footbridge-doctor-")
	if err != nil {
		d.fault("data folder", fmt.Sprintf("%s is not there and cannot be made: %v", dir, err), "make it for this account with mode 0700, or set [journal] dir to another")
		return
	}
	_ = os.Remove(probe)
	d.good("data folder", "%s is made at the first start", dir)
}

// disk writes and syncs a small file, and sees how much room is left.
func (d *doctor) disk(dir string) {
	began := time.Now()
	if err := synced(dir); err != nil {
		d.fault("disk", fmt.Sprintf("%s cannot be written: %v", dir, err), "give this account write access, and the disk room; a file system mounted read-only must be mended first")
		return
	}
	if took := time.Since(began); took > slowSync {
		d.warn("disk", fmt.Sprintf("a sync takes %s, and each commit waits for one", took.Round(time.Millisecond)), "put [journal] dir on a faster local disk")
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		d.warn("disk", "nobody can tell how much room is left: "+err.Error(), "put [journal] dir on an ordinary local file system")
		return
	}
	d.room(dir, int64(s.Bavail)*int64(s.Bsize))
}

// room judges how many bytes are left.
func (d *Diagnosis) room(dir string, free int64) {
	switch text := fmt.Sprintf("%d MiB free in %s", free>>20, dir); {
	case free < leastFree:
		d.fault("disk", text, "make room: without it nothing is acknowledged")
	case free < wantFree:
		d.warn("disk", text, "make room")
	default:
		d.good("disk", "%s", text)
	}
}

func synced(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString("written by footbridge doctor")
	return errors.Join(err, f.Sync(), f.Close())
}

// private looks at the files nobody else may read.
func (d *doctor) private(dir string) {
	names, _ := filepath.Glob(filepath.Join(dir, "token-*")) // the pattern is well formed
	for _, name := range append(names, filepath.Join(dir, "signed-out.json"), filepath.Join(dir, "journal.db")) {
		if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
			d.fault("data folder", fmt.Sprintf("%s has mode %04o: others may read it", name, info.Mode().Perm()), "chmod 600 "+name+", and change the secret if somebody did")
		}
	}
	if _, err := api.OpenEnded(filepath.Join(dir, "signed-out.json")); err != nil {
		d.told(FindingFault, "sign-ins", err.Error())
	}
}

// journalFile looks at the journal and its key, where there is one.
func (d *doctor) journalFile(ctx context.Context) {
	dir := d.conf.Journal.Dir
	if _, err := os.Stat(filepath.Join(dir, "journal.db")); err != nil {
		return // the first start makes both
	}
	if _, err := os.Stat(filepath.Join(dir, "master.key")); err != nil {
		d.fault("master key", "cannot be read: "+err.Error(), "put master.key of this journal back from its backup: nothing can be read without it")
		return
	}
	keys, err := credential.OpenKeyring(dir)
	if err != nil {
		d.fault("master key", err.Error(), "chmod 600 it if its mode is wrong; put it back from the backup if it is damaged")
		return
	}
	i, err := sqlite.Inspect(ctx, dir, keys)
	if err != nil {
		d.fault("journal", err.Error(), "as it says; keep the damaged files for whoever helps")
		return
	}
	d.good("journal", "whole, schema %d of %d", i.Schema, i.Known)
}

// clock looks for time that went back: the journal cannot be of tomorrow.
func (d *doctor) clock(context.Context) {
	now := time.Now()
	for _, name := range []string{"journal.db", "journal.db-wal", "master.key"} {
		info, err := os.Stat(filepath.Join(d.conf.Journal.Dir, name))
		if err == nil && info.ModTime().After(now.Add(time.Minute)) {
			d.fault("clock", fmt.Sprintf("it is %s, and %s was written at %s", now.UTC().Format(time.RFC3339), name, info.ModTime().UTC().Format(time.RFC3339)),
				"set the clock, and keep it set (chrony or systemd-timesyncd): replay windows and certificates go by it")
			return
		}
	}
	d.good("clock", "%s", now.UTC().Format(time.RFC3339))
}
