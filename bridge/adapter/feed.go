package adapter

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Feed is a connection the bridge holds for an account, on which the vendor says what
// it would otherwise post to an endpoint. What a frame holds becomes a Request of that
// endpoint, with JSON as its body and without a query: an adapter is the same for both
// ways. Key, Dedup, Batch, Unknown, NoKey and MaxBody are the endpoint's.
type Feed struct {
	// Name is for people and metrics: lower case, once in a profile.
	Name string `json:"name"`
	// URL is the address of the connection, wss. Where Address is set it is an https
	// address instead: a POST there is answered with JSON that has the connection's
	// address at that JSON pointer. The hosts of both are among Profile.Hosts.
	URL     string `json:"url"`
	Address string `json:"address,omitempty"`
	// Credential is shown to URL after Prefix ("Bearer ") in Header, which is
	// "Authorization" where it is empty. "" shows none.
	Credential string `json:"credential,omitempty"`
	Header     string `json:"header,omitempty"`
	Prefix     string `json:"prefix,omitempty"`
	// Kind is the JSON pointer of what kind of frame it is: "/type".
	Kind string `json:"kind"`
	// Endpoints names the endpoint of each kind of frame. Frames of other kinds are
	// nobody's: they are acknowledged where they have an id, and nothing else.
	Endpoints map[string]string `json:"endpoints"`
	// Body is the JSON pointer of what the endpoint would be posted: "/payload"; "" is
	// the whole frame.
	Body string `json:"body,omitempty"`
	// Ack is the field of a frame with the id that is sent back, alone, once what the
	// frame says is stored or is known to be nobody's: "envelope_id" sends
	// {"envelope_id": id}. "" acknowledges nothing.
	Ack string `json:"ack,omitempty"`
	// Ends are the kinds of frame that announce the end of the connection: another is
	// opened before it is let go.
	Ends []string `json:"ends,omitempty"`
}

// fed reports whether a feed reaches the endpoint.
func (p Profile) fed(endpoint string) bool {
	return slices.ContainsFunc(p.Feeds, func(f Feed) bool {
		return slices.Contains(slices.Collect(maps.Values(f.Endpoints)), endpoint)
	})
}

// feedsFault is the first thing wrong with the feeds, or nil.
func (p Profile) feedsFault() error {
	seen := map[string]bool{}
	for _, f := range p.Feeds {
		text := f.fault(p.Hosts)
		if text == "" && seen[f.Name] {
			text = "another feed has the same name"
		}
		if text == "" {
			text = p.unfedFault(f)
		}
		if text != "" {
			return fmt.Errorf("feed %s: %s", f.Name, text)
		}
		seen[f.Name] = true
	}
	return nil
}

var feedName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// fault is the first thing wrong with a feed by itself, or "".
func (f Feed) fault(hosts []string) string {
	schemes := []string{"wss", "ws"}
	if f.Address != "" {
		schemes = []string{"https", "http"}
	}
	u, err := url.Parse(f.URL)
	if err != nil {
		u = &url.URL{}
	}
	ended := slices.IndexFunc(f.Ends, func(kind string) bool { return f.Endpoints[kind] != "" })
	return firstFault([]fault{
		{!feedName.MatchString(f.Name), "its name is not lower case"},
		{!slices.Contains(schemes, u.Scheme) || u.Host == "", "url is no " + schemes[0] + " URL: with address set the connection's address is asked for there over https, without it url is the connection's own"},
		{!hosted(hosts, u), "the host of url is not among hosts"},
		{f.Kind == "" || !isPointer(f.Kind) || !isPointer(f.Body) || !isPointer(f.Address), `kind, body and address are JSON pointers such as "/type", and kind is not empty`},
		{f.Credential == "" && f.Header+f.Prefix != "", "header and prefix are set but credential is not"},
		{!header(f.Header), "header names one that no request can have"},
		{len(f.Endpoints) == 0, "endpoints is empty: nothing it says would reach anybody"},
		{ended >= 0, "a kind of frame is among ends and has an endpoint too"},
	})
}

func isPointer(p string) bool { return p == "" || strings.HasPrefix(p, "/") }

// hosted reports whether the host of an address is on a list of Profile.Hosts.
func hosted(hosts []string, u *url.URL) bool {
	return slices.ContainsFunc(hosts, func(h string) bool {
		return strings.EqualFold(h, u.Host) || u.Port() == "443" && strings.EqualFold(h, u.Hostname())
	})
}

// unfedFault is the first thing for which a feed cannot speak to one of its endpoints,
// or "".
func (p Profile) unfedFault(f Feed) string {
	for _, name := range slices.Sorted(maps.Values(f.Endpoints)) {
		at := slices.IndexFunc(p.Endpoints, func(e Endpoint) bool { return e.Name == name })
		if at < 0 {
			return "there is no endpoint " + name
		}
		if text := p.Endpoints[at].unfedFault(f); text != "" {
			return "endpoint " + name + ": " + text
		}
	}
	return ""
}

func (e Endpoint) unfedFault(f Feed) string {
	return firstFault([]fault{
		{e.Transport != "" || e.Raw, "it is a socket or raw: what a frame holds is the JSON of a request"},
		{e.Answer != AnswerAck, "answer is not ack: a frame is acknowledged and has no other answer"},
		{!inBody(e.Key) && e.Key != "new", "key " + quoted(e.Key) + ` has no place in the body, and a frame has no other: add one after a comma, "header:X-Id,body:/id"`},
		{f.Ack != "" && !inBody(e.Dedup), "dedup " + quoted(e.Dedup) + ` has no place in the body: a frame whose acknowledgement is lost is sent again and would count twice; add one before or after a comma, "body:/id,signature"`},
	})
}

// inBody reports whether one of the places of a key or dedup id is in the body.
func inBody(places string) bool {
	return slices.ContainsFunc(strings.Split(places, ","), func(place string) bool {
		kind, _, _ := strings.Cut(place, ":")
		return kind == "body"
	})
}
