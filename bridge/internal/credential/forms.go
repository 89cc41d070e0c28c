package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// encodings are the ways in which a secret gets about.
//
//nolint:gochecknoglobals // a table that is never written.
var encodings = [...]func(string) []string{
	func(s string) []string { return []string{s} },
	base64Forms,
	hexForms,
	urlForms,
	quotedForms,
	listForms,
}

// formsOf returns every text that gives the secret away, each once. All are at least as long as the secret, but for
// base64 from within a longer one, which is longer than 6 bytes.
func formsOf(s string) []string {
	var forms []string
	for _, encode := range encodings {
		forms = append(forms, encode(s)...)
	}
	slices.Sort(forms)
	forms = slices.Compact(forms)
	return slices.DeleteFunc(forms, func(f string) bool { return len(f) < minRedacted })
}

func base64Forms(s string) []string {
	var forms []string
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		whole := e.EncodeToString([]byte(s))
		forms = append(forms, whole, url.QueryEscape(whole), within(e, s, 0), within(e, s, 1), within(e, s, 2))
	}
	return forms
}

// within is what base64 shows of s wherever it stands in something longer, so many bytes after a multiple of three: the
// characters that depend on s alone.
func within(e *base64.Encoding, s string, after int) string {
	text := e.WithPadding(base64.NoPadding).EncodeToString([]byte("\x00\x00"[:after] + s))
	first := (after*8 + 5) / 6
	return text[first : (after+len(s))*8/6]
}

func hexForms(s string) []string {
	lower := hex.EncodeToString([]byte(s))
	return []string{lower, strings.ToUpper(lower)}
}

func urlForms(s string) []string {
	var every strings.Builder
	for _, b := range []byte(s) {
		fmt.Fprintf(&every, "%%%02X", b)
	}
	var forms []string
	for _, f := range []string{url.QueryEscape(s), url.PathEscape(s), every.String()} {
		forms = append(forms, f, lowerEscapes(f))
	}
	return forms
}

// lowerEscapes writes the hex digits of percent escapes in lower case.
func lowerEscapes(s string) string {
	out := []byte(s)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], bytes.ToLower(out[i+1:i+3]))
		}
	}
	return string(out)
}

func quotedForms(s string) []string {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	forms := []string{EscapeJSON(s), inner(strconv.Quote(s)), inner(strconv.QuoteToASCII(s))}
	if err := encoder.Encode(s); err == nil {
		forms = append(forms, inner(strings.TrimSuffix(plain.String(), "\n")))
	}
	return forms
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// listForms are the byte values as Go prints a []byte, and as JSON and Go's %#v and %X print lists of numbers.
func listForms(s string) []string {
	decimal := strings.Trim(fmt.Sprint([]byte(s)), "[]")
	return []string{
		decimal,
		strings.ReplaceAll(decimal, " ", ","),
		strings.ReplaceAll(decimal, " ", ", "),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(s)), "[]byte{"), "}"),
		fmt.Sprintf("% x", s),
		fmt.Sprintf("% X", s),
	}
}
