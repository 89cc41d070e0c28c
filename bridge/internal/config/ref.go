package config

import (
	"regexp"
	"strings"
)

// Ref points at a secret without holding it: env:NAME (an environment variable) or file:PATH (a file's content). It
// is safe to print. A Ref in a parsed Config is well formed; whether it leads to anything is not known here.
type Ref string

// Scheme is env or file, or empty for an empty or malformed Ref.
func (r Ref) Scheme() string {
	scheme, _, ok := strings.Cut(string(r), ":")
	if !ok {
		return ""
	}
	return scheme
}

// Target is the variable's name or the file's path.
func (r Ref) Target() string {
	_, target, _ := strings.Cut(string(r), ":")
	return target
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,255}$`)

// refRule never repeats the value: what is not a reference may be the secret itself.
func refRule(s string) (what, mend string) {
	const wanted = `write "env:NAME" or "file:PATH" and keep the secret there`
	ref := Ref(s)
	switch ref.Scheme() {
	case "env":
		if !variableName.MatchString(ref.Target()) {
			return "is a reference without a valid variable name (value not shown)", wanted
		}
	case "file":
		if !printable(ref.Target()) || ref.Target() == "" {
			return "is a reference without a valid path (value not shown)", wanted
		}
	default:
		return "is not a reference to a secret (value not shown)", wanted
	}
	return "", ""
}
