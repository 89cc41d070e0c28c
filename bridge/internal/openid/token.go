package openid

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxToken = 32 << 10
	// skew is how far the provider's clock may be from ours; stale how long ago a
	// token may have been made that was asked for just now.
	skew  = time.Minute
	stale = 10 * time.Minute
	// maxLabel is the longest id or name, in characters.
	maxLabel = 128
)

// claims are a token's, after it was believed.
type claims struct {
	Issuer  string         `json:"iss"`
	Subject string         `json:"sub"`
	Aud     jsontext.Value `json:"aud"`
	Party   *string        `json:"azp"`
	Expires *float64       `json:"exp"`
	Issued  *float64       `json:"iat"`
	Before  *float64       `json:"nbf"`
	Nonce   string         `json:"nonce"`

	others map[string]jsontext.Value
}

// verify believes a token, or says why not.
func (p *Provider) verify(ctx context.Context, raw, nonce string, now time.Time) (claims, error) {
	payload, err := p.signed(ctx, raw)
	if err != nil {
		return claims{}, err
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil || json.Unmarshal(payload, &c.others) != nil {
		return claims{}, refused("the token's claims cannot be read")
	}
	return c, p.believe(c, nonce, now)
}

// signed gives the claims of a token that one of the provider's keys signed.
func (p *Provider) signed(ctx context.Context, raw string) ([]byte, error) {
	parts := strings.Split(raw, ".")
	if len(raw) > maxToken || len(parts) != 3 {
		return nil, refused("this is no token")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return nil, refused("the token is not written as tokens are")
		}
	}
	var head struct {
		Alg  string         `json:"alg"`
		ID   string         `json:"kid"`
		Crit jsontext.Value `json:"crit"`
	}
	if err := json.Unmarshal(decoded[0], &head); err != nil || head.Crit != nil {
		return nil, refused("the token's head cannot be read")
	}
	check, ok := algorithms[head.Alg]
	if !ok {
		return nil, refused("algorithm %.20q is none we take", head.Alg)
	}
	keys, err := p.find(ctx, head.ID, head.Alg)
	if err != nil {
		return nil, err
	}
	text := []byte(parts[0] + "." + parts[1])
	if !slices.ContainsFunc(keys, func(k key) bool { return check(k.public, text, decoded[2]) }) {
		return nil, refused("the token is not signed with a key of the provider")
	}
	return decoded[1], nil
}

// believe tells whether a signed token is for us, of this sign-in, and of now.
func (p *Provider) believe(c claims, nonce string, now time.Time) error {
	aud := c.audiences()
	switch {
	case c.Issuer != p.o.Issuer:
		return refused("the token is of issuer %.100q", c.Issuer)
	case !slices.Contains(aud, p.o.ClientID):
		return refused("the token is for another client")
	case c.Party != nil && *c.Party != p.o.ClientID, c.Party == nil && len(aud) > 1:
		return refused("the token was given to another client")
	case nonce == "" || subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(nonce)) != 1:
		return refused("the token is of another sign-in")
	case c.Subject == "" || utf8.RuneCountInString(c.Subject) > 255 || !printable(c.Subject):
		return refused("the token names nobody")
	}
	return inTime(c, now)
}

func inTime(c claims, now time.Time) error {
	at := float64(now.Unix())
	switch {
	case c.Expires == nil || c.Issued == nil:
		return refused("the token does not say when it ends or was made")
	case !(at < *c.Expires+skew.Seconds()):
		return refused("the token has expired")
	case !(*c.Issued <= at+skew.Seconds()), c.Before != nil && !(*c.Before <= at+skew.Seconds()):
		return refused("the token is of the future")
	case !(*c.Issued >= at-stale.Seconds()):
		return refused("the token is not of this sign-in: it is too old")
	}
	return nil
}

func (c claims) audiences() []string { return texts(c.Aud) }

// texts reads a claim that is a text or a list of texts; anything else is none.
func texts(v jsontext.Value) []string {
	var one string
	if json.Unmarshal(v, &one) == nil {
		return []string{one}
	}
	var many []string
	if json.Unmarshal(v, &many) != nil {
		return nil
	}
	return many
}

func (c claims) texts(name string) []string { return texts(c.others[name]) }

func (c claims) text(name string) string {
	if all := c.texts(name); len(all) == 1 {
		return all[0]
	}
	return ""
}

// label is a name people read, or nothing where it is not fit to be one.
func label(s string) string {
	if s = strings.TrimSpace(s); utf8.RuneCountInString(s) > maxLabel || !printable(s) {
		return ""
	}
	return s
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
