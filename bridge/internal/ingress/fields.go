package ingress

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/footbridge/footbridge/bridge/adapter"
)

const (
	maxKey   = 512 // bytes of a key or dedup id
	maxDepth = 64
)

// fields finds the declared values of a request.
type fields struct {
	r    *http.Request
	body []byte
	doc  any
}

// parse reads the body strictly: one JSON object, no duplicate names, valid
// UTF-8, bounded depth. Numbers keep their text.
func (f *fields) parse() error {
	if err := strict(f.body); err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(f.body)))
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
func strict(body []byte) error {
	dec := jsontext.NewDecoder(strings.NewReader(string(body)))
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
	if _, err := dec.ReadToken(); err == nil || dec.PeekKind() != 0 {
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
// "body:/pointer" or "body" for the digest of the body.
func (f *fields) get(place string) (string, error) {
	kind, name, _ := strings.Cut(place, ":")
	value := ""
	switch kind {
	case "path":
		value = f.r.PathValue(name)
	case "query":
		value = f.r.URL.Query().Get(name)
	case "header":
		value = f.r.Header.Get(name)
	case "body":
		if name == "" {
			sum := sha256.Sum256(f.body)
			return hex.EncodeToString(sum[:]), nil
		}
		value = lookup(f.doc, name)
	}
	return value, usable(place, value)
}

func usable(place, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%s is missing or empty", place)
	case len(value) > maxKey:
		return fmt.Errorf("%s is longer than %d bytes", place, maxKey)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%s has control characters", place)
	}
	return nil
}

// lookup follows a JSON pointer (RFC 6901) to a string or number.
func lookup(doc any, pointer string) string {
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		object, ok := doc.(map[string]any)
		if !ok {
			return ""
		}
		doc = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	switch v := doc.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
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
	w.WriteHeader(r.Status)
	_, err := w.Write(r.Body)
	return err
}
