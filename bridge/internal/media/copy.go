package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Copy brings the files of one store's folder into another, of the conversations
// that keep is true for: as they are, sealed. The store may be in use: a file has its
// name only once it is whole, and is never changed after. What is there already is not
// copied again; what goes meanwhile is left out. A folder that is not there has none.
func Copy(ctx context.Context, from, to string, keep func(conversation string) bool) error {
	folders, err := os.ReadDir(from)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for files: %w", err)
	}
	for _, folder := range folders {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !folder.IsDir() || !keep(folder.Name()) {
			continue
		}
		if err := copyFolder(filepath.Join(from, folder.Name()), filepath.Join(to, folder.Name())); err != nil {
			return fmt.Errorf("copy the files of conversation %s: %w", folder.Name(), err)
		}
	}
	return nil
}

func copyFolder(from, to string) error {
	files, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(files) == 0 {
		return nil
	}
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	for _, f := range files {
		if conversationOf(strings.TrimSuffix(f.Name(), wanted)) == "" || err != nil {
			continue // not a whole one
		}
		err = copyFile(filepath.Join(from, f.Name()), filepath.Join(to, f.Name()))
	}
	if err != nil {
		return err
	}
	if err := dropFetched(to); err != nil {
		return err
	}
	return syncDirs(to, filepath.Dir(to))
}

// copyFile copies one file, unless it is there; it has its name when it is on disk.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its conversation was erased since
	}
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read.
	if same(in, to) {
		return nil
	}
	out, err := os.OpenFile(to+unready, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = os.Rename(to+unready, to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(to+unready))
	}
	return nil
}

// same reports whether a file is there already: under its name it is the same for
// ever, but for a copy that something cut off.
func same(in *os.File, there string) bool {
	was, err := in.Stat()
	is, err2 := os.Stat(there)
	return err == nil && err2 == nil && was.Size() == is.Size()
}

// dropFetched removes the notes that files are to be fetched which an earlier copy
// has, and which are here since.
func dropFetched(dir string) error {
	notes, err := filepath.Glob(filepath.Join(dir, "*"+wanted))
	for _, note := range notes {
		if _, missing := os.Stat(strings.TrimSuffix(note, wanted)); missing == nil {
			err = errors.Join(err, os.Remove(note))
		}
	}
	return err
}

// Prune removes the files of the conversations that keep is false for from a folder
// that no store uses.
func Prune(dir string, keep func(conversation string) bool) error {
	folders, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, folder := range folders {
		if !keep(folder.Name()) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, folder.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("remove files nobody can read: %w", err)
	}
	return nil
}
