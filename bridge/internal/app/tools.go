package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/host"
	"github.com/footbridge/footbridge/bridge/internal/translate"
)

// openStage opens a stage with the plugins the configuration leads to, or without a
// configuration those beside the program and on PATH.
func openStage(o Options) (*translate.Stage, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's own folder: %w", err)
	}
	h := host.Options{Beside: filepath.Dir(self), Logger: slog.New(slog.DiscardHandler), Launcher: o.Launcher}
	if o.Config != "" {
		c, _, err := config.Load(o.Config, o.Environ)
		if err != nil {
			return nil, err
		}
		h.Dir, h.Checksums, h.Sandbox, h.Memory = c.Plugins.Dir, c.Plugins.Checksums, c.Plugins.Sandbox, c.Plugins.Memory
		h.StartTimeout, h.TurnTimeout = c.Plugins.StartTimeout, c.Plugins.TurnTimeout
	}
	return translate.Open(h)
}

// Installed lists the adapters whose plugins are where the program looks for
// them. The error is the configuration's.
func Installed(o Options) ([]string, error) {
	s, err := openStage(o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Installed(), nil
}

// Translate carries out a translation with the plugins the configuration leads to;
// it writes to o.Out and o.Log. See translate.Stage.Run.
func Translate(ctx context.Context, o Options, job translate.Job) (translate.Tally, error) {
	s, err := openStage(o)
	if err != nil {
		return translate.Tally{}, err
	}
	defer s.Close()
	job.Out, job.Remarks = o.Out, o.Log
	return s.Run(ctx, job)
}
