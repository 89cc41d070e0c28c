package config

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// judgeResult fails unless a reading either gave a configuration or told, within the file, what is wrong.
func judgeResult(t interface{ Fatalf(string, ...any) }, text string, environ []string) {
	cfg, warnings, err := Parse("config.toml", []byte(text), environ)
	if (cfg == nil) == (err == nil) {
		t.Fatalf("configuration %v and error %v", cfg, err)
	}
	lines := 1 + strings.Count(text, "\n")
	var problems []Problem
	for _, w := range warnings {
		problems = append(problems, Problem(w))
	}
	if err != nil {
		var bad *Error
		if !errors.As(err, &bad) || len(bad.Problems) == 0 {
			t.Fatalf("error without problems: %v", err)
		}
		problems = append(problems, bad.Problems...)
	}
	for _, p := range problems {
		inFile := p.File == "config.toml" && p.Line >= 1 && p.Line <= lines
		inEnvironment := strings.HasPrefix(p.File, "environment FOOTBRIDGE_") && p.Line == 0
		if !inFile && !inEnvironment || p.What == "" {
			t.Fatalf("a problem outside the %d lines: %+v", lines, p)
		}
		if strings.ContainsFunc(p.String(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("a problem with control characters: %q", p)
		}
	}
	if cfg != nil && len(Diff(cfg, cfg)) != 0 {
		t.Fatalf("a configuration differs from itself: %v", Diff(cfg, cfg))
	}
}

// pieces are put into a file to break it.
var pieces = []string{`"`, `'`, `"""`, "[", "]", "[[", "{", "}", "=", "\n", ".", ",", "#", "-", "0", "9999999999999999999", "1e9", "nan", "true",
	`"10"`, "10", "2026-12-25", "[server]", "[[routes]]", "[routes]", "\\", "\\u0000", "é", "\x00", "\xff", "\r", "\x1b[2J", "env:", "60s", `""`, "a.b.c = 1\n"}

func TestMutatedSample(t *testing.T) {
	sample := fullSample(t)
	rapid.Check(t, func(t *rapid.T) {
		text := sample
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			text = mutate(t, text)
		}
		judgeResult(t, text, nil)
	})
}

// mutate changes one place: a piece in, some bytes out, or a line doubled, dropped or moved to the end.
func mutate(t *rapid.T, text string) string {
	lines := strings.SplitAfter(text, "\n")
	i := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
	at := rapid.IntRange(0, len(lines[i])).Draw(t, "column")
	line := lines[i]
	switch rapid.IntRange(0, 4).Draw(t, "change") {
	case 0:
		lines[i] = line[:at] + rapid.SampledFrom(pieces).Draw(t, "piece") + line[at:]
	case 1:
		lines[i] = line[:at] + line[min(len(line), at+rapid.IntRange(1, 8).Draw(t, "cut")):]
	case 2:
		lines[i] = line + line
	case 3:
		lines[i] = ""
	case 4:
		lines[i] = ""
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

func TestRandomOverrides(t *testing.T) {
	sample := fullSample(t)
	part := rapid.OneOf(rapid.StringMatching(`[A-Z_]{0,9}`), rapid.SampledFrom([]string{
		"SERVER", "LISTEN", "TLS", "ACCOUNTS", "STUDIO", "SETTINGS", "CREDENTIALS", "KEY", "ROUTES", "TEXTS", "EN", "QUEUED", "HOURS", "OFFICE", "WEEK", "MON",
		"BREAKER", "FAILURES", "PLUGINS", "CHECKSUMS", "API", "TOKENS", "0", "MODE"}))
	rapid.Check(t, func(t *rapid.T) {
		environ := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			name := strings.Join(rapid.SliceOfN(part, 1, 5).Draw(t, "parts"), "__")
			return "FOOTBRIDGE_" + name + "=" + rapid.OneOf(rapid.String(), rapid.SampledFrom(pieces)).Draw(t, "value")
		}), 0, 4).Draw(t, "environ")
		judgeResult(t, sample, environ)
	})
}

// A secret in any place that takes a reference is refused and not told.
func TestSecretsAreNeverTold(t *testing.T) {
	places := []string{
		"[accounts.brain.credentials]\nkey = %", "[accounts.brain]\ncredentials = %", "[accounts.brain.credentials]\nkey = [%]",
		"[accounts.brain.credentials]\nkey = { a = % }", "[[api.tokens]]\nname='a'\nroles=['operator']\ntoken = %", "[accounts.brain.credentials]\nkey = %%",
		"[accounts.brain.credentials]\nkey = 'x' %",
	}
	base := strings.Replace(sound, "[accounts.brain]\nadapter = \"acme\"\nrole = \"virtual_agent\"\n", "", 1)
	rapid.Check(t, func(t *rapid.T) {
		secret := "canary" + rapid.StringMatching(`[a-z0-9.+/=-]{4,30}`).Draw(t, "secret")
		quoted := rapid.SampledFrom([]string{`"` + secret + `"`, `'` + secret + `'`, secret, `"` + secret, `"env:` + secret + `-"`}).Draw(t, "form")
		text := base + strings.ReplaceAll(rapid.SampledFrom(places).Draw(t, "place"), "%", quoted)
		_, _, err := Parse("config.toml", []byte(text), nil)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Fatalf("%s\ngives %v", text, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(fullSample(f), "FOOTBRIDGE_SERVER__LISTEN=127.0.0.1:1")
	for _, c := range broken {
		if len(c.file) < 4096 {
			f.Add(c.file, "FOOTBRIDGE_LOG__LEVEL=warn")
		}
	}
	for _, c := range badOverrides {
		f.Add(overridable, variablePrefix+c.variable+"="+c.value)
	}
	for _, c := range noText {
		f.Add(c.content, "")
	}
	f.Fuzz(func(t *testing.T, text, entry string) {
		judgeResult(t, text, []string{entry})
	})
}
