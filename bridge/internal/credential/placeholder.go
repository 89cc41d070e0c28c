package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

const placeholderPrefix = "fbcred_"

//nolint:gochecknoglobals // a table that is never written.
var placeholderText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// tokenLength is the length of a placeholder after its prefix.
//
//nolint:gochecknoglobals // a table that is never written.
var tokenLength = placeholderText.EncodedLen(sha256.Size)

// ErrForeign is returned by Replace for a placeholder that is not one of this turn and these credentials: an adapter
// kept it from another turn, or made it up.
var ErrForeign = errors.New("holds a placeholder of another turn, or for a credential the account does not have")

// Placeholders makes the stand-ins that adapters put where a secret belongs, and puts the secrets in their place when
// the bytes leave. Nobody without the key can make one. It may be used from many goroutines.
type Placeholders struct{ key []byte }

// NewPlaceholders takes the key, from Keyring.Derive.
func NewPlaceholders(key []byte) *Placeholders { return &Placeholders{append([]byte(nil), key...)} }

// Token returns the placeholder for a credential in one turn: the same each time that turn is run. Its characters need
// no escaping in a header, URL or JSON.
func (p *Placeholders) Token(turn, name string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(turn))))
	mac.Write([]byte(turn))
	mac.Write([]byte(name))
	return placeholderPrefix + placeholderText.EncodeToString(mac.Sum(nil))
}

// claimsPrefix stands before the claims of a token that is signed with a credential: fbjwt.CLAIMS.PLACEHOLDER, the
// claims in base64url. See adapter.Tx.Token.
const claimsPrefix = "fbjwt."

// cutClaims takes the claims of a token from the end of what stands before a placeholder; they are "" where it is
// for the secret itself.
func cutClaims(before string) (rest, claims string) {
	body, ok := strings.CutSuffix(before, ".")
	i := strings.LastIndex(body, claimsPrefix)
	if !ok || i < 0 {
		return before, ""
	}
	claims = body[i+len(claimsPrefix):]
	if _, err := base64.RawURLEncoding.DecodeString(claims); err != nil || claims == "" {
		return before, ""
	}
	return body[:i], claims
}

// signed is the JSON Web Token (RFC 7519) of claims in base64url, signed with HS256.
func signed(key []byte, claims string) string {
	text := mintedHeader + "." + claims
	return text + "." + hs256(key, text)
}

// Replace puts the secrets in lookup, by credential name, in the place of their placeholders of this turn. Any other
// whole placeholder is an ErrForeign, and then no text is returned. Use it for header values and plain bodies.
func (p *Placeholders) Replace(s, turn string, lookup map[string]Secret) (string, error) {
	return p.ReplaceEscaped(s, turn, lookup, func(value string) string { return value })
}

// ReplaceEscaped is Replace for a text in which a secret has to be escaped: url.QueryEscape for a query or form,
// url.PathEscape for a path, EscapeJSON for a JSON body.
func (p *Placeholders) ReplaceEscaped(s, turn string, lookup map[string]Secret, escape func(string) string) (string, error) {
	if !strings.Contains(s, placeholderPrefix) {
		return s, nil
	}
	known := make(map[string]string, len(lookup))
	for name := range lookup {
		known[p.Token(turn, name)] = name
	}
	var out strings.Builder
	for {
		before, token, after := nextPlaceholder(s)
		if token == "" {
			out.WriteString(before)
			return out.String(), nil
		}
		before, claims := cutClaims(before)
		out.WriteString(before)
		name, ok := known[token]
		if !ok {
			return "", fmt.Errorf("text %w", ErrForeign)
		}
		if lookup[name].IsZero() {
			return "", fmt.Errorf("credential %s %w: set it in the account's credentials", name, ErrUnset)
		}
		value := lookup[name].Reveal()
		if claims != "" {
			value = signed([]byte(value), claims)
		}
		out.WriteString(escape(value))
		s = after
	}
}

// nextPlaceholder cuts s around its first whole placeholder. The bare prefix is text like any other: a customer may
// have typed it.
func nextPlaceholder(s string) (before, token, after string) {
	for from := 0; ; {
		i := strings.Index(s[from:], placeholderPrefix)
		if i < 0 {
			return s, "", ""
		}
		start := from + i
		end := start + len(placeholderPrefix) + tokenLength
		if end <= len(s) && isToken(s[start+len(placeholderPrefix):end]) {
			return s[:start], s[start:end], s[end:]
		}
		from = start + len(placeholderPrefix)
	}
}

func isToken(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// EscapeJSON escapes a text for use between the quotes of a JSON string.
func EscapeJSON(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil || len(quoted) < 2 {
		return "" // cannot happen: every string has a JSON form
	}
	return string(quoted[1 : len(quoted)-1])
}

// Veiled is what Veil puts in a placeholder's place.
const Veiled = "[secret]"

// Veil puts a word for people in the place of every whole placeholder, whichever turn and credential it is of, and of
// the claims it is to sign. A
// placeholder is worth nothing outside its turn; this is so that nobody takes it for something to read.
func Veil(s string) string {
	var out strings.Builder
	for {
		before, token, after := nextPlaceholder(s)
		if token == "" {
			out.WriteString(before)
			return out.String()
		}
		before, _ = cutClaims(before)
		out.WriteString(before)
		out.WriteString(Veiled)
		s = after
	}
}
