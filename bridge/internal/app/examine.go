package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/internal/host"
)

// Examine starts an adapter's plugin as the bridge would and holds it to the
// laws of adapters, over the wire. The launcher is as in Options.
func Examine(ctx context.Context, launcher, name, dir string, o adaptertest.Options, log *slog.Logger) ([]adaptertest.Verdict, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's own folder: %w", err)
	}
	plugins, err := host.New(host.Options{Dir: dir, Beside: filepath.Dir(self), Logger: log, Launcher: launcher})
	if err != nil {
		return nil, err
	}
	defer plugins.Close()
	manifest, err := plugins.Start(ctx, name)
	if err != nil {
		return nil, err
	}
	configure := func(a adapter.Account) (adapter.Profile, error) { // with the adapter's own words of what it refuses
		p, err := plugins.Configure(ctx, name, a)
		if err != nil {
			err = errors.New(strings.TrimPrefix(err.Error(), fmt.Sprintf("configure account %s: ", a.Name)))
		}
		return p, err
	}
	return adaptertest.Examine(manifest, configure, wireTurner{ctx, plugins, name}, o), nil
}

// wireTurner runs turns in the plugin's process. A process that dies or hangs is
// an outcome like any other: the laws tell.
type wireTurner struct {
	ctx     context.Context
	plugins *host.Host
	name    string
}

func (w wireTurner) Turn(t adapter.Turn) adapter.Outcome {
	out, err := w.plugins.Turn(w.ctx, w.name, t)
	if err != nil {
		return adapter.Outcome{Err: err.Error()}
	}
	return out
}
