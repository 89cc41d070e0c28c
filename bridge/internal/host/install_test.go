package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRefusedBeforeTheyRun(t *testing.T) {
	dir := plugins(t, map[string]string{"echo": ""})
	path := filepath.Join(dir, executablePrefix+"echo")
	open := filepath.Join(t.TempDir(), "open")
	if err := errors.Join(os.Mkdir(open, 0o755), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	linked := t.TempDir()
	for _, c := range []struct {
		name, dir string
		mode      os.FileMode
		link      string
		sum, want string
	}{
		{name: "none", dir: t.TempDir(), want: "set [plugins] dir"},
		{name: "writable file", dir: dir, mode: 0o757, want: "writable by everybody"},
		{name: "setuid", dir: dir, mode: 0o755 | os.ModeSetuid, want: "another account"},
		{name: "not executable", dir: dir, mode: 0o644, want: "not executable"},
		{name: "writable folder", dir: open, mode: 0o755, link: open, want: "folder"},
		{name: "wrong checksum", dir: dir, mode: 0o755, sum: strings.Repeat("0", 64), want: "pin the new checksum"},
		{name: "link to a good one", dir: linked, mode: 0o755, link: linked},
		{name: "link to a writable one", dir: linked, mode: 0o757, link: linked, want: "writable by everybody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PATH", "/nowhere")
			if c.mode != 0 {
				if err := os.Chmod(path, c.mode); err != nil {
					t.Fatal(err)
				}
			}
			if c.link != "" {
				_ = os.Symlink(path, filepath.Join(c.link, executablePrefix+"echo"))
			}
			h := newHost(t, Options{Dir: c.dir, Checksums: map[string]string{"echo": c.sum}})
			_, err := h.Start(t.Context(), "echo")
			if c.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || len(h.States()) != 0 {
				t.Errorf("start: %v, states %v", err, h.States())
			}
		})
	}
	if _, err := newHost(t, Options{Dir: dir}).Start(t.Context(), "../echo"); err == nil {
		t.Error("a name that is a path was taken")
	}
}

func TestPinnedChecksumAndManifest(t *testing.T) {
	dir := plugins(t, map[string]string{"echo": ""})
	first := newHost(t, Options{Dir: dir})
	m, err := first.Start(t.Context(), "echo")
	if err != nil || m.Name != "echo" || m.Version != "1.2.3" {
		t.Fatalf("manifest %+v, %v", m, err)
	}
	s := first.States()[0]
	if s.Path != filepath.Join(dir, executablePrefix+"echo") || len(s.Checksum) != 64 || s.Version != "1.2.3" {
		t.Errorf("state %+v", s)
	}
	again, err := first.Start(t.Context(), "echo")
	if err != nil || again.Name != "echo" || first.Pid("echo") == 0 {
		t.Errorf("start of a running one: %+v, %v", again, err)
	}
	pinned := newHost(t, Options{Beside: dir, Checksums: map[string]string{"echo": "sha256:" + strings.ToUpper(s.Checksum)}})
	if _, err := pinned.Start(t.Context(), "echo"); err != nil {
		t.Error(err)
	}
}

func TestBadStarts(t *testing.T) {
	const sh = "#!/bin/sh\n"
	for name, c := range map[string]struct{ script, want string }{
		"garbage":  {sh + "printf 'hello \\033[31m world\\n'; sleep 60\n", `"hello \x1b[31m world"`},
		"long":     {sh + "yes xxxx | head -c 1000000 | tr -d '\\n'; sleep 60\n", "xxxx"},
		"silent":   {sh + "sleep 60\n", "no start line in time"},
		"gone":     {sh + "echo why >&2; exit 4\n", "exit status 4"},
		"closed":   {sh + "exec >&-; sleep 60\n", "no start line"},
		"tcp":      {sh + "echo '1|1|tcp|127.0.0.1:80|grpc'; sleep 60\n", "unix sockets"},
		"foreign":  {sh + "echo '1|1|unix|/tmp/other.sock|grpc'; sleep 60\n", "not in its folder"},
		"major":    {sh + "echo \"1|9|unix|$PLUGIN_UNIX_SOCKET_DIR/s|grpc\"; sleep 60\n", "start line"},
		"core":     {sh + "echo \"2|1|unix|$PLUGIN_UNIX_SOCKET_DIR/s|grpc\"; sleep 60\n", "start line"},
		"netrpc":   {sh + "echo \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/s|netrpc\"; sleep 60\n", "protocol"},
		"nosocket": {sh + "echo \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/s|grpc\"; sleep 60\n", "describe"},
		"arch":     {"\x7fELF not really", "run plugin"},
	} {
		t.Run(name, func(t *testing.T) {
			within := 20 * time.Second
			if name == "silent" {
				within = 3 * time.Second // which is what it comes to
			}
			h := newHost(t, Options{Dir: plugins(t, map[string]string{name: c.script}), StartTimeout: within,
				BackoffMin: time.Minute, BackoffMax: time.Minute})
			_, err := h.Start(t.Context(), name)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("start: %v", err)
			}
			if err != nil && (len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\x1b\n")) {
				t.Errorf("error of %d bytes: %q", len(err.Error()), err)
			}
		})
	}
}

func TestWrongNameIsRefused(t *testing.T) {
	dir := plugins(t, map[string]string{"echo": ""})
	// The copy is named for the adapter asked for, so the echo plugin would say
	// the right name; a script runs it under another.
	real := filepath.Join(dir, executablePrefix+"echo")
	script := "#!/bin/sh\nexec " + real + "\n"
	if err := os.WriteFile(filepath.Join(dir, executablePrefix+"alias"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, Options{Dir: dir, Sandbox: SandboxOff, BackoffMin: time.Minute, BackoffMax: time.Minute})
	if _, err := h.Start(t.Context(), "alias"); err == nil || !strings.Contains(err.Error(), `is the adapter "echo"`) {
		t.Errorf("start: %v", err)
	}
}

func TestCloseAndRunDir(t *testing.T) {
	h := started(t, Options{}, "echo")
	pid := h.Pid("echo")
	var turn sync.WaitGroup
	turn.Go(func() {
		if _, err := h.Turn(context.Background(), "echo", order("hang")); !errors.Is(err, ErrDied) && !errors.Is(err, ErrDown) {
			t.Errorf("turn at close: %v", err)
		}
	})
	began := time.Now()
	h.Close()
	turn.Wait()
	if alive(pid) || time.Since(began) > endGrace {
		t.Errorf("close took %s", time.Since(began))
	}
	if _, err := h.Start(t.Context(), "other"); err == nil {
		t.Error("a closed host starts plugins")
	}
	if _, err := h.Turn(t.Context(), "echo", request("x")); !errors.Is(err, ErrDown) {
		t.Errorf("turn after close: %v", err)
	}
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{shared, "/tmp/" + strings.Repeat("long", 30)} {
		if _, err := New(Options{RunDir: dir}); err == nil {
			t.Errorf("run folder %s was taken", dir)
		}
	}
	if _, err := New(Options{Sandbox: "maybe"}); err == nil {
		t.Error("sandbox maybe was taken")
	}
	own, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	own.Close()
	if _, err := os.Stat(own.o.RunDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the host's own run folder is left: %v", err)
	}
}
