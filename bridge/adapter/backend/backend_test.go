package backend_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// plain is a desk with as little of its own as can be: one call opens a conversation,
// one is for each part, word and note, and one read brings all there is.
type plain struct {
	backend.Desk
	s *state
}

type state struct {
	backend.Course
	Setup  backend.Setup[string] `json:"setup,omitzero"`
	Saying backend.Saying        `json:"saying,omitzero"`
	Look   backend.Reading       `json:"look,omitzero"`
	Proof  backend.Proof         `json:"proof,omitzero"`
	Why    string                `json:"why,omitempty"`
}

type settings struct {
	backend.Ways
	backend.Queues
	Reopens bool `json:"reopens"`
}

func manifest() adapter.Manifest {
	return adapter.Manifest{Name: "plain", Title: "Plain", Version: "1.0.0", StateVersion: 1, Roles: []event.Role{event.RoleLiveAgent},
		Settings: slices.Concat(backend.WaySettings("Plain", "closing"), backend.QueueSettings(), []adapter.Setting{
			{Name: "reopens", Type: "boolean", Doc: "Whether words open a closed conversation."}}),
		Credentials: []adapter.Credential{{Name: "key", Required: true, Doc: "Its key."}},
		Samples:     backend.Samples([][2]string{{"open", `{"id":"7"}`}, {"find", `{}`}, {"read", `{"list":[]}`}})}
}

func definition() adapter.Definition {
	return adapter.Definition{Manifest: manifest(), Adapter: adapter.Func(handle), Configure: func(a adapter.Account) (adapter.Profile, error) {
		var s settings
		if err := manifest().ReadSettings(a, &s); err != nil {
			return adapter.Profile{}, err
		}
		p, err := backend.Profile("https://plain.example/api", nil)
		p.Levels.Content, p.Levels.MaxText = map[string]adapter.Level{"text": adapter.Full}, maxText
		p.Endpoints = []adapter.Endpoint{{Name: "hook", Method: http.MethodPost, Path: "/hook", Answer: adapter.AnswerAck,
			Key: "body:/chat", Unknown: adapter.UnknownIgnore}}
		return p, cmp.Or(err, s.Check())
	}}
}

func handle(tx *adapter.Tx, s *state, in adapter.Input) error {
	var set settings
	if err := manifest().FillSettings(tx.Account(), &set); err != nil {
		return err
	}
	d := plain{backend.Desk{Tx: tx, Course: &s.Course, Steps: &s.Setup.Steps, Reading: &s.Look, Proof: &s.Proof, Ways: set.Ways, Acts: new(backend.Acts), Title: "Plain", Login: "key", Reopens: set.Reopens}, s}
	d.Reads = backend.Reads{Page: d.page, Tell: d.tell}
	*d.Acts = backend.Acts{Ask: d.ask, Say: d.say,
		Note: func(of, text string) { d.post("note/"+of, text) }, Resolve: func(of string) { d.post("close/"+of, "") },
		Reopen: func(of string) { d.post("open-again/"+of, "") }, Clear: func() { s.Setup = backend.Setup[string]{} },
		Step: d.step, Hint: d.told, Answer: d.answer, Check: d.check, Proved: d.proved}
	return d.Turn(in)
}

// check looks at the key, and then for a webhook of ours.
func (d plain) check() { d.Prove("key", backend.JSON(http.MethodGet, "https://plain.example/me", nil)) }

func (d plain) proved(step string, r adapter.Result) {
	v, _ := codec.Lenient(r.Body)
	switch step {
	case "key":
		d.Judged("credential key", "works", r.Fault("key"), "set another")
		if r.OK() {
			c := backend.JSON(http.MethodGet, "https://plain.example/hooks", nil)
			c.GiveUp = backend.ReadLimit
			d.Prove("hooks", c)
		}
	case "hooks":
		own := backend.Having(v.Get("hooks"), "url", d.Webhook())
		fault := backend.Missing([]string{"said", "left"}, own.Get("tells"))
		d.Found("webhook", own.Get("url").Text(), fault, "have it tell these")
	}
}

func (d plain) call(path, text string) adapter.Call {
	c := backend.JSON(http.MethodPost, "https://plain.example/"+path, backend.Fields{"text": text})
	c.Header.Set("Authorization", "Bearer "+d.Tx.Credential("key"))
	return c
}

func (d plain) post(tag, text string) { d.Tx.Call(tag, d.call(tag, text)) }

func (d plain) say(e event.Event, c event.Content) {
	p := &d.s.Saying
	if p.Event != e.ID {
		*p = backend.Saying{Event: e.ID}
	}
	if text := codec.Plain(c); d.Ready(p, text) {
		d.SendPart(p, codec.Split(text, maxText), func(id, text string) { d.post("say/"+id, text) })
	}
}

