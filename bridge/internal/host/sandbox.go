package host

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
)

// level is one way to shut a process off. missing says what the best one has and
// this one lacks.
type level struct {
	name, missing string
	attr          func() *syscall.SysProcAttr
}

// sandbox starts processes at the best level this system gives, which it learns
// from the first start.
type sandbox struct {
	levels []level
	log    *slog.Logger
	from   atomic.Int32 // the level to begin with
}

func newSandbox(mode string, log *slog.Logger) (*sandbox, error) {
	all := levels()
	switch mode {
	case SandboxAuto:
		warnOfRoot(log)
		return &sandbox{levels: all, log: log}, nil
	case SandboxOff:
		return &sandbox{levels: []level{{attr: plain}}, log: log}, nil
	case SandboxRequired:
		if all[0].missing != "" {
			return nil, fmt.Errorf("[plugins] sandbox = %q: this system lacks %s; use %q or %q",
				mode, all[0].missing, SandboxAuto, SandboxOff)
		}
		warnOfRoot(log)
		return &sandbox{levels: all[:1], log: log}, nil
	}
	return nil, fmt.Errorf("[plugins] sandbox = %q: use %q, %q or %q", mode, SandboxAuto, SandboxRequired, SandboxOff)
}

// warnOfRoot tells what no namespace mends: the files of an account are open to
// what runs under its number.
func warnOfRoot(log *slog.Logger) {
	if os.Geteuid() == 0 {
		log.Warn("plugins run under root's number and may write root's files",
			"mend", "run the bridge under an account of its own")
	}
}

// spawn runs a program and says what it is shut off with.
func (s *sandbox) spawn(what program, env []string) (*process, string, error) {
	var refused error
	for i := int(s.from.Load()); i < len(s.levels); i++ {
		p, err := spawn(what.command(env, s.levels[i].attr()))
		if err != nil && !withheld(err) {
			return nil, "", fmt.Errorf("run plugin: %w", err)
		}
		if err != nil {
			refused = err
			continue
		}
		if s.from.Swap(int32(i)) != int32(i) {
			s.log.Warn("plugins run with less than the whole sandbox", "missing", s.levels[i].missing,
				"reason", refused, "mend", "allow user namespaces, or set [plugins] sandbox = \"off\"")
		}
		return p, s.levels[i].name, nil
	}
	return nil, "", fmt.Errorf("run plugin (what this system cannot run, or a sandbox the kernel does not give): %w", refused)
}

// withheld reports whether an error can mean that the kernel does not give a
// namespace.
func withheld(err error) bool {
	return slices.ContainsFunc([]syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.EINVAL,
		syscall.ENOSPC, syscall.ENOSYS, syscall.EUSERS},
		func(e syscall.Errno) bool { return errors.Is(err, e) })
}
