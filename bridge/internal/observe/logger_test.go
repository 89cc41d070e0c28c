package observe

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// plain redacts nothing.
type plain struct{}

func (plain) Redact(s string) string { return s }

type valuer struct{ v any }

func (v valuer) LogValue() slog.Value { return slog.AnyValue(v.v) }

type stringer string

func (s stringer) String() string { return "stringer " + string(s) }

type panicky struct{ canary string }

func (p panicky) Error() string        { panic(p.canary) }
func (p panicky) LogValue() slog.Value { panic(p.canary) }

type endless struct{}

func (e endless) LogValue() slog.Value { return slog.GroupValue(slog.Any("again", e)) }

type nested struct {
	Name   string
	hidden []string
	Deep   map[string]any
}

var canaries = []string{"canary-0001-plain", "canary 2 with spaces & signs/+=", "cänary-3-ünicode", `canary "4" quoted \ back`, "canary\n5\tlines", "8800555351234567"}

// forms is how a canary may be printed.
func forms(s string) []string {
	j, _ := json.Marshal(s)
	b := []byte(s)
	return []string{
		s, base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b), hex.EncodeToString(b),
		strings.ToUpper(hex.EncodeToString(b)), url.QueryEscape(s), url.PathEscape(s), string(j[1 : len(j)-1]), strings.Trim(fmt.Sprint(b), "[]"),
	}
}

// everywhere logs a text in every place a text can be in.
func everywhere(log *slog.Logger, s string) {
	err := fmt.Errorf("dial %s: %w", s, errors.Join(errors.New(s), &url.Error{Op: "Get", URL: "https://x/?k=" + url.QueryEscape(s), Err: errors.New(s)}))
	log.Info(s)
	log.Info("m", s, s)
	odd := []any{"an argument without a value", s, s}
	log.Info("m", odd...)
	for _, v := range []any{
		s, &s, err, stringer(s), []byte(s), []string{s}, map[string]any{s: s}, struct{ A any }{s}, &nested{s, []string{s}, map[string]any{"x": []byte(s)}},
		nested{s, []string{s}, map[string]any{"x": err}}, valuer{s}, valuer{valuer{err}}, valuer{slog.GroupValue(slog.String(s, s))}, panicky{s}, url.UserPassword("u", s),
		slog.StringValue(s), slog.AnyValue(err), json.RawMessage(`{"a":"` + s + `"}`), any(nil), (*panicky)(nil), []error{err}, json.Number(s), endless{},
	} {
		log.Info("m", "v", v)
		log.Info("m", slog.Group("g", slog.Any("v", v), slog.Group("h", slog.Any("v", v))))
		log.With("v", v).WithGroup(s).With("w", v).Error("m", "x", v)
	}
	for _, form := range forms(s) {
		log.Warn("m " + form)
	}
	slog.NewLogLogger(log.Handler(), slog.LevelWarn).Printf("http: panic serving %s", s)
}

func TestNoSecretIsLogged(t *testing.T) {
	redactor := credential.NewRedactor()
	for _, c := range canaries {
		redactor.Add(credential.NewSecret(c))
	}
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log := NewLogger(&out, format, slog.LevelDebug, redactor, nil)
		for _, c := range canaries {
			everywhere(log, c)
			log.Info("numbers", "int", 8800555351234567, "uint", uint64(8800555351234567), "time", time.Unix(0, 8800555351234567))
		}
		for _, c := range canaries {
			for _, form := range forms(c) {
				if i := strings.Index(out.String(), form); i >= 0 {
					t.Errorf("%s: %q leaks as %q in %q", format, c, form, out.String()[max(0, i-100):min(out.Len(), i+100)])
				}
			}
		}
		if strings.Count(out.String(), credential.Mask) < 200 {
			t.Errorf("%s: hardly anything was logged:\n%s", format, out.String())
		}
	}
}

func TestTheSameIsLoggedWithoutRedactor(t *testing.T) {
	var out bytes.Buffer
	everywhere(NewLogger(&out, "text", slog.LevelDebug, plain{}, nil), canaries[0])
	if n := strings.Count(out.String(), canaries[0]); n < 100 {
		t.Errorf("the leak test would look at %d places only", n)
	}
}

