package media

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

const (
	// fetchWithin bounds one fetch, and so how long a far side waits for a file.
	fetchWithin = 15 * time.Second
	// wanted is the end of the name of a file that is still to be fetched.
	wanted = ".want"
)

// mediaOf is the file a message is, if it is one.
func mediaOf(e event.Event) (event.Media, bool) {
	said, _ := e.Body.(event.MessageCreated)
	m, ok := said.Content.Part.(event.Media)
	return m, ok
}

// Stored is to be told of every event that was stored. It begins to fetch the
// file the event claimed; whether that has ended survives a restart.
func (s *Store) Stored(e event.Event) {
	m, ok := mediaOf(e)
	if !ok || m.URL == "" || e.Via.Account == "" || !Of(e.Conversation, m.Blob) {
		return
	}
	s.begin(m.Blob, File{Media: m, Account: e.Via.Account})
}

// Resume takes up the fetches a stop cut short.
func (s *Store) Resume(ctx context.Context) {
	left, _ := filepath.Glob(filepath.Join(s.Dir, "*", "*"+wanted))
	for _, name := range left {
		handle := strings.TrimSuffix(filepath.Base(name), wanted)
		sealed, err := os.ReadFile(name)
		if err != nil || conversationOf(handle) == "" {
			continue
		}
		plain, err := s.Vault.OpenBlob(ctx, conversationOf(handle), handle+wanted, sealed)
		var f File
		if err != nil || json.Unmarshal(plain, &f) != nil {
			_ = os.Remove(name)
			continue
		}
		s.begin(handle, f)
	}
}

// begin fetches a file in the background, once.
func (s *Store) begin(handle string, f File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.claims[handle]; ok {
		close(c.told)
		delete(s.claims, handle)
	}
	if s.pending[handle] != nil || s.ctx.Err() != nil {
		return
	}
	if _, err := os.Stat(s.path(handle)); err == nil {
		return
	}
	done := make(chan struct{})
	s.pending[handle] = done
	s.work.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.pending, handle)
			close(done)
		}()
		s.want(handle, f)
		s.slots <- struct{}{}
		defer func() { <-s.slots }()
		s.fetch(handle, f)
	})
}

// want notes on disk that the file is to be fetched.
func (s *Store) want(handle string, f File) {
	plain, err := json.Marshal(f)
	if err != nil {
		return
	}
	sealed, err := s.Vault.SealBlob(s.ctx, conversationOf(handle), handle+wanted, plain)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(s.path(handle)), 0o700)
	}
	if err == nil {
		err = os.WriteFile(s.path(handle)+wanted, sealed, 0o600)
	}
	if err != nil && !errors.Is(err, journal.ErrErased) && s.ctx.Err() == nil {
		s.Logger.Warn("file may not be fetched after a restart", "file", handle, "error", err)
	}
}

// fetch reads a file where its vendor has it and keeps it, or keeps why not.
func (s *Store) fetch(handle string, f File) {
	ctx, cancel := context.WithTimeout(s.ctx, fetchWithin)
	defer cancel()
	err := s.download(ctx, handle, f)
	if s.ctx.Err() != nil {
		return // the next start tries again
	}
	var no *Refusal
	if errors.As(err, &no) {
		f.Refused = no.Reason
	} else if err != nil {
		f.Kept = true
	}
	if err != nil {
		s.Logger.Warn("file of a vendor is not kept", "file", handle, "account", f.Account, "error", err)
		err = s.note(handle, f)
	}
	if err == nil || errors.Is(err, journal.ErrErased) {
		_ = os.Remove(s.path(handle) + wanted)
	}
}

func (s *Store) download(ctx context.Context, handle string, f File) error {
	body, header, err := s.Source.Fetch(ctx, f.Account, f.URL, s.Rules.Fetch == FetchListed)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // it was only read.
	if f.MIME = header.Get("Content-Type"); f.Name == "" {
		f.Name = nameIn(header.Get("Content-Disposition"), f.URL)
	}
	_, err = s.put(ctx, handle, f, body)
	return err
}

// nameIn is the name a vendor gives a file.
func nameIn(disposition, address string) string {
	if _, params, err := mime.ParseMediaType(disposition); err == nil && params["filename"] != "" {
		return params["filename"]
	}
	address, _, _ = strings.Cut(address, "?")
	return path.Base(address)
}

// note keeps what became of a file that is not here.
func (s *Store) note(handle string, f File) error {
	w, err := s.create(handle)
	if err != nil {
		return err
	}
	defer w.drop()
	f.Size = 0
	return w.finish(s.ctx, f)
}

// await waits for the fetch of a file, if one is under way or is about to begin.
func (s *Store) await(ctx context.Context, handle string) {
	s.mu.Lock()
	claimed, ok := s.claims[handle]
	s.mu.Unlock()
	if _, err := os.Stat(s.path(handle)); ok && err != nil { // one that is here may be claimed again
		limited, cancel := context.WithDeadline(ctx, claimed.until)
		defer cancel()
		wait(limited, claimed.told)
	}
	s.mu.Lock()
	done := s.pending[handle]
	s.mu.Unlock()
	if done != nil {
		wait(ctx, done)
	}
}

func wait(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Link gives the file of a message as a far side can have it: by a URL of ours
// that is good for Rules.LinkTTL, or the vendor's own where it could not be
// fetched. pending asks to be asked again; refused is why there is none.
func (s *Store) Link(ctx context.Context, e event.Event, m event.Media) (out event.Media, pending bool, refused string) {
	handle := m.Blob
	if m.Blob = ""; handle == "" {
		return m, false, ""
	}
	if !Of(e.Conversation, handle) {
		return m, false, "it is not of this conversation"
	}
	f, err := s.Describe(ctx, handle)
	switch {
	case errors.Is(err, ErrNotFound) && m.URL != "":
		s.Stored(e)
		return m, e.Via.Account != "" && s.ctx.Err() == nil, ""
	case err != nil:
		return m, false, "it cannot be read"
	case f.Refused != "":
		return m, false, f.Refused
	case f.Kept:
		return m, false, ""
	}
	m.Kind, m.MIME, m.Name, m.Size = f.Kind, f.MIME, f.Name, f.Size
	m.URL = s.Base + s.sign(handle, f.Name, time.Now().Add(s.Rules.LinkTTL))
	return m, false, ""
}
