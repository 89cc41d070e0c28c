package adapter_test

import (
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// listener is a good profile that each case spoils.
func listener() adapter.Profile {
	return adapter.Profile{Hosts: []string{"api.example", "line.example:8443"},
		Endpoints: []adapter.Endpoint{{Name: "events", Method: "POST", Answer: adapter.AnswerAck, Key: "header:X-Key,body:/id", Dedup: "body:/id,signature", Unknown: adapter.UnknownWait}},
		Feeds: []adapter.Feed{{Name: "socket", URL: "https://api.example/open", Address: "/url", Credential: "token", Prefix: "Bearer ",
			Kind: "/type", Endpoints: map[string]string{"event": "events"}, Body: "/payload", Ack: "id", Ends: []string{"bye"}}}}
}

// TestFeedsThatCannotBeHeard: what could never be dialled, or never reach anybody, is
// told to its author.
func TestFeedsThatCannotBeHeard(t *testing.T) {
	type profile = adapter.Profile
	feed := func(p *profile) *adapter.Feed { return &p.Feeds[0] }
	end := func(p *profile) *adapter.Endpoint { return &p.Endpoints[0] }
	for want, spoil := range map[string]func(*profile){
		"|as it is":            func(*profile) {},
		"|its own address":     func(p *profile) { feed(p).URL, feed(p).Address = "wss://line.example:8443/", "" },
		"|the usual port":      func(p *profile) { feed(p).URL = "https://API.example:443/open" },
		"|nobody acknowledges": func(p *profile) { feed(p).Ack, end(p).Dedup = "", "" },
		"|a path too":          func(p *profile) { end(p).Path = "/events" },
		"|a list":              func(p *profile) { end(p).Batch = "/events" },

		"name is not lower case":                    func(p *profile) { feed(p).Name = "Socket" },
		"another feed has the same name":            func(p *profile) { p.Feeds = append(p.Feeds, p.Feeds[0]) },
		"url is no https URL":                       func(p *profile) { feed(p).URL = "wss://line.example:8443/" },
		"url is no wss URL":                         func(p *profile) { feed(p).Address = "" },
		"url is no https URL|whole":                 func(p *profile) { feed(p).URL = "https:///open" },
		"the host of url is not among hosts":        func(p *profile) { feed(p).URL = "https://line.example/open" },
		"the host of url is not among hosts|port":   func(p *profile) { feed(p).URL = "https://api.example:8443/open" },
		"kind is not empty":                         func(p *profile) { feed(p).Kind = "" },
		"are JSON pointers":                         func(p *profile) { feed(p).Kind = "type" },
		"are JSON pointers|body":                    func(p *profile) { feed(p).Body = "payload" },
		"are JSON pointers|address":                 func(p *profile) { feed(p).Address = "url" },
		"header and prefix are set":                 func(p *profile) { feed(p).Credential = "" },
		"no request can have":                       func(p *profile) { feed(p).Header = "X Key" },
		"endpoints is empty":                        func(p *profile) { feed(p).Endpoints, end(p).Path = nil, "/events" },
		"among ends and has an endpoint too":        func(p *profile) { feed(p).Ends = []string{"bye", "event"} },
		"there is no endpoint other":                func(p *profile) { feed(p).Endpoints["more"] = "other" },
		"endpoint events: it is a socket or raw":    func(p *profile) { end(p).Transport = adapter.TransportWebSocket },
		"endpoint events: it is a socket or raw|":   func(p *profile) { end(p).Raw = true },
		"endpoint events: answer is not ack":        func(p *profile) { end(p).Answer = adapter.AnswerReply },
		`key "header:X-Key" has no place`:           func(p *profile) { end(p).Key = "header:X-Key" },
		`dedup "signature" has no place`:            func(p *profile) { end(p).Dedup = "signature" },
		`dedup "" has no place`:                     func(p *profile) { end(p).Dedup = "" },
		"path is empty and no feed names it":        func(p *profile) { p.Endpoints = append(p.Endpoints, adapter.Endpoint{Name: "other"}) },
		"path is empty and no feed names it|nobody": func(p *profile) { p.Feeds = nil },
	} {
		want, _, _ = strings.Cut(want, "|")
		p := listener()
		spoil(&p)
		err := p.Check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
