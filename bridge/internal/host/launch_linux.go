package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Launch makes a plugin of this process if the Host of another process of the
// same program started it for that; then it does not return. It is the first
// thing in the main of a program that gives itself as Options.Launcher, and does
// nothing otherwise.
func Launch() {
	if len(os.Args) != 2 || os.Args[0] != launchName {
		return
	}
	var o orders
	err := json.Unmarshal([]byte(os.Args[1]), &o)
	if err == nil {
		err = become(o)
	}
	if err != nil {
		fmt.Println(launchFailed + err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

// The files a process is given besides the standard ones.
const (
	folderFile = 3
	imageFile  = 4
	// execFile is where the image is when it is run: beyond what may be opened
	// after, so that nothing else can ever be in its place.
	execFile  = openFiles + 44
	openFiles = 256
)

// become shuts the process off, step by step, and runs the plugin in its place.
// Landlock, the filter and what else is given up are the calling thread's; the
// others end when the plugin begins.
func become(o orders) error {
	runtime.LockOSThread()
	for _, step := range []struct {
		what string
		do   func(orders) error
	}{
		{"take its files", takeFiles},
		{"limit itself", limit},
		{"give up its rights", giveUp},
		{"restrict itself with Landlock", landlock},
		{"filter its system calls", filter},
		{"run", execute},
	} {
		if err := step.do(o); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// takeFiles goes to the plugin's folder, puts the image in its place and sees to
// it that nothing else that is open goes on to the plugin.
func takeFiles(o orders) error {
	if !o.Probe {
		flags := unix.O_CLOEXEC
		if o.Script {
			flags = 0 // its interpreter opens it
		}
		if err := errors.Join(unix.Fchdir(folderFile), unix.Dup3(imageFile, execFile, flags)); err != nil {
			return err
		}
	}
	if unix.CloseRange(folderFile, execFile-1, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return unix.CloseRange(execFile+1, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
	}
	for fd := folderFile; fd < 1<<12; fd++ { // before Linux 5.11
		if fd != execFile {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// limit bounds what the process may use. It may not write a byte to any file.
func limit(o orders) error {
	for _, l := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_CORE, 0}, {unix.RLIMIT_FSIZE, 0}, {unix.RLIMIT_MEMLOCK, 0}, {unix.RLIMIT_MSGQUEUE, 0},
		{unix.RLIMIT_RTPRIO, 0}, {unix.RLIMIT_NICE, 0}, {unix.RLIMIT_SIGPENDING, 256}, {unix.RLIMIT_STACK, 8 << 20},
		{unix.RLIMIT_NOFILE, openFiles}, {unix.RLIMIT_DATA, o.Memory}, {unix.RLIMIT_NPROC, o.Processes},
	} {
		if l.what == unix.RLIMIT_NPROC && l.most == 0 {
			continue
		}
		var now unix.Rlimit
		if err := unix.Getrlimit(l.what, &now); err != nil {
			return err
		}
		most := min(l.most, now.Max)
		if err := unix.Prlimit(0, l.what, &unix.Rlimit{Cur: most, Max: most}, nil); err != nil {
			return fmt.Errorf("limit %d: %w", l.what, err)
		}
	}
	return nil
}

// giveUp gives up every capability, and the way to get new ones.
func giveUp(orders) error {
	none := [2]unix.CapUserData{}
	return errors.Join(
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
		unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0),
		unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]))
}

// execute runs the plugin. A probe looks whether what was given up is gone.
func execute(o orders) error {
	if o.Probe {
		return examine(o)
	}
	empty, err := unix.BytePtrFromString("")
	if err != nil {
		return err
	}
	args, err := pointers([]string{o.Name})
	if err != nil {
		return err
	}
	env, err := pointers(os.Environ())
	if err != nil {
		return err
	}
	_, _, errno := unix.Syscall6(unix.SYS_EXECVEAT, execFile, uintptr(unsafe.Pointer(empty)),
		uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0])), unix.AT_EMPTY_PATH, 0)
	return errno
}

// pointers gives texts as the kernel takes them, with an end.
func pointers(texts []string) ([]*byte, error) {
	all := make([]*byte, len(texts)+1)
	for i, text := range texts {
		p, err := unix.BytePtrFromString(text)
		if err != nil {
			return nil, err
		}
		all[i] = p
	}
	return all, nil
}

// examine tries what must not be possible any more.
func examine(o orders) error {
	if o.Landlock > 0 {
		if _, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY, 0); !errors.Is(err, unix.EACCES) {
			return fmt.Errorf("with Landlock the root folder opens (%w)", err)
		}
	}
	if o.Filter {
		if _, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("with a filter there are sockets (%w)", err)
		}
	}
	return nil
}
