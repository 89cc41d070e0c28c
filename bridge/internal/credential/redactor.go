package credential

import (
	"crypto/sha256"
	"strings"
	"sync"
)

const (
	minRedacted = 6 // bytes of the shortest secret that is redacted; shorter ones would eat ordinary words
	filterBits  = 18
)

// Redactor takes every registered secret out of a text, in the forms in which secrets get about: plain, base64 (also
// inside a longer one), hex, URL-encoded, quoted, JSON, and as a list of byte values. Every sink that people can read
// (logs, error pages, health, dead letters' reasons) writes through one. It may be used from many goroutines.
type Redactor struct {
	mu      sync.RWMutex
	secrets map[[sha256.Size]byte]int // how often each was added
	forms   map[[minRedacted]byte][]form
	filter  [1 << (filterBits - 6)]uint64 // by the first bytes of every form: passes over most of a text
}

// form is one text to take out, and of how many secrets it is a form.
type form struct {
	text  string
	count int
}

type span struct{ start, end int }

// NewRedactor makes a redactor that knows no secret yet.
func NewRedactor() *Redactor {
	return &Redactor{secrets: map[[sha256.Size]byte]int{}, forms: map[[minRedacted]byte][]form{}}
}

// Add registers a secret; do so before it is used anywhere. A secret under 6 bytes is not redacted: it would eat words.
func (r *Redactor) Add(s Secret) { r.change(s.Reveal(), 1) }

// Remove forgets a secret that is of no more use, such as an expired token, once for each time it was added.
func (r *Redactor) Remove(s Secret) { r.change(s.Reveal(), -1) }

func (r *Redactor) change(value string, by int) {
	if len(value) < minRedacted {
		return
	}
	digest := sha256.Sum256([]byte(value))
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.secrets[digest]
	after := max(0, before+by)
	if after == 0 {
		delete(r.secrets, digest)
	} else {
		r.secrets[digest] = after
	}
	if (before == 0) == (after == 0) {
		return
	}
	for _, text := range formsOf(value) {
		r.changeForm(text, by)
	}
}

func (r *Redactor) changeForm(text string, by int) {
	key := [minRedacted]byte([]byte(text[:minRedacted]))
	bucket := r.forms[key]
	for i := range bucket {
		if bucket[i].text != text {
			continue
		}
		if bucket[i].count += by; bucket[i].count == 0 {
			bucket[i] = bucket[len(bucket)-1]
			r.forms[key] = bucket[:len(bucket)-1]
		}
		if len(r.forms[key]) == 0 {
			delete(r.forms, key)
		}
		return
	}
	r.forms[key] = append(bucket, form{text, by})
	word, bit := slot(text)
	r.filter[word] |= bit
}

// slot is where the filter keeps a text's first three bytes.
func slot(s string) (word int, bit uint64) {
	h := (uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16) * 2654435761 >> (32 - filterBits)
	return int(h >> 6), 1 << (h & 63)
}

// Redact returns s with every form of every registered secret replaced by Mask. Where forms overlap, all of them go. In
// any doubt the whole text is dropped, and Mask alone returned.
func (r *Redactor) Redact(s string) (out string) {
	defer func() {
		if recover() != nil {
			out = Mask
		}
	}()
	r.mu.RLock()
	defer r.mu.RUnlock()
	found := r.find(s)
	if len(found) == 0 {
		return s
	}
	out, masks := cover(s, found)
	for _, f := range r.find(out) {
		if !inside(f, masks) {
			return Mask
		}
	}
	return out
}

// find returns the parts of s that are forms, overlapping and touching ones as one.
func (r *Redactor) find(s string) []span {
	var found []span
	if len(r.forms) == 0 {
		return nil
	}
	for i := 0; i+minRedacted <= len(s); i++ {
		if word, bit := slot(s[i:]); r.filter[word]&bit == 0 {
			continue
		}
		n := r.longest(s[i:])
		if n == 0 {
			continue
		}
		if last := len(found) - 1; last >= 0 && i <= found[last].end {
			found[last].end = max(found[last].end, i+n)
			continue
		}
		found = append(found, span{i, i + n})
	}
	return found
}

// longest is the length of the longest form that s begins with, or 0.
func (r *Redactor) longest(s string) int {
	n := 0
	for _, f := range r.forms[[minRedacted]byte([]byte(s[:minRedacted]))] {
		if len(f.text) > n && strings.HasPrefix(s, f.text) {
			n = len(f.text)
		}
	}
	return n
}

// cover puts Mask over the found parts, and tells where the masks are.
func cover(s string, found []span) (string, []span) {
	var out strings.Builder
	masks := make([]span, 0, len(found))
	from := 0
	for _, f := range found {
		out.WriteString(s[from:f.start])
		masks = append(masks, span{out.Len(), out.Len() + len(Mask)})
		out.WriteString(Mask)
		from = f.end
	}
	out.WriteString(s[from:])
	return out.String(), masks
}

func inside(f span, masks []span) bool {
	for _, m := range masks {
		if m.start <= f.start && f.end <= m.end {
			return true
		}
	}
	return false
}

// Redact takes every form of the given secrets out of a text, as a Redactor that
// knows them does. It costs more than one that is kept: it is for what is rare.
func Redact(s string, known ...Secret) string {
	r := NewRedactor()
	for _, secret := range known {
		r.Add(secret)
	}
	return r.Redact(s)
}
