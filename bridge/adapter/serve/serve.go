// Package serve runs an adapter as a plugin process. The main of a plugin is one
// line:
//
//	func main() { serve.Main(vendor.Definition()) }
package serve

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

// Main runs the adapter until the bridge ends it, and then exits the process; it
// does not return. It belongs in a plugin's main and nowhere else.
//
// Run by a person, without the bridge, it prints what the program is for and
// exits 1; with --manifest or --version it prints the manifest as JSON. What the
// adapter prints on standard output or error comes to the bridge's log.
func Main(d adapter.Definition) {
	if os.Getenv(adapterpb.CookieKey) != adapterpb.CookieValue {
		os.Exit(alone(d, os.Args[1:], os.Stdout, os.Stderr))
	}
	// go-plugin writes the start line to standard output and then puts pipes of
	// its own in the place of both outputs; the first call gives them back.
	stderr := os.Stderr
	outputs := sync.OnceFunc(func() { os.Stdout, os.Stderr = stderr, stderr })
	go watch(os.Stdin, os.Getppid, os.Exit)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{MagicCookieKey: adapterpb.CookieKey,
			MagicCookieValue: adapterpb.CookieValue, ProtocolVersion: adapterpb.ProtocolVersion},
		VersionedPlugins: map[int]plugin.PluginSet{
			adapterpb.ProtocolVersion: {"adapter": registration{adapter: New(d)}}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, ServerOptions(outputs)...)...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: os.Stderr}),
	})
	os.Exit(0)
}

// alone answers a run without the bridge and gives the exit code.
func alone(d adapter.Definition, args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && (args[0] == "--manifest" || args[0] == "--version") {
		data, err := json.MarshalIndent(d.Manifest, "", "  ")
		if err != nil {
			fmt.Fprintf(stderr, "write manifest: %v\n", err)
			return 1
		}
		fmt.Fprintf(stdout, "%s\n", data)
		return 0
	}
	fmt.Fprintf(stderr, "This is the Footbridge plugin for %s (%s). It is not run by hand: put it into the folder of\n"+
		"[plugins] dir, or beside the footbridge executable, and set adapter = %q in an account.\n"+
		"--manifest prints what it can do.\n", d.Manifest.Title, d.Manifest.Version, d.Manifest.Name)
	return 1
}
