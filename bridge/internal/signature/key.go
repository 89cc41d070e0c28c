package signature

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// algorithm is one row of the table: how a key is made of a credential, and the
// name a token gives it.
type algorithm struct {
	keys func(adapter.Signature, credential.Secret) ([]check, error)
	jwt  string
}

//nolint:gochecknoglobals // a table that is never written.
var algorithms = map[string]algorithm{
	adapter.SignedHMACSHA256: {keys: shared(sha256.New)},
	adapter.SignedHMACSHA1:   {keys: shared(sha1.New)}, // by itself broken; in an HMAC it is not
	adapter.SignedRSASHA256:  {keys: public},
	adapter.SignedJWTRS256:   {keys: public, jwt: "RS256"},
	adapter.SignedJWTHS256:   {keys: shared(sha256.New), jwt: "HS256"},
}

func keysOf(rule adapter.Signature, s credential.Secret) ([]check, error) {
	if s.IsZero() {
		return nil, errors.New("a key to check signatures with is empty: set the credential")
	}
	a, ok := algorithms[rule.Algorithm]
	if !ok {
		return nil, fmt.Errorf("signature algorithm %q is unknown", rule.Algorithm)
	}
	return a.keys(rule, s)
}

// shared makes a key of a secret both sides have.
func shared(of func() hash.Hash) func(adapter.Signature, credential.Secret) ([]check, error) {
	return func(rule adapter.Signature, s credential.Secret) ([]check, error) {
		key := []byte(s.Reveal())
		if rule.KeyEncoding == "base64" {
			text, ok := strings.CutPrefix(s.Reveal(), rule.KeyPrefix)
			decoded, err := base64.StdEncoding.Strict().DecodeString(text)
			if !ok || err != nil || len(decoded) == 0 {
				return nil, fmt.Errorf("the key to check signatures with must be %q and base64: copy it whole", rule.KeyPrefix)
			}
			key = decoded
		}
		return []check{func(signed, signature []byte) bool {
			mac := hmac.New(of, key)
			mac.Write(signed)
			return hmac.Equal(mac.Sum(nil), signature)
		}}, nil
	}
}

// public makes a key of every public key or certificate in a PEM text.
func public(_ adapter.Signature, s credential.Secret) ([]check, error) {
	var keys []check
	for rest := []byte(s.Reveal()); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		key, err := publicKey(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, func(signed, signature []byte) bool {
			sum := sha256.Sum256(signed)
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
		})
	}
	if len(keys) == 0 {
		return nil, errors.New("the key to check signatures with is no PEM: give the vendor's public key, -----BEGIN PUBLIC KEY-----")
	}
	return keys, nil
}

func publicKey(block *pem.Block) (*rsa.PublicKey, error) {
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = c.PublicKey
		}
	default:
		return nil, fmt.Errorf("the key to check signatures with is a %s: give the vendor's public key", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the key to check signatures with cannot be read: %w", err)
	}
	found, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the key to check signatures with is not RSA: give the vendor's RSA key")
	}
	return found, nil
}

// decode reads a signature that is written in the one way its encoding has.
func decode(encoding, text string) ([]byte, bool) {
	if encoding == "hex" {
		b, err := hex.DecodeString(text)
		return b, err == nil && hex.EncodeToString(b) == text
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil && base64.StdEncoding.EncodeToString(b) == text
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
