package codec

import "strings"

// Kind is what JSON a field holds, and what else is known of it. Kinds are joined
// with |; a list of them is always allowed, and null is a field that is not there.
type Kind uint

// The kinds of a field.
const (
	String Kind = 1 << iota
	Number
	Bool
	Object
	// Names says the field's values name what kind of frame it is in.
	Names
	// Own says the field is what the vendor's customers put there: nothing in it
	// is looked at.
	Own
)

// Field is a row of Words: fields that hold the same.
type Field struct {
	// Name is one name, or several between blanks. "a/b" is b where it is in a,
	// whatever b is elsewhere.
	Name string
	Kind Kind
	// Values are all values the vendor has documented, between blanks; "" is a
	// field that holds anything.
	Values string
}

// Words are the fields of all frames of a vendor, to count what a frame has that
// the vendor never told of. They say nothing of where a field may stand. Words
// are not changed once made and safe for concurrent use.
type Words struct {
	fields map[string]word
	fold   func(string) string
}

type word struct {
	kind   Kind
	values map[string]bool
}

// NewWords makes Words of their rows. Names and values are the same when fold
// makes the same of them; nil is strings.ToLower.
func NewWords(fold func(string) string, rows []Field) Words {
	if fold == nil {
		fold = strings.ToLower
	}
	w := Words{fields: map[string]word{}, fold: fold}
	for _, row := range rows {
		f := word{kind: row.Kind}
		for value := range strings.FieldsSeq(row.Values) {
			if f.values == nil {
				f.values = map[string]bool{}
			}
			f.values[fold(value)] = true
		}
		for name := range strings.FieldsSeq(row.Name) {
			w.fields[w.path(name)] = f
		}
	}
	return w
}

// path folds the names of "a/b" each for itself.
func (w Words) path(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = w.fold(parts[i])
	}
	return strings.Join(parts, "/")
}

// Unknown counts what of a frame is not in the words, as adapter.Definition wants
// it: "field", "type", "value", and "frame" for a value that names a frame. What
// is within an unknown field is not looked at; what is no JSON has no fields. A
// string that holds JSON counts as what it holds where its field may be an object.
func (w Words) Unknown(data []byte) map[string]int {
	v, err := Lenient(data)
	if err != nil {
		return nil
	}
	counts := map[string]int{}
	w.within("", v.Unwrap(), counts)
	if len(counts) == 0 {
		return nil
	}
	return counts
}

func (w Words) within(parent string, v Value, counts map[string]int) {
	for _, item := range v.items {
		w.within(parent, item, counts)
	}
	for _, m := range v.members {
		name := w.fold(strings.TrimSpace(m.Name))
		f, known := w.fields[parent+"/"+name]
		if !known {
			f, known = w.fields[name]
		}
		if !known {
			counts["field"]++
			continue
		}
		w.look(name, m.Value, f, counts)
	}
}

// look holds a value against what its field may be.
func (w Words) look(name string, v Value, f word, counts map[string]int) {
	if f.kind&Object != 0 {
		v = v.Unwrap()
	}
	switch {
	case f.kind&Own != 0, !v.Exists():
	case v.IsArray():
		for _, item := range v.items {
			w.look(name, item, f, counts)
		}
	case f.kind&kindOf(v) == 0:
		counts["type"]++
	case v.IsObject():
		w.within(name, v, counts)
	case f.values != nil && !f.values[w.fold(v.text)] && v.text != "":
		counts[f.stranger()]++
	}
}

// stranger is what a value is that is not among the field's.
func (f word) stranger() string {
	if f.kind&Names != 0 {
		return "frame"
	}
	return "value"
}

func kindOf(v Value) Kind {
	switch v.kind {
	case '{':
		return Object
	case '"':
		return String
	case '0':
		return Number
	}
	return Bool
}
