package config

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxEntries bounds every list and table of the structs, so that later steps need not be clever.
	maxEntries = 1000
	// maxDuration is the default upper limit of a duration.
	maxDuration = 8760 * time.Hour
)

// decode fills cfg from the file's values and reports all that does not fit.
func decode(raw map[string]any, cfg *Config, found *findings) {
	d := &decoder{found}
	d.table("", raw, reflect.ValueOf(cfg).Elem())
}

// decoder turns the parser's values into the structs without converting one type to another.
type decoder struct{ *findings }

// value decodes in into out by out's type.
func (d *decoder) value(path string, in any, out reflect.Value, f field) {
	switch {
	case out.Type() == durationType:
		d.duration(path, in, out, f)
	case out.Type() == refType:
		f.rule = "ref"
		d.text(path, in, out, f)
	case out.Kind() == reflect.String:
		d.text(path, in, out, f)
	case out.Kind() == reflect.Int:
		d.whole(path, in, out, f)
	case out.Kind() == reflect.Bool:
		d.truth(path, in, out, f)
	case out.Kind() == reflect.Slice:
		d.list(path, in, out, f)
	case out.Kind() == reflect.Map:
		d.entries(path, in, out, f)
	case out.Kind() == reflect.Struct:
		d.inner(path, in, out, f)
	case out.Kind() == reflect.Interface:
		d.free(path, in, out)
	}
}

// table decodes the keys of a struct, in the order of the struct, after naming those it does not have.
func (d *decoder) table(path string, in map[string]any, out reflect.Value) {
	known := fields(out.Type())
	meant := d.unknown(path, in, names(known))
	for _, f := range known {
		at, target := join(path, f.name), out.Field(f.index)
		in, ok := in[f.name]
		if ok {
			d.value(at, in, target, f)
		} else if f.required && !meant[f.name] {
			d.problem(at, "is missing", "add "+f.name+" = "+f.sample(target.Type()))
		}
	}
}

// unknown reports the keys a table does not have, and returns those they were probably meant for.
func (d *decoder) unknown(path string, in map[string]any, known []string) map[string]bool {
	meant := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(known, key) {
			d.problem(join(path, key), "unknown key", unknownMend(key, known))
			meant[nearest(key, known)] = true
		}
	}
	return meant
}

func (d *decoder) inner(path string, in any, out reflect.Value, f field) {
	if table, ok := in.(map[string]any); ok {
		d.table(path, table, out)
		return
	}
	d.mismatch(path, in, out.Type(), f)
}

func (d *decoder) text(path string, in any, out reflect.Value, f field) {
	s, ok := in.(string)
	if !ok {
		d.mismatch(path, in, out.Type(), f)
		return
	}
	what, mend := judge(s, f)
	if what != "" {
		d.problem(path, what, mend)
		return
	}
	out.SetString(s)
}

// judge tells what is wrong with a string under a field's rules. An empty one is the same as an absent one.
func judge(s string, f field) (what, mend string) {
	if s == "" {
		if f.rule == "text" {
			return "", "" // is not said
		}
		if f.required || f.fallback != "" {
			return "is empty", "give a value, or leave the key out"
		}
		return "", ""
	}
	if len(f.oneOf) > 0 && !slices.Contains(f.oneOf, s) {
		return "unknown value " + quote(s), choiceMend(s, f.oneOf)
	}
	if rule, ok := rules[f.rule]; ok {
		return rule(s)
	}
	return "", ""
}

func (d *decoder) whole(path string, in any, out reflect.Value, f field) {
	n, ok := in.(int64)
	if !ok {
		d.mismatch(path, in, out.Type(), f)
		return
	}
	low, _ := strconv.ParseInt(f.min, 10, 64)
	high, _ := strconv.ParseInt(f.max, 10, 64)
	if n < low || n > high {
		d.problem(path, fmt.Sprintf("is out of range: %d", n), fmt.Sprintf("give a number from %d to %d", low, high))
		return
	}
	out.SetInt(n)
}

func (d *decoder) truth(path string, in any, out reflect.Value, f field) {
	b, ok := in.(bool)
	if !ok {
		d.mismatch(path, in, out.Type(), f)
		return
	}
	out.SetBool(b)
}

func (d *decoder) duration(path string, in any, out reflect.Value, f field) {
	s, ok := in.(string)
	if !ok {
		d.mismatch(path, in, out.Type(), f)
		return
	}
	v, what := parseDuration(s)
	if what == "" {
		what = outside(v, f)
	}
	if what != "" {
		d.problem(path, "is not a usable duration: "+quote(s)+" "+what, "write a number with h, m, s or ms, such as "+f.sample(out.Type()))
		return
	}
	out.SetInt(int64(v))
}

