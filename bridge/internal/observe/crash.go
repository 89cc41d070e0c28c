package observe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
)

// A goroutine that panics ends the process, and Go prints what the panic says, which
// may be people's words or a secret. No handler runs between: not for goroutines of
// libraries, nor for faults Go itself ends a program for. So what Go prints goes to
// another process of the same program, which shows where it was and not what it said.

// watcher is the zeroth argument of that process.
const watcher = "footbridge-shows-a-crash"

// ShowCrash makes this process the one that shows how another ended, if that one's
// GuardCrash began it for that; then it does not return. It is called first thing in
// the main of a program that calls GuardCrash.
func ShowCrash() {
	if len(os.Args) != 1 || os.Args[0] != watcher {
		return
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // it ends with the other
	showCrash(os.Stdin, os.Stderr)
	os.Exit(0)
}

// GuardCrash sees to it that a crash of this process prints nothing but where it was.
// What the process itself has to say on its standard error goes to the file it gives
// back from then on. After an error a crash prints nothing at all.
func GuardCrash() (stderr *os.File, err error) {
	// Libraries may write to the old one too: it must not end us that nobody reads it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	fd, err := syscall.Dup(syscall.Stderr)
	if err != nil {
		return nil, fmt.Errorf("keep the standard error: %w", err)
	}
	syscall.CloseOnExec(fd)
	stderr = os.NewFile(uintptr(fd), "standard error")
	to, err := beginWatcher(stderr)
	if err != nil {
		nowhere, err2 := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err2 != nil {
			return stderr, errors.Join(err, err2)
		}
		to = nowhere
	}
	defer to.Close() //nolint:errcheck // it goes on as the standard error.
	return stderr, errors.Join(err, duplicate(int(to.Fd()), syscall.Stderr))
}

// beginWatcher starts the other process, and gives where to write what it is to show.
func beginWatcher(stderr *os.File) (*os.File, error) {
	self, err := itself()
	if err != nil {
		return nil, err
	}
	r, w, err := crashPipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for crashes: %w", err)
	}
	defer r.Close() //nolint:errcheck // the other process has it.
	p, err := os.StartProcess(self, []string{watcher}, &os.ProcAttr{Dir: "/", Env: []string{}, Files: []*os.File{r, nil, stderr}})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start what shows crashes: %w", err), w.Close())
	}
	return w, p.Release()
}

// showCrash copies of what Go prints of a crash what says where it was, line by line:
// in a container it is ended with the process it watches.
func showCrash(from io.Reader, to io.Writer) {
	lines := bufio.NewReaderSize(from, 64<<10)
	var f crashFilter
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		if text, ok := f.line(string(line)); ok && !more {
			_, _ = io.WriteString(to, text+"\n")
		}
		for more && err == nil {
			_, more, err = lines.ReadLine()
		}
	}
}

// crashFilter tells the lines of a crash that hold nothing of what the program works
// with: Go indents every further line of what a panic says, so none of it can look
// like the first line of a stack.
type crashFilter struct {
	begun, inStack bool
}

const crashHead = "footbridge: the bridge crashed; what the panic says is left out, for it may hold people's words"

// line gives the line as it may be shown, if it may.
func (f *crashFilter) line(line string) (string, bool) {
	said, panicked := strings.CutPrefix(line, "panic: ")
	switch {
	case panicked:
		f.inStack = false
		if !f.begun {
			f.begun = true
			return crashHead + runtimeFault(said), true
		}
		return "panic: [left out]" + runtimeFault(said), true
	case stackHead.MatchString(line):
		f.inStack = true
	case fatalLine.MatchString(line):
		f.inStack = false
	default:
		return line, f.inStack && stackLine.MatchString(line)
	}
	f.begun = true
	return line, true
}

// runtimeFault is what Go itself says of a fault: words of its own and numbers.
func runtimeFault(said string) string {
	if fault := runtimeFaults.FindString(said); fault != "" {
		return ": " + fault
	}
	return ""
}

//nolint:gochecknoglobals // never written.
var (
	runtimeFaults = regexp.MustCompile(`^(runtime error: (index out of range|slice bounds out of range|invalid memory address or nil pointer dereference|` +
		`integer divide by zero|integer overflow|makeslice: (len|cap) out of range|negative shift amount)|assignment to entry in nil map|` +
		`(send on|close of) closed channel|close of nil channel|interface conversion)( \[[-0-9:]{0,40}\])?( with (length|capacity) \d+)?`)
	fatalLine = regexp.MustCompile(`^((fatal error|runtime): [-a-zA-Z0-9 ,:()=\[\]]{1,200}|\[signal SIG[-a-zA-Z0-9 :=]{1,200}\])$`)
	stackHead = regexp.MustCompile(`^(goroutine \d+( [a-z]+=\S+)* \[[a-z][-a-zA-Z0-9 ,().]*\]:|runtime stack:)$`)
	stackLine = regexp.MustCompile(`^(|(created by )?[\w./%~()*\[\],{}·…$-]+\([-0-9a-fx{}, .?_]*\)|created by \S+( in goroutine \d+)?|` +
		`\t[^\t]+\.[a-z]+:\d+( \+0x[0-9a-f]+)?( [a-z]+=0x[0-9a-f]+)*|\.\.\.[a-z0-9 ]+\.\.\.)$`)
)
