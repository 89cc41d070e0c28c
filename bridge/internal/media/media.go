// Package media keeps the files of conversations: it takes them in, holds them
// against the rules, stores each sealed under its conversation's key, fetches
// those that vendors only point to, and serves them by signed links that expire.
//
// A file is kept beside the journal, in a folder of its conversation. Erasing
// the conversation destroys the key; what is left is swept away.
package media

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// Vault seals pieces of files under the keys of conversations; the journal is one.
type Vault interface {
	SealBlob(ctx context.Context, conversation, row string, plain []byte) ([]byte, error)
	OpenBlob(ctx context.Context, conversation, row string, sealed []byte) ([]byte, error)
}

// Source reads files where vendors say they are; the way out is one.
type Source interface {
	// Fetch begins to read a file an account's vendor points to. The caller closes
	// the body. listedOnly leaves out all but the account's own hosts.
	Fetch(ctx context.Context, account, address string, listedOnly bool) (body io.ReadCloser, header http.Header, err error)
}

// When files that vendors point to are fetched.
const (
	FetchAlways = "always"
	FetchListed = "listed" // from the account's own hosts only
	FetchNever  = "never"
)

// Rules are what a file must be to be kept.
type Rules struct {
	// MaxSize is in bytes.
	MaxSize int64
	// MaxFiles and MaxTotal are for one conversation: how many files it may have, and
	// their bytes as they are stored.
	MaxFiles int
	MaxTotal int64
	// Types are media types, or whole families such as "image/*".
	Types []string
	// Fetch is one of the Fetch constants.
	Fetch string
	// Scan is a command that reads a file on its standard input and ends with 0
	// where it is harmless; empty is none. ScanWithin bounds it.
	Scan       []string
	ScanWithin time.Duration
	// LinkTTL is how long a link given to a far side is good.
	LinkTTL time.Duration
}

// Options are what a Store is made of. All but Room and Logger are required.
type Options struct {
	// Dir is the folder files are kept in; it is made when first needed.
	Dir    string
	Vault  Vault
	Source Source
	// Key signs links and makes handles that cannot be guessed.
	Key []byte
	// Base is what links begin with, without a slash at the end.
	Base  string
	Rules Rules
	// Room says whether the disk of a folder has room; nil asks the system.
	Room   func(dir string) error
	Logger *slog.Logger
}

// Store keeps files. It is safe for concurrent use.
type Store struct {
	Options
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	slots  chan struct{} // fetches at once

	naming  sync.Mutex // held while a file becomes one of its conversation's
	mu      sync.Mutex
	pending map[string]chan struct{} // by handle, closed when its fetch has ended
	claims  map[string]claim         // by handle, of which Stored was not told yet
}

// claim is a file whose event is on its way to the journal. Whoever reads the journal may
// know of the event before Stored does.
type claim struct {
	told  chan struct{} // closed when Stored is told
	until time.Time     // when it is no longer waited for: the event was not stored
}

// claimLasts bounds how long after its claim the event of a file may be stored.
const claimLasts = 10 * time.Second

// fetchesAtOnce bounds how many files are fetched side by side.
const fetchesAtOnce = 8

// New makes a Store. Close ends what it does by itself.
func New(o Options) *Store {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Room == nil {
		o.Room = room
	}
	s := &Store{Options: o, slots: make(chan struct{}, fetchesAtOnce), pending: map[string]chan struct{}{}, claims: map[string]claim{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends fetches under way; those are taken up by the next Resume.
func (s *Store) Close() {
	s.cancel()
	s.work.Wait()
}

// Refusal says a file breaks a rule; Reason is for people.
type Refusal struct{ Reason string }

// Error gives the reason.
func (r *Refusal) Error() string { return "file refused: " + r.Reason }

// ErrNotFound says there is no such file.
var ErrNotFound = errors.New("no such file")

// ErrCut says a file did not come whole.
var ErrCut = errors.New("file was cut off")

// File is what is known of a kept file.
type File struct {
	event.Media
	// Refused is why the file a vendor points to is not to be had; Kept says it
	// could not be fetched, and its URL is all there is.
	Refused string `json:"refused,omitempty"`
	Kept    bool   `json:"kept,omitempty"`
	// Account is the one whose vendor points to it, "" for an upload.
	Account string `json:"account,omitempty"`
}

// A handle names the conversation and, by what cannot be guessed, the file.
//
//nolint:gochecknoglobals // never written.
var handleForm = regexp.MustCompile(`^[0-9A-Z]{26}\.[a-z2-7]{26}$`)

func conversationOf(handle string) string {
	if !handleForm.MatchString(handle) {
		return ""
	}
	conversation, _, _ := strings.Cut(handle, ".")
	return conversation
}

// Of reports whether a handle is one of a conversation's.
func Of(conversation, handle string) bool {
	return conversation != "" && conversationOf(handle) == conversation
}

func handleOf(conversation string, secret []byte) string {
	return conversation + "." + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret[:16]))
}

func newHandle(conversation string) string {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret)
	return handleOf(conversation, secret)
}

// Claim gives a file an adapter tells of the handle it will be kept under, the
// same each time. A handle it has already it loses: adapters know none.
func (s *Store) Claim(conversation, eventID string, m event.Media) event.Media {
	m.Blob = ""
	if m.URL == "" || s.Rules.Fetch == FetchNever {
		return m
	}
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte("claim\n" + eventID))
	if h := handleOf(conversation, mac.Sum(nil)); handleForm.MatchString(h) {
		m.Blob = h
		s.claim(h)
	}
	return m
}

// claim notes a claim, and lets go of those of which nothing came.
func (s *Store) claim(handle string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(s.claims, func(_ string, c claim) bool { return now.After(c.until) })
	if _, ok := s.claims[handle]; !ok {
		s.claims[handle] = claim{make(chan struct{}), now.Add(claimLasts)}
	}
}

func (s *Store) path(handle string) string {
	return filepath.Join(s.Dir, conversationOf(handle), handle)
}