// maxText is the longest message Plain takes.
const maxText = 16

func (d plain) ask(e event.Event, body event.HandoffRequested) {
	p := &d.s.Setup
	switch d.Asked(e) {
	case backend.AskBegin:
		*d.s = state{Course: backend.Begun(e), Why: strings.Join(backend.Opening(body), " ")}
		p.Load(backend.Lines(body.Transcript), 40)
		d.open()
	case backend.AskGoOn:
		p.Load(backend.Lines(body.Transcript), 40)
		d.next()
	}
}

func (d plain) open() {
	d.s.Setup.Tries++
	c := d.call("open", d.s.Why)
	c.Repeat = adapter.RepeatNever
	d.Step("open", c)
}

func (d plain) find() {
	d.Step("find", backend.JSON(http.MethodGet, "https://plain.example/chats", nil))
}

func (d plain) next() {
	p := &d.s.Setup
	if len(p.Next) == 0 {
		d.Opened()
		return
	}
	if d.Step("part", d.call("part", p.Next[0])); p.Last() {
		d.Tx.Later()
	}
}

func (d plain) step(step string, r adapter.Result) {
	v, err := codec.Lenient(r.Body)
	id, good := v.Get("id").Text(), r.OK() && err == nil
	switch {
	case step == "part":
		if d.s.Setup.Posted(r) {
			d.next()
		}
	case good && id != "":
		d.s.Chat = id
		d.next()
	case step == "open":
		d.NotMade(r, d.find)
	default:
		d.NotFound(r, good, d.open)
	}
}

func (d plain) answer(act, of string, r adapter.Result) {
	switch {
	case act == "say" && d.s.Saying.Sends(of):
		if !d.s.Saying.PartSent(r, "key") && !r.OK() {
			d.Tx.Fail(r.Fault("key"))
		}
	case act == "read":
		d.read(r)
	}
}

// told is a webhook: a person who writes is told when it is too late; all else is read.
func (d plain) told(in adapter.Request) error {
	v, err := codec.Lenient(in.Body)
	if err == nil && v.Get("said").Exists() {
		d.TooLate()
	}
	if level := codec.NumberID(v.Get("level").Text()); level != 0 {
		d.Look(int(level))
	}
	return nil
}

func (d plain) page(at string) {
	address := "https://plain.example/read"
	if at != "" {
		address += "?at=" + at
	}
	c := backend.JSON(http.MethodGet, address, nil)
	c.GiveUp = backend.ReadLimit
	d.Tx.Call("read", c)
}

// read is a page of the messages, with what became of the conversation beside them.
func (d plain) read(r adapter.Result) {
	v, err := codec.Lenient(r.Body)
	if d.s.Look.At != "small" && r.Reason == adapter.ReasonTooLarge {
		d.ReadFrom("small")
		return
	}
	if !d.Came(r, r.Status == http.StatusNotFound, err == nil && r.OK()) {
		return
	}
	d.s.Look.Resolved = d.s.Look.Resolved || v.Get("closed").Text() == "true"
	if who := v.Get("with").Text(); who != "" && who != d.s.Agent.ID {
		d.Assigned(event.Actor{Role: event.RoleLiveAgent, ID: who, Name: who})
	}
	d.Page(backend.Page{Messages: backend.Messages(v.Get("list").Items(), seen), Older: v.Get("older").Text(), Newer: v.Get("newer").Text(),
		Joins: d.s.Look.Follows && v.Get("joins").Text() == "true"})
}

func seen(v codec.Value) backend.Seen {
	return backend.Seen{ID: v.Get("id").Text(), At: codec.NumberID(v.Get("at").Text())}
}

func (d plain) tell(m backend.Message) {
	who := d.s.Agent
	if who.Role = event.RoleLiveAgent; m.Value.Get("note").Exists() {
		d.Notes(who, m.ID, m.Value.Get("note").Text())
		return
	}
	d.Says(who, m.ID, []event.Part{event.Text{Text: m.Value.Get("text").Text(), Format: event.FormatPlain}})
}

// TestScripts: what the parts do together, hand-off by hand-off.
func TestScripts(t *testing.T) { adaptertest.Scripts(t, definition(), "testdata") }

// TestLaws: a desk made of them obeys what holds for every adapter.
func TestLaws(t *testing.T) {
	adaptertest.Laws(t, definition(), adaptertest.Options{Samples: map[string][]string{
		"hook": {`{"chat":"{key}","level":1}`, `{"chat":"{key}","level":2}`, `{"chat":"{key}","said":"hello"}`}}})
}

