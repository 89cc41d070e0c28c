package egress

import (
	"regexp"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// FuzzTarget: whatever an adapter or a vendor writes as an address, it leads to the one
// host of the account or nowhere. It begins with row H37 of the catalogue of bad input.
func FuzzTarget(f *testing.F) {
	for _, c := range forgeries(f, "80") {
		f.Add(c.address)
	}
	for _, address := range []string{"https://vendor.example/x?y#z", "HTTP://Vendor.Example:80", "https://vendor.example\\@evil.example", "https://vendor.example:443:80/"} {
		f.Add(address)
	}
	there := regexp.MustCompile(`(?i)^(http://vendor\.example(:80)?|https://vendor\.example(:443)?):?([/?#]|$)`)
	e := &Egress{o: Options{Placeholders: credential.NewPlaceholders([]byte("key"))}}
	f.Fuzz(func(t *testing.T, address string) {
		whole, err := e.target(Account{Hosts: []string{"vendor.example"}}, "t", address, "http", "https")
		if err == nil && !there.MatchString(whole) {
			t.Fatalf("%q leads to %q", address, whole)
		}
	})
}
