package web_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

// script is the text of a file of the pages.
func script(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(path.Join("static", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// keysOf are the keys of one language in words.js, in order.
func keysOf(text, language string) []string {
	_, from, _ := strings.Cut(text, "const "+language+" = {\n")
	table, _, _ := strings.Cut(from, "\n};")
	var keys []string
	for _, m := range regexp.MustCompile(`(?m)^  (\w+): "`).FindAllStringSubmatch(table, -1) {
		keys = append(keys, m[1])
	}
	return keys
}

// TestWords: what the configuration may replace is what the chat says, in each of
// its languages, with the same names in it, and nothing is said that has no key.
func TestWords(t *testing.T) {
	text := script(t, "words.js")
	want := config.ChatTextKeys()
	slices.Sort(want)
	for _, language := range []string{"en", "de", "es"} {
		keys := append(keysOf(text, language), "greeting") // which only English has, empty
		slices.Sort(keys)
		if keys = slices.Compact(keys); !slices.Equal(keys, want) {
			t.Errorf("%s has the keys %v, the configuration %v", language, keys, want)
		}
	}
	files, err := fs.Glob(os.DirFS("static"), "*.js")
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, name := range files {
		if name != "words.js" {
			all += script(t, name)
		}
	}
	for _, m := range regexp.MustCompile(`\bt\("(\w+)"`).FindAllStringSubmatch(all, -1) {
		if !slices.Contains(want, m[1]) {
			t.Errorf("%s is said and has no words", m[1])
		}
	}
	for _, key := range want {
		if !strings.Contains(all, `"`+key+`"`) {
			t.Errorf("%s has words and is never said", key)
		}
	}
}

// TestWordsNameTheSame: a {name} that a translation forgets would not be said.
func TestWordsNameTheSame(t *testing.T) {
	text, names := script(t, "words.js"), map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^  (\w+): "(.*)",$`).FindAllStringSubmatch(text, -1) {
		in := regexp.MustCompile(`\{\w+\}`).FindAllString(m[2], -1)
		slices.Sort(in)
		if got := strings.Join(in, " "); names[m[1]] == "" {
			names[m[1]] = got + "."
		} else if names[m[1]] != got+"." {
			t.Errorf("%s names %q here and %q there", m[1], got, names[m[1]])
		}
	}
	if len(names) < 40 {
		t.Errorf("only %d keys found", len(names))
	}
}

// TestWordsAreExplained: the page about the chat names every key.
func TestWordsAreExplained(t *testing.T) {
	data, err := os.ReadFile("../../../docs/widget.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range config.ChatTextKeys() {
		if !strings.Contains(string(data), "`"+key+"`") {
			t.Errorf("docs/widget.md does not name %s", key)
		}
	}
	for _, attribute := range regexp.MustCompile(`given\.([a-zA-Z]+)`).FindAllStringSubmatch(script(t, "widget.js"), -1) {
		name := regexp.MustCompile(`[A-Z]`).ReplaceAllStringFunc(attribute[1], func(s string) string { return "-" + strings.ToLower(s) })
		if name != "account" && !strings.Contains(string(data), "`data-"+name+"`") {
			t.Errorf("docs/widget.md does not name data-%s", name)
		}
	}
}
