package sqlite

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// networkMagics are the kernel's marks of file systems that lie on another
// machine.
//
//nolint:gochecknoglobals // a table that is never written.
var networkMagics = map[uint32]string{
	unix.NFS_SUPER_MAGIC:  "nfs",
	unix.SMB_SUPER_MAGIC:  "smb",
	unix.SMB2_SUPER_MAGIC: "smb2",
	unix.CIFS_SUPER_MAGIC: "cifs",
	unix.AFS_SUPER_MAGIC:  "afs",
	unix.AFS_FS_MAGIC:     "afs",
	unix.CODA_SUPER_MAGIC: "coda",
	unix.CEPH_SUPER_MAGIC: "ceph",
	unix.NCP_SUPER_MAGIC:  "ncp",
	unix.V9FS_MAGIC:       "9p",
	0x0bd00bd0:            "lustre",
	0x47504653:            "gpfs",
	0x19830326:            "beegfs",
}

// networkMounts are the kinds of FUSE file systems that lie on another machine;
// the magic of all FUSE file systems is one, so these go by name.
//
//nolint:gochecknoglobals // a table that is never written.
var networkMounts = map[string]bool{
	"fuse.sshfs": true, "fuse.glusterfs": true, "fuse.ceph": true, "fuse.ceph-fuse": true,
	"fuse.s3fs": true, "fuse.goofys": true, "fuse.rclone": true, "fuse.gcsfuse": true,
	"fuse.davfs": true, "fuse.curlftpfs": true, "fuse.smbnetfs": true, "fuse.juicefs": true,
	"fuse.mount-s3": true, "fuse.blobfuse2": true, "fuse.seaweedfs": true, "fuse.moosefs": true,
	"fuse.nfs": true, "fuse.beegfs": true, "fuse.grpcfuse": true,
}

// networkFileSystem names the network file system dir is on, or gives "".
func networkFileSystem(dir string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return ""
	}
	magic := uint32(fs.Type) //nolint:gosec // magics are 32 bits wide.
	if magic != unix.FUSE_SUPER_MAGIC {
		return networkMagics[magic]
	}
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		return ""
	}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer mounts.Close() //nolint:errcheck // only read.
	return networkMount(mounts, unix.Major(stat.Dev), unix.Minor(stat.Dev))
}

// networkMount names the network file system mounted as device major:minor in
// the kernel's table of mounts, or gives "".
func networkMount(mounts io.Reader, major, minor uint32) string {
	device := fmt.Sprintf("%d:%d", major, minor)
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		mount, kind, ok := strings.Cut(lines.Text(), " - ")
		fields, kinds := strings.Fields(mount), strings.Fields(kind)
		if ok && len(fields) > 2 && len(kinds) > 0 && fields[2] == device && networkMounts[kinds[0]] {
			return kinds[0]
		}
	}
	return ""
}
