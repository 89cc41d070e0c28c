package codec

import (
	"cmp"
	"fmt"
	"mime"
	"net/url"
	"path"
	"slices"
	"strings"
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

// WebAddress is an address a vendor names where it is one of the web, with its host, or
// "".
func WebAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return text
}

// FileName is the name of the file an address ends with, or "".
func FileName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if name := path.Base(u.Path); name != "." && name != "/" {
		return name
	}
	return ""
}

// MediaType is what a vendor's word for a file's type says: the kind that event.Media has
// for it, "file" where no other, and the type without its parameters, "" where it is none.
func MediaType(text string) (kind, name string) {
	name, _, err := mime.ParseMediaType(text)
	if err != nil {
		name = ""
	}
	head, _, _ := strings.Cut(name, "/")
	return cmp.Or(map[string]string{"image": "image", "audio": "audio", "video": "video"}[head], "file"), name
}
