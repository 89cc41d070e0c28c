package engine

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// notOpened is the code people are told that an observer does not listen with.
const notOpened = "observer_not_opened"

// observe lets the route's observers listen from an event on that they begin
// with. Each listens once. It gives the legs that begin, and why others do not,
// each once.
func (b *batch) observe(e event.Event) (joined, absent []string) {
	c := b.c
	setup := c.e.setup.Load()
	route, ok := setup.routeNamed(c.doc.Route)
	if !ok || c.doc.Machine.Phase == conversation.Ended {
		return nil, nil
	}
	for _, o := range route.Observers {
		a, known := setup.Accounts[o.Account]
		listens := slices.ContainsFunc(c.doc.Machine.Legs, func(l conversation.Leg) bool { return l.Account == o.Account })
		switch {
		case !known || o.OpenOn != e.Kind() || listens:
		case a.Unready == "" && !c.e.drained.has(o.Account):
			state, l := c.doc.Machine.Attach(conversation.Leg{Account: o.Account, Role: event.RoleObserver})
			c.doc.Machine = state
			b.open(l)
			b.enqueue(l.ID, e)
			joined = append(joined, l.ID)
		case !slices.Contains(c.doc.Absent, o.Account):
			c.doc.Absent = append(c.doc.Absent, o.Account)
			absent = append(absent, "account "+o.Account+" is not ready: "+cmp.Or(a.Unready, ErrDrained.Error()))
		}
	}
	return joined, absent
}

// newcomers are the observers that began earlier in a step and are to have what
// the step goes on with: it was decided before they were there.
func (b *batch) newcomers(d conversation.Draft, joined []string) []string {
	role := d.Actor.Role
	if l := b.c.legs[d.Leg]; l != nil && role == "" {
		role = l.Role
	}
	to := conversation.Audience(d.Body.Kind(), role, b.c.doc.Machine, d.Leg)
	return slices.DeleteFunc(to, func(id string) bool { return !slices.Contains(joined, id) })
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
	route, _ := b.c.e.setup.Load().routeNamed(b.c.doc.Route)
	f := &filling{facts: b.c.doc.Vouched, claims: b.c.doc.Attributes}
	if route.TrustCustomer {
		f.facts = b.c.doc.Attributes
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
	rest = f.fill(path, url.PathEscape)
	if asked {
		rest += "?" + f.fill(query, url.QueryEscape)
	}
	d.URL = host + rest
	header := http.Header{}
	for name, values := range d.Header {
		for _, v := range values {
			header.Add(name, f.fill(v, oneLine))
		}
	}
	d.Header = header
	why := f.why()
	if inContext.MatchString(host) {
		why = "its host may not come from the conversation"
	}
	if why != "" && l.doc.Told != why {
		b.report(notOpened, "account "+l.Account+": "+why)
	}
	l.doc.Told = why
	return why == ""
}

// filling puts facts in their places, and notes which are not there, and of which
// there is a customer's word only.
type filling struct {
	facts, claims    map[string]string
	missing, claimed []string
}

func (f *filling) fill(text string, escape func(string) string) string {
	return inContext.ReplaceAllStringFunc(text, func(place string) string {
		name := inContext.FindStringSubmatch(place)[1]
		list := &f.missing
		if f.claims[name] != "" {
			list = &f.claimed
		}
		if f.facts[name] == "" && !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
		return escape(f.facts[name])
	})
}

// why is what keeps the places from being filled; empty if nothing.
func (f *filling) why() string {
	switch {
	case len(f.missing) > 0:
		return "the conversation's context lacks " + strings.Join(f.missing, ", ")
	case len(f.claimed) > 0:
		return "only the customer says what is " + strings.Join(f.claimed, ", ") +
			"; mend: have the virtual agent or a program say it, or set trust_customer_attributes on the route"
	}
	return ""
}

// oneLine keeps a value from ending its header.
func oneLine(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
}
