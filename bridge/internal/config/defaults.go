package config

import (
	"reflect"
	"strconv"
	"time"
)

// Defaults gives the configuration of a file that says nothing: listeners on loopback, no accounts, no routes, and
// the English texts. Each call makes a new one, free to change.
func Defaults() *Config {
	cfg := &Config{Texts: map[string]map[string]string{english: {}}}
	applyDefaults(reflect.ValueOf(cfg).Elem())
	for _, text := range texts {
		cfg.Texts[english][text.key] = text.words
	}
	return cfg
}

// applyDefaults sets what the tags of a struct, and of the structs in it, give.
func applyDefaults(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	for _, f := range fields(v.Type()) {
		if f.fallback == "" {
			applyDefaults(v.Field(f.index))
			continue
		}
		setDefault(v.Field(f.index), f.fallback)
	}
}

// setDefault writes a tag's text into a field. The tags are constants: a test proves that each can be read.
func setDefault(v reflect.Value, text string) {
	switch {
	case v.Type() == durationType:
		d, _ := time.ParseDuration(text)
		v.SetInt(int64(d))
	case v.Kind() == reflect.Int:
		n, _ := strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
	case v.Kind() == reflect.Bool:
		v.SetBool(text == "true")
	case v.Kind() == reflect.String:
		v.SetString(text)
	}
}
