//go:build linux && !amd64 && !arm64

package host

// auditArch 0: there is no filter for this machine.
const auditArch = 0

func nativeCalls() []uint32 { return nil }

// forks are the calls besides clone that make a process: none.
func forks() []uint32 { return nil }
