package media

import (
	"errors"
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
