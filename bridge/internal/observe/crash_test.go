package observe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// crashes are what Go prints, and what of it is shown.
var crashes = map[string][2]string{
	"words": {"panic: okapi\n\tfatal error: okapi\n\tgoroutine 1 [running]:\n\t\t/okapi/okapi.go:12 +0x1\n\ngoroutine 7 [running, locked to thread]:\n" +
		"main.(*T[...]).f-fm({0x4ac7c0?, 0x4d2b40?}, 0x5, {...})\n\t/src/a b/main.go:6 +0x29a\npanic({0x4ac7c0?, 0x4d2b40?})\n\t/usr/local/go/src/runtime/panic.go:860 +0x13a\n" +
		"main.main.func1()\n\t/src/main.go:9 +0x3e fp=0x2f49af688398 sp=0x2f49af688390 pc=0x4a15d0\n...22369474 frames elided...\ncreated by main.main in goroutine 1\n\t/src/main.go:9 +0x125\n",
		crashHead + "\n\ngoroutine 7 [running, locked to thread]:\n" +
			"main.(*T[...]).f-fm({0x4ac7c0?, 0x4d2b40?}, 0x5, {...})\n\t/src/a b/main.go:6 +0x29a\npanic({0x4ac7c0?, 0x4d2b40?})\n\t/usr/local/go/src/runtime/panic.go:860 +0x13a\n" +
			"main.main.func1()\n\t/src/main.go:9 +0x3e fp=0x2f49af688398 sp=0x2f49af688390 pc=0x4a15d0\n...22369474 frames elided...\ncreated by main.main in goroutine 1\n\t/src/main.go:9 +0x125\n"},
	"a type of their own": {"panic: main.S(\"okapi\n\tokapi\")\n\ngoroutine 1 [running]:\nmain.main()\n\t/m.go:1 +0x1\n", crashHead + "\ngoroutine 1 [running]:\nmain.main()\n\t/m.go:1 +0x1\n"},
	"index":               {"panic: runtime error: index out of range [2] with length 0\n\ngoroutine 1 [running]:\n", crashHead + ": runtime error: index out of range [2] with length 0\ngoroutine 1 [running]:\n"},
	"nil": {"panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4a132d]\n",
		crashHead + ": runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4a132d]\n"},
	"made to look like it": {"panic: runtime error: index out of range [okapi] with length okapi\n", crashHead + ": runtime error: index out of range\n"},
	"a map":                {"fatal error: concurrent map writes\n\ngoroutine 10 [running]:\n", "fatal error: concurrent map writes\n\ngoroutine 10 [running]:\n"},
	"the stack": {"runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\nruntime stack:\nruntime.throw({0x4c98af?, 0x2f498f600780?})\n",
		"runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\nruntime stack:\nruntime.throw({0x4c98af?, 0x2f498f600780?})\n"},
	"two at once":        {"panic: okapi\n\ngoroutine 1 [running]:\npanic: okapi\n\t/okapi.go:1 +0x1\n\ngoroutine 2 [running]:\n", crashHead + "\ngoroutine 1 [running]:\npanic: [left out]\ngoroutine 2 [running]:\n"},
	"a library's log":    {"2026/11/20 10:00:00 Unsolicited response: okapi\n", ""},
	"a line without end": {"panic: " + strings.Repeat("okapi ", 100_000), ""},
}

func shown(text string) string {
	var out bytes.Buffer
	showCrash(strings.NewReader(text), &out)
	return out.String()
}

func TestACrashShowsWhereItWas(t *testing.T) {
	for name, c := range crashes {
		got := strings.ReplaceAll(shown(c[0]), "\n\n", "\n")
		if got != strings.ReplaceAll(c[1], "\n\n", "\n") {
			t.Errorf("%s: shown is\n%s, want\n%s", name, got, c[1])
		}
	}
}

// Whatever a panic says, none of it is shown.
func TestACrashShowsNoWords(t *testing.T) {
	const stack = "\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:6 +0x29a\n"
	pieces := []string{"okapi", "\n", "\t", "panic: ", "goroutine 1 [running]:", "fatal error: ", "/x/okapi.go:12 +0x1", "okapi()", "runtime error: index out of range [", "]", " ", "\r", "created by okapi"}
	rapid.Check(t, func(t *rapid.T) {
		said := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 20).Draw(t, "said"), "")
		got := shown("panic: " + strings.ReplaceAll(said, "\n", "\n\t") + stack)
		if strings.Contains(got, "okapi") || !strings.HasPrefix(got, crashHead) || !strings.HasSuffix(got, stack[1:]) {
			t.Fatalf("of %q is shown %q", said, got)
		}
	})
}

// unwatched is the variable that makes of this test's program one that crashes.
const unwatched = "OBSERVE_CRASHES_UNWATCHED"

// crashUnwatched takes away that its program can be started again, and crashes.
func crashUnwatched() {
	err := os.Chmod(os.Getenv(unwatched), 0o600)
	stderr, guard := GuardCrash()
	fmt.Fprintln(stderr, "guard:", errors.Join(err, guard))
	panic("okapi")
}

// TestACrashThatNobodyShows: where the other process does not start, who began it is
// told, and a crash prints nothing rather than everything.
func TestACrashThatNobodyShows(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	copied := filepath.Join(t.TempDir(), "crashes")
	if err := errors.Join(err, os.WriteFile(copied, data, 0o700)); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(copied)
	c.Env = []string{unwatched + "=" + copied}
	out, err := c.CombinedOutput()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != 2 {
		t.Errorf("it ended with %v", err)
	}
	if got := string(out); !strings.HasPrefix(got, "guard: start what shows crashes: ") || strings.Count(got, "\n") != 1 {
		t.Errorf("it said %q", got)
	}
}

func FuzzShowCrash(f *testing.F) {
	for _, c := range crashes {
		f.Add(c[0])
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := shown("panic: " + strings.ReplaceAll("okapi"+text, "\n", "\n\t")); strings.Contains(got, "okapi") {
			t.Errorf("shown is %q", got)
		}
	})
}
