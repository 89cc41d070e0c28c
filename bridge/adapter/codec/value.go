package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep JSON may nest; vendors' frames nest less than ten deep.
const maxDepth = 100

// Value is one JSON value as it was written: members keep their order and
// numbers their digits. The zero Value stands for a value that is not there; all
// its methods work and find nothing. A Value is not changed after it is read.
type Value struct {
	kind    jsontext.Kind
	raw     []byte
	text    string
	members []Member
	items   []Value
}

// Member is one name of an object and what it holds.
type Member struct {
	Name  string
	Value Value
}

// Strict reads one JSON value and refuses what two readers could understand
// differently: duplicate names, broken UTF-8, anything after the value.
func Strict(data []byte) (Value, error) { return read(data) }

// Lenient reads one JSON value from a sender that is not careful: a byte order
// mark is skipped, broken UTF-8 is replaced, and of duplicate names Get finds
// the first.
func Lenient(data []byte) (Value, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	return read(bytes.ToValidUTF8(data, []byte("\ufffd")),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// reader reads one document; data is kept so that values know their own bytes.
type reader struct {
	data []byte
	dec  *jsontext.Decoder
}

func read(data []byte, options ...jsontext.Options) (Value, error) {
	data = bytes.Clone(data)
	r := reader{data, jsontext.NewDecoder(bytes.NewBuffer(data), options...)}
	v, err := r.value(0)
	if err != nil {
		return Value{}, fmt.Errorf("read JSON: %w", err)
	}
	if rest := bytes.Trim(data[r.dec.InputOffset():], " \t\r\n"); len(rest) > 0 { // what JSON takes for space
		return Value{}, errors.New("read JSON: more than one value")
	}
	return v, nil
}

func (r reader) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	before := r.dec.InputOffset()
	v := Value{kind: r.dec.PeekKind()}
	var err error
	switch v.kind {
	case '{':
		v.members, err = r.object(depth)
	case '[':
		v.items, err = r.array(depth)
	default:
		v.text, err = r.scalar()
	}
	if err != nil {
		return Value{}, err
	}
	v.raw = bytes.TrimLeft(r.data[before:r.dec.InputOffset()], " \t\r\n,:")
	return v, nil
}

func (r reader) scalar() (string, error) {
	token, err := r.dec.ReadToken()
	if err != nil || token.Kind() == 'n' {
		return "", err
	}
	return token.String(), nil
}

func (r reader) object(depth int) ([]Member, error) {
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	var members []Member
	for r.dec.PeekKind() != '}' {
		name, err := r.dec.ReadToken()
		if err != nil {
			return nil, err
		}
		m := Member{Name: name.String()}
		if m.Value, err = r.value(depth + 1); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	_, err := r.dec.ReadToken()
	return members, err
}

func (r reader) array(depth int) ([]Value, error) {
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	var items []Value
	for r.dec.PeekKind() != ']' {
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := r.dec.ReadToken()
	return items, err
}

// Get is the member an object has under the first of the names it has at all:
// written exactly so, else in any case. It is the zero Value when there is none.
func (v Value) Get(names ...string) Value {
	for _, name := range names {
		if found, ok := v.member(name); ok {
			return found
		}
	}
	return Value{}
}

func (v Value) member(name string) (Value, bool) {
	for _, m := range v.members {
		if m.Name == name {
			return m.Value, true
		}
	}
	for _, m := range v.members {
		if strings.EqualFold(m.Name, name) {
			return m.Value, true
		}
	}
	return Value{}, false
}

// Exists reports whether the value is there and is not null.
func (v Value) Exists() bool { return v.kind != 0 && v.kind != 'n' }

// IsString reports whether the value is a string.
func (v Value) IsString() bool { return v.kind == '"' }

// IsObject reports whether the value is an object.
func (v Value) IsObject() bool { return v.kind == '{' }

// IsArray reports whether the value is an array.
func (v Value) IsArray() bool { return v.kind == '[' }

// Text is the value as text: a string's characters, a number's digits as they
// were written, true or false; an object or array as compact JSON; "" for null
// and for what is not there.
func (v Value) Text() string {
	if !v.IsObject() && !v.IsArray() {
		return v.text
	}
	var out bytes.Buffer
	if err := json.Compact(&out, v.raw); err != nil {
		return string(v.raw)
	}
	return out.String()
}

// Members are an object's members in the order they were written. The slice is
// not to be changed.
func (v Value) Members() []Member { return v.members }

// Items are an array's items; any other value that is there counts as an array
// of itself. The slice is not to be changed.
func (v Value) Items() []Value {
	if v.IsArray() {
		return v.items
	}
	if !v.Exists() {
		return nil
	}
	return []Value{v}
}

// Raw is the value as it was written, or nil.
func (v Value) Raw() json.RawMessage { return v.raw }

// Unwrap is the value a string holds where the string is itself a JSON object
// or array, as senders that encode twice produce; any other value is itself.
func (v Value) Unwrap() Value {
	text := strings.TrimSpace(v.text)
	if !v.IsString() || text == "" || (text[0] != '{' && text[0] != '[') {
		return v
	}
	inner, err := Strict([]byte(text))
	if err != nil {
		return v
	}
	return inner
}

// Without is an object less the members named, in any case: what is left to keep
// when the rest has been understood. It is nil when nothing is left.
func (v Value) Without(names ...string) json.RawMessage {
	var out bytes.Buffer
	for _, m := range v.members {
		if !m.Value.Exists() || oneOf(m.Name, names) {
			continue
		}
		name, err := Encode(m.Name)
		if err != nil {
			continue
		}
		out.WriteString(map[bool]string{true: "{", false: ","}[out.Len() == 0])
		out.Write(name)
		out.WriteByte(':')
		out.WriteString(compact(m.Value))
	}
	if out.Len() == 0 {
		return nil
	}
	out.WriteByte('}')
	return out.Bytes()
}

func compact(v Value) string {
	if v.IsObject() || v.IsArray() {
		return v.Text()
	}
	return string(v.raw)
}

func oneOf(name string, names []string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// Encode writes v as JSON the way vendors write it: <, > and & as themselves.
// It fails only for values JSON cannot hold.
func Encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
