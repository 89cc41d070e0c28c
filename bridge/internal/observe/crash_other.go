//go:build !linux

package observe

import (
	"os"
	"syscall"
)

func crashPipe() (r, w *os.File, err error) { return os.Pipe() }

func itself() (string, error) { return os.Executable() }

func duplicate(from, to int) error { return syscall.Dup2(from, to) }
