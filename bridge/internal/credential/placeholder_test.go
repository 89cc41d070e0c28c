package credential

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestReplace(t *testing.T) {
	p := NewPlaceholders([]byte("key"))
	have := map[string]Secret{"key": NewSecret(canary), "other": NewSecret("o-secret"), "unset": {}}
	token := p.Token("turn-1", "key")
	if !strings.HasPrefix(token, "fbcred_") || len(token) != 7+52 || url.QueryEscape(token) != token || token != p.Token("turn-1", "key") {
		t.Fatalf("token %q", token)
	}
	for in, want := range map[string]string{
		"":                                    "",
		"nothing here":                        "nothing here",
		"Bearer " + token:                     "Bearer " + canary,
		token + p.Token("turn-1", "other"):    canary + "o-secret",
		"fbcred_fbcred_" + token + "x":        "fbcred_fbcred_" + canary + "x",
		"what does fbcred_ mean?":             "what does fbcred_ mean?",
		token[:len(token)-1] + "!":            token[:len(token)-1] + "!",
		strings.ToUpper(token[:20]) + " text": strings.ToUpper(token[:20]) + " text",
	} {
		if got, err := p.Replace(in, "turn-1", have); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
}

func TestReplaceRefuses(t *testing.T) {
	p := NewPlaceholders([]byte("key"))
	have := map[string]Secret{"key": NewSecret(canary), "unset": {}}
	for name, in := range map[string]string{
		"another turn":       p.Token("turn-2", "key"),
		"unknown name":       p.Token("turn-1", "admin"),
		"another key":        NewPlaceholders([]byte("k")).Token("turn-1", "key"),
		"made up":            "fbcred_" + strings.Repeat("a", 52),
		"shifted boundaries": p.Token("turn-1k", "ey"),
	} {
		got, err := p.Replace("good "+p.Token("turn-1", "key")+" bad "+in, "turn-1", have)
		if !errors.Is(err, ErrForeign) || got != "" || strings.Contains(err.Error(), in) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if _, err := p.Replace(p.Token("turn-1", "unset"), "turn-1", have); !errors.Is(err, ErrUnset) {
		t.Errorf("credential without a value: %v", err)
	}
}

func TestReplacedSecretIsNotReadAgain(t *testing.T) {
	p := NewPlaceholders([]byte("key"))
	have := map[string]Secret{"a": NewSecret(p.Token("t", "b")), "b": NewSecret("inner")}
	if got, err := p.Replace(p.Token("t", "a"), "t", have); err != nil || got != p.Token("t", "b") {
		t.Fatalf("%q %v", got, err)
	}
}

func TestReplaceEscaped(t *testing.T) {
	p := NewPlaceholders([]byte("key"))
	rapid.Check(t, func(r *rapid.T) {
		value := rapid.StringN(1, -1, -1).Draw(r, "secret")
		have := map[string]Secret{"k": NewSecret(value)}
		body, err := p.ReplaceEscaped(`{"token":"`+p.Token("t", "k")+`"}`, "t", have, EscapeJSON)
		var got struct{ Token string }
		if err != nil || json.Unmarshal([]byte(body), &got) != nil || got.Token != value {
			r.Fatalf("%s %v", body, err)
		}
		query, err := p.ReplaceEscaped("a=1&k="+p.Token("t", "k")+"&z=1", "t", have, url.QueryEscape)
		values, bad := url.ParseQuery(query)
		if err != nil || bad != nil || values.Get("k") != value || len(values) != 3 {
			r.Fatalf("%s %v %v", query, err, bad)
		}
	})
}

func FuzzReplace(f *testing.F) {
	p := NewPlaceholders([]byte("key"))
	have := map[string]Secret{"k": NewSecret(canary)}
	f.Add("Bearer " + p.Token("t", "k"))
	f.Add("fbcred_fbcred_" + p.Token("u", "k"))
	f.Fuzz(func(t *testing.T, s string) {
		got, err := p.Replace(s, "t", have)
		if err != nil {
			return
		}
		if want := strings.ReplaceAll(s, p.Token("t", "k"), canary); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestVeil(t *testing.T) {
	token := NewPlaceholders([]byte("key")).Token("turn-1", "key")
	for in, want := range map[string]string{
		"":                         "",
		"nothing":                  "nothing",
		"a " + token + token + "!": "a [secret][secret]!",
		"what does fbcred_ mean?":  "what does fbcred_ mean?",
		token[:20]:                 token[:20],
	} {
		if got := Veil(in); got != want {
			t.Errorf("%q is veiled as %q, want %q", in, got, want)
		}
	}
}

// TestTokensAreSigned: claims before a placeholder leave as a token that is signed
// with its secret, and nothing else of the text changes.
func TestTokensAreSigned(t *testing.T) {
	p := NewPlaceholders([]byte("key"))
	have := map[string]Secret{"key": NewSecret("your-256-bit-secret"), "other": NewSecret("o-secret")}
	token := p.Token("turn-1", "key")
	// The example of jwt.io.
	const claims = "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
	const want = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + claims + ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
	for in, out := range map[string]string{
		`{"jwt":"fbjwt.` + claims + "." + token + `"}`:                     `{"jwt":"` + want + `"}`,
		"fbjwt." + claims + "." + token + " " + p.Token("turn-1", "other"): want + " o-secret",
		"fbjwt.fbjwt." + claims + "." + token:                              "fbjwt." + want,
		"fbjwt." + claims + ". " + token:                                   "fbjwt." + claims + ". your-256-bit-secret",
		"fbjwt.." + token:                                                  "fbjwt..your-256-bit-secret",
		"fbjwt.!." + token:                                                 "fbjwt.!.your-256-bit-secret",
		"what is fbjwt." + claims + ".?":                                   "what is fbjwt." + claims + ".?",
	} {
		if got, err := p.Replace(in, "turn-1", have); err != nil || got != out {
			t.Errorf("%q:\n got  %q %v\n want %q", in, got, err, out)
		}
	}
	if _, err := p.Replace("fbjwt."+claims+"."+token, "turn-2", have); !errors.Is(err, ErrForeign) {
		t.Errorf("a token of another turn: %v", err)
	}
	if got := Veil("say fbjwt." + claims + "." + token + "!"); got != "say "+Veiled+"!" {
		t.Errorf("veiled: %q", got)
	}
}
