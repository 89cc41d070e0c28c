package host

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	name     string // what it is run as
	image    *image
	checksum string
}

// image is what is run: bytes that nobody can change any more, whatever becomes
// of the file they were read from. It is held open for as long as it may be run.
type image struct {
	file *os.File
	dir  string // of its own, "" where it is in no folder
	// script says it is for an interpreter that opens it by name; alone says it is
	// a program that needs no other file to run.
	script, alone bool
}

// command runs the program's image.
func (p program) command(env []string, attr *syscall.SysProcAttr) command {
	c := command{path: "/proc/self/fd/3", args: []string{p.name}, env: env, attr: attr, extra: []*os.File{p.image.file}}
	if p.image.dir != "" {
		c.path, c.extra = filepath.Join(p.image.dir, p.name), nil
	}
	return c
}

func (i *image) close() {
	_ = i.file.Close()
	if i.dir != "" {
		_ = os.RemoveAll(i.dir)
	}
}

// install finds the adapter's executable and makes the image that runs. The file
// is read once: the bytes that are hashed are those that are run, so nobody can
// change it between check and use.
func (h *Host) install(name string) (program, error) {
	path, err := h.find(name)
	if err != nil {
		return program{}, err
	}
	target, err := checkFile(path)
	if err != nil {
		return program{}, err
	}
	in, err := openExecutable(target)
	if err != nil {
		return program{}, err
	}
	defer in.Close()
	p := program{path: path, name: executablePrefix + name}
	p.image, p.checksum, err = seal(in, h.o.RunDir, p.name)
	if err != nil {
		return program{}, fmt.Errorf("copy executable: %w", err)
	}
	if err := checkSum(p, h.o.Checksums[name]); err != nil {
		p.image.close()
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

// openExecutable opens a file that was checked, and checks what it opened.
func openExecutable(path string) (*os.File, error) {
	// A pipe put in the file's place must not hold the start up.
	in, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read executable: %w", err)
	}
	info, err := in.Stat()
	if err == nil {
		err = checkMode(path, info.Mode())
	}
	if err != nil {
		_ = in.Close()
		return nil, fmt.Errorf("read executable: %w", err)
	}
	return in, nil
}

// copyExecutable makes the image of an executable in a folder nobody else may
// enter, and reads what it wrote again. The copy can be changed by who runs under
// our own number, and by nobody else.
func copyExecutable(in io.Reader, runDir, name string) (*image, string, error) {
	dir, err := os.MkdirTemp(runDir, copyPrefix)
	if err != nil {
		return nil, "", err
	}
	i := &image{dir: dir}
	written, err := writeCopy(in, filepath.Join(dir, name))
	if err == nil {
		i.file, err = os.Open(filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, i.file)
	if read := hex.EncodeToString(sum.Sum(nil)); err == nil && read != written {
		err = fmt.Errorf("the copy in %s was changed while it was made", dir)
	}
	if err == nil {
		err = i.inspect()
	}
	if err != nil {
		i.close()
		return nil, "", err
	}
	return i, written, nil
}

// writeCopy writes and hashes. No process may be forked meanwhile: it would hold
// the copy open for writing, and the kernel does not run such a file.
func writeCopy(in io.Reader, to string) (checksum string, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o555)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, sum), in)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, out.Close())
}

// inspect learns what an image needs to run.
func (i *image) inspect() error {
	head := make([]byte, 2)
	if _, err := i.file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	i.script = string(head) == "#!"
	program, err := elf.NewFile(i.file)
	if err != nil {
		return nil //nolint:nilerr // whatever it is, the kernel says when it is run
	}
	i.alone = !slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	return nil
}

func checkSum(p program, want string) error {
	want = strings.ToLower(strings.TrimPrefix(want, "sha256:"))
	if want != "" && want != p.checksum {
		return fmt.Errorf("%s has the checksum %s, and %s is pinned for it; if you installed a new version, pin the new checksum",
			p.path, p.checksum, want)
	}
	return nil
}
