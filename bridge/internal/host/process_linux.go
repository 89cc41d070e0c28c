package host

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// levels are the sandboxes to try, the best first.
//
// In a user namespace the plugin has another account's number, so it gets no
// capability and cannot read the bridge's environment in /proc; its network has
// no interface that is up; its process ids are its own, so that nothing it leaves
// behind outlives it.
func levels() []level {
	const apart = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC
	return []level{
		{name: "user, network, process and ipc namespaces", attr: func() *syscall.SysProcAttr {
			a := plain()
			a.Cloneflags = apart | syscall.CLONE_NEWUSER
			a.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Geteuid(), Size: 1}}
			a.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getegid(), Size: 1}}
			return a
		}},
		{name: "network, process and ipc namespaces", missing: "a user namespace", attr: func() *syscall.SysProcAttr {
			a := plain()
			a.Cloneflags = apart
			return a
		}},
		{missing: "every namespace", attr: plain},
	}
}

const nobody = 65534

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
