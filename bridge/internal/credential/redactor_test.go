package credential

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func redacting(secrets ...string) *Redactor {
	r := NewRedactor()
	for _, s := range secrets {
		r.Add(NewSecret(s))
	}
	return r
}

// shown is how a secret may come to be printed, each found without the package's own code.
func shown(t testing.TB, s string) map[string]string {
	t.Helper()
	j, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	quoted := fmt.Sprintf("%q", s)
	return map[string]string{
		"plain":          s,
		"base64":         base64.StdEncoding.EncodeToString([]byte(s)),
		"base64 raw":     base64.RawStdEncoding.EncodeToString([]byte(s)),
		"base64 url":     base64.URLEncoding.EncodeToString([]byte(s)),
		"base64 url raw": base64.RawURLEncoding.EncodeToString([]byte(s)),
		"hex":            hex.EncodeToString([]byte(s)),
		"HEX":            strings.ToUpper(hex.EncodeToString([]byte(s))),
		"query":          url.QueryEscape(s),
		"path":           url.PathEscape(s),
		"json":           string(j[1 : len(j)-1]),
		"quoted":         quoted[1 : len(quoted)-1],
		"bytes":          strings.Trim(fmt.Sprint([]byte(s)), "[]"),
	}
}

func TestRedactEveryForm(t *testing.T) {
	for _, secret := range []string{canary, "abcdef", "ключ-от-двери", "a b c d e f", "\x00\x01\xfe\xff\x80zz", "line\nbreak\ttab"} {
		r := redacting(secret, "another-one")
		for name, form := range shown(t, secret) {
			if strings.ContainsRune(secret, 0xfffd) || (strings.Contains(secret, "\xff") && name == "json") {
				continue
			}
			for _, text := range []string{form, "dial https://u:" + form + "@host: refused", form + form, "x" + form + "y" + form} {
				if got := r.Redact(text); strings.Contains(got, form) || !strings.Contains(got, Mask) {
					t.Errorf("%q as %s: %q became %q", secret, name, text, got)
				}
			}
		}
	}
}

func TestRedactKeepsTheRest(t *testing.T) {
	r := redacting(canary, "secret-token")
	for in, want := range map[string]string{
		"":                       "",
		"short":                  "short",
		"nothing to hide here":   "nothing to hide here",
		"secret-toke n":          "secret-toke n",
		"a=secret-token b=1":     "a=[secret] b=1",
		"secret-tokensecret-tok": "[secret]secret-tok",
	} {
		if got := r.Redact(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := NewRedactor().Redact(canary); got != canary {
		t.Errorf("redactor without secrets made %q", got)
	}
	if got := redacting("tiny").Redact("a tiny word"); got != "a tiny word" {
		t.Errorf("a secret under six bytes made %q", got)
	}
}

func TestRedactInsideLongerBase64(t *testing.T) {
	r := redacting("p4ssw0rd-canary")
	for i := range 12 {
		text := "Basic " + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("u", i)+":p4ssw0rd-canary"+strings.Repeat("x", i%5)))
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Redact(text), "Basic "))
		if err == nil || strings.Contains(string(raw), "canary") || !strings.Contains(r.Redact(text), Mask) {
			t.Errorf("%d bytes before: %s", i, r.Redact(text))
		}
	}
}

