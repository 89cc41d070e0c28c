package engine

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// observe lets the route's observers listen from an event on that they begin
// with. Each listens once.
func (b *batch) observe(e event.Event) {
	c := b.c
	setup := c.e.setup.Load()
	route, ok := setup.routeNamed(c.doc.Route)
	if !ok || c.doc.Machine.Phase == conversation.Ended {
		return
	}
	for _, o := range route.Observers {
		a, known := setup.Accounts[o.Account]
		listens := slices.ContainsFunc(c.doc.Machine.Legs, func(l conversation.Leg) bool { return l.Account == o.Account })
		if !known || o.OpenOn != e.Kind() || listens {
			continue
		}
		if a.Unready != "" {
			b.report("observer_not_opened", "account "+o.Account+" is not ready: "+a.Unready)
			continue
		}
		state, l := c.doc.Machine.Attach(conversation.Leg{Account: o.Account, Role: event.RoleObserver})
		c.doc.Machine = state
		b.open(l)
		b.enqueue(l.ID, e)
	}
}

// report tells the live agent of a fault.
func (b *batch) report(code, detail string) {
	b.decide(conversation.Input{Actor: event.Actor{Role: event.RoleSystem},
		Body: event.ErrorReported{Code: code, Detail: detail}}, origin{})
}

// inContext is a place in an observer's address where a fact of the conversation
// goes.
//
//nolint:gochecknoglobals // compiled once, never written.
var inContext = regexp.MustCompile(`\{context\.([^{}]+)\}`)

// fillDial puts facts of the conversation into the path, query and headers of an
// observer's dial, never its host. Where that cannot be done it gives false, and
// the live agent is told once.
func (b *batch) fillDial(l *leg, d *adapter.Dial) bool {
	if l.Role != event.RoleObserver {
		return true
	}
	var missing []string
	fill := func(text string, escape func(string) string) string {
		return inContext.ReplaceAllStringFunc(text, func(place string) string {
			name := inContext.FindStringSubmatch(place)[1]
			value := b.c.doc.Attributes[name]
			if value == "" && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
			return escape(value)
		})
	}
	at := 0
	if i := strings.Index(d.URL, "://"); i >= 0 {
		at = i + len("://")
	}
	host, rest := d.URL, ""
	if cut := strings.IndexAny(d.URL[at:], "/?"); cut >= 0 {
		host, rest = d.URL[:at+cut], d.URL[at+cut:]
	}
	path, query, asked := strings.Cut(rest, "?")
	rest = fill(path, url.PathEscape)
	if asked {
		rest += "?" + fill(query, url.QueryEscape)
	}
	d.URL = host + rest
	header := http.Header{}
	for name, values := range d.Header {
		for _, v := range values {
			header.Add(name, fill(v, oneLine))
		}
	}
	d.Header = header
	why := ""
	switch {
	case inContext.MatchString(host):
		why = "its host may not come from the conversation"
	case len(missing) > 0:
		why = "the conversation's context lacks " + strings.Join(missing, ", ")
	}
	if why != "" && l.doc.Told != why {
		b.report("observer_not_opened", "account "+l.Account+": "+why)
	}
	l.doc.Told = why
	return why == ""
}

// oneLine keeps a value from ending its header.
func oneLine(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
}
