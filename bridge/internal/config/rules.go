package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// rule judges the form of a string that is not empty: what is wrong with it and how to mend it, or nothing. What may
// hold a secret by mistake is not repeated.
type rule func(s string) (what, mend string)

// rules are the forms that tags name.
//
//nolint:gochecknoglobals // a table that is never written.
var rules = map[string]rule{
	"chat-text":   chatTextRule,
	"color":       pattern(`^#[0-9a-fA-F]{6}$`, "is not a colour", `write such as "#1f6f6b"`),
	"date":        dateRule,
	"host":        hostRule,
	"hostport":    hostPortRule,
	"inbound":     inboundRule,
	"label":       labelRule,
	"language":    pattern(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`, "is not a language", `write a language tag such as "en" or "pt-BR"`),
	"listen":      listenRule,
	"media-type":  pattern(`^[a-z]+/(\*|[a-z0-9][a-z0-9.+-]{0,99})$`, "is not a media type", `write such as "image/png" or "image/*"`),
	"name":        pattern(`^[a-z0-9][a-z0-9_-]{0,63}$`, "is not a name", "use 1 to 64 of a-z, 0-9, _ and -, the first a letter or digit"),
	"origin":      originRule,
	"path":        pathRule,
	"prefix":      prefixRule,
	"publishable": pattern(`^[A-Za-z0-9_-]{4,128}$`, "is not a publishable key", "use 4 to 128 letters, digits, _ and -"),
	"range":       rangeRule,
	"ref":         refRule,
	"sha256":      pattern(`^[0-9a-f]{64}$`, "is not a SHA-256", "give 64 lower-case hex digits, as sha256sum prints them"),
	"text":        textRule,
	"text-key":    textKeyRule,
	"timezone":    timezoneRule,
	"url":         urlRule,
}

// pattern makes a rule of an expression, for values that may be shown.
func pattern(expression, what, mend string) rule {
	compiled := regexp.MustCompile(expression)
	return func(s string) (string, string) {
		if compiled.MatchString(s) {
			return "", ""
		}
		return what + ": " + quote(s), mend
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func labelRule(s string) (what, mend string) {
	if !printable(s) || utf8.RuneCountInString(s) > 128 || strings.TrimSpace(s) != s || s == "" {
		return "is not a usable name: " + quote(s), "use 1 to 128 printable characters without space around them"
	}
	return "", ""
}

func pathRule(s string) (what, mend string) {
	if !printable(s) || strings.HasPrefix(s, "-----BEGIN") {
		return "is not a path (value not shown)", "give the path of a file or folder"
	}
	if strings.HasPrefix(s, "file:") || strings.HasPrefix(s, "env:") {
		return "is a reference, must be a path: " + quote(s), "write the path alone"
	}
	return "", ""
}

func listenRule(s string) (what, mend string) {
	const wanted = `write host:port, such as "127.0.0.1:8080"`
	host, port, err := net.SplitHostPort(s)
	if err != nil || !numericPort(port, 0) {
		return "is not an address to listen on: " + quote(s), wanted
	}
	if host == "" {
		return "", ""
	}
	if bad, _ := hostOnly(host); bad {
		return "is not an address to listen on: " + quote(s), wanted
	}
	return "", ""
}

func numericPort(s string, least uint64) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n >= least && strconv.FormatUint(n, 10) == s
}

var hostName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// hostOnly judges a host name or IP address.
func hostOnly(s string) (bad bool, mend string) {
	if _, err := netip.ParseAddr(s); err == nil {
		return false, ""
	}
	if hostName.MatchString(s) && len(s) <= 253 {
		return false, ""
	}
	if lower := strings.TrimSuffix(strings.ToLower(s), "."); hostName.MatchString(lower) {
		return true, "write it as " + quote(lower)
	}
	return true, `write a host alone, lower case, such as "chat.example.com" (other scripts as xn--…)`
}

func hostRule(s string) (what, mend string) {
	if bad, mend := hostOnly(s); bad {
		return "is not a host: " + quote(s), mend
	}
	return "", ""
}

func hostPortRule(s string) (what, mend string) {
	host := s
	if h, port, err := net.SplitHostPort(s); err == nil {
		if !numericPort(port, 1) {
			return "has no usable port: " + quote(s), "give a port from 1 to 65535, or the host alone"
		}
		host = h
	}
	if bad, mend := hostOnly(host); bad {
		return "is not a host: " + quote(s), mend
	}
	return "", ""
}

func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	return prefix.Masked(), err
}

func prefixRule(s string) (what, mend string) {
	if _, err := parsePrefix(s); err != nil {
		return "is neither an IP address nor a network: " + quote(s), `write such as "10.0.0.7" or "10.0.0.0/8"`
	}
	return "", ""
}

// webAddress parses an http(s) address of nothing but scheme, host, port and path. It is not shown on failure, as it
// may carry a password.
func webAddress(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.ContainsAny(s, "?#") {
		return nil, false
	}
	if bad, _ := hostOnly(u.Hostname()); bad || u.Host != u.Hostname() && strings.HasSuffix(u.Host, ":") {
		return nil, false
	}
	return u, u.Port() == "" || numericPort(u.Port(), 1)
}

func urlRule(s string) (what, mend string) {
	if _, ok := webAddress(s); !ok {
		return "is not a usable address (value not shown)", `write such as "https://chat.example.com", without user, query or fragment`
	}
	return "", ""
}

func originRule(s string) (what, mend string) {
	if u, ok := webAddress(s); !ok || u.Path != "" {
		return "is not an origin (value not shown)", `write scheme and host alone, such as "https://www.example.com"`
	}
	return "", ""
}

var (
	queryName  = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,64}$`)
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")
)

// inboundRule does not repeat the value: a secret may have been put there.
func inboundRule(s string) (what, mend string) {
	place, name, _ := strings.Cut(s, ":")
	if place == "query" && queryName.MatchString(name) || place == "header" && headerName.MatchString(name) {
		return "", ""
	}
	return "is not a place for a credential (value not shown)", `write "query:NAME" or "header:NAME"; the secret goes into credentials.inbound`
}

func textRule(s string) (what, mend string) {
	if utf8.RuneCountInString(s) > 2000 {
		return "is longer than 2,000 characters", "shorten it"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		return "has control characters", "write plain text"
	}
	return "", ""
}

func textKeyRule(s string) (what, mend string) {
	for _, text := range texts {
		if text.key == s {
			return "", ""
		}
	}
	return "is unknown", choiceMend(s, TextKeys())
}

func chatTextRule(s string) (what, mend string) {
	keys := ChatTextKeys()
	if slices.Contains(keys, s) {
		return "", ""
	}
	return "is unknown", choiceMend(s, keys)
}

func dateRule(s string) (what, mend string) {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil || day.Year() < 2000 || day.Year() > 2199 {
		return "is not a date: " + quote(s), `write year-month-day in quotes, such as "2026-12-25"`
	}
	return "", ""
}

func timezoneRule(s string) (what, mend string) {
	if _, err := zone(s); err != nil {
		return "unknown time zone " + quote(s), `use an IANA name such as "Europe/Berlin", or "UTC"`
	}
	return "", ""
}

func rangeRule(s string) (what, mend string) {
	r, ok := parseSpan(s)
	switch {
	case !ok:
		return "is not a range of hours: " + quote(s), `write such as "09:00-17:30"`
	case r.from >= r.to:
		return "ends before it begins: " + quote(s), `a range over midnight is two: "22:00-24:00" and, the next day, "00:00-06:00"`
	}
	return "", ""
}
