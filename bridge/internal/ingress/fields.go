package ingress

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

// errNone says that there is no value where one may be.
var errNone = errors.New("missing or empty")

const (
	maxKey   = 512 // bytes of a key or dedup id
	maxDepth = 64
)

// fields finds the declared values of a request.
type fields struct {
	r    *http.Request
	body []byte
	doc  any
	// bound is the key of the token the caller showed.
	bound string
	// mark is what tells a signed request from another.
	mark string
}

// parse reads the body strictly: one JSON object, no duplicate names, valid
// UTF-8, bounded depth. Numbers keep their text.
func (f *fields) parse() error {
	if err := strict(bytes.NewReader(f.body)); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(f.body))
	dec.UseNumber()
	if err := dec.Decode(&f.doc); err != nil {
		return errors.New("not JSON")
	}
	if _, ok := f.doc.(map[string]any); !ok {
		return errors.New("want a JSON object")
	}
	return nil
}

// strict walks the tokens; the decoder refuses duplicate names, bad UTF-8 and
// more than one value.
func strict(body io.Reader) error {
	dec := jsontext.NewDecoder(body)
	for {
		if dec.StackDepth() > maxDepth {
			return fmt.Errorf("nested deeper than %d", maxDepth)
		}
		if _, err := dec.ReadToken(); err != nil {
			return syntax(err)
		}
		if dec.StackDepth() == 0 {
			break
		}
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// syntax keeps the kind and place of a fault and none of the content.
func syntax(err error) error {
	var fault *jsontext.SyntacticError
	if !errors.As(err, &fault) {
		return errors.New("not JSON")
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return fmt.Errorf("duplicate name at byte %d", fault.ByteOffset)
	}
	return fmt.Errorf("not JSON at byte %d", fault.ByteOffset)
}

// get finds the value a place names: "path:NAME", "query:NAME", "header:NAME",
// "body:/pointer" or "frame:/pointer", "body" for the digest of the body, "token"
// for the key of the caller's token, "signature" for its mark, "new" or "connection"
// for one of its own. Of several places, between commas, the first that has a value counts; errNone says
// that none has one.
func (f *fields) get(place string) (string, error) {
	first, rest, more := strings.Cut(place, ",")
	value, err := f.getOne(first)
	if errors.Is(err, errNone) && more {
		return f.get(rest)
	}
	return value, err
}

func (f *fields) getOne(place string) (string, error) {
	kind, name, _ := strings.Cut(place, ":")
	var values []string
	switch kind {
	case "new":
		return uuid(), nil
	case "connection":
		return engine.NewID(), nil
	case "token":
		values = []string{f.bound}
	case "signature":
		values = []string{f.mark}
	case "frame":
		values = []string{pointer.Text(f.doc, name)}
	case "path":
		values = []string{f.r.PathValue(name)}
	case "query":
		values = f.r.URL.Query()[name]
	case "header":
		values = f.r.Header.Values(name)
	case "body":
		if name == "" {
			sum := sha256.Sum256(f.body)
			return hex.EncodeToString(sum[:]), nil
		}
		values = []string{pointer.Text(f.doc, name)}
	}
	switch len(values) {
	case 0:
		return "", usable(place, "")
	case 1:
		return values[0], usable(place, values[0])
	}
	return "", fmt.Errorf("%s is there more than once", place)
}

// uuid is a random UUID (RFC 9562 version 4): the form vendors give such keys.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func usable(place, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%s: %w", place, errNone)
	case len(value) > maxKey:
		return fmt.Errorf("%s is longer than %d bytes", place, maxKey)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%s has control characters", place)
	}
	return nil
}

// kept is the body as it may be stored.
func (d *door) kept(f *fields) ([]byte, error) {
	if d.endpoint.Raw {
		return d.keep(f.body, credential.NewSecret(d.token(f.r, nil))), nil
	}
	if !pointer.Mask(f.doc, d.account.Mask) {
		return f.body, nil
	}
	return json.Marshal(f.doc)
}

// keep is what may be stored of what somebody sent who showed a token.
func (d *door) keep(data []byte, token credential.Secret) []byte {
	return pointer.Keep(data, d.account.Mask, func(s string) string {
		return credential.Redact(s, append(slices.Collect(maps.Values(d.account.Secrets)), token)...)
	})
}

// problem is an answer for machines and people (RFC 9457).
func problem(status int, detail string) adapter.Reply {
	body, err := json.Marshal(map[string]any{"status": status, "title": http.StatusText(status), "detail": detail})
	if err != nil {
		body = nil
	}
	return adapter.Reply{Status: status, Header: http.Header{"Content-Type": {"application/problem+json"}}, Body: body}
}

func orElse(r, otherwise adapter.Reply) adapter.Reply {
	if r.Status == 0 {
		return otherwise
	}
	return r
}

// write sends a reply. What an adapter may say of the connection itself is left
// out.
func write(w http.ResponseWriter, r adapter.Reply) error {
	for name, values := range r.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Connection", "Transfer-Encoding", "Content-Length", "Set-Cookie", "Upgrade":
			continue
		}
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Status < 200 || r.Status > 599 {
		r.Status = http.StatusInternalServerError
	}
	if r.Status == http.StatusNoContent || r.Status == http.StatusNotModified {
		r.Body = nil
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	w.WriteHeader(r.Status)
	_, err := w.Write(r.Body)
	return err
}
