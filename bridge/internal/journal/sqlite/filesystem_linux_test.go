package sqlite

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNetworkFileSystemsAreKnown(t *testing.T) {
	const mounts = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:50 / /mnt/far rw shared:2 - fuse.sshfs host:/data rw,user_id=0
41 22 0:51 / /mnt/near rw - fuse.bindfs /data rw
a line that is none
`
	for device, want := range map[[2]uint32]string{{8, 1}: "", {0, 50}: "fuse.sshfs", {0, 51}: "", {9, 9}: ""} {
		if got := networkMount(strings.NewReader(mounts), device[0], device[1]); got != want {
			t.Errorf("device %v: got %q, want %q", device, got, want)
		}
	}
	for magic, want := range map[uint32]string{unix.NFS_SUPER_MAGIC: "nfs", 0xff534d42: "cifs", 0xfe534d42: "smb2",
		unix.EXT4_SUPER_MAGIC: "", unix.TMPFS_MAGIC: ""} {
		if got := networkMagics[magic]; got != want {
			t.Errorf("magic %x: got %q, want %q", magic, got, want)
		}
	}
	if got := networkFileSystem(t.TempDir()); got != "" {
		t.Errorf("the test's own folder is called %q", got)
	}
}
