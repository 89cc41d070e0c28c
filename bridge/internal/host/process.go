package host

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// endGrace is how long a process asked to end may take.
const endGrace = 2 * time.Second

// process is one run of an executable. The thread that started it waits for it
// and ends with it, for two reasons: the kernel takes the end of that thread for
// the parent's death, and what the thread gives up never comes back.
type process struct {
	pid            int
	stdout, stderr *os.File
	watchdog       *os.File // the other end is its standard input
	// done is closed when the process has ended, and its group with it.
	done chan struct{}
	exit string // how it ended; to be read after done

	mu     sync.Mutex
	reaped bool
}

// command is what is run, in the root folder.
type command struct {
	path      string
	args, env []string   // exactly these
	extra     []*os.File // its files from number 3 on
	attr      *syscall.SysProcAttr
}

// spawn runs a command.
func spawn(c command) (*process, error) {
	p := &process{done: make(chan struct{})}
	child, err := p.pipes()
	if err != nil {
		return nil, fmt.Errorf("make pipes: %w", err)
	}
	defer closeAll(child)
	started := make(chan error, 1)
	files := append(slices.Clone(child), c.extra...)
	go p.live(c, &os.ProcAttr{Dir: "/", Env: c.env, Files: files, Sys: c.attr}, started)
	if err := <-started; err != nil {
		closeAll([]*os.File{p.watchdog, p.stdout, p.stderr})
		return nil, err
	}
	return p, nil
}

// pipes gives the child's ends of its standard files and keeps the others.
func (p *process) pipes() (child []*os.File, err error) {
	ours := make([]*os.File, 3)
	for fd := range ours {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(append(child, ours[:fd]...))
			return nil, err
		}
		if fd == 0 {
			r, w = w, r
		}
		ours[fd], child = r, append(child, w)
	}
	p.watchdog, p.stdout, p.stderr = ours[0], ours[1], ours[2]
	return child, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

func (p *process) live(c command, attr *os.ProcAttr, started chan<- error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	renounce()
	proc, err := os.StartProcess(c.path, c.args, attr)
	if err != nil {
		started <- err
		return
	}
	p.pid = proc.Pid
	started <- nil
	p.exit = p.reap(proc)
	_ = p.watchdog.Close()
	// A grandchild may hold the other ends: what is left is read, not waited for.
	soon := time.Now().Add(outputGrace)
	_ = errors.Join(p.stdout.SetReadDeadline(soon), p.stderr.SetReadDeadline(soon))
	close(p.done)
}

// reap waits for the end of the process, ends whoever is left of its group, and
// says how it ended.
func (p *process) reap(proc *os.Process) string {
	state := awaitEnd(proc)
	p.kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	if state == nil {
		var err error
		if state, err = proc.Wait(); err != nil {
			return err.Error()
		}
	}
	return state.String()
}

// signal sends a signal to the process's group, unless it has ended.
func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.pid, sig)
	}
}

func (p *process) kill() { p.signal(syscall.SIGKILL) }

// end asks the process to end, and ends it after endGrace.
func (p *process) end() {
	_ = p.watchdog.Close()
	p.signal(syscall.SIGTERM)
	if !p.gone(endGrace) {
		p.kill()
	}
}

// gone waits for the end of the process and reports whether it came in time.
func (p *process) gone(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}
