package sqlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// stored is an event as its rows have it.
type stored struct {
	position     int64
	id           string
	conversation string
	seq          int64
	kind         string
	time         int64
	role         string
	digest       []byte // of sealed
	chain        []byte // of everything above and the chain of the event before
	sealed       []byte
	previous     []byte // the chain of the event before
}

func (s stored) body() place { return place{"bodies", s.id, nil} }

func (s stored) damaged(what string) error { return place{"events", s.id, nil}.damaged(what) }

// link computes the event's chain: a digest over the chain before it and all that
// lies open of the event. The content takes part by its sealed bytes' digest, so
// that the chain outlives the content.
func (s stored) link() []byte {
	b := make([]byte, 0, 256)
	b = appendField(appendField(b, s.previous), s.digest)
	for _, field := range []string{s.conversation, s.id, s.kind, s.role} {
		b = appendField(b, field)
	}
	for _, number := range []int64{s.seq, s.position, s.time} {
		b = binary.BigEndian.AppendUint64(b, uint64(number)) //nolint:gosec // only compared.
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// chainStart is the chain before a conversation's first event.
func chainStart(conversation string) []byte { return digest([]byte(conversation)) }

func digest(sealed []byte) []byte {
	sum := sha256.Sum256(sealed)
	return sum[:]
}

// check sees that the rows fit each other and the event before.
func (s stored) check() error {
	switch {
	case s.sealed == nil:
		return s.body().damaged("body is missing")
	case !bytes.Equal(digest(s.sealed), s.digest):
		return s.body().damaged("body does not match its digest")
	case s.previous == nil:
		return s.damaged("event before it is missing")
	case !bytes.Equal(s.link(), s.chain):
		return s.damaged("does not fit the chain")
	}
	return nil
}

// open reads the event, and sees that what lies open says the same.
func (s stored) open(key DataKey) (event.Event, error) {
	plain, err := s.body().unseal(key, s.sealed)
	if err != nil {
		return event.Event{}, err
	}
	var e event.Event
	if err := json.Unmarshal(plain, &e); err != nil {
		return event.Event{}, s.body().damaged("content cannot be read")
	}
	same := e.ID == s.id && e.Conversation == s.conversation && e.Seq == s.seq && string(e.Kind()) == s.kind &&
		eventTime(e.Time) == s.time && string(e.Actor.Role) == s.role
	if !same {
		return event.Event{}, s.damaged("does not say what its body says")
	}
	return e, nil
}

// eventTime is an event's time as it is stored, to the millisecond its one
// representation keeps.
func eventTime(t time.Time) int64 { return micros(t.UTC().Truncate(time.Millisecond)) }

// micros is a time as it is stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
