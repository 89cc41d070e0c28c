package sqlite

import (
	"container/list"
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// DataKey seals the content of one conversation. Its methods are called
// concurrently; aad ties a ciphertext to the row it lies in.
type DataKey interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
}

// Sealer makes data keys and opens them again from their wrapped form, which is
// all that is stored of them. It is called concurrently.
type Sealer[K DataKey] interface {
	NewKey() (key K, wrapped []byte, err error)
	Unwrap(wrapped []byte) (K, error)
}

// cachedKeys is how many unwrapped keys are kept in memory.
const cachedKeys = 8192

// vault gives data keys, remembering the ones last used.
type vault struct {
	make   func() (DataKey, []byte, error)
	unwrap func([]byte) (DataKey, error)

	mu     sync.Mutex
	byID   map[string]*list.Element
	recent *list.List // of cached, the last used first
	erased int64      // grows with every key that is forgotten
}

type cached struct {
	conversation string
	key          DataKey
}

func newVault[K DataKey](keys Sealer[K]) *vault {
	return &vault{
		make:   func() (DataKey, []byte, error) { return keys.NewKey() },
		unwrap: func(wrapped []byte) (DataKey, error) { return keys.Unwrap(wrapped) },
		byID:   map[string]*list.Element{},
		recent: list.New(),
	}
}

// find gives a remembered key, or nil.
func (v *vault) find(conversation string) DataKey {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.byID[conversation]
	if !ok {
		return nil
	}
	v.recent.MoveToFront(at)
	return at.Value.(cached).key
}

// marked is the mark to take before a key is read, and to give to remember.
func (v *vault) marked() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.erased
}

// remember keeps a key that was read after mark was given, unless a key was
// erased between.
func (v *vault) remember(conversation string, key DataKey, mark int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.byID[conversation]; ok || mark != v.erased {
		return
	}
	v.byID[conversation] = v.recent.PushFront(cached{conversation, key})
	if v.recent.Len() > cachedKeys {
		oldest := v.recent.Remove(v.recent.Back()).(cached)
		delete(v.byID, oldest.conversation)
	}
}

func (v *vault) forget(conversation string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erased++
	if at, ok := v.byID[conversation]; ok {
		v.recent.Remove(at)
		delete(v.byID, conversation)
	}
}

// place names the row and column a ciphertext belongs to. The ciphertext is tied
// to both, and to what lies open beside it, so that none of them can be changed
// or exchanged without being noticed.
type place struct {
	table, row string
	open       []string
}

func (p place) aad() []byte {
	var b []byte
	for _, field := range append([]string{p.table, p.row}, p.open...) {
		b = appendField(b, field)
	}
	return b
}

// appendField appends a field with its length, so that no two lists of fields
// give the same bytes.
func appendField[F string | []byte](b []byte, field F) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field))) //nolint:gosec // fields are short.
	return append(b, field...)
}

// statePlace ties a conversation's state to the version it was stored with, so
// that an older one put back is noticed.
func statePlace(conversation string, version, wake int64) place {
	return place{"conversations.sealed", conversation, []string{decimal(version), decimal(wake)}}
}

func summaryPlace(conversation string, version, updated int64, i journal.Index) place {
	open := []string{decimal(version), decimal(updated), i.State, i.Owner, i.Route, i.Queue, i.Agent}
	if left := micros(i.Left); left != 0 { // rows from before there were any have no such field
		open = append(open, decimal(left))
	}
	return place{"conversations.summary", conversation, open}
}

func legPlace(l journal.Leg) place {
	return place{"legs", l.ID, []string{l.Conversation, l.Account, string(l.Role)}}
}

func framePlace(id string) place { return place{"frame_bodies", id, nil} }

func replyPlace(frame string) place { return place{"replies", frame, nil} }

func letterPlaces(d journal.DeadLetter) (reason, input place) {
	open := []string{d.Conversation, d.Leg, d.Account, d.Adapter, d.Version, d.Frame, decimal(micros(d.At))}
	return place{"dead_letters.reason", d.ID, open}, place{"dead_letters.input", d.ID, open}
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func (p place) damaged(what string) error {
	return fmt.Errorf("%s %q: %s: %w", p.table, p.row, what, journal.ErrDamaged)
}

// unseal reads a ciphertext back; one that does not fit its key and place is
// damage.
func (p place) unseal(key DataKey, sealed []byte) ([]byte, error) {
	plain, err := key.Open(sealed, p.aad())
	if err != nil {
		return nil, p.damaged("does not fit its seal")
	}
	if len(plain) == 0 {
		return nil, nil
	}
	return plain, nil
}

func (p place) seal(key DataKey, plain []byte) []byte { return key.Seal(plain, p.aad()) }
