package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	executablePrefix = "footbridge-adapter-"
	copyPrefix       = "copy-"
)

// program is an executable that passed every check.
type program struct {
	path     string // where it was found
	copy     string // the private copy that runs
	checksum string
}

// install finds the adapter's executable and makes the copy that runs. The bytes
// that are hashed are the bytes that are copied, so nobody can change the file
// between check and use.
func (h *Host) install(name string) (program, error) {
	path, err := h.find(name)
	if err != nil {
		return program{}, err
	}
	target, err := checkFile(path)
	if err != nil {
		return program{}, err
	}
	dir, err := os.MkdirTemp(h.o.RunDir, copyPrefix)
	if err != nil {
		return program{}, fmt.Errorf("make folder for the copy: %w", err)
	}
	p := program{path: path, copy: filepath.Join(dir, executablePrefix+name)}
	if p.checksum, err = copyExecutable(target, p.copy); err == nil {
		err = checkSum(p, h.o.Checksums[name])
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return program{}, err
	}
	return p, nil
}

func (h *Host) find(name string) (string, error) {
	file := executablePrefix + name
	for _, dir := range []string{h.o.Dir, h.o.Beside} {
		if dir == "" {
			continue
		}
		path := filepath.Join(dir, file)
		if _, err := os.Lstat(path); err == nil {
			return filepath.Abs(path)
		}
	}
	if path, err := exec.LookPath(file); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("there is no executable %s in the plugins' folder %q, beside the executable (%q) or on PATH; "+
		"install it or set [plugins] dir", file, h.o.Dir, h.o.Beside)
}

// checkFile refuses an executable that somebody else could have changed, or that
// would run with other rights than ours. It gives the file behind links.
func checkFile(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("find executable: %w", err)
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(target)} {
		if err := checkFolders(dir); err != nil {
			return "", err
		}
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", fmt.Errorf("check executable: %w", err)
	}
	return target, checkMode(target, info.Mode())
}

func checkMode(path string, mode fs.FileMode) error {
	switch {
	case !mode.IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case mode.Perm()&0o002 != 0:
		return fmt.Errorf("%s is writable by everybody; chmod o-w it, after you made sure it is what you installed", path)
	case mode&(fs.ModeSetuid|fs.ModeSetgid) != 0:
		return fmt.Errorf("%s runs with rights of another account; chmod ug-s it", path)
	case mode.Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable; chmod +x it", path)
	}
	return nil
}

// checkFolders refuses a folder everybody may write to, and one above it where
// everybody may rename.
func checkFolders(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return fmt.Errorf("check folder: %w", err)
		}
		if info.Mode().Perm()&0o002 != 0 && (at == dir || info.Mode()&fs.ModeSticky == 0) {
			return fmt.Errorf("the folder %s is writable by everybody; plugins are not run from there, chmod o-w it", at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// copyExecutable copies a file while it hashes it. No process may be forked
// meanwhile: it would hold the copy open for writing, and the kernel does not
// run such a file.
func copyExecutable(from, to string) (checksum string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", fmt.Errorf("read executable: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return "", fmt.Errorf("read executable: %w", err)
	}
	if err := checkMode(from, info.Mode()); err != nil {
		return "", err
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o500)
	if err != nil {
		return "", fmt.Errorf("copy executable: %w", err)
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, sum), in)
	if err := errors.Join(err, out.Close()); err != nil {
		return "", fmt.Errorf("copy executable: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func checkSum(p program, want string) error {
	want = strings.ToLower(strings.TrimPrefix(want, "sha256:"))
	if want != "" && want != p.checksum {
		return fmt.Errorf("%s has the checksum %s, and %s is pinned for it; if you installed a new version, pin the new checksum",
			p.path, p.checksum, want)
	}
	return nil
}
