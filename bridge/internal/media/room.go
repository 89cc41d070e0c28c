package media

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrFull says files are not taken because the disk, which the journal needs, is
// nearly full.
var ErrFull = errors.New("there is no room for files")

// spare is the part of a disk that files leave free, as a divisor.
const spare = 20

// room reports whether a folder's disk has room for files; where that cannot be
// known, it has.
func room(dir string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err == nil && s.Blocks > 0 && s.Bavail < s.Blocks/spare {
		return ErrFull
	}
	return nil
}

// fits refuses a file for which there is no room beside those its conversation has;
// arriving says whether those count that are still on their way.
func (s *Store) fits(handle string, size int64, arriving bool) error {
	entries, err := os.ReadDir(filepath.Dir(s.path(handle)))
	if err != nil {
		return nil // it has none
	}
	files := 0
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), handle) || !arriving && strings.HasSuffix(e.Name(), unready) {
			continue // gone, itself, or not to be counted
		}
		files++
		size += info.Size()
	}
	switch {
	case files >= s.Rules.MaxFiles:
		return &Refusal{fmt.Sprintf("the conversation has %d files, and [media] max_files allows no more", files)}
	case size > s.Rules.MaxTotal:
		return &Refusal{fmt.Sprintf("the conversation's files would be larger than the %d bytes [media] max_total allows", s.Rules.MaxTotal)}
	}
	return nil
}
