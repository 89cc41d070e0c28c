package codec

import (
	"fmt"
	"net/url"
	"slices"
)

// Address reads a setting that is an absolute address. Its scheme is one of
// schemes, and it has no name and password; the error names the setting and the
// mend, with the first of the schemes.
func Address(setting, value string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.User != nil || !slices.Contains(schemes, u.Scheme) {
		return nil, fmt.Errorf("setting %s is %q: use an address such as %s://host/path", setting, value, schemes[0])
	}
	return u, nil
}
