package openid

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"time"
)

// askAgain is how soon the keys are read again for a token that names one we do
// not have: a provider may have changed its keys, a stranger may make names up.
const askAgain = 10 * time.Second

// maxKeys bounds a key set; no provider has so many.
const maxKeys = 100

// jwk is one key as the provider writes it.
type jwk struct {
	Kind  string `json:"kty"`
	ID    string `json:"kid"`
	Use   string `json:"use"`
	Alg   string `json:"alg"`
	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// key is one that can be used, for the algorithms of its kind and no other.
type key struct {
	id, only string
	public   crypto.PublicKey
}

type keySet struct {
	all  []key
	read time.Time
}

// algorithms are those a token may be signed with. What is not here, such as none
// and all with a shared secret, is no signature.
//
//nolint:gochecknoglobals // a table that is never written.
var algorithms = map[string]func(public crypto.PublicKey, signed, signature []byte) bool{
	"RS256": func(public crypto.PublicKey, signed, signature []byte) bool {
		k, ok := public.(*rsa.PublicKey)
		sum := sha256.Sum256(signed)
		return ok && rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) == nil
	},
	"PS256": func(public crypto.PublicKey, signed, signature []byte) bool {
		k, ok := public.(*rsa.PublicKey)
		sum := sha256.Sum256(signed)
		return ok && rsa.VerifyPSS(k, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: sha256.Size}) == nil
	},
	"ES256": func(public crypto.PublicKey, signed, signature []byte) bool {
		k, ok := public.(*ecdsa.PublicKey)
		sum := sha256.Sum256(signed)
		return ok && len(signature) == 64 &&
			ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	},
	"EdDSA": func(public crypto.PublicKey, signed, signature []byte) bool {
		k, ok := public.(ed25519.PublicKey)
		return ok && ed25519.Verify(k, signed, signature)
	},
}

// readKeys takes the keys that can be used; others are passed over.
func readKeys(all []jwk) []key {
	var out []key
	for _, j := range all[:min(len(all), maxKeys)] {
		if public := j.public(); public != nil && (j.Use == "" || j.Use == "sig") {
			out = append(out, key{id: j.ID, only: j.Alg, public: public})
		}
	}
	return out
}

// public is nil for a key of another kind, or one that is too weak.
func (j jwk) public() crypto.PublicKey {
	switch {
	case j.Kind == "RSA":
		n, e := number(j.N), number(j.E)
		if bits := n.BitLen(); bits < 2048 || bits > 8192 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || e.Bit(0) == 0 {
			return nil
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}
	case j.Kind == "EC" && j.Curve == "P-256":
		point := append(append([]byte{4}, coordinate(j.X)...), coordinate(j.Y)...)
		if k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err == nil {
			return k
		}
	case j.Kind == "OKP" && j.Curve == "Ed25519":
		if x := coordinate(j.X); len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x)
		}
	}
	return nil
}

func coordinate(text string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

func number(text string) *big.Int { return new(big.Int).SetBytes(coordinate(text)) }

// find gives the keys a token may be signed with: those of its name, or where it
// names none all. A name that is not known is asked for, but not all the time.
func (p *Provider) find(ctx context.Context, id, alg string) ([]key, error) {
	about, err := p.metadata(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	age := time.Since(p.keys.read)
	found := p.keys.of(id, alg)
	if age < askAgain || len(found) > 0 && age < freshFor {
		return found, nil
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := p.get(ctx, about.Keys, &set); err != nil {
		return nil, fmt.Errorf("read the provider's keys: %w", err)
	}
	p.keys = keySet{all: readKeys(set.Keys), read: time.Now()}
	return p.keys.of(id, alg), nil
}

func (s keySet) of(id, alg string) []key {
	var found []key
	for _, k := range s.all {
		if (id == "" || k.id == id) && (k.only == "" || k.only == alg) {
			found = append(found, k)
		}
	}
	return found
}
