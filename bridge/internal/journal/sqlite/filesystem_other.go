//go:build !linux

package sqlite

import (
	"strings"

	"golang.org/x/sys/unix"
)

// networkFileSystem names the network file system dir is on, or gives "".
func networkFileSystem(dir string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return ""
	}
	name := unix.ByteSliceToString(fs.Fstypename[:])
	for _, network := range []string{"nfs", "smbfs", "afpfs", "webdav", "ftp"} {
		if strings.EqualFold(name, network) {
			return name
		}
	}
	return ""
}
