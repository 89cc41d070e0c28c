package host

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a plugin may do with its folder until its socket is there, and what with
// its own image.
const (
	folderRights = unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	readRights = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE
)

// systemFiles are what a program needs that does not run alone: its interpreter
// or loader, and libraries. They are the system's, the same on every machine.
func systemFiles() map[string]uint64 {
	const folder = readRights | unix.LANDLOCK_ACCESS_FS_READ_DIR
	const device = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	return map[string]uint64{"/usr": folder, "/bin": folder, "/sbin": folder, "/lib": folder, "/lib64": folder,
		"/etc/ld.so.cache": readRights, "/dev/null": device, "/dev/urandom": device}
}

// landlock leaves the process no file but the plugin's folder, what a program
// that is not alone needs, and, where Landlock knows them, no TCP and no signal
// or abstract socket to others.
func landlock(o orders) error {
	if o.Landlock == 0 {
		return nil
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: fileRights(o.Landlock)}
	if o.Landlock >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if o.Landlock >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return errno
	}
	if err := permit(rules, o); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// fileRights are the rights over files that a version of Landlock knows.
func fileRights(version int) uint64 {
	rights := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1)
	for from, right := range map[int]uint64{2: unix.LANDLOCK_ACCESS_FS_REFER,
		3: unix.LANDLOCK_ACCESS_FS_TRUNCATE, 5: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV} {
		if version >= from {
			rights |= right
		}
	}
	return rights
}

func permit(rules uintptr, o orders) error {
	if o.Probe {
		return nil
	}
	// An image in memory needs no rule and can have none.
	if err := permitFile(rules, execFile, readRights); err != nil && !errors.Is(err, unix.EBADFD) {
		return err
	}
	if err := permitFile(rules, folderFile, folderRights); err != nil || o.Alone {
		return err
	}
	for path, rights := range systemFiles() {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := permitFile(rules, fd, rights); err != nil {
			return err
		}
	}
	return nil
}

func permitFile(rules uintptr, fd int, rights uint64) error {
	beneath := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, rules, unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&beneath)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
