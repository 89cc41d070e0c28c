package host

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// nativeCalls are those other machines do not have: none.
func nativeCalls() []uint32 { return nil }

// forks are the calls besides clone that make a process: none.
func forks() []uint32 { return nil }
