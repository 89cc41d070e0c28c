package ingress

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
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
// "body:/pointer" or "body" for the digest of the body.
func (f *fields) get(place string) (string, error) {
	kind, name, _ := strings.Cut(place, ":")
	var values []string
	switch kind {
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
		values = []string{lookup(f.doc, name)}
	}
	switch len(values) {
	case 0:
		return "", usable(place, "")
	case 1:
		return values[0], usable(place, values[0])
	}
	return "", fmt.Errorf("%s is there more than once", place)
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

// masked is the body with what the pointers lead to replaced.
func (f *fields) masked(pointers []string) ([]byte, error) {
	changed := false
	for _, pointer := range pointers {
		if pointer == "" {
			continue // the whole body cannot be masked
		}
		pointer = "/" + strings.TrimPrefix(pointer, "/")
		cut := strings.LastIndex(pointer, "/")
		last := unescape(pointer[cut+1:])
		switch in := follow(f.doc, pointer[:cut]).(type) {
		case map[string]any:
			if _, there := in[last]; there {
				in[last], changed = mask, true
			}
		case []any:
			if at, ok := position(in, last); ok {
				in[at], changed = mask, true
			}
		}
	}
	if !changed {
		return f.body, nil
	}
	return json.Marshal(f.doc)
}

// mask stands for what must not be kept.
const mask = "[masked]"

func unescape(step string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(step) }

// position reads a step of a pointer that leads into a list.
func position(in []any, step string) (int, bool) {
	at, err := strconv.Atoi(step)
	return at, err == nil && at >= 0 && at < len(in) && step == strconv.Itoa(at)
}

// follow goes where a JSON pointer (RFC 6901) leads; nil if nowhere.
func follow(doc any, pointer string) any {
	if pointer == "" {
		return doc
	}
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		switch in := doc.(type) {
		case map[string]any:
			doc = in[unescape(step)]
		case []any:
			at, ok := position(in, step)
			if !ok {
				return nil
			}
			doc = in[at]
		default:
			return nil
		}
	}
	return doc
}

// lookup follows a JSON pointer to a string or number.
func lookup(doc any, pointer string) string {
	doc = follow(doc, pointer)
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
	if r.Status == http.StatusNoContent || r.Status == http.StatusNotModified {
		r.Body = nil
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	w.WriteHeader(r.Status)
	_, err := w.Write(r.Body)
	return err
}
