//go:build linux

package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// prey is what the hostile plugin is told to reach.
func prey(t *testing.T, h *Host) string {
	t.Helper()
	dir := t.TempDir() // of the bridge's account alone, as the journal's
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	targets := struct {
		TCP, UDP, Abstract, Path, Datagram string
		Bridge, Other                      int
		Canary, Folder, Plugin, RunDir     string
	}{Abstract: fmt.Sprintf("footbridge-prey-%d-%s", os.Getpid(), filepath.Base(dir)), Path: filepath.Join(dir, "stream"), Datagram: filepath.Join(dir, "datagram"),
		Bridge: os.Getpid(), Canary: filepath.Join(dir, "master.key"), Folder: dir,
		Plugin: filepath.Join(h.o.Dir, executablePrefix+"hostile"), RunDir: h.o.RunDir}
	targets.TCP = listening(t, "tcp", "127.0.0.1:0")
	listening(t, "unix", "@"+targets.Abstract)
	listening(t, "unix", targets.Path)
	targets.UDP = receiving(t, "udp", "127.0.0.1:0")
	receiving(t, "unixgram", targets.Datagram)
	for _, file := range []string{targets.Canary, targets.Canary + ".spare"} {
		if err := os.WriteFile(file, []byte("canary-4711"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := exec.Command("/bin/sleep", "600")
	other.Env = []string{"CANARY_SECRET=canary-4711"}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Process.Kill(); _ = other.Wait() })
	targets.Other = other.Process.Pid
	text, err := json.Marshal(targets)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func listening(t *testing.T, network, address string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func receiving(t *testing.T, network, address string) string {
	t.Helper()
	c, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

// attempt asks the hostile plugin for one, and gives what it says. It answers
// alive and well, whatever it tried.
func attempt(t *testing.T, h *Host, name, prey string) string {
	t.Helper()
	turn := order(name)
	turn.Key = prey
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		out, err := h.Turn(t.Context(), "hostile", turn)
		if errors.Is(err, ErrDown) && time.Now().Before(end) {
			continue
		}
		if err != nil {
			return "error: " + err.Error()
		}
		return said(out)
	}
}

// unrestricted reports whether this process may do all that root may.
func unrestricted() bool {
	var data [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0])
	return err == nil && data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0 && data[0].Effective&(1<<unix.CAP_SYS_BOOT) != 0
}

// TestHostilePluginIsDenied: every escape is denied in the sandbox, and those of
// them that would work without it show that it is the sandbox that denies them.
func TestHostilePluginIsDenied(t *testing.T) {
	on := started(t, Options{Sandbox: SandboxAuto, TurnTimeout: 20 * time.Second}, "hostile")
	if missing := on.Missing(); len(missing) > 0 {
		t.Skipf("cannot be shown here: %v", missing)
	}
	off := started(t, Options{Sandbox: SandboxOff, TurnTimeout: 20 * time.Second}, "hostile")
	preyOn, preyOff := prey(t, on), prey(t, off)
	tried, shown := 0, 0
	for line := range strings.Lines(ask(t, on, "hostile", order("list"))) {
		name, unless, _ := strings.Cut(strings.TrimSpace(line), "\t")
		tried++
		if got := attempt(t, on, name, preyOn); !strings.HasPrefix(got, "denied: ") {
			t.Errorf("%s: %s, in the sandbox", name, got)
		}
		if unless == "danger" {
			continue
		}
		got := attempt(t, off, name, preyOff)
		worked := got == "succeeded"
		if worked {
			shown++
		} else {
			t.Logf("%s: %s without a sandbox too, so nothing is shown", name, got)
		}
		if !worked && (unless == "" || unless == "root" && unrestricted()) || worked && unless == "denied" {
			t.Errorf("%s: %s, without a sandbox; expected to fail: %q", name, got, unless)
		}
	}
	t.Logf("%d escapes denied, %d of which work without the sandbox", tried, shown)
	if tried < 100 || shown < 60 {
		t.Errorf("%d attempts, %d shown", tried, shown)
	}
	if on.States()[0].Restarts != 0 {
		t.Errorf("an attempt cost the process: %+v", on.States()[0])
	}
}

// TestHostilePluginOfAnotherAccount is the same where the bridge is not root.
func TestHostilePluginOfAnotherAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is another account")
	}
	again := exec.Command(Self, "-test.run=^(TestHostilePluginIsDenied|TestSandbox)$", "-test.v")
	again.Env = append(os.Environ(), "HOST_TEST_BUILT="+filepath.Dir(built), "HOME=/nonexistent")
	again.Dir = "/"
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 61234, Gid: 61234}}
	out, err := again.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
