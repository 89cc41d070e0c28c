package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

func processes() []attempt {
	return []attempt{
		{"run a shell", "", func(targets) error { return exec.Command("/bin/sh", "-c", "true").Run() }},
		{"run its own image again", "", runAgain},
		{"run a program from memory", "", runFromMemory},
		{"make memory that can be run", "", func(targets) error {
			fd, err := unix.MemfdCreate("hostile", 0)
			return errors.Join(err, closeFile(fd))
		}},
		{"put a file where the image was run from", needsKernel, func(targets) error {
			err := unix.Dup3(1, 300, 0)
			if err == nil {
				err = unix.Close(300)
			}
			return err
		}},
		{"make 400 threads", "", threads},
		{"make a process", "", fork},
		{"trace another process", needsKernel, func(t targets) error { return trace(t.Other) }},
		{"trace the bridge", needsRoot, func(t targets) error { return trace(t.Bridge) }},
		{"read another's memory", needsKernel, func(t targets) error { return peek(t.Other) }},
		{"read the bridge's memory", needsKernel, func(t targets) error { return peek(t.Bridge) }},
		{"write another's memory", needsKernel, poke},
		{"signal the bridge", "", func(t targets) error { return unix.Kill(t.Bridge, 0) }},
		{"signal another process", "", func(t targets) error { return unix.Kill(t.Other, 0) }},
		{"signal everybody", needsKernel, func(targets) error { return unix.Kill(-1, 0) }},
		{"hold the bridge", "", func(t targets) error { fd, err := unix.PidfdOpen(t.Bridge, 0); return errors.Join(err, closeFile(fd)) }},
		{"take a file of a process", needsKernel, takeFile},
		{"compare processes", needsKernel, func(t targets) error { return call(unix.SYS_KCMP, uintptr(t.Other), uintptr(os.Getpid()), 0, 0, 0) }},
		{"move pages", needsKernel, func(targets) error { return call(unix.SYS_MOVE_PAGES, 0, 0, 0, 0, 0) }},
		{"find its parent", "", func(targets) error { return absent(os.Getppid() == 0) }},
		{"run before the others", needsRoot, func(targets) error { return unix.Setpriority(unix.PRIO_PROCESS, 0, -5) }},
		{"run in real time", needsRoot, realTime},
		{"become root", needsRoot, func(targets) error { return unix.Setuid(0) }},
		{"change its groups", needsRoot, func(targets) error { return unix.Setgroups(nil) }},
		{"keep a capability", needsRoot, capabilities},
		{"gain rights by a program", denied, func(targets) error {
			held, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
			return errors.Join(err, absent(held == 1))
		}},
	}
}

var errNothing = errors.New("there is nothing")

// absent is an error where nothing was found.
func absent(nothing bool) error {
	if nothing {
		return errNothing
	}
	return nil
}

func runAgain(targets) error {
	again := exec.Command("/proc/self/exe")
	if err := again.Start(); err != nil {
		return err
	}
	_ = again.Process.Kill()
	_ = again.Wait()
	return nil
}

// call makes a system call; one that finds fault with its arguments was allowed.
func call(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	_, _, errno := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	switch errno {
	case 0, unix.EFAULT, unix.EINVAL, unix.ENOENT, unix.ENOEXEC, unix.EBADF:
		return nil
	}
	return errno
}

func runFromMemory(targets) error {
	data, err := os.ReadFile("/bin/true")
	if err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("hostile", 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, data); err != nil {
		return err
	}
	return exec.Command("/proc/self/fd/" + strconv.Itoa(fd)).Run()
}

// fork makes a process that ends at once.
func fork(targets) error {
	flags := uintptr(unix.CLONE_VFORK | unix.CLONE_UNTRACED) // no signal at its end
	runtime.LockOSThread()
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	runtime.UnlockOSThread()
	if errno != 0 {
		return errno
	}
	_, err := unix.Wait4(int(pid), nil, unix.WALL, nil)
	return err
}

// threads makes as many as a bomb begins with. Where they end depends on a limit
// that the runtime does not survive, so it is asked for first.
func threads(targets) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &limit); err != nil {
		return err
	}
	if limit.Cur < 400 {
		return errors.New("limit " + strconv.FormatUint(limit.Cur, 10))
	}
	var all, up sync.WaitGroup
	gate := make(chan struct{})
	up.Add(400)
	for range 400 {
		all.Go(func() {
			runtime.LockOSThread()
			up.Done()
			<-gate
		})
	}
	up.Wait()
	close(gate)
	all.Wait()
	return nil
}

func trace(pid int) error {
	runtime.LockOSThread() // the tracer ends with its thread
	return call(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, 0)
}

// peek asks for memory at an address nobody has: EFAULT says it was allowed to.
func peek(pid int) error {
	local, remote := []unix.Iovec{{Base: new(byte), Len: 1}}, []unix.RemoteIovec{{Base: 8, Len: 1}}
	_, err := unix.ProcessVMReadv(pid, local, remote, 0)
	if errors.Is(err, unix.EFAULT) {
		return nil
	}
	return err
}

func poke(t targets) error {
	local, remote := []unix.Iovec{{Base: new(byte), Len: 1}}, []unix.RemoteIovec{{Base: 8, Len: 1}}
	_, err := unix.ProcessVMWritev(t.Other, local, remote, 0)
	if errors.Is(err, unix.EFAULT) {
		return nil
	}
	return err
}

func takeFile(targets) error {
	pidfd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, 0, 0)
	return errors.Join(err, closeFile(fd))
}

func realTime(targets) error {
	runtime.LockOSThread()
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
}

func capabilities(targets) error {
	var data [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0])
	return errors.Join(err, absent(data[0].Permitted|data[1].Permitted == 0))
}
