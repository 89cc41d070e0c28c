package credential

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "cAnArY-0123456789/+&=\"<é>"

func TestSecretNeverShows(t *testing.T) {
	s := NewSecret(canary)
	type holder struct {
		Name   string
		Public Secret
		inner  Secret
	}
	h := holder{"x", s, s}
	var out bytes.Buffer
	values := []any{s, &s, h, &h, []Secret{s}, map[string]Secret{"a": s}, []any{s}, fmt.Errorf("dial: %v", s)}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T", "%p"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(j)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
	}
	x, err := xml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(x)
	for _, form := range formsOf(canary) {
		if strings.Contains(out.String(), form) {
			t.Errorf("shown as %q", form)
		}
	}
	if s.Reveal() != canary || s.String() != Mask || fmt.Sprint(s) != Mask {
		t.Error("a secret must reveal itself when asked to, and only then")
	}
}

func TestEqual(t *testing.T) {
	a, b := NewSecret("one-secret"), NewSecret("one-"+"secret")
	if !a.Equal(b) || a.Equal(NewSecret("another")) || a.Equal(Secret{}) || !a.Matches("one-secret") || a.Matches("") {
		t.Error("equal is by value")
	}
	var none Secret
	if none.Equal(none) || none.Equal(NewSecret("")) || NewSecret("").Matches("") || !none.IsZero() {
		t.Error("no credential must equal nothing, not even none")
	}
}

func file(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func lookup(name string) (string, bool) {
	v, ok := map[string]string{"KEY": canary, "EMPTY": ""}[name]
	return v, ok
}

// link gives a link to a file.
func link(t *testing.T, to string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestResolve(t *testing.T) {
	for ref, want := range map[string]string{
		"env:KEY":                               canary,
		"file:" + file(t, canary+"\n", 0o600):   canary,
		"file:" + file(t, canary+"\r\n", 0o400): canary,
		"file:" + file(t, "a\nb\n\n", 0o640):    "a\nb\n",
		"file:" + file(t, " spaced ", 0o600):    " spaced ",
		// Secrets are mounted as links; what counts is the file behind.
		"file:" + link(t, file(t, canary, 0o600)): canary,
	} {
		s, err := Resolve(ref, lookup)
		if err != nil || s.Reveal() != want {
			t.Errorf("%s: %q, %v", ref, s.Reveal(), err)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	for ref, want := range map[string]string{
		"env:MISSING": "set it", "env:EMPTY": "set it",
		"env:": "write env:NAME", "env:" + canary: "write env:NAME",
		canary: "write env:NAME or file:PATH", "": "write env:NAME or file:PATH", "ENV:KEY": "write env:NAME or file:PATH",
		"file:" + file(t, canary, 0o604):                      "chmod 600",
		"file:" + file(t, canary, 0o644):                      "chmod 600",
		"file:" + link(t, file(t, canary, 0o644)):             "chmod 600",
		"file:" + file(t, canary, 0o602):                      "chmod 600",
		"file:" + file(t, "", 0o600):                          "is empty",
		"file:" + file(t, "\n", 0o600):                        "is empty",
		"file:" + file(t, strings.Repeat("x", 20_000), 0o600): "is over",
		"file:" + t.TempDir():                                 "regular file",
		"file:/nowhere/at/all":                                "make it",
		"file:":                                               "make it",
	} {
		s, err := Resolve(ref, lookup)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) || !s.IsZero() {
			t.Errorf("%s: %v, want an error with %q", ref, err, want)
		}
		if unset := ref == "env:MISSING" || ref == "env:EMPTY"; errors.Is(err, ErrUnset) != unset {
			t.Errorf("%s: ErrUnset is for unset variables alone, got %v", ref, err)
		}
	}
}
