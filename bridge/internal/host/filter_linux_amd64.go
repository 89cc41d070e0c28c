package host

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// nativeCalls are denied too: old names, and doors to the machine.
func nativeCalls() []uint32 {
	return []uint32{unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_MKNOD, unix.SYS_UTIME, unix.SYS_UTIMES,
		unix.SYS_FUTIMESAT, unix.SYS_INOTIFY_INIT, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_USELIB, unix.SYS_USTAT,
		unix.SYS_SYSFS, unix.SYS__SYSCTL}
}

// forks are the calls besides clone that make a process.
func forks() []uint32 { return []uint32{unix.SYS_FORK, unix.SYS_VFORK} }
