package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// seal makes the image of an executable in memory and takes from everybody, this
// process included, the right to change it. Where the kernel has no such memory
// the image is a copy in runDir.
func seal(in *os.File, runDir, name string) (*image, string, error) {
	draft, err := memory(name)
	if err != nil {
		return copyExecutable(in, runDir, name)
	}
	defer draft.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(draft, sum), in); err != nil {
		return nil, "", err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	err = patiently(func() error {
		_, err := unix.FcntlInt(draft.Fd(), unix.F_ADD_SEALS, seals)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("seal: %w", err)
	}
	i, err := openImage(draft)
	if err != nil {
		return nil, "", err
	}
	return i, hex.EncodeToString(sum.Sum(nil)), nil
}

// memory gives an empty file in memory that can be run.
func memory(name string) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3 every such file could be run
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// patiently tries again while the kernel is busy with a page of the file, such as one it
// is moving: it waits 150 ms for that itself, which on a loaded machine is too little.
func patiently(add func() error) error {
	const tries = 20
	err := add()
	for n := 1; n < tries && errors.Is(err, unix.EBUSY); n++ {
		time.Sleep(50 * time.Millisecond)
		err = add()
	}
	return err
}

// openImage opens the sealed file for reading alone. What an account may run and
// not read leaves no core behind and is opened to no debugger; an interpreter
// must read its script.
func openImage(draft *os.File) (*image, error) {
	file, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", draft.Fd()))
	if err != nil {
		return nil, err
	}
	i := &image{file: file}
	if err = i.inspect(); err == nil {
		mode := os.FileMode(0o111)
		if i.script {
			mode = 0o555
		}
		err = draft.Chmod(mode)
	}
	if err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}
