package config

import (
	"cmp"
	"reflect"
	"strconv"
	"strings"
	"time"
)

//nolint:gochecknoglobals // never written.
var (
	durationType = reflect.TypeFor[time.Duration]()
	refType      = reflect.TypeFor[Ref]()
)

// field is what a struct's tags say about one key.
type field struct {
	name     string
	index    int
	fallback string   // the default as written in the file
	required bool     // may be neither absent nor empty
	oneOf    []string // words allowed
	min, max string   // limits, as written
	rule     string   // form of the string, or of each element
	keys     []string // form of the keys, one a level
}

// fields lists the keys of a struct type in order.
func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name := tag.Get("toml")
		if name == "" {
			continue
		}
		out = append(out, field{
			name:     name,
			index:    i,
			fallback: tag.Get("default"),
			required: tag.Get("required") == "true",
			oneOf:    list(tag.Get("oneof")),
			min:      tag.Get("min"),
			max:      tag.Get("max"),
			rule:     tag.Get("rule"),
			keys:     list(tag.Get("keys")),
		})
	}
	return out
}

func list(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}

func names(fs []field) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = f.name
	}
	return out
}

// element is the field as it holds for one entry of a list or table.
func (f field) element() field {
	f.fallback, f.required = "", true
	if len(f.keys) > 0 {
		f.keys = f.keys[1:]
	}
	return f
}

// sample is a value to show in a mend, as written in the file.
func (f field) sample(t reflect.Type) string {
	shown := f.fallback
	if shown == "" && len(f.oneOf) > 0 {
		shown = f.oneOf[0]
	}
	switch {
	case t == durationType:
		return strconv.Quote(cmp.Or(shown, "10s"))
	case t == refType:
		return `"env:NAME"`
	}
	switch t.Kind() {
	case reflect.Int:
		return cmp.Or(shown, "10")
	case reflect.Bool:
		return cmp.Or(shown, "false")
	case reflect.Slice:
		return f.sampleList(t, shown)
	case reflect.Map, reflect.Struct:
		return "{ … }"
	default:
		return strconv.Quote(cmp.Or(shown, "…"))
	}
}

func (f field) sampleList(t reflect.Type, shown string) string {
	if t.Elem().Kind() == reflect.Struct {
		return "[{ … }]"
	}
	return "[" + strconv.Quote(cmp.Or(shown, "…")) + "]"
}
