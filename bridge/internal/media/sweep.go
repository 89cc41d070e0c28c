package media

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// sweepEvery is how often what is left of erased conversations is looked for.
const sweepEvery = 10 * time.Minute

// Run sweeps until ctx ends: at once, for what a stop left, and then from time to
// time.
func (s *Store) Run(ctx context.Context) {
	s.Resume(ctx)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		s.Sweep(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep removes the folders of conversations whose key is gone, and what was
// left of files that never became any.
func (s *Store) Sweep(ctx context.Context) {
	folders, err := os.ReadDir(s.Dir)
	if err != nil {
		return // there are no files yet
	}
	for _, folder := range folders {
		dir := filepath.Join(s.Dir, folder.Name())
		_, err := s.Vault.SealBlob(ctx, folder.Name(), "sweep", nil)
		if errors.Is(err, journal.ErrErased) || errors.Is(err, journal.ErrNotFound) {
			err = os.RemoveAll(dir)
			s.Logger.Info("files of an erased conversation removed", "conversation", folder.Name(), "error", err)
			continue
		}
		s.tidy(dir)
	}
}

// Remove removes the files of a conversation that was erased, whose key is gone.
func (s *Store) Remove(conversation string) error {
	if conversationOf(handleOf(conversation, make([]byte, 16))) == "" {
		return nil // it can have none
	}
	return os.RemoveAll(filepath.Join(s.Dir, conversation))
}

// Handles lists the files of a conversation: those that are here, those that are
// not to be had, and those still to be fetched.
func (s *Store) Handles(conversation string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.Dir, conversation))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for files: %w", err)
	}
	var all []string
	for _, e := range entries {
		handle := strings.TrimSuffix(e.Name(), wanted)
		if Of(conversation, handle) && !slices.Contains(all, handle) {
			all = append(all, handle)
		}
	}
	return all, nil
}

// tidy removes what an upload left that a crash cut short.
func (s *Store) tidy(dir string) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, f := range files {
		info, err := f.Info()
		if err == nil && strings.HasSuffix(f.Name(), unready) && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
