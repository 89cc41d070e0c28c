//go:build !failpoint

package app

import "github.com/footbridge/footbridge/bridge/internal/host"

// failpoint is how crash tests stop the program at a point; the production
// build has none.
func failpoint(*host.Host) func(string) { return nil }

// quarantine is the plugin host's own.
func quarantine() host.Quarantine { return host.Quarantine{} }
