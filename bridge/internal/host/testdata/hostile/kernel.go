package main

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// asks makes a system call, for some with arguments worth nothing: what is allowed
// to call finds fault with them.
func asks(number uintptr, args ...uintptr) func(targets) error {
	return func(targets) error { return call(number, args...) }
}

// opened makes a call that gives a file.
func opened(number uintptr, args ...uintptr) func(targets) error {
	return func(targets) error {
		var a [6]uintptr
		copy(a[:], args)
		fd, _, errno := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
		if errno != 0 {
			return errno
		}
		return unix.Close(int(fd))
	}
}

// apart does something to a thread that is not used again.
func apart(do func() error) func(targets) error {
	return func(targets) error {
		done := make(chan error)
		go func() {
			runtime.LockOSThread()
			done <- do()
		}()
		return <-done
	}
}

func kernel() []attempt {
	return []attempt{
		{"mount", needsRoot, apart(func() error {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return err
			}
			return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		})},
		{"make a user namespace", denied, apart(func() error { return unix.Unshare(unix.CLONE_NEWUSER) })}, // a process with threads cannot
		{"make a network namespace", needsRoot, apart(func() error { return unix.Unshare(unix.CLONE_NEWNET) })},
		{"make a host name namespace", needsRoot, apart(func() error { return unix.Unshare(unix.CLONE_NEWUTS) })},
		{"make a process in namespaces", needsRoot, asksClone},
		{"enter a namespace", needsRoot, apart(func() error {
			fd, err := unix.Open("/proc/self/ns/uts", unix.O_RDONLY, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return unix.Setns(fd, 0)
		})},
		{"change the root", needsRoot, func(targets) error { return unix.Chroot("/") }},
		{"turn the root", dangerous, func(targets) error { return unix.PivotRoot("/tmp", "/tmp") }},
		{"open a new file system", needsRoot, func(targets) error { fd, err := unix.Fsopen("tmpfs", 0); return errors.Join(err, closeFile(fd)) }},
		{"copy a tree of mounts", needsRoot, func(targets) error {
			fd, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE)
			return errors.Join(err, closeFile(fd))
		}},
		{"unmount", needsRoot, asks(unix.SYS_UMOUNT2, 0, 0)},
		{"keep a key in the kernel", needsKernel, func(targets) error { _, err := unix.AddKey("user", "hostile", []byte("x"), -2); return err }},
		{"look at keys", needsKernel, func(targets) error { _, err := unix.KeyctlGetKeyringID(-3, true); return err }},
		{"load a BPF map", needsRoot, asks(unix.SYS_BPF, 0, 0, 0)},
		{"watch performance", needsKernel, func(targets) error {
			fd, err := unix.PerfEventOpen(&unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: 120, Config: unix.PERF_COUNT_SW_CPU_CLOCK}, 0, -1, -1, 0)
			return errors.Join(err, closeFile(fd))
		}},
		{"set up io_uring", needsKernel, func(targets) error {
			var p [120]byte
			return opened(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&p)))(targets{})
		}},
		{"handle page faults", needsKernel, opened(unix.SYS_USERFAULTFD, 1)},
		{"change its personality", needsKernel, apart(func() error { return call(unix.SYS_PERSONALITY, 0x40000) })},
		{"share memory", needsKernel, func(targets) error {
			id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, 0o600)
			return errors.Join(err, removeShared(id))
		}},
		{"make a message queue", needsKernel, queue(unix.SYS_MSGGET, unix.SYS_MSGCTL)},
		{"make semaphores", needsKernel, queue(unix.SYS_SEMGET, unix.SYS_SEMCTL)},
		{"make a POSIX queue", needsKernel, asks(unix.SYS_MQ_OPEN, 0, unix.O_RDWR|unix.O_CREAT, 0o600, 0)},
		{"set the clock", dangerous, func(targets) error {
			now := unix.NsecToTimespec(time.Now().UnixNano())
			return unix.ClockSettime(unix.CLOCK_REALTIME, &now)
		}},
		{"set the time of day", dangerous, func(targets) error { now := unix.NsecToTimeval(time.Now().UnixNano()); return unix.Settimeofday(&now) }},
		{"tune the clock", needsKernel, func(targets) error { _, err := unix.Adjtimex(&unix.Timex{}); return err }},
		{"name the machine", needsRoot, func(targets) error { name, _ := os.Hostname(); return unix.Sethostname([]byte(name)) }},
		{"name the domain", needsRoot, asks(unix.SYS_SETDOMAINNAME, 0, 1)},
		{"load a module", needsKernel, asks(unix.SYS_INIT_MODULE, 0, 0, 0)},
		{"load a module from a file", needsKernel, asks(unix.SYS_FINIT_MODULE, 1, 0, 0)},
		{"unload a module", needsKernel, asks(unix.SYS_DELETE_MODULE, 0, 0)},
		{"load another kernel", dangerous, asks(unix.SYS_KEXEC_LOAD, 0, 0, 0, 0)},
		{"restart the machine", dangerous, asks(unix.SYS_REBOOT, 0, 0, 0, 0)},
		{"swap", needsRoot, asks(unix.SYS_SWAPON, 0, 0)},
		{"account for processes", dangerous, asks(unix.SYS_ACCT, 0)},
		{"read the kernel's log", needsRoot, func(targets) error { _, err := unix.Klogctl(unix.SYSLOG_ACTION_SIZE_BUFFER, nil); return err }},
		{"look at mounts", needsKernel, asks(unix.SYS_STATMOUNT, 0, 0, 0, 0)},
		{"hang up the terminal", dangerous, asks(unix.SYS_VHANGUP)},
	}
}

