package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// ErrToken says a token is not one of ours, is for something else, or is over.
var ErrToken = errors.New("token is not valid here")

// Minter makes and checks the tokens the bridge hands to those who speak a
// vendor's protocol to it: JSON Web Tokens (RFC 7519) signed with HS256, bound to
// an account, a name and the key of one leg. It may be used from many goroutines.
type Minter struct{ key []byte }

// NewMinter takes the signing key, from Keyring.Derive.
func NewMinter(key []byte) *Minter { return &Minter{append([]byte(nil), key...)} }

type claims struct {
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// mintedHeader is {"alg":"HS256","typ":"JWT"}. No other is ever accepted.
const mintedHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

// Mint makes a token for the key, good from at for ttl. The same arguments make
// the same token.
func (m *Minter) Mint(account, name, key string, at time.Time, ttl time.Duration) string {
	body, err := json.Marshal(claims{audience(account, name), key, at.Unix(), at.Add(ttl).Unix()})
	if err != nil {
		return "" // cannot happen: strings and numbers have a JSON form
	}
	return signed(m.key, base64.RawURLEncoding.EncodeToString(body))
}

// skew is how far ahead the clock may have been that a token was made by. One from
// further ahead was made by a wrong clock, and would be good for too long.
const skew = time.Minute

// Key checks a token for an account and a name, and gives the key it is bound to.
// Every fault is ErrToken.
func (m *Minter) Key(token, account, name string, now time.Time) (string, error) {
	const longest = 4096
	cut := strings.LastIndexByte(token, '.')
	if cut < 0 || len(token) > longest || !hmac.Equal([]byte(m.sign(token[:cut])), []byte(token[cut+1:])) {
		return "", ErrToken
	}
	header, body, _ := strings.Cut(token[:cut], ".")
	data, err := base64.RawURLEncoding.DecodeString(body)
	var c claims
	if err != nil || header != mintedHeader || json.Unmarshal(data, &c) != nil ||
		c.Audience != audience(account, name) || c.Subject == "" || now.Unix() >= c.Expires || c.Issued > now.Add(skew).Unix() {
		return "", ErrToken
	}
	return c.Subject, nil
}

func audience(account, name string) string { return account + "/" + name }

func (m *Minter) sign(text string) string { return hs256(m.key, text) }

func hs256(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
