//go:build !linux

package host

import (
	"os"
	"syscall"
)

// level is one way to shut a process off; here there is none.
type level struct {
	name   string
	nobody bool
}

func (level) attr() *syscall.SysProcAttr { return plain() }

const nobody = 65534

// Launch is for Linux, where a process shuts itself off before it becomes a
// plugin. Here it does nothing.
func Launch() {}

// settle has nothing to try.
func settle(string, uint64) *sandbox {
	return &sandbox{missing: []Missing{{What: "a sandbox", Reason: "this system has none", Mend: "run the bridge on Linux"}}}
}

func plain() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func renounce() {}

// awaitEnd waits for the end of a process and gives how it ended, nil if that is
// not known.
func awaitEnd(proc *os.Process) *os.ProcessState {
	state, _ := proc.Wait()
	return state
}
