package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// The script that is pinned, and what somebody would have run in its place.
const (
	pinned  = "#!/bin/sh\necho pinned\n"
	swapped = "#!/bin/sh\necho swapped\n"
)

func sum256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// output runs a program without a sandbox and gives what it prints.
func outputOf(t *testing.T, p program) string {
	t.Helper()
	proc, err := spawn(p.command(nil, plain()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(proc.stdout)
	<-proc.done
	if err := errors.Join(err, proc.stdout.Close(), proc.stderr.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// swaps are the ways to put something else where the executable is. Each leaves
// a file there, or is mended by the next.
func swaps(dir, path string) []func() error {
	good, bad, spare := filepath.Join(dir, "good"), filepath.Join(dir, "bad"), filepath.Join(dir, "spare")
	put := func(make func(from, to string) error, from string) func() error {
		return func() error { _ = os.Remove(spare); return errors.Join(make(from, spare), os.Rename(spare, path)) }
	}
	return []func() error{
		put(os.Symlink, bad), put(os.Link, good), put(os.Link, bad), put(os.Symlink, good),
		func() error { _ = os.Remove(path); return os.WriteFile(path, []byte(swapped), 0o755) },
		func() error { return os.WriteFile(path, []byte(pinned), 0o755) },
		func() error { return os.WriteFile(path, []byte(swapped), 0o755) }, // in place
		func() error { return os.WriteFile(path, []byte(pinned), 0o755) },
	}
}

// TestOnlyThePinnedProgramRuns changes the executable all the while it is checked
// and run: what is run is what is pinned, or nothing.
func TestOnlyThePinnedProgramRuns(t *testing.T) {
	races, end := 100_000, time.Now().Add(20*time.Second)
	if testing.Short() {
		races = 5_000
	}
	dir := t.TempDir()
	path := filepath.Join(dir, executablePrefix+"echo")
	for name, text := range map[string]string{"good": pinned, "bad": swapped, executablePrefix + "echo": pinned} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h := newHost(t, Options{Dir: dir, Sandbox: SandboxOff, Checksums: map[string]string{"echo": sum256(pinned)}})
	ctx, cancel := context.WithCancel(t.Context())
	var swapper sync.WaitGroup
	swapper.Go(func() {
		for ways := swaps(dir, path); ctx.Err() == nil; {
			for _, swap := range ways {
				if err := swap(); err != nil {
					t.Error(err)
				}
			}
			runtime.Gosched()
		}
	})
	tried, taken, ran := 0, 0, 0
	for ; tried < races && time.Now().Before(end); tried++ {
		p, err := h.install("echo")
		if err != nil {
			continue
		}
		if taken++; taken%200 == 1 {
			ran++
			if got := outputOf(t, p); got != "pinned\n" {
				t.Errorf("ran %q", got)
			}
		}
		text := make([]byte, 100)
		if n, err := p.image.file.ReadAt(text, 0); !errors.Is(err, io.EOF) || string(text[:n]) != pinned {
			t.Errorf("the image is %q, %v", text[:n], err)
		}
		p.image.close()
	}
	cancel()
	swapper.Wait()
	t.Logf("%d races: %d taken, %d refused, %d run", tried, taken, tried-taken, ran)
	if ran == 0 || taken == tried {
		t.Error("nothing was taken, or nothing refused: this was no race")
	}
}

// TestWhatIsSealedStays: once installed the file may become anything.
func TestWhatIsSealedStays(t *testing.T) {
	dir := plugins(t, map[string]string{"echo": pinned})
	h := newHost(t, Options{Dir: dir, Sandbox: SandboxOff})
	p, err := h.install("echo")
	if err != nil {
		t.Fatal(err)
	}
	defer p.image.close()
	if err := os.WriteFile(p.path, []byte(swapped), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := outputOf(t, p); got != "pinned\n" {
		t.Errorf("after the file changed it prints %q", got)
	}
	if runtime.GOOS != "linux" {
		return
	}
	if p.image.dir != "" {
		t.Skip("this kernel keeps no executable in memory")
	}
	for _, mode := range []int{os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_TRUNC} {
		f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", p.image.file.Fd()), mode, 0)
		if err != nil {
			continue
		}
		_, wrote := f.WriteAt([]byte("x"), 0)
		cut := f.Truncate(0)
		if f.Close(); wrote == nil || cut == nil {
			t.Errorf("opened with %x the sealed image takes writes: %v, %v", mode, wrote, cut)
		}
	}
}

// TestCopyWhereThereIsNoMemory is the way of systems without sealed memory.
func TestCopyWhereThereIsNoMemory(t *testing.T) {
	dir := t.TempDir()
	i, sum, err := copyExecutable(strings.NewReader(pinned), dir, "copy")
	if err != nil || sum != sum256(pinned) {
		t.Fatalf("checksum %s, %v", sum, err)
	}
	if got := outputOf(t, program{name: "copy", image: i}); got != "pinned\n" {
		t.Errorf("the copy prints %q", got)
	}
	i.close()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
