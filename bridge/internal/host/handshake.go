package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

// socketPrefix is what go-plugin names the folder of a socket.
const socketPrefix = "plugin-dir"

// passedOn lists the only variables of the bridge's environment a plugin gets.
func passedOn() []string { return []string{"GOMEMLIMIT", "TZ", "LANG"} }

// running is a process that has told its address.
type running struct {
	*process
	address net.Addr
	dir     string // of its socket
}

// remove takes away the files of an ended process.
func (r *running) remove() { _ = removeFolder(r.dir) }

// handshake runs a program as a plugin and waits for its start line, until ctx
// ends. go-plugin reads and judges the line; the process is ours, so its Ping,
// Kill, broker and reattaching are never used.
func (h *Host) handshake(ctx context.Context, p program, log *slog.Logger) (*running, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, errors.New("a start needs a deadline")
	}
	a := &attached{ctx: ctx, line: newStartLine(), output: newOutput(log)}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: adapterpb.CookieKey, MagicCookieValue: adapterpb.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{adapterpb.ProtocolVersion: {}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		StartTimeout:     time.Until(deadline),
		Logger:           hclog.NewNullLogger(),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: h.o.RunDir},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, dir string) (runner.Runner, error) {
			a.dir = dir
			a.spawn = func() (*process, error) { return h.sandbox.spawn(p, dir, append(unplaced(cmd.Env), environment()...)) }
			return a, nil
		},
	})
	address, err := client.Start()
	if err == nil && !a.stop() {
		err = ctx.Err()
	}
	if err == nil {
		err = h.sandbox.closeFolder(a.dir)
	}
	if err != nil {
		err = a.explain(err)
		a.discard()
		return nil, err
	}
	return &running{process: a.process, address: address, dir: a.dir}, nil
}

// unplaced is go-plugin's environment without the folder of the socket: where
// the process has it, the sandbox says.
func unplaced(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, plugin.EnvUnixSocketDir+"=") })
}

func environment() []string {
	var env []string
	for _, name := range passedOn() {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// attached is the process as go-plugin sees it while it starts.
type attached struct {
	ctx     context.Context // of the start
	spawn   func() (*process, error)
	line    *startLine
	output  *output
	dir     string
	process *process
	stop    func() bool // takes away the deadline; false if it has come
	ended   bool        // the process ended of itself
}

// Start runs the process.
func (a *attached) Start(context.Context) error {
	p, err := a.spawn()
	if err != nil {
		return err
	}
	a.process, a.stop = p, context.AfterFunc(a.ctx, p.kill)
	go func() {
		a.line.follow(p.stdout, a.output)
		_ = p.stdout.Close()
	}()
	go func() {
		a.output.copy(p.stderr)
		_ = p.stderr.Close()
	}()
	return nil
}

// Wait waits for the end of the process.
func (a *attached) Wait(context.Context) error { <-a.process.done; return nil }

// Kill ends the process group, after it had a moment to end of itself. go-plugin
// calls it when the start failed.
func (a *attached) Kill(context.Context) error {
	a.ended = a.process.gone(outputGrace) && a.ctx.Err() == nil
	a.process.kill()
	return nil
}

// ID is the process's number.
func (a *attached) ID() string { return strconv.Itoa(a.process.pid) }

// Name is for go-plugin's own log, which is not kept.
func (a *attached) Name() string { return "plugin" }

// Diagnose adds nothing: explain says it better.
func (a *attached) Diagnose(context.Context) string { return "" }

// Stdout is the start line.
func (a *attached) Stdout() io.ReadCloser { return a.line }

// Stderr is empty for go-plugin: the lines go to our log.
func (a *attached) Stderr() io.ReadCloser { return io.NopCloser(bytes.NewReader(nil)) }

// PluginToHost accepts an address only if it is a socket in the folder the
// plugin was given.
func (a *attached) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("the plugin listens on %s; only unix sockets are taken", clip(network))
	}
	path := address
	if !filepath.IsAbs(path) { // it may be in its folder
		path = filepath.Join(a.dir, path)
	}
	if filepath.Dir(filepath.Clean(path)) != filepath.Clean(a.dir) {
		return "", "", fmt.Errorf("the plugin's socket %s is not in its folder (PLUGIN_UNIX_SOCKET_DIR)", clip(address))
	}
	return network, path, nil
}

// HostToPlugin is never called: the bridge serves nothing to a plugin.
func (a *attached) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// explain says in our words why there is no plugin.
func (a *attached) explain(err error) error {
	if a.process == nil {
		return err
	}
	line, said := a.line.said()
	switch {
	case strings.HasPrefix(line, launchFailed):
		return fmt.Errorf("run plugin: it could not %s", clip(strings.TrimSpace(strings.TrimPrefix(line, launchFailed))))
	case said && strings.Count(line, "|") < 3:
		return fmt.Errorf("its first line of output is %s, not a start line of go-plugin; "+
			"a plugin prints nothing on standard output before that", clip(strings.TrimRight(line, "\r\n")))
	case said:
		return fmt.Errorf("start line %s: %s", clip(strings.TrimRight(line, "\r\n")), clip(err.Error()))
	case a.ended:
		return fmt.Errorf("it ended (%s) before its start line", a.process.exit)
	}
	return errors.New("it gave no start line in time, or closed its output")
}

// discard ends a process that did not become a plugin, and removes its files.
func (a *attached) discard() {
	if a.process != nil {
		a.process.kill()
		a.process.gone(endGrace)
	}
	if a.dir != "" {
		_ = removeFolder(a.dir)
	}
}
