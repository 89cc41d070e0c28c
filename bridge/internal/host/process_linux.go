package host

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// level is one way to shut a process off. missing says what the best one has and
// this one lacks.
type level struct {
	name, missing string
	flags         uintptr
	nobody        bool // the process has another account's number
}

// levels are the ways to try, the best first.
//
// In a user namespace the plugin gets no capability and its limits are its own;
// its network has no interface that is up; its process ids are its own, so that
// nothing it leaves behind outlives it. What root starts runs as nobody; that
// needs a launcher, which is already in the folder nobody could walk to.
func levels(launched bool) []level {
	const apart = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC
	all := []level{
		{name: "user, network, process and ipc namespaces", flags: apart | syscall.CLONE_NEWUSER},
		{name: "network, process and ipc namespaces", missing: "a user namespace", flags: apart},
		{missing: "namespaces"},
	}
	if os.Geteuid() != 0 || !launched {
		return all
	}
	var both []level
	for _, l := range all {
		own := l
		own.nobody = true
		l.missing = strings.TrimPrefix(l.missing+" and an account of their own", " and ")
		both = append(both, own, l)
	}
	return both
}

// nobody is an account without files.
const nobody = 65534

func (l level) attr() *syscall.SysProcAttr {
	a := plain()
	a.Cloneflags = l.flags
	uid, gid := os.Geteuid(), os.Getegid()
	if l.nobody {
		uid, gid = nobody, nobody
		a.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if l.flags&syscall.CLONE_NEWUSER != 0 {
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: gid, Size: 1}}
		a.GidMappingsEnableSetgroups = l.nobody
	}
	return a
}

func plain() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// renounce gives up, for the calling thread and what it starts, the rights that
// set-user-ID files give.
func renounce() { _ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }

// awaitEnd waits for the end of a process and leaves it to be reaped: until then
// its number is taken, and its group can safely be named.
func awaitEnd(proc *os.Process) *os.ProcessState {
	for {
		err := unix.Waitid(unix.P_PID, proc.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return nil
		}
	}
}
