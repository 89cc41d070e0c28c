package app

import (
	"context"
	"errors"
	"io"
	"os/exec"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/egress"
	"github.com/footbridge/footbridge/bridge/internal/media"
)

// newMedia makes the store of files beside the journal.
func (a *App) newMedia() *media.Store {
	m := a.conf.Media
	types := m.Types
	if len(types) == 0 {
		types = media.DefaultTypes()
	}
	return media.New(media.Options{Dir: filesOf(a.conf.Journal.Dir), Vault: a.journal, Source: a.egress,
		Key: a.keys.Derive("media links"), Base: baseURL(a.conf, a.doors.public.Addr().String()), Logger: a.log,
		Rules: media.Rules{MaxSize: int64(m.MaxSize), MaxFiles: m.MaxFiles, MaxTotal: int64(m.MaxTotal), Types: types, Fetch: m.Fetch, LinkTTL: m.LinkTTL,
			Scan: m.Scan, ScanWithin: m.ScanTimeout}})
}

// given opens a file an adapter was given a link to.
func (a *App) given(ctx context.Context, link string) (event.Media, io.ReadCloser, error) {
	m, file, err := a.media.Given(ctx, link)
	if errors.Is(err, media.ErrNotFound) {
		err = egress.ErrNotKept
	}
	return m, file, err
}

// scanner looks whether the command that scans files is there; where it is not,
// every file would be refused. What is missing is a *config.Error.
func scanner(c *config.Config) error {
	if len(c.Media.Scan) == 0 {
		return nil
	}
	if _, err := exec.LookPath(c.Media.Scan[0]); err != nil {
		return &config.Error{Problems: []config.Problem{c.Problem("media.scan", "cannot be run: "+err.Error(), "name a program by its path, or take scan out")}}
	}
	return nil
}
