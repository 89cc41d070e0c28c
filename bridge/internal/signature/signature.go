// Package signature checks what vendors sign: digests over the raw bytes of a
// request, and tokens. What a scheme is made of is data, given by the adapter.
package signature

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// ErrSignature is every fault of a signature: which one it was is not for the
// caller to know.
var ErrSignature = errors.New("signature is not right")

// Request is what came, before anything read it.
type Request struct {
	Method string
	// URL is the whole address as the vendor called it; "" where it is not known,
	// and then nothing that signs it is right.
	URL    string
	Header http.Header
	Body   []byte
}

// Verifier checks the requests of one endpoint. It may be used from many
// goroutines.
type Verifier struct {
	rule  adapter.Signature
	parts []string
	keys  []check
}

// check is one key: whether it made the signature of what was signed, in a time
// that does not depend on where they differ.
type check func(signed, signature []byte) bool

// New makes the verifier of a rule that is sound by adapter.Profile.Check. Of the
// secrets every one is good, the old beside the new. The error says which cannot
// be a key, and how to mend it.
func New(rule adapter.Signature, secrets []credential.Secret) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, errors.New("there is no key to check signatures with: set the credential")
	}
	v := &Verifier{rule: rule, parts: rule.Parts()}
	for _, s := range secrets {
		keys, err := keysOf(rule, s)
		if err != nil {
			return nil, err
		}
		v.keys = append(v.keys, keys...)
	}
	return v, nil
}

// Early reports a fault that shows without the body, so that a stranger's body
// need not be read.
func (v *Verifier) Early(h http.Header, now time.Time) error {
	if _, ok := v.given(h); !ok || !v.timely(h, now) {
		return ErrSignature
	}
	return nil
}

// Verify checks a request. The mark is the same whenever the vendor sends the same
// again, by its id or else by its signature, and "" where that cannot be told: a
// token that is not made for one body. The error is ErrSignature.
func (v *Verifier) Verify(r Request, now time.Time) (mark string, err error) {
	if err := v.Early(r.Header, now); err != nil {
		return "", err
	}
	given, _ := v.given(r.Header)
	if v.rule.Token() {
		return v.token(r, given, now)
	}
	signed, ok := v.signed(r)
	if !ok {
		return "", ErrSignature
	}
	for _, text := range v.candidates(given) {
		signature, ok := decode(v.rule.Encoding, text)
		if ok && v.made(signed, signature) {
			if v.rule.IDHeader != "" {
				return "id:" + digest([]byte(r.Header.Get(v.rule.IDHeader))), nil
			}
			return "signature:" + digest(signature), nil
		}
	}
	return "", ErrSignature
}

// made reports whether one of the keys made the signature. Every key is tried, so
// that time does not tell which.
func (v *Verifier) made(signed, signature []byte) bool {
	found := false
	for _, key := range v.keys {
		found = key(signed, signature) || found
	}
	return found
}

// given is the signature header, where it is there once.
func (v *Verifier) given(h http.Header) (string, bool) { return once(h, v.rule.Header) }

func once(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) != 1 || values[0] == "" {
		return "", false
	}
	return values[0], true
}

// candidates are the signatures in the header that have the prefix.
func (v *Verifier) candidates(given string) []string {
	const most = 16
	all := []string{given}
	if v.rule.Separator != "" {
		all = strings.Split(given, v.rule.Separator)
	}
	var texts []string
	for _, one := range all[:min(len(all), most)] {
		if text, ok := strings.CutPrefix(one, v.rule.Prefix); ok && text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// timely reports whether the request's time, where one is signed, is near ours on
// either side. Only plain digits are a time.
func (v *Verifier) timely(h http.Header, now time.Time) bool {
	if v.rule.TimeHeader == "" {
		return true
	}
	const longest = 15 // digits; milliseconds for 30,000 years
	text, ok := once(h, v.rule.TimeHeader)
	if !ok || len(text) > longest || strings.Trim(text, "0123456789") != "" {
		return false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	at := time.Unix(n, 0)
	if v.rule.TimeUnit == "ms" {
		at = time.UnixMilli(n)
	}
	return err == nil && near(at, now, v.rule.Tolerance())
}

func near(at, now time.Time, window time.Duration) bool {
	apart := now.Sub(at)
	return apart <= window && apart >= -window
}

// signed puts together what the vendor signed.
func (v *Verifier) signed(r Request) ([]byte, bool) {
	var b bytes.Buffer
	for _, part := range v.parts {
		text, ok := part, true
		switch part {
		case "{body}":
			b.Write(r.Body)
			continue
		case "{time}":
			text, ok = once(r.Header, v.rule.TimeHeader)
		case "{id}":
			text, ok = once(r.Header, v.rule.IDHeader)
		case "{method}":
			text = r.Method
		case "{url}":
			text, ok = r.URL, r.URL != ""
		case "{form}":
			text, ok = form(r.Body)
		}
		if !ok {
			return nil, false
		}
		b.WriteString(text)
	}
	return b.Bytes(), true
}

// form is the fields of a form sorted by name, names and values run together. One
// that has a name twice is refused: what was signed would leave open which counts.
func form(body []byte) (string, bool) {
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return "", false
	}
	var names []string
	for name, values := range fields {
		if len(values) != 1 {
			return "", false
		}
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(name + fields.Get(name))
	}
	return b.String(), true
}
