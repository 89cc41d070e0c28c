package host

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// settle finds the most this system gives.
func settle(launcher string) *sandbox {
	s := &sandbox{launcher: launcher}
	if launcher == "" {
		s.missing = append(s.missing, Missing{What: "Landlock, filtered system calls and limits",
			Reason: "this program starts them without a launcher", Mend: "set host.Options.Launcher"})
	} else {
		s.orders, s.missing = offered()
	}
	var refused []string
	for _, s.level = range levels(launcher != "") {
		s.count()
		err := s.try()
		if err == nil {
			break
		}
		refused = append(refused, err.Error())
	}
	if s.level.missing != "" {
		s.missing = append(s.missing, Missing{What: s.level.missing, Reason: strings.Join(refused, "; "),
			Mend: "allow user namespaces (sysctl user.max_user_namespaces, in a container its seccomp and AppArmor profiles) " +
				"and let everybody run the footbridge executable (chmod a+rx)"})
	}
	if launcher != "" && s.orders.Processes == 0 {
		s.missing = append(s.missing, Missing{What: "a limit of threads",
			Reason: "here it would count what else the account runs", Mend: "use Linux 5.14 or later"})
	}
	return s
}

// try reports whether processes can be shut off that way.
func (s *sandbox) try() error {
	if s.launcher != "" {
		return s.probe()
	}
	// A process that finds nothing to run was made as it was asked for.
	_, err := os.StartProcess("/dev/null/nothing", nil, &os.ProcAttr{Sys: s.level.attr()})
	if errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// count bounds processes where only the plugin's own are counted.
func (s *sandbox) count() {
	s.orders.Processes = 0
	apart := s.level.flags&syscall.CLONE_NEWUSER != 0 && kernelIsFrom(5, 14)
	if s.launcher != "" && (apart || s.level.nobody) {
		s.orders.Processes = uint64(128 + 8*runtime.NumCPU())
	}
}

// offered asks the kernel what a process can shut itself off with.
func offered() (orders, []Missing) {
	var o orders
	var missing []Missing
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno == 0 {
		o.Landlock = int(abi)
	} else {
		missing = append(missing, Missing{What: "Landlock", Reason: "the kernel says " + errno.Error(),
			Mend: "use Linux 5.13 or later, with landlock in its list of security modules (boot parameter lsm=)"})
	}
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno = unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if o.Filter = errno == 0 && auditArch != 0; !o.Filter {
		missing = append(missing, Missing{What: "filtered system calls", Reason: fmt.Sprintf("the kernel says %s on %s", errno.Error(), runtime.GOARCH),
			Mend: "use a Linux kernel with seccomp filters, on amd64 or arm64"})
	}
	return o, missing
}

func kernelIsFrom(major, minor int) bool {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return false
	}
	var a, b int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &a, &b); err != nil {
		return false
	}
	return a > major || a == major && b >= minor
}