func TestOrdinaryLinesStayReadable(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, "json", slog.LevelInfo, credential.NewRedactor(), nil)
	log.Debug("not logged")
	log.With("account", "studio").WithGroup("call").Info("call failed", "status", 503, "took", 2*time.Second, "err", errors.New("refused"), "ok", false, "", slog.GroupValue(), slog.Attr{})
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	delete(line, "time")
	got, err := json.Marshal(line)
	want := `{"account":"studio","call":{"err":"refused","ok":false,"status":503,"took":2000000000},"level":"INFO","msg":"call failed"}`
	if err != nil || string(got) != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"ordinary Grüße 漢字 👍🏽":    "ordinary Grüße 漢字 👍🏽",
		"a\nb\r\x00\x1b[31mred":   `a\u000ab\u000d\u0000\u001b[31mred`,
		"\u202eevil\u2066\u200f":  `\u202eevil\u2066\u200f`,
		"c1\u009b tag\U000e0041.": `c1\u009b tag\U000e0041.`,
		"bad\xff\xc3(":            `bad\xff\xc3(`,
		"lost \ufffd \xef":        `lost \ufffd \xef`,
		"\u2028\u2029\ufeff":      `\u2028\u2029\ufeff`,
	} {
		if got := cleanText(in, plain{}); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestOneLineEach(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log := NewLogger(&out, format, slog.LevelInfo, plain{}, nil)
		log.Info("a\nlevel=ERROR msg=forged", "k\n", "v\n\x1b\u202e")
		if strings.Count(out.String(), "\n") != 1 || strings.ContainsAny(out.String(), "\x1b\u202e") {
			t.Errorf("%s: %q", format, out.String())
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	redactor := credential.NewRedactor()
	secret := strings.Repeat("0123456789", 100) + "-canary"
	redactor.Add(credential.NewSecret(secret))
	for name, in := range map[string]string{
		"letters":                strings.Repeat("x", 1<<20),
		"wide letters":           strings.Repeat("漢", 1<<20),
		"secret across the cut":  strings.Repeat("x", maxValue-500) + secret + strings.Repeat("y", maxValue),
		"secret across the end":  strings.Repeat("x", maxInput-500) + secret,
		"secrets up to the end":  strings.Repeat(secret, 1000),
		"control characters":     strings.Repeat("\x00", 8000),
		"secret at 8 KiB sharp":  strings.Repeat("x", maxValue-len(secret)+3) + secret,
		"secret in a short text": secret,
	} {
		got := cleanText(in, redactor)
		if len(got) > maxValue+len(cutMark) || strings.Contains(got, "0123456789") {
			t.Errorf("%s: %d bytes, %.80q", name, len(got), got)
		}
		if cut := strings.HasSuffix(got, cutMark); cut != (name != "secret in a short text" && name != "secret at 8 KiB sharp") {
			t.Errorf("%s: marked as cut: %t", name, cut)
		}
	}
}

func FuzzCleanText(f *testing.F) {
	redactor := credential.NewRedactor()
	const secret = "okapi-secret" // which no code of a hidden character ends with the beginning of
	redactor.Add(credential.NewSecret(secret))
	f.Add("x okapi-secret \u202e \xff")
	f.Add("\fanary-secret \fokapi-secret")
	f.Fuzz(func(t *testing.T, s string) {
		got := cleanText(s, redactor)
		if strings.Contains(got, secret) || strings.ContainsFunc(got, hidden) || len(got) > maxValue+len(cutMark) {
			t.Errorf("%q became %q", s, got)
		}
	})
}

// doubtful is a redactor that cannot decide about one word.
type doubtful struct{}

func (doubtful) Redact(s string) string {
	if strings.Contains(s, "okapi") {
		panic("cannot decide about " + s)
	}
	return s
}

// A line that cannot be cleaned is not written, and is counted; the next is.
func TestALineThatCannotBeCleanedIsDropped(t *testing.T) {
	var out bytes.Buffer
	dropped := 0
	log := NewLogger(&out, "text", slog.LevelInfo, doubtful{}, func() { dropped++ })
	log.Info("an okapi")
	log.Info("line", "what", errors.New("an okapi"))
	log.With("what", "okapi").Info("with")
	log.Info("fine")
	if got := out.String(); dropped != 3 || strings.Contains(got, "okapi") || strings.Count(got, "\n") != 2 || !strings.Contains(got, "fine") {
		t.Errorf("%d dropped of\n%s", dropped, got)
	}
}
