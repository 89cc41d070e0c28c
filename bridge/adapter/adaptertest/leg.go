package adaptertest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// leg is one leg as the bridge would keep it: its state, its open calls and
// timers, and the requests not answered yet.
type leg struct {
	turner       Turner
	account      adapter.Account
	profile      adapter.Profile
	samples      []adapter.Sample
	key          string
	conversation string
	now          time.Time
	state        []byte
	version      int
	turns        int
	// placeholder is the form of a credential, with one %s for its name.
	placeholder string
	open        map[string]bool
	calls       []adapter.Calling // the open ones, oldest first
	made        int               // calls ever made
	conns       map[string]bool   // connections asked for or open
	dials       []adapter.Dialing // the ones not answered yet, oldest first
	sends       []adapter.Sending // the ones with a tag not answered yet
	queue       []adapter.Sending // all that have not left yet, in order
	closing     []string          // connections the adapter closed
	left        []string          // bodies of calls that were answered and sends that were written
	timers      []string
	held        map[string]bool
	asked       map[string]bool // requests at endpoints that answer "reply"
	answers     map[string]int
	later       bool
	comes       func(*leg) []adapter.Input // what the client does who comes to us
	// faults are effects the bridge would not accept.
	faults []string
}

func newLeg(turner Turner, a adapter.Account, key string) leg {
	return leg{turner: turner, account: a, key: key, conversation: "conversation-of-" + key,
		now: time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC), placeholder: "{credential:%s}",
		open: map[string]bool{}, conns: map[string]bool{}, held: map[string]bool{},
		asked: map[string]bool{}, answers: map[string]int{}}
}

func (l *leg) endpoint(name string) (adapter.Endpoint, bool) {
	for _, e := range l.profile.Endpoints {
		if e.Name == name {
			return e, true
		}
	}
	return adapter.Endpoint{}, false
}

// request makes a request at an endpoint; path parameters get the leg's key.
func (l *leg) request(e adapter.Endpoint, id string, body []byte) adapter.Request {
	segments := strings.Split(e.Path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = url.PathEscape(l.key)
		}
	}
	r := adapter.Request{ID: id, Endpoint: e.Name, Method: e.Method, Path: strings.Join(segments, "/"),
		Query: url.Values{}, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
	if e.Answer == adapter.AnswerReply {
		l.asked[id] = true
		r.ReplyBy = l.now.Add(10 * time.Second)
	}
	return r
}

// prepare makes the turn an input would be.
func (l *leg) prepare(in adapter.Input) adapter.Turn {
	t := adapter.Turn{ID: fmt.Sprintf("%s-turn-%d", l.key, l.turns+1), Account: l.account, Key: l.key,
		Conversation: l.conversation, Now: l.now, State: slices.Clone(l.state), StateVersion: l.version,
		Placeholders: map[string]string{}, Input: in}
	for _, name := range l.account.Credentials {
		t.Placeholders[name] = fmt.Sprintf(l.placeholder, name)
	}
	return t
}

// turn performs the turn of an input and keeps what comes of it.
func (l *leg) turn(in adapter.Input) adapter.Outcome {
	t := l.prepare(in)
	l.turns++
	if expired, ok := in.(adapter.Expired); ok {
		delete(l.held, expired.Request)
	}
	l.follow(in)
	out := l.turner.Turn(t)
	if out.Err != "" || out.Unsupported {
		return out
	}
	l.state, l.version = out.State, out.StateVersion
	transient := false
	if d, ok := in.(adapter.Deliver); ok {
		transient = event.Transient(d.Event.Body)
	}
	for _, e := range out.Effects {
		if s, ok := e.(adapter.Sending); ok && transient {
			s.Tag = "" // at most once, and nothing comes back
			e = s
		}
		l.keep(e)
	}
	return out
}

func (l *leg) keep(effect adapter.Effect) {
	switch e := effect.(type) {
	case adapter.Calling:
		if l.open[e.Tag] {
			l.faults = append(l.faults, "call with tag "+e.Tag+" while that tag is open")
		}
		if (e.Call.Repeat == adapter.RepeatReadback) != (e.Call.Readback != nil) {
			l.faults = append(l.faults, "call with tag "+e.Tag+" has one of Repeat readback and Readback without the other")
		}
		l.open[e.Tag] = true
		l.made++
		l.calls = append(l.calls, e)
	case adapter.Dialing, adapter.Sending, adapter.Closing:
		l.connect(e)
	case adapter.Timer:
		l.stop(e.Name)
		l.timers = append(l.timers, e.Name)
	case adapter.TimerStop:
		l.stop(e.Name)
	case adapter.Holding:
		l.held[e.Request] = true
	case adapter.Answer:
		l.answer(e)
	case adapter.Binding:
		l.key = e.Key
	case adapter.Postponed:
		l.later = true
	}
}

func (l *leg) answer(a adapter.Answer) {
	delete(l.held, a.Request)
	l.answers[a.Request]++
	switch {
	case l.answers[a.Request] > 1:
		l.faults = append(l.faults, "request "+a.Request+" is answered twice")
	case a.Reply.Status < 200 || a.Reply.Status > 599:
		l.faults = append(l.faults, fmt.Sprintf("request %s is answered with status %d", a.Request, a.Reply.Status))
	}
}

// finish takes a call or send from the open ones.
func (l *leg) finish(tag string) {
	delete(l.open, tag)
	l.queue = slices.DeleteFunc(l.queue, func(s adapter.Sending) bool { return s.Tag == tag && tag != "" })
	l.drain()
	l.sends = slices.DeleteFunc(l.sends, func(s adapter.Sending) bool { return s.Tag == tag })
	l.calls = slices.DeleteFunc(l.calls, func(c adapter.Calling) bool { return c.Tag == tag })
}

func (l *leg) stop(timer string) {
	l.timers = slices.DeleteFunc(l.timers, func(name string) bool { return name == timer })
}