func TestRedactOverlapping(t *testing.T) {
	r := redacting("abcdefgh", "efghijkl", "cdefgh", "abcdefghijklmnop")
	for in, want := range map[string]string{
		"-abcdefghijkl-":         "-[secret]-",
		"-abcdefghijklmnop-":     "-[secret]-",
		"-abcdefghcdefgh-":       "-[secret]-",
		"-abcdefg efghijk cdefg": "-abcdefg efghijk cdefg",
	} {
		if got := r.Redact(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestRedactDropsInDoubt(t *testing.T) {
	// Putting the mask in makes a text that is itself a secret: nothing is shown then.
	r := redacting("inside", "see [secret] here")
	if got := r.Redact("see inside here, and more"); got != Mask {
		t.Errorf("got %q", got)
	}
	if got := redacting("secret", "canary-1").Redact("canary-1 secret"); got != Mask+" "+Mask {
		t.Errorf("a secret that is part of the mask: %q", got)
	}
	broken := &Redactor{forms: map[[minRedacted]byte][]form{{'c', 'a', 'n', 'a', 'r', 'y'}: {{"canary", 1}}}}
	word, bit := slot("canary")
	broken.filter[word] |= bit
	if got := broken.Redact("a canary"); got != "a "+Mask {
		t.Errorf("got %q", got)
	}
	var none *Redactor
	if got := none.Redact(canary); got != Mask {
		t.Errorf("a redactor that failed let through %q", got)
	}
}

func TestRemove(t *testing.T) {
	r := redacting("token-one", "token-one", "token-two", base64.StdEncoding.EncodeToString([]byte("token-two")))
	r.Remove(NewSecret("token-one"))
	if got := r.Redact("token-one"); got != Mask {
		t.Errorf("added twice, removed once: %q", got)
	}
	r.Remove(NewSecret("token-one"))
	r.Remove(NewSecret("token-one"))
	r.Remove(NewSecret("never added"))
	if got := r.Redact("token-one token-two"); got != "token-one "+Mask {
		t.Errorf("got %q", got)
	}
	r.Remove(NewSecret("token-two"))
	if got := r.Redact(base64.StdEncoding.EncodeToString([]byte("token-two"))); got != Mask {
		t.Errorf("a form that two secrets share went with the first: %q", got)
	}
	r.Remove(NewSecret(base64.StdEncoding.EncodeToString([]byte("token-two"))))
	if len(r.forms)+len(r.secrets) != 0 {
		t.Errorf("%d forms and %d secrets stay for ever", len(r.forms), len(r.secrets))
	}
}

func TestRedactManySecretsProperty(t *testing.T) {
	gen := rapid.StringMatching(`[abc\[\]secrt]{6,12}`)
	rapid.Check(t, func(rt *rapid.T) {
		secrets := rapid.SliceOfN(gen, 1, 6).Draw(rt, "secrets")
		r := redacting(secrets...)
		parts := rapid.SliceOfN(rapid.OneOf(gen, rapid.SampledFrom(secrets), rapid.Just("[secret]"), rapid.Just("x")), 1, 8).Draw(rt, "parts")
		got := r.Redact(strings.Join(parts, ""))
		bare := strings.ReplaceAll(got, Mask, "\x00")
		for _, s := range secrets {
			if strings.Contains(bare, s) {
				rt.Fatalf("%q leaks %q", got, s)
			}
		}
	})
}

func TestRedactorIsForManyGoroutines(t *testing.T) {
	r := redacting(canary)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				own := NewSecret(fmt.Sprintf("token-%d-%d", i, j))
				r.Add(own)
				if got := r.Redact(own.Reveal() + canary); strings.Contains(got, "token") || strings.Contains(got, canary) {
					t.Errorf("leaked: %s", got)
				}
				r.Remove(own)
			}
		})
	}
	wg.Wait()
}

func FuzzRedact(f *testing.F) {
	f.Add(canary, "before ", " after")
	f.Add("secret", "[", "]")
	f.Add("\xff\xfe\x00abc", "%", "=")
	f.Add("aaaaaaaa", "aaa", "aa")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		r := redacting(secret, "another-canary")
		if len(secret) < minRedacted {
			return
		}
		for name, form := range shown(t, secret) {
			if name == "json" && strings.Contains(form, `\ufffd`) {
				continue // the secret is not text, and JSON does not carry it
			}
			got := strings.ReplaceAll(r.Redact(before+form+"another-canary"+after), Mask, "\x00")
			if strings.Contains(got, "another-canary") || (strings.Contains(got, form) && !strings.Contains(Mask, form) && !strings.ContainsRune(form, 0)) {
				t.Errorf("%s form %q of %q leaks in %q", name, form, secret, got)
			}
		}
	})
}

func BenchmarkRedactNothing(b *testing.B) {
	r := NewRedactor()
	for range 100 {
		r.Add(NewSecret(fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())))
	}
	line := strings.Repeat("call failed: connection refused by 10.0.0.1:443 ", 5)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		r.Redact(line)
	}
}
