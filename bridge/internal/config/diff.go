package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// fixed are the keys, and the tables, that take effect at the next start only. Of server.tls that is whether it is
// set: other certificate files are taken up by a reload.
//
//nolint:gochecknoglobals // a table that is never written.
var fixed = []string{"server.listen", "server.trusted_proxies", "admin", "journal", "egress", "media", "log", "plugins", "breaker"}

// NeedsRestart tells whether a key that Diff named takes effect at the next start only; all others do on a reload.
func NeedsRestart(key string) bool {
	return key == "server.tls" || slices.ContainsFunc(fixed, func(f string) bool {
		rest, ok := strings.CutPrefix(key, f)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// Diff lists the keys in which two configurations differ, sorted. An added or removed entry is named as a whole
// (accounts.studio), and so is a list whose length changed (routes). TLS that came or went is server.tls; other
// certificate files are server.tls.cert and server.tls.key.
func Diff(old, new *Config) []string {
	var keys []string
	differ("", reflect.ValueOf(*old), reflect.ValueOf(*new), &keys)
	if old.Server.TLS.Enabled() != new.Server.TLS.Enabled() {
		keys = slices.DeleteFunc(keys, func(key string) bool {
			return key == "server.tls.cert" || key == "server.tls.key"
		})
		keys = append(keys, "server.tls")
	}
	slices.Sort(keys)
	return keys
}

// differ walks two values of one type and collects the paths where they part.
func differ(path string, a, b reflect.Value, keys *[]string) {
	switch {
	case a.Kind() == reflect.Struct:
		for _, f := range fields(a.Type()) {
			differ(join(path, f.name), a.Field(f.index), b.Field(f.index), keys)
		}
	case a.Kind() == reflect.Map:
		differMaps(path, a, b, keys)
	case a.Kind() == reflect.Slice && a.Len() == b.Len():
		for i := range a.Len() {
			differ(index(path, i), a.Index(i), b.Index(i), keys)
		}
	case !reflect.DeepEqual(a.Interface(), b.Interface()):
		*keys = append(*keys, path)
	}
}

func differMaps(path string, a, b reflect.Value, keys *[]string) {
	both := map[string]bool{}
	for _, m := range []reflect.Value{a, b} {
		for _, key := range m.MapKeys() {
			both[key.String()] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(both)) {
		one, other := a.MapIndex(reflect.ValueOf(key)), b.MapIndex(reflect.ValueOf(key))
		if !one.IsValid() || !other.IsValid() {
			*keys = append(*keys, join(path, key))
			continue
		}
		differ(join(path, key), one, other, keys)
	}
}