// asksClone asks for a process in namespaces, with flags no kernel takes
// together: refused for those it was allowed.
func asksClone(targets) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_CLONE, unix.CLONE_NEWNS|unix.CLONE_FS, 0, 0, 0, 0, 0)
	if errno == unix.EINVAL {
		return nil
	}
	return errno
}

func removeShared(id int) error {
	if id < 0 {
		return nil
	}
	_, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	return err
}

// queue makes something of System V's and removes it.
func queue(get, control uintptr) func(targets) error {
	return func(targets) error {
		id, _, errno := unix.Syscall(get, unix.IPC_PRIVATE, 1, 0o600)
		if errno != 0 {
			return errno
		}
		last := uintptr(0)
		if control == unix.SYS_MSGCTL {
			return call(control, id, unix.IPC_RMID, last)
		}
		return call(control, id, 0, unix.IPC_RMID)
	}
}

func resources() []attempt {
	return []attempt{
		{"take 2 GiB", "", maps(unix.MAP_PRIVATE | unix.MAP_ANON)},
		{"take 2 GiB that are shared", "", maps(unix.MAP_SHARED | unix.MAP_ANON)},
		{"take 2 GiB of stack", "", maps(unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_GROWSDOWN)},
		{"take 2 GiB and make them writable after", "", func(targets) error {
			data, err := unix.Mmap(-1, 0, 2<<30, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return err
			}
			return errors.Join(unix.Mprotect(data, unix.PROT_READ|unix.PROT_WRITE), unix.Munmap(data))
		}},
		{"hold memory in place", needsRoot, func(targets) error {
			data, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return err
			}
			return errors.Join(unix.Mlock(data), unix.Munmap(data))
		}},
		{"keep memory from the kernel", needsKernel, opened(unix.SYS_MEMFD_SECRET, 0)},
		{"open 1,000 files", "", openMany},
		{"raise its limits", "", func(targets) error {
			return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 30, Max: unix.RLIM_INFINITY})
		}},
		{"leave a core", "", func(targets) error {
			var l unix.Rlimit
			return errors.Join(unix.Getrlimit(unix.RLIMIT_CORE, &l), absent(l.Max == 0))
		}},
		{"be looked into", needsRoot, func(targets) error {
			held, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
			return errors.Join(err, absent(held != 1))
		}},
		{"let itself be looked into", "", func(targets) error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }},
	}
}

func maps(flags int) func(targets) error {
	return func(targets) error {
		data, err := unix.Mmap(-1, 0, 2<<30, unix.PROT_READ|unix.PROT_WRITE, flags|unix.MAP_NORESERVE)
		if err != nil {
			return err
		}
		return unix.Munmap(data)
	}
}

func openMany(targets) error {
	var all []int
	defer func() {
		for _, fd := range all {
			_ = unix.Close(fd)
		}
	}()
	for range 1000 {
		fd, err := unix.Dup(1)
		if err != nil {
			return err
		}
		all = append(all, fd)
	}
	return nil
}

func hunts() []attempt {
	return []attempt{
		{"find an open file", "", func(targets) error {
			for fd := 3; fd < 4096; fd++ {
				var s unix.Stat_t
				kind := uint32(0)
				if unix.Fstat(fd, &s) == nil {
					kind = s.Mode & unix.S_IFMT
				}
				if kind == unix.S_IFREG || kind == unix.S_IFDIR || kind == unix.S_IFCHR || kind == unix.S_IFBLK {
					return nil
				}
			}
			return errNothing
		}},
		{"find a secret in its environment", denied, func(targets) error { return absent(!strings.Contains(strings.Join(os.Environ(), "\n"), "canary")) }},
		{"find a path in its environment", denied, func(targets) error { return absent(os.Getenv("PATH") == "" && os.Getenv("HOME") == "") }},
		{"find where its folder is", "", func(t targets) error { return absent(!strings.Contains(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "/")) }},
	}
}
