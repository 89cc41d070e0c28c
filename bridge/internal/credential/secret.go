package credential

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Mask stands wherever a secret would have been shown.
const Mask = "[secret]"

// Secret is a credential in memory. However it is printed, logged or marshalled it shows as Mask, also as an unexported
// field of something else. The zero Secret is no credential: it equals nothing and matches nothing. Secrets may be used
// from many goroutines, and cannot be compared with ==.
type Secret struct{ reveal func() string }

// NewSecret wraps a value that came some other way than Resolve, such as a token found in a vendor's response.
func NewSecret(value string) Secret {
	return Secret{func() string { return value }}
}

// Reveal returns the value. Call it only where the bytes leave for the far side they belong to.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero tells that there is no credential, or an empty one.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal tells whether both are the same credential, in a time that does not depend on where they differ.
func (s Secret) Equal(other Secret) bool { return s.Matches(other.Reveal()) }

// Matches tells whether the credential has this value, in a time that does not depend on where they differ. An empty
// credential matches nothing, not even the empty text.
func (s Secret) Matches(value string) bool {
	own, given := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(value))
	return subtle.ConstantTimeCompare(own[:], given[:]) == 1 && !s.IsZero()
}

// String returns Mask.
func (s Secret) String() string { return Mask }

// Format writes Mask for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// LogValue returns Mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalJSON returns Mask as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }

// MarshalText returns Mask.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Mask), nil }
