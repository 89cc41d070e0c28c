package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
)

// Self is the program that runs, for Options.Launcher: its main calls Launch.
const Self = "/proc/self/exe"

// Missing is a protection this system does not give.
type Missing struct {
	What, Reason string
	// Mend says what to do about it.
	Mend string
}

// String is the whole of it in one line.
func (m Missing) String() string {
	return fmt.Sprintf("plugins run without %s: %s; mend: %s", m.What, m.Reason, m.Mend)
}

// orders say how a process shuts itself off before it becomes a plugin.
type orders struct {
	Name string `json:"name"` // the plugin's zeroth argument
	// Script and Alone are of the image.
	Script bool `json:"script,omitempty"`
	Alone  bool `json:"alone,omitempty"`
	// Probe asks to try everything and to become nothing.
	Probe bool `json:"probe,omitempty"`
	// Landlock is the version of Landlock to use, 0 for none.
	Landlock int `json:"landlock,omitempty"`
	// Filter asks for the filter of system calls.
	Filter bool `json:"filter,omitempty"`
	// Memory bounds what the process may have of its own, in bytes.
	Memory uint64 `json:"memory"`
	// Processes bounds processes and threads together, 0 not at all.
	Processes uint64 `json:"processes,omitempty"`
}

// sandbox runs programs, shut off as this system allows. What that is, is tried
// once, before any program is run, and never less after.
type sandbox struct {
	level    level
	launcher string // "" where processes do not shut themselves off
	orders   orders
	missing  []Missing
}

func newSandbox(mode, launcher string, memory int, log *slog.Logger) (*sandbox, error) {
	if mode == SandboxOff {
		return &sandbox{}, nil
	}
	if mode != SandboxAuto && mode != SandboxRequired {
		return nil, fmt.Errorf("[plugins] sandbox = %q: use %q, %q or %q", mode, SandboxAuto, SandboxRequired, SandboxOff)
	}
	s := settle(launcher, uint64(memory))
	var all []string
	for _, m := range s.missing {
		all = append(all, m.String())
	}
	if mode == SandboxRequired && len(all) > 0 {
		return nil, fmt.Errorf("[plugins] sandbox = %q: %s; or use %q", mode, strings.Join(all, "; "), SandboxAuto)
	}
	for _, m := range s.missing {
		log.Warn("plugins run with less than the whole sandbox", "missing", m.What, "reason", m.Reason, "mend", m.Mend)
	}
	return s, nil
}

// describe says what a program is shut off with, "" for nothing.
func (s *sandbox) describe(p program) string {
	var parts []string
	if s.level.name != "" {
		parts = append(parts, s.level.name)
	}
	if s.orders.Landlock > 0 {
		parts = append(parts, "Landlock")
	}
	if s.orders.Filter {
		parts = append(parts, "filtered system calls")
	}
	if s.launcher != "" {
		parts = append(parts, "limits")
	}
	if s.orders.Landlock > 0 && !p.image.alone {
		parts = append(parts, "the system's programs and libraries open to it")
	}
	return strings.Join(parts, ", ")
}

// spawn runs a program whose socket is to be in dir.
func (s *sandbox) spawn(what program, dir string, env []string) (*process, error) {
	c, folder, err := s.command(what, dir, env)
	if err != nil {
		return nil, fmt.Errorf("run plugin: %w", err)
	}
	if folder != nil {
		defer folder.Close()
	}
	p, err := spawn(c)
	if err != nil {
		return nil, fmt.Errorf("run plugin (what this system cannot run, or a sandbox it no longer gives): %w", err)
	}
	return p, nil
}

// command is the launcher with its orders, or the program itself.
func (s *sandbox) command(what program, dir string, env []string) (command, *os.File, error) {
	if s.launcher == "" {
		return what.command(append(env, plugin.EnvUnixSocketDir+"="+dir), s.level.attr()), nil, nil
	}
	if s.level.nobody {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			return command{}, nil, err
		}
	}
	folder, err := os.Open(dir)
	if err != nil {
		return command{}, nil, err
	}
	o := s.orders
	o.Name, o.Script, o.Alone = what.name, what.image.script, what.image.alone
	// The program is in its folder and need not find the way there. The limit that
	// Go collects its garbage by is the bridge's if it has one: the first counts.
	env = append(env, plugin.EnvUnixSocketDir+"=.", fmt.Sprintf("GOMEMLIMIT=%dMiB", o.Memory>>20*3/4))
	c, err := s.launch(o, env, folder, what.image.file)
	return c, folder, err
}

func (s *sandbox) launch(o orders, env []string, extra ...*os.File) (command, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return command{}, err
	}
	return command{path: s.launcher, args: []string{launchName, string(text)}, env: env, extra: extra, attr: s.level.attr()}, nil
}

// launchName is the zeroth argument of a process that is to become a plugin.
const launchName = "footbridge-becomes-a-plugin"

// launchFailed begins the one line a process prints that could not become one.
const launchFailed = "not launched: "

// probeTime is how long a process may take to shut itself off.
const probeTime = 10 * time.Second

// probe tries the whole way to a plugin but its last step.
func (s *sandbox) probe() error {
	o := s.orders
	o.Probe = true
	c, err := s.launch(o, nil)
	if err != nil {
		return err
	}
	p, err := spawn(c)
	if err != nil {
		return err
	}
	defer closeAll([]*os.File{p.stdout, p.stderr})
	if !p.gone(probeTime) {
		p.kill()
		return errors.New("it did not end in time")
	}
	line := make([]byte, 400)
	n, _ := p.stdout.Read(line)
	if n > 0 || p.exit != "exit status 0" {
		return fmt.Errorf("%s (%s)", clip(strings.TrimSpace(strings.TrimPrefix(string(line[:n]), launchFailed))), p.exit)
	}
	return nil
}

// closeFolder takes the program's right to make more files in its folder, once its
// socket is there.
func (s *sandbox) closeFolder(dir string) error {
	if s.launcher == "" {
		return nil
	}
	if s.level.nobody {
		if err := os.Chown(dir, os.Geteuid(), os.Getegid()); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o500)
}

// removeFolder removes a folder that may have been closed.
func removeFolder(dir string) error {
	_ = os.Chmod(dir, 0o700)
	return os.RemoveAll(dir)
}
