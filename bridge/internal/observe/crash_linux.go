package observe

import (
	"os"

	"golang.org/x/sys/unix"
)

// crashPipe is a pipe that holds one piece of what is written at a time. So whoever
// crashes is gone only when all but the last was read, also where that ends the
// reader too, as the first process of a container does.
func crashPipe() (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_DIRECT); err != nil {
		return nil, nil, err
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, os.Getpagesize()) // a larger one does, but in a container
	return os.NewFile(uintptr(fds[0]), "crashes"), os.NewFile(uintptr(fds[1]), "crashes"), nil
}

// itself is the program that runs, also where its file was replaced since.
func itself() (string, error) { return "/proc/self/exe", nil }

func duplicate(from, to int) error { return unix.Dup3(from, to, 0) }