// parseDuration reads a duration with unit, or says what is the matter.
func parseDuration(s string) (time.Duration, string) {
	v, err := time.ParseDuration(s)
	switch {
	case err == nil && s == "0", err != nil && strings.Contains(err.Error(), "missing unit"):
		return 0, "has no unit"
	case err == nil:
		return v, ""
	case strings.Contains(err.Error(), "unknown unit"):
		return 0, "has an unknown unit (a day is 24h)"
	case strings.Trim(s, "+-.0123456789hmsnuµ") == "" && strings.ContainsAny(s, "0123456789"):
		return 0, "is too long"
	default:
		return 0, "is no duration"
	}
}

func outside(v time.Duration, f field) string {
	low, _ := time.ParseDuration(f.min)
	high, _ := time.ParseDuration(f.max)
	high = cmp.Or(high, maxDuration)
	switch {
	case v < 0:
		return "is negative"
	case v < low:
		return "is too short, at least " + low.String()
	case v > high:
		return "is too long, at most " + high.String()
	}
	return ""
}

func (d *decoder) list(path string, in any, out reflect.Value, f field) {
	items, ok := in.([]any)
	if !ok {
		d.mismatch(path, in, out.Type(), f)
		return
	}
	if f.required && len(items) == 0 {
		d.problem(path, "is empty", "name at least one: "+f.name+" = "+f.sample(out.Type()))
	}
	if d.tooMany(path, len(items)) {
		return
	}
	slice := reflect.MakeSlice(out.Type(), len(items), len(items))
	for i, item := range items {
		applyDefaults(slice.Index(i))
		d.value(index(path, i), item, slice.Index(i), f.element())
	}
	out.Set(slice)
}

// entries decodes a table whose keys are names, each entry on top of what out has under that name.
func (d *decoder) entries(path string, in any, out reflect.Value, f field) {
	table, ok := in.(map[string]any)
	if !ok {
		d.mismatch(path, in, out.Type(), f)
		return
	}
	if d.tooMany(path, len(table)) {
		return
	}
	if out.IsNil() {
		out.Set(reflect.MakeMap(out.Type()))
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if len(f.keys) > 0 {
			if what, mend := rules[f.keys[0]](key); what != "" {
				d.problem(join(path, key), "as a key "+what, mend)
			}
		}
		entry := reflect.New(out.Type().Elem()).Elem()
		if present := out.MapIndex(reflect.ValueOf(key)); present.IsValid() {
			entry.Set(present)
		} else {
			applyDefaults(entry)
		}
		d.value(join(path, key), table[key], entry, f.element())
		out.SetMapIndex(reflect.ValueOf(key), entry)
	}
}

func (d *decoder) tooMany(path string, n int) bool {
	if n > maxEntries {
		d.problem(path, fmt.Sprintf("has %d entries", n), fmt.Sprintf("at most %d are allowed", maxEntries))
	}
	return n > maxEntries
}

// free passes on an adapter's own setting: anything that is also JSON.
func (d *decoder) free(path string, in any, out reflect.Value) {
	switch v := in.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			d.free(join(path, key), v[key], reflect.Value{})
		}
	case []any:
		for i, item := range v {
			d.free(index(path, i), item, reflect.Value{})
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			d.problem(path, "is not a finite number", "write a number")
		}
	case string, int64, bool:
	default:
		d.problem(path, "is "+kind(in), `write it in quotes: "2026-12-25"`)
	}
	if out.IsValid() {
		out.Set(reflect.ValueOf(in))
	}
}

// mismatch reports a wrong type, never the value.
func (d *decoder) mismatch(path string, in any, t reflect.Type, f field) {
	name := path[strings.LastIndexAny(path, ".")+1:]
	if strings.HasSuffix(name, "]") {
		d.problem(path, "is "+kind(in)+", must be "+wanted(t), "write "+f.sample(t))
		return
	}
	d.problem(path, "is "+kind(in)+", must be "+wanted(t), "write "+name+" = "+f.sample(t))
}

// kind names the type of a value as the file's author thinks of it.
func kind(in any) string {
	switch in.(type) {
	case string:
		return "text in quotes"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a fraction"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	default:
		return "a date or time"
	}
}

// wanted names the type a key must have.
func wanted(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration in quotes"
	case t == refType:
		return "a reference to a secret in quotes"
	}
	switch t.Kind() {
	case reflect.Int:
		return "a whole number without quotes"
	case reflect.Bool:
		return "true or false without quotes"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a table"
	default:
		return "text in quotes"
	}
}

// quote shows a short form of a value.
func quote(s string) string {
	if utf8.RuneCountInString(s) > 64 {
		s = string([]rune(s)[:64]) + "…"
	}
	return strconv.Quote(s)
}
