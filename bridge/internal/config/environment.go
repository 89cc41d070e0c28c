package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	variablePrefix = "FOOTBRIDGE_"
	variableDot    = "__"
)

// overrides reads the environment's settings into a tree like the file's. FOOTBRIDGE_SERVER__LISTEN is server.listen;
// names without a double underscore are not settings. Each value is read by the type of its key; what does not fit is
// reported and left out.
func overrides(file map[string]any, environ []string, found *findings) map[string]any {
	over := map[string]any{}
	for _, entry := range environ {
		variable, text, ok := strings.Cut(entry, "=")
		name, ours := strings.CutPrefix(variable, variablePrefix)
		if !ok || !ours || !strings.Contains(name, variableDot) {
			continue
		}
		o := override{variable: clean(variable), text: text, shape: reflect.TypeFor[Config](), raw: file}
		what, mend := o.resolve(strings.Split(strings.ToLower(name), variableDot))
		if what == "" {
			what, mend = o.read()
		}
		if other := found.where.overrides[o.path()]; what == "" && other != "" && other != variable {
			what, mend = "sets what "+other+" sets", "unset one of them"
		}
		if what != "" {
			found.problems = append(found.problems, Problem{File: "environment " + o.variable, Key: o.path(), What: what, Mend: mend})
			continue
		}
		found.where.overrides[o.path()] = o.variable
		plant(over, o.keys, o.value)
	}
	return over
}

// plant puts a value into a tree, making the tables on the way.
func plant(tree map[string]any, keys []string, value any) {
	for _, key := range keys[:len(keys)-1] {
		inner, ok := tree[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			tree[key] = inner
		}
		tree = inner
	}
	tree[keys[len(keys)-1]] = value
}

// override is one variable on its way from name and text to key and value.
type override struct {
	variable string
	text     string
	keys     []string     // the keys found so far, as the file spells them
	shape    reflect.Type // of what they lead to
	raw      any          // what the file has there, or nil
	value    any
}

func (o *override) path() string {
	path := ""
	for _, key := range o.keys {
		path = join(path, key)
	}
	return path
}

// resolve follows the parts of a name through the structs.
func (o *override) resolve(parts []string) (what, mend string) {
	for _, part := range parts {
		switch {
		case part == "":
			return "is not a name of a setting", "write " + variablePrefix + "SECTION" + variableDot + "KEY"
		case o.shape.Kind() == reflect.Struct:
			what, mend = o.enterStruct(part)
		case o.shape.Kind() == reflect.Map:
			what, mend = o.enterMap(part)
		case o.shape.Kind() == reflect.Interface:
			what, mend = o.enterFree(part)
		default:
			what, mend = o.cannotEnter()
		}
		if what != "" {
			return what, mend
		}
	}
	return "", ""
}

func (o *override) enterStruct(part string) (what, mend string) {
	known := fields(o.shape)
	i := slices.Index(names(known), part)
	if i < 0 {
		return "unknown key " + quote(part), unknownMend(part, names(known))
	}
	return o.enter(part, o.shape.Field(known[i].index).Type)
}

// enterMap finds the entry a part means. New entries can be made where an entry is a single value, not where it is a
// section of its own.
func (o *override) enterMap(part string) (what, mend string) {
	table, _ := o.raw.(map[string]any)
	elem := o.shape.Elem()
	spelled := alike(table, part)
	switch {
	case len(spelled) == 1:
		return o.enter(spelled[0], elem)
	case len(spelled) > 1:
		return "may mean " + strings.Join(spelled, " or "), "set it in the file"
	case elem.Kind() == reflect.Struct:
		return "there is no " + join(o.path(), part) + " in the file", "add the section to the file first"
	}
	return o.enter(part, elem)
}

// alike lists the keys that read like part in the alphabet of variable names.
func alike(table map[string]any, part string) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if key == part {
			return []string{key}
		}
		if strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(strings.ToLower(key)) == part {
			out = append(out, key)
		}
	}
	return out
}

// enterFree goes on inside an adapter's own settings, along tables that are in the file.
func (o *override) enterFree(part string) (what, mend string) {
	table, ok := o.raw.(map[string]any)
	if !ok {
		return "there is no table " + o.path() + " in the file", "add it to the file first"
	}
	if spelled := alike(table, part); len(spelled) == 1 {
		part = spelled[0]
	}
	return o.enter(part, o.shape)
}

func (o *override) enter(key string, t reflect.Type) (what, mend string) {
	if o.raw != nil {
		table, ok := o.raw.(map[string]any)
		if !ok {
			return "lies under a key that is no table in the file", "mend the file first"
		}
		o.raw = table[key]
	}
	o.keys, o.shape = append(o.keys, key), t
	return "", ""
}

func (o *override) cannotEnter() (what, mend string) {
	if o.shape.Kind() == reflect.Slice {
		return "is a list", "lists are set in the file only"
	}
	return "has no keys of its own", "end the name at " + variableOf(o.keys)
}

func variableOf(keys []string) string {
	return variablePrefix + strings.ToUpper(strings.Join(keys, variableDot))
}

// read turns the text into a value of the key's type.
func (o *override) read() (what, mend string) {
	switch {
	case o.shape.Kind() == reflect.Slice:
		return "is a list", "lists are set in the file only"
	case o.shape.Kind() == reflect.Map || o.shape.Kind() == reflect.Struct:
		return "is a table", "name a key in it: " + variableOf(o.keys) + variableDot + "KEY"
	case o.text == "":
		return "is empty", "give a value, or unset the variable"
	case !utf8.ValidString(o.text):
		return "is not UTF-8", "give text"
	}
	like := reflect.Zero(o.shape).Interface()
	if o.shape.Kind() == reflect.Interface {
		like = o.raw
	}
	return o.parse(like)
}

// parse reads the text as a value of the same kind as like; durations and references stay text, as in the file.
func (o *override) parse(like any) (what, mend string) {
	var err error
	switch like.(type) {
	case bool:
		o.value, err = parseTruth(o.text)
		what, mend = "must be true or false", "write true or false"
	case int, int64:
		o.value, err = strconv.ParseInt(o.text, 10, 64)
		what, mend = "must be a whole number", "write digits only"
	case float64:
		o.value, err = strconv.ParseFloat(o.text, 64)
		what, mend = "must be a number", "write a number"
	case map[string]any, []any:
		return "is a list or table", "set it in the file"
	default:
		o.value = o.text
	}
	if err == nil {
		return "", ""
	}
	return what, mend
}

func parseTruth(s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, fmt.Errorf("parse %q as true or false", s)
	}
	return s == "true", nil
}
