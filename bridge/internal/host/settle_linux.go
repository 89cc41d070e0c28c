package host

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// settle finds the most this system gives, for processes of so many bytes.
func settle(launcher string, memory uint64) *sandbox {
	if launcher == "" {
		return settleWithout("no launcher is set")
	}
	s := &sandbox{launcher: launcher}
	s.orders, s.missing = offered()
	s.orders.Memory = memory
	refused, found := s.find()
	if !found {
		return settleWithout("the launcher fails: " + strings.Join(refused, "; "))
	}
	s.missLevel(refused)
	if s.orders.Processes == 0 {
		s.missing = append(s.missing, Missing{What: "a limit of threads",
			Reason: "it would count what else the account runs, and does not hold for root",
			Mend:   "run the bridge under an account that is not root's, on Linux 5.14 or later"})
	}
	return s
}

// settleWithout finds what there is without a launcher: namespaces.
func settleWithout(why string) *sandbox {
	s := &sandbox{missing: []Missing{{What: "Landlock, filtered system calls and limits", Reason: why,
		Mend: "let everybody run the footbridge executable (chmod a+rx), and see that /proc is mounted"}}}
	refused, _ := s.find()
	s.missLevel(refused)
	return s
}

// find takes the first level that works, and tells why those before it do not.
func (s *sandbox) find() (refused []string, found bool) {
	for _, s.level = range levels(s.launcher != "") {
		s.count()
		err := s.try()
		if err == nil {
			return refused, true
		}
		refused = append(refused, err.Error())
	}
	return refused, false
}

func (s *sandbox) missLevel(refused []string) {
	if s.level.missing != "" {
		s.missing = append(s.missing, Missing{What: s.level.missing, Reason: strings.Join(slices.Compact(refused), "; "),
			Mend: "allow user namespaces (sysctl user.max_user_namespaces, in a container its seccomp and AppArmor profiles) " +
				"and let everybody run the footbridge executable (chmod a+rx)"})
	}
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
	apart := s.level.flags&syscall.CLONE_NEWUSER != 0 && kernelIsFrom(5, 14) && os.Geteuid() != 0
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
