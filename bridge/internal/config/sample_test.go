package config

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
)

const samplePath = "../../../config.example.toml"

var (
	switchedOff = regexp.MustCompile(`(?m)^# ([a-z0-9_]+ = |\[+[a-z0-9_.]+\]+$)`)
	setting     = regexp.MustCompile(`^(?:# )?([a-z0-9_]+) = `)
	weekday     = regexp.MustCompile(`^(tue|wed|thu|fri|sat|sun)$`)
)

func sampleText(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// fullSample is the example with everything in it switched on.
func fullSample(t testing.TB) string {
	return switchedOff.ReplaceAllString(sampleText(t), "$1")
}

func TestSampleLoads(t *testing.T) {
	cfg, warnings, err := Load(samplePath, nil)
	if err != nil || len(warnings) != 0 {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	for _, name := range []string{"studio", "web", "helper", "desk"} {
		if _, ok := cfg.Accounts[name]; !ok {
			t.Errorf("account %s is missing", name)
		}
	}
	if len(cfg.Routes) != 2 || cfg.Routes[0].Entry() != "web" || cfg.Routes[1].Entry() != "studio" {
		t.Errorf("routes are %+v", cfg.Routes)
	}
	if open, next := cfg.Hours["office"].Open(time.Now()); !open || !next.IsZero() {
		t.Errorf("the office is open: %v until %v", open, next)
	}
}

func TestSampleLoadsWithEverythingOn(t *testing.T) {
	cfg, warnings, err := Parse("full.toml", []byte(fullSample(t)), nil)
	warnings = slices.DeleteFunc(warnings, func(w Warning) bool {
		return strings.HasPrefix(w.What, "is used by no route") || strings.HasPrefix(w.What, "narrows every route")
	})
	if err != nil || len(warnings) != 0 {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	if cfg.Server.PublicURL == "" || !cfg.Server.TLS.Enabled() || cfg.Accounts["studio"].Inbound == "" {
		t.Error("switched-off lines were not switched on")
	}
}

// Outside accounts, routes, tokens, queues and hours the example says what holds anyway.
func TestSampleShowsDefaults(t *testing.T) {
	cfg, _, err := Load(samplePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range Diff(Defaults(), cfg) {
		section, _, _ := strings.Cut(strings.ReplaceAll(key, "[", "."), ".")
		if !slices.Contains([]string{"accounts", "routes", "queues", "hours"}, section) && key != "api.tokens" {
			t.Errorf("%s is not at its default", key)
		}
	}
}

// shape collects what a value of the file has at each key of the structs, names and positions written as *.
func shape(path string, t reflect.Type, value any, into map[string][]any) {
	switch {
	case t.Kind() == reflect.Struct:
		table, _ := value.(map[string]any)
		for _, f := range fields(t) {
			at := strings.TrimPrefix(path+"."+f.name, ".")
			if _, ok := into[at]; !ok {
				into[at] = nil
			}
			if in, ok := table[f.name]; ok {
				into[at] = append(into[at], in)
			}
			shape(at, t.Field(f.index).Type, table[f.name], into)
		}
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		table, _ := value.(map[string]any)
		shape(path+".*", t.Elem(), nil, into)
		for _, in := range table {
			shape(path+".*", t.Elem(), in, into)
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		list, _ := value.([]any)
		shape(path+".*", t.Elem(), nil, into)
		for _, in := range list {
			shape(path+".*", t.Elem(), in, into)
		}
	}
}

// defaultsOf collects the defaults in the tags, as the file writes them.
func defaultsOf(path string, t reflect.Type, into map[string]string) {
	for _, f := range fields(t) {
		at, inner := strings.TrimPrefix(path+"."+f.name, "."), t.Field(f.index).Type
		into[at] = f.fallback
		switch inner.Kind() {
		case reflect.Map, reflect.Slice:
			at, inner = at+".*", inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			defaultsOf(at, inner, into)
		}
	}
}

func TestSampleHasEveryKeyAndDefault(t *testing.T) {
	var full map[string]any
	if err := toml.Unmarshal([]byte(fullSample(t)), &full); err != nil {
		t.Fatal(err)
	}
	shown, defaults := map[string][]any{}, map[string]string{}
	shape("", reflect.TypeFor[Config](), full, shown)
	defaultsOf("", reflect.TypeFor[Config](), defaults)
	for _, key := range slices.Sorted(maps.Keys(shown)) {
		if len(shown[key]) == 0 {
			t.Errorf("%s is not in the example", key)
		}
		for _, value := range shown[key] {
			if want := defaults[key]; want != "" && fmt.Sprint(value) != want {
				t.Errorf("%s is shown as %v, its default is %s", key, value, want)
			}
		}
	}
	english := full["texts"].(map[string]any)["en"].(map[string]any)
	for _, key := range TextKeys() {
		if english[key] != Defaults().Text("en", key) {
			t.Errorf("texts.en.%s is shown as %v", key, english[key])
		}
	}
}

// TestSampleExplainsEveryKey wants a comment right above each key where it comes first in its kind of section.
func TestSampleExplainsEveryKey(t *testing.T) {
	explained, section, before := map[string]bool{}, "", ""
	for _, line := range strings.Split(sampleText(t), "\n") {
		if line := strings.TrimPrefix(line, "# "); strings.HasPrefix(line, "[") {
			section = regexp.MustCompile(`(accounts|queues|hours)\.[a-z]+`).ReplaceAllString(line, "$1.*")
		}
		if m := setting.FindStringSubmatch(line); m != nil && !weekday.MatchString(m[1]) {
			comment := strings.HasPrefix(before, "# ") && !setting.MatchString(before)
			free := strings.Contains(section, "settings") || strings.Contains(section, "credentials")
			if !comment && !explained[section+m[1]] && !free {
				t.Errorf("%s %s has no comment above it", section, m[1])
			}
			explained[section+m[1]] = true
		}
		before = line
	}
	if len(explained) < 60 {
		t.Errorf("only %d keys found", len(explained))
	}
}

// Every default in a tag is a value the reader itself would take.
func TestDefaultsAreValid(t *testing.T) {
	for _, of := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[Token](), reflect.TypeFor[Account](),
		reflect.TypeFor[Route](), reflect.TypeFor[Queue](), reflect.TypeFor[Hours]()} {
		checkDefaults(t, of)
	}
}

func checkDefaults(t *testing.T, of reflect.Type) {
	filled := reflect.New(of).Elem()
	applyDefaults(filled)
	for _, f := range fields(of) {
		kind := of.Field(f.index).Type
		if kind.Kind() == reflect.Struct {
			checkDefaults(t, kind)
		}
		if f.fallback == "" {
			continue
		}
		var in any = f.fallback
		switch kind.Kind() {
		case reflect.Int:
			in = filled.Field(f.index).Int()
		case reflect.Bool:
			in = filled.Field(f.index).Bool()
		}
		found := &findings{}
		out := reflect.New(kind).Elem()
		(&decoder{found}).value(f.name, in, out, f)
		if len(found.problems) > 0 || !out.Equal(filled.Field(f.index)) || fmt.Sprint(in) != f.fallback {
			t.Errorf("%s.%s: default %q: %v", of.Name(), f.name, f.fallback, found.problems)
		}
	}
}

// Every rule and limit a tag names exists.
func TestTagsAreKnown(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Map || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || seen[of] {
			return
		}
		seen[of] = true
		for _, f := range fields(of) {
			for _, name := range append(f.keys, f.rule) {
				if rules[name] == nil && name != "" {
					t.Errorf("%s.%s names the unknown rule %q", of.Name(), f.name, name)
				}
			}
			inner := of.Field(f.index).Type
			if inner.Kind() == reflect.Int && (f.min == "" || f.max == "") {
				t.Errorf("%s.%s has no limits", of.Name(), f.name)
			}
			walk(inner)
		}
	}
	walk(reflect.TypeFor[Config]())
	if len(seen) < 15 {
		t.Errorf("only %d structs seen", len(seen))
	}
}
