package serve

import (
	"io"
	"os"
	"time"
)

// orphanEvery is how often the parent is looked at.
const orphanEvery = time.Second

// watch ends the process when the bridge is gone: the bridge holds the other end
// of standard input, if that is a pipe, and is the parent. A parent of 0 is one
// outside this process's namespace and says nothing.
func watch(stdin *os.File, parent func() int, exit func(code int)) {
	if info, err := stdin.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		go func() {
			_, _ = io.Copy(io.Discard, stdin)
			exit(0)
		}()
	}
	first := parent()
	for first != 0 {
		time.Sleep(orphanEvery)
		if parent() != first {
			exit(0)
			return
		}
	}
}
