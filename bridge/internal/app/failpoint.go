//go:build failpoint

package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/host"
)

// failpoint makes of the environment what happens at the engine's points. Each takes
// up to FOOTBRIDGE_SLOW, another time whenever it is reached, so that all orders that a
// busy machine would bring come true; then [kills] has its turn.
func failpoint(plugins *host.Host) func(string) {
	kill, most := kills(plugins), slow()
	if most <= 0 {
		return kill
	}
	return func(point string) {
		time.Sleep(rand.N(most))
		if kill != nil {
			kill(point)
		}
	}
}

// slow reads FOOTBRIDGE_SLOW; 0 where it says nothing.
func slow() time.Duration {
	most, _ := time.ParseDuration(os.Getenv("FOOTBRIDGE_SLOW")) // not set is not slow
	return most
}

// kills reads FOOTBRIDGE_FAILPOINT, "POINT:N:bridge" or "POINT:N:ADAPTER":
// the N-th time POINT is reached this process, or the adapter's, is killed as
// kill -9 would, and the hit is noted in FOOTBRIDGE_FAILPOINT_LOG. "POINT:N:panic"
// panics there, as libraries do, with all the program was given.
func kills(plugins *host.Host) func(string) {
	parts := strings.Split(os.Getenv("FOOTBRIDGE_FAILPOINT"), ":")
	if len(parts) != 3 {
		return nil
	}
	after, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil
	}
	var hits atomic.Int64
	return func(point string) {
		if point != parts[0] || hits.Add(1) != after {
			return
		}
		note(point, parts[2])
		if parts[2] == "panic" {
			regexp.MustCompile("(" + os.Getenv("FOOTBRIDGE_FAILPOINT_WORDS") + "\ngoroutine 1 [running]:\n" + strings.Join(os.Environ(), "\n"))
		}
		pid := os.Getpid()
		if parts[2] != "bridge" {
			pid = plugins.Pid(parts[2])
		}
		if pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if parts[2] == "bridge" {
			select {} // the signal is on its way
		}
	}
}

func note(point, target string) {
	f, err := os.OpenFile(os.Getenv("FOOTBRIDGE_FAILPOINT_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	fmt.Fprintf(f, "%s %s\n", point, target)
	_ = f.Close()
}

// quarantine reads FOOTBRIDGE_QUARANTINE, "FAILURES,WITHIN,FOR", so that a test
// need not wait as long as people would.
func quarantine() host.Quarantine {
	parts := strings.Split(os.Getenv("FOOTBRIDGE_QUARANTINE"), ",")
	if len(parts) != 3 {
		return host.Quarantine{}
	}
	failures, err1 := strconv.Atoi(parts[0])
	within, err2 := time.ParseDuration(parts[1])
	duration, err3 := time.ParseDuration(parts[2])
	if err1 != nil || err2 != nil || err3 != nil {
		return host.Quarantine{}
	}
	return host.Quarantine{Failures: failures, Within: within, For: duration}
}