// Whatever the sizes and however often the request is offered again, every part leaves
// once, in order, and no more is kept than has room.
func TestEveryPartLeavesOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.StringN(0, 30, 90), 0, 40).Draw(t, "parts")
		room := rapid.IntRange(1, 120).Draw(t, "room")
		var s backend.Setup[string]
		var left []string
		for offers := 0; ; offers++ {
			if offers > len(all)+1 {
				t.Fatalf("offered %d times for %d parts", offers, len(all))
			}
			s.Load(all, room)
			if size := 0; len(s.Next) > 1 {
				for _, one := range s.Next {
					size += len(codec.Compose(one))
				}
				if size > room {
					t.Fatalf("%d bytes kept, %d have room", size, room)
				}
			}
			goOn := len(s.Next) > 0
			for goOn {
				left = append(left, s.Next[0])
				offered := s.Last()
				if goOn = s.Posted(adapter.Result{Status: 200}); offered == goOn && len(s.Next) == 0 {
					t.Fatalf("the last of a load: offered again %v, goes on %v", offered, goOn)
				}
				goOn = goOn && len(s.Next) > 0
			}
			if !s.More {
				break
			}
		}
		if !slices.Equal(left, all) {
			t.Fatalf("left %q of %q", left, all)
		}
	})
}

// What a customer is called and can be written to at, where the facts say it.
func TestFacts(t *testing.T) {
	for _, c := range []struct {
		context     map[string]string
		name, email string
	}{
		{nil, "", ""},
		{map[string]string{"NAME": " Ada ", "Email": "ada@example.com"}, "Ada", "ada@example.com"},
		{map[string]string{"profile_name": "Ada L", "name": "", "email": "ada at example"}, "Ada L", ""},
		{map[string]string{"email": "a@b@c"}, "", ""},
		{map[string]string{"email": "Ada <ada@example.com>", "user_email": "ada@example.com"}, "", ""},
		{map[string]string{"email": strings.Repeat("a", 250) + "@b.example"}, "", ""},
	} {
		if name, email := backend.Name(event.Actor{}, c.context), backend.Email(c.context); name != c.name || email != c.email {
			t.Errorf("%v: %q %q", c.context, name, email)
		}
	}
	asked, spoke := event.Actor{Role: event.RoleCustomer, ID: "c-1"}, event.Actor{Role: event.RoleCustomer, ID: "old", Name: "Ada", Avatar: "https://a.example"}
	body := event.HandoffRequested{Transcript: []event.TranscriptEntry{{Actor: event.Actor{Role: event.RoleVirtualAgent, Name: "Bot"}}, {Actor: spoke}}}
	if who := backend.Customer(event.Event{Actor: asked}, body); who.ID != "c-1" || who.Name != "Ada" || who.Avatar != "https://a.example" {
		t.Errorf("the customer is %+v", who)
	}
	long := strings.Repeat("x", 5000)
	who := backend.Customer(event.Event{Actor: event.Actor{Role: event.RoleCustomer, ID: long, Name: long, Avatar: "https://a.example/" + long}}, event.HandoffRequested{})
	if name := backend.Name(event.Actor{}, map[string]string{"name": long}); len(who.ID) != 256 || len(who.Name) != 256 || len(name) != 256 || who.Avatar != "" {
		t.Errorf("%d, %d, %d, %d are kept", len(who.ID), len(who.Name), len(name), len(who.Avatar))
	}
	q := backend.Queues{Teams: codec.Rows{"billing=4", "*=5"}, Agents: codec.Rows{"vip=7"}}
	for queue, want := range map[string]string{"billing": "4 false", "vip": "7 true", "": "5 false", "other": "5 false"} {
		if id, agent := q.For(queue); fmt.Sprint(id, agent) != want {
			t.Errorf("queue %q is for %d, an agent %v, want %s", queue, id, agent, want)
		}
	}
}

// What all desks have in common of a profile: its hosts are named once each, and what is
// no address is refused with its mend.
func TestProfile(t *testing.T) {
	p, err := backend.Profile("https://plain.example/api", []string{"files.example", "plain.example", "files.example"})
	if err != nil || !slices.Equal(p.Hosts, []string{"plain.example", "files.example"}) || !p.Reconcile || p.Levels.Push != adapter.PushCall {
		t.Errorf("%v %+v", err, p)
	}
	if _, err := backend.Profile("plain.example", nil); err == nil || !strings.Contains(err.Error(), "base_url") || !strings.Contains(err.Error(), "use") {
		t.Errorf("an address without a scheme: %v", err)
	}
}
