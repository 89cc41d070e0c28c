package config

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// Roles of accounts, as written in the file.
const (
	customer     = "customer"
	virtualAgent = "virtual_agent"
	liveAgent    = "live_agent"
	observer     = "observer"
)

func (c *checker) routes() {
	if len(c.Routes) == 0 && !c.broken["routes"] {
		c.warn("routes", "there is none, so no conversation can begin", "add a section [[routes]]")
	}
	named := map[string]int{}
	earlier := map[string][]int{}
	for i, route := range c.Routes {
		at := index("routes", i)
		if first, ok := named[route.Name]; ok && route.Name != "" {
			c.problem(join(at, "name"), "is the name of "+index("routes", first)+" too", "give each route its own name")
		}
		named[route.Name] = i
		c.route(at, route)
		if c.reachable(at, route, earlier[route.Entry()]) {
			earlier[route.Entry()] = append(earlier[route.Entry()], i)
		}
	}
}

func (c *checker) route(at string, r Route) {
	if r.Entry() == "" && !c.broken[join(at, "customer")] && !c.broken[join(at, "virtual_agent")] {
		c.problem(at, "has neither customer nor virtual_agent", "name the account its conversations begin at")
	}
	c.uses(join(at, "customer"), r.Customer, customer)
	c.uses(join(at, "virtual_agent"), r.VirtualAgent, virtualAgent)
	for i, name := range r.LiveAgent {
		key := index(join(at, "live_agent"), i)
		c.uses(key, name, liveAgent)
		if name != "" && slices.Contains(r.LiveAgent[:i], name) {
			c.problem(key, quote(name)+" is listed twice", "list each account once")
		}
	}
	for i, o := range r.Observers {
		c.uses(join(index(join(at, "observers"), i), "account"), o.Account, observer)
	}
	if _, ok := c.Queues[r.Queue]; !ok && r.Queue != "" {
		c.problem(join(at, "queue"), "unknown queue "+quote(r.Queue), c.mendName(r.Queue, "queues", slices.Sorted(maps.Keys(c.Queues))))
	}
	c.timers(join(at, "timers"), r.Timers)
}

// uses checks that an account exists and has the role a route needs it for.
func (c *checker) uses(key, name, role string) {
	if name == "" {
		return
	}
	account, ok := c.Accounts[name]
	switch {
	case !ok:
		c.problem(key, "unknown account "+quote(name), c.mendName(name, "accounts", slices.Sorted(maps.Keys(c.Accounts))))
	case account.Role != "" && account.Role != role:
		c.problem(key, "account "+quote(name)+" has the role "+account.Role+", here it must be "+role, c.mendRole(role))
	}
}

func (c *checker) mendRole(role string) string {
	for _, name := range slices.Sorted(maps.Keys(c.Accounts)) {
		if c.Accounts[name].Role == role {
			return "use an account with that role, such as " + name
		}
	}
	return "add an account with role = " + strconv.Quote(role)
}

func (c *checker) timers(at string, t Timers) {
	if t.AgentSilence < time.Hour || t.AgentSilence > 20*time.Hour {
		c.warn(join(at, "agent_silence"), "is outside what platforms wait for an agent, 1h to 20h", "choose a time between, such as 25000s")
	}
	if t.Waiting > t.Total {
		c.warn(join(at, "waiting"), "is longer than total ("+t.Total.String()+") and never runs out", "shorten waiting or lengthen total")
	}
}

// reachable reports a route that an earlier one leaves nothing for.
func (c *checker) reachable(at string, r Route, earlier []int) bool {
	if r.Entry() == "" || c.broken[join(at, "match")] || c.broken[join(at, "customer")] {
		return false
	}
	for _, i := range earlier {
		if !covers(c.Routes[i].Match, r.Match) {
			continue
		}
		c.problem(at, "is never reached: "+index("routes", i)+" ("+quote(c.Routes[i].Name)+") takes all it would take from "+quote(r.Entry()),
			"give the earlier route a match, or put it last")
		return false
	}
	return true
}

// open warns about accounts whose every route asks for something: what a vendor's
// request for people says is known when the conversation has begun, and then picks
// among the routes.
func (c *checker) open() {
	first := map[string]int{}
	for i, r := range c.Routes {
		at, seen := first[r.Entry()]
		switch {
		case r.Entry() == "" || at < 0:
		case covers(r.Match, Match{}):
			first[r.Entry()] = -1
		case !seen:
			first[r.Entry()] = i
		}
	}
	for _, i := range slices.Sorted(maps.Values(first)) {
		if i >= 0 {
			c.warn(join(index("routes", i), "match"), "narrows every route from "+quote(c.Routes[i].Entry())+": a conversation that fits none is refused",
				"add a last route from it without match")
		}
	}
}

// covers tells whether a takes everything that b takes.
func covers(a, b Match) bool {
	if a.Queue != "" && a.Queue != b.Queue || a.Language != "" && a.Language != b.Language {
		return false
	}
	for key, value := range a.Attributes {
		if got, ok := b.Attributes[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// unused warns about accounts no route leads to.
func (c *checker) unused() {
	used := map[string]bool{}
	for _, route := range c.Routes {
		used[route.Customer], used[route.VirtualAgent] = true, true
		for _, name := range route.LiveAgent {
			used[name] = true
		}
		for _, o := range route.Observers {
			used[o.Account] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Accounts)) {
		if !used[name] {
			c.warn(join("accounts", name), "is used by no route", "name it in a route, or take it out")
		}
	}
}
