package host

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// rule denies a system call, or it with some arguments only.
type rule struct {
	call uint32
	when *argument // nil: always
	says unix.Errno
}

// argument looks at the low half of an argument of a call: it holds when the bits
// under mask are value, or with unless when they are not.
type argument struct {
	number      int
	mask, value uint32
	unless      bool
}

func deny(calls ...uint32) []rule {
	var rules []rule
	for _, call := range calls {
		rules = append(rules, rule{call: call, says: unix.EPERM})
	}
	return rules
}

func denyWhen(call uint32, a argument) rule { return rule{call, &a, unix.EPERM} }

// rules are what a plugin has no use for. Files that are not opened (attributes,
// watches, sockets by their path) Landlock does not deny, and the kernel's rarely
// used parts are where it is most often broken. What is not named is allowed.
func rules(script bool) []rule {
	all := deny(unix.SYS_CONNECT, // a plugin is called and calls nobody
		unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_UTIMENSAT, unix.SYS_TRUNCATE,
		unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_SETXATTRAT, unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR,
		unix.SYS_FREMOVEXATTR, unix.SYS_REMOVEXATTRAT, unix.SYS_FILE_SETATTR, unix.SYS_MKNODAT,
		unix.SYS_INOTIFY_INIT1, unix.SYS_INOTIFY_ADD_WATCH, unix.SYS_FANOTIFY_INIT, unix.SYS_FANOTIFY_MARK,
		unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT,
		unix.SYS_MEMFD_CREATE, unix.SYS_MEMFD_SECRET, unix.SYS_SHMGET, unix.SYS_MSGGET, unix.SYS_SEMGET, unix.SYS_MQ_OPEN,
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE, unix.SYS_PROCESS_MRELEASE,
		unix.SYS_KCMP, unix.SYS_PIDFD_GETFD, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
		unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_MOVE_MOUNT,
		unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK,
		unix.SYS_MOUNT_SETATTR, unix.SYS_STATMOUNT, unix.SYS_LISTMOUNT, unix.SYS_LISTNS,
		unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
		unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, unix.SYS_LOOKUP_DCOOKIE, unix.SYS_LSM_SET_SELF_ATTR,
		unix.SYS_PERSONALITY, unix.SYS_SYSLOG, unix.SYS_VHANGUP, unix.SYS_ACCT, unix.SYS_REBOOT, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD,
		unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD,
		unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME)
	all = append(all, deny(nativeCalls()...)...)
	all = append(all,
		denyWhen(unix.SYS_SOCKET, argument{number: 0, mask: ^uint32(0), value: unix.AF_UNIX, unless: true}),
		denyWhen(unix.SYS_SOCKET, argument{number: 1, mask: 0xf, value: unix.SOCK_STREAM, unless: true}),
		denyWhen(unix.SYS_SOCKETPAIR, argument{number: 1, mask: 0xf, value: unix.SOCK_STREAM, unless: true}),
		denyWhen(unix.SYS_CLONE, argument{number: 0, mask: namespaces, unless: true}),
		denyWhen(unix.SYS_PRCTL, argument{number: 0, mask: ^uint32(0), value: unix.PR_SET_DUMPABLE}),
		// Memory that RLIMIT_DATA does not count.
		denyWhen(unix.SYS_MMAP, argument{number: 3, mask: unix.MAP_SHARED | unix.MAP_ANONYMOUS, value: unix.MAP_SHARED | unix.MAP_ANONYMOUS}),
		denyWhen(unix.SYS_MMAP, argument{number: 3, mask: unix.MAP_GROWSDOWN, unless: true}),
		// Its flags are behind a pointer; libraries then use clone.
		rule{call: unix.SYS_CLONE3, says: unix.ENOSYS})
	if !script {
		all = append(all, solitary()...)
	}
	return all
}

// solitary is for all but scripts, whose interpreters may run programs of the
// system: threads but no other process, and no program but the image, once.
func solitary() []rule {
	return append(deny(append(forks(), unix.SYS_EXECVE)...),
		denyWhen(unix.SYS_CLONE, argument{number: 0, mask: unix.CLONE_THREAD}),
		denyWhen(unix.SYS_EXECVEAT, argument{number: 0, mask: ^uint32(0), value: execFile, unless: true}))
}

// namespaces are the flags of clone that make one.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
	unix.CLONE_NEWPID | unix.CLONE_NEWNET

// lastCall is the last system call known here; later ones, and those of another
// calling convention, are answered as unknown.
const lastCall = unix.SYS_RSEQ_SLICE_YIELD

// filter denies the process what rules name.
func filter(o orders) error {
	if !o.Filter {
		return nil
	}
	code := compile(rules(o.Script))
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER,
		uintptr(unsafe.Pointer(&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})), 0, 0)
}

// Where struct seccomp_data has the call's number, the machine's name and the low
// half of the first argument.
const (
	callAt     = 0
	archAt     = 4
	argumentAt = 16
)

// compile gives the filter as the kernel takes it. Each rule is a comparison of
// the number, then of the argument, that is left at the first that fails; the
// kernel remembers which calls pass whatever their arguments and does not run it
// for them.
func compile(rules []rule) []unix.SockFilter {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	equal := func(value uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jt: yes, Jf: no}
	}
	give := func(value uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value} }
	code := []unix.SockFilter{
		load(archAt), equal(auditArch, 1, 0), give(unix.SECCOMP_RET_KILL_PROCESS),
		load(callAt), {Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, K: lastCall, Jf: 1}, give(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)),
	}
	for _, r := range rules {
		no := give(unix.SECCOMP_RET_ERRNO | uint32(r.says))
		if r.when == nil {
			code = append(code, equal(r.call, 0, 1), no)
			continue
		}
		holds := equal(r.when.value, 0, 1)
		if r.when.unless {
			holds = equal(r.when.value, 1, 0)
		}
		code = append(code, equal(r.call, 0, 5), load(argumentAt+8*uint32(r.when.number)),
			unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: r.when.mask}, holds, no, load(callAt))
	}
	return append(code, give(unix.SECCOMP_RET_ALLOW))
}
