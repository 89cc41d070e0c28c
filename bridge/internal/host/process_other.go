//go:build !linux

package host

import (
	"os"
	"syscall"
)

func levels() []level {
	return []level{{missing: "every namespace: this system has none", attr: plain}}
}

func plain() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func renounce() {}

// awaitEnd waits for the end of a process and gives how it ended, nil if that is
// not known.
func awaitEnd(proc *os.Process) *os.ProcessState {
	state, _ := proc.Wait()
	return state
}
