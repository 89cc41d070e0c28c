package signature

import (
	"crypto/subtle"
	"encoding/base64"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// token checks a JSON Web Token: algorithm and key are the rule's, whatever the
// token says of them.
func (v *Verifier) token(r Request, given string, now time.Time) (string, error) {
	const longest = 16 << 10
	token, ok := strings.CutPrefix(given, v.rule.Prefix)
	cut := strings.LastIndexByte(token, '.')
	if !ok || cut < 0 || len(token) > longest {
		return "", ErrSignature
	}
	head, body, _ := strings.Cut(token[:cut], ".")
	signature, ok := segment(token[cut+1:])
	if !ok || !v.made([]byte(token[:cut]), signature) || !v.headed(head) {
		return "", ErrSignature
	}
	claims := map[string]jsontext.Value{}
	if data, ok := segment(body); !ok || json.Unmarshal(data, &claims) != nil || !v.claimed(claims, r.Body, now) {
		return "", ErrSignature
	}
	if v.rule.BodyClaim == "" {
		return "", nil
	}
	return "signature:" + digest(signature), nil
}

// segment reads one part of a token, written in the one way there is.
func segment(text string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return b, err == nil && base64.RawURLEncoding.EncodeToString(b) == text
}

// headed reports whether the header names the rule's algorithm, and no key or rule
// of its own.
func (v *Verifier) headed(head string) bool {
	data, ok := segment(head)
	header := map[string]jsontext.Value{}
	if !ok || json.Unmarshal(data, &header) != nil {
		return false
	}
	for _, own := range []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"} {
		if _, there := header[own]; there {
			return false
		}
	}
	return text(header["alg"]) == algorithms[v.rule.Algorithm].jwt
}

// claimed reports whether the claims are for us, now, and for this body.
func (v *Verifier) claimed(claims map[string]jsontext.Value, body []byte, now time.Time) bool {
	rule, skew := v.rule, v.rule.Tolerance()
	begins, fresh := now.Add(skew), now.Add(-skew)
	expires, ok := moment(claims["exp"])
	issued, dated := moment(claims["iat"])
	switch {
	case !ok || !now.Before(expires):
		return false
	case !before(claims["nbf"], begins) || !before(claims["iat"], begins):
		return false
	case rule.Issuer != "" && !texts(claims["iss"], rule.Issuer):
		return false
	case rule.Audience != "" && !texts(claims["aud"], rule.Audience):
		return false
	case rule.BodyClaim == "":
		return true
	}
	return dated && !issued.Before(fresh) && subtle.ConstantTimeCompare([]byte(text(claims[rule.BodyClaim])), []byte(digest(body))) == 1
}

// before reports whether a moment, where there is one, is not after the limit.
func before(value jsontext.Value, limit time.Time) bool {
	if value == nil {
		return true
	}
	at, ok := moment(value)
	return ok && !at.After(limit)
}

// moment reads a NumericDate.
func moment(value jsontext.Value) (time.Time, bool) {
	const latest = 1 << 40 // seconds; some 30,000 years
	var seconds float64
	if value == nil || json.Unmarshal(value, &seconds) != nil || seconds < 0 || seconds > latest || math.IsNaN(seconds) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(seconds * 1000)), true
}

// texts reports whether a value is the text, or a list that has it.
func texts(value jsontext.Value, want string) bool {
	var many []string
	return text(value) == want || value != nil && json.Unmarshal(value, &many) == nil && slices.Contains(many, want)
}

// text is a value that is one, or "".
func text(value jsontext.Value) string {
	var one string
	if value == nil || json.Unmarshal(value, &one) != nil {
		return ""
	}
	return one
}
