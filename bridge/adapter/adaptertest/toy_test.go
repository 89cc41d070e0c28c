package adaptertest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// toyState is the state of the toy, with room for its flaws.
type toyState struct {
	Held   string   `json:"held,omitempty"`
	Open   bool     `json:"open,omitempty"`
	Ended  bool     `json:"ended,omitempty"`
	Event  string   `json:"event,omitempty"`
	Part   int      `json:"part,omitempty"`
	Rest   string   `json:"rest,omitempty"`
	Seen   []string `json:"seen,omitempty"`
	Secret string   `json:"secret,omitempty"`
}

// toy is a small adapter that keeps every law, unless it is given a flaw.
type toy struct {
	flaw  string
	turns *int
}

func (y toy) definition() adapter.Definition {
	return adapter.Definition{
		Manifest: adapter.Manifest{Name: "toy", Version: "1", StateVersion: 1, Roles: []event.Role{event.RoleVirtualAgent},
			Settings:    []adapter.Setting{{Name: "base_url", Type: "string", Example: "https://toy.example"}},
			Credentials: []adapter.Credential{{Name: "key"}}},
		Configure: func(a adapter.Account) (adapter.Profile, error) {
			if !strings.Contains(string(a.Settings), "https://") {
				return adapter.Profile{}, fmt.Errorf("setting base_url is missing")
			}
			return adapter.Profile{Hosts: []string{"toy.example"}, HoldsCustomer: true, Levels: y.levels(),
				Endpoints: []adapter.Endpoint{
					{Name: "start", Method: "POST", Path: "/start", Answer: adapter.AnswerReply, Key: "body:/id", Unknown: adapter.UnknownOpen},
					{Name: "inbound", Method: "POST", Path: "/inbound", Answer: adapter.AnswerAck, Key: "body:/id", Unknown: adapter.UnknownIgnore},
				}}, nil
		},
		Adapter: adapter.Func(y.handle),
	}
}

// levels are what the far side carries, and what a flaw says of it.
func (y toy) levels() adapter.Levels {
	l := adapter.Levels{MaxText: 1000, Content: map[string]adapter.Level{"text": adapter.Full, "media": adapter.Fallback, "form": adapter.Dropped},
		Typing: adapter.Dropped, CustomerEnd: adapter.Partial, QueuePosition: adapter.Full}
	switch y.flaw {
	case "boasts of typing":
		l.Typing = adapter.Full
	case "boasts of cards":
		l.Content["card"] = adapter.Partial
	case "fails on receipts":
		l.Receipts = adapter.Fallback
	}
	return l
}

func (y toy) handle(tx *adapter.Tx, s *toyState, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Request:
		return y.request(tx, s, in)
	case adapter.Deliver:
		return y.deliver(tx, s, in.Event)
	case adapter.Result:
		y.result(tx, s, in)
		return nil
	case adapter.Expired:
		if in.Request == s.Held && s.Held != "" {
			s.Held = ""
			tx.Emit(adapter.Emission{Body: event.HandoffCancelled{Reason: "gone"}})
		}
		return nil
	}
	return adapter.ErrUnsupported
}

func (y toy) request(tx *adapter.Tx, s *toyState, r adapter.Request) error {
	v, err := codec.Strict(r.Body)
	switch {
	case y.flaw == "panics on bad JSON" && err != nil:
		panic(err)
	case y.flaw == "sleeps on bad JSON" && err != nil:
		time.Sleep(300 * time.Millisecond)
	case y.flaw == "refuses unknown fields" && v.Get("future").Exists():
		return fmt.Errorf("unknown field future")
	case err != nil:
		return err
	}
	if r.Endpoint == "start" {
		y.start(tx, s, r)
		return nil
	}
	if y.flaw == "remembers every request" {
		s.Seen = append(s.Seen, r.ID)
	}
	if y.flaw == "takes up what ended" {
		tx.Emit(adapter.Emission{Body: event.HandoffAccepted{}, Actor: event.Actor{Role: event.RoleLiveAgent}})
	}
	if !s.Ended || y.flaw == "speaks after the end" {
		tx.Emit(adapter.Emission{Body: event.MessageCreated{Content: event.Plain(v.Get("text").Text())}, Actor: event.Actor{Role: event.RoleCustomer}})
	}
	return nil
}

func (y toy) start(tx *adapter.Tx, s *toyState, r adapter.Request) {
	switch {
	case s.Ended, s.Open, s.Held != "":
		if y.flaw != "ignores the second start" {
			tx.Reply(r.ID, adapter.Reply{Status: http.StatusOK})
		}
		return
	case y.flaw == "never answers":
		return
	case y.flaw == "answers twice":
		tx.Reply(r.ID, adapter.Reply{Status: http.StatusOK})
		tx.Reply(r.ID, adapter.Reply{Status: http.StatusOK})
	default:
		s.Held = r.ID
		tx.Hold(r.ID)
	}
	tx.Emit(adapter.Emission{Body: event.HandoffRequested{}, Actor: event.Actor{Role: event.RoleVirtualAgent}})
}

func (y toy) deliver(tx *adapter.Tx, s *toyState, e event.Event) error {
	if y.flaw == "refuses unknown kinds" {
		if _, unknown := e.Body.(event.Unknown); unknown {
			return fmt.Errorf("unknown kind %s", e.Kind())
		}
	}
	switch e.Body.(type) {
	case event.ConversationEnded:
		if y.flaw == "knows no end" {
			return adapter.ErrUnsupported
		}
	case event.MessageDelivered:
		if y.flaw == "fails on receipts" {
			return fmt.Errorf("no receipts")
		}
	}
	if s.Ended {
		return nil
	}
	switch body := e.Body.(type) {
	case event.HandoffQueued, event.HandoffAccepted:
		y.connect(tx, s, http.StatusOK)
	case event.HandoffFailed, event.HandoffCancelled:
		y.connect(tx, s, http.StatusServiceUnavailable)
		s.Open = false
	case event.ConversationEnded:
		y.connect(tx, s, http.StatusServiceUnavailable)
		s.Ended = true
	case event.HandbackRequested:
		y.connect(tx, s, http.StatusOK)
		s.Open = false
		tx.Emit(adapter.Emission{Body: event.HandbackCompleted{}})
		if y.flaw == "ends twice" {
			tx.Emit(adapter.Emission{Body: event.HandoffCancelled{}})
		}
	case event.NoteCreated:
		if y.flaw == "tells notes" {
			tx.Call("note/"+e.ID, y.call(tx, body.Text))
		}
	case event.MessageCreated:
		y.say(tx, s, e, body)
	}
	return nil
}

func (y toy) connect(tx *adapter.Tx, s *toyState, status int) {
	if s.Held == "" || (y.flaw == "answers only good news" && status != http.StatusOK) {
		return
	}
	tx.Reply(s.Held, adapter.Reply{Status: status})
	s.Held, s.Open = "", status == http.StatusOK
}

func (y toy) say(tx *adapter.Tx, s *toyState, e event.Event, body event.MessageCreated) {
	text := codec.Plain(body.Content)
	if e.Actor.Role == event.RoleCustomer || text == "" {
		return
	}
	switch y.flaw {
	case "backwards":
		parts := codec.Split(text, 700)
		for i := range parts {
			tx.Call(fmt.Sprintf("%s/%d", e.ID, i), y.call(tx, parts[len(parts)-1-i]))
		}
		return
	case "gives up words":
		tx.Fail("no")
		return
	case "loses the rest":
		text, _ = codec.Cut(text, 700)
	case "waits for ever":
		if !s.Open {
			tx.Later()
			return
		}
	case "uses one tag":
		tx.Call("say", y.call(tx, text))
		tx.Call("say", y.call(tx, text))
		return
	case "keeps the secret":
		s.Secret = tx.Credential("key")
	case "tells the secret":
		tx.Emit(adapter.Emission{Body: event.ErrorReported{Code: tx.Credential("key")}})
	case "counts in memory":
		*y.turns++
		text = fmt.Sprint(*y.turns)
	}
	s.Event, s.Part = e.ID, 0
	y.next(tx, s, text)
}

func (y toy) next(tx *adapter.Tx, s *toyState, text string) {
	var head string
	head, s.Rest = codec.Cut(text, 700)
	tx.Call(fmt.Sprintf("%s/%d", s.Event, s.Part), y.call(tx, head))
}

func (y toy) call(tx *adapter.Tx, text string) adapter.Call {
	body, _ := json.Marshal(map[string]string{"text": text})
	c := adapter.Call{Method: http.MethodPost, URL: "https://toy.example/say", Body: body,
		Header: http.Header{"Authorization": {tx.Credential("key")}}}
	read := &adapter.Call{Method: http.MethodGet, URL: "https://toy.example/said"}
	switch {
	case y.flaw == "reads back nothing":
		c.Repeat = adapter.RepeatReadback
	case y.flaw == "reads back unasked":
		c.Readback = read
	case strings.HasPrefix(y.flaw, "reads back"):
		c.Repeat, c.Readback = adapter.RepeatReadback, read
	}
	return c
}

func (y toy) result(tx *adapter.Tx, s *toyState, r adapter.Result) {
	switch {
	case r.Tag != fmt.Sprintf("%s/%d", s.Event, s.Part) || s.Event == "":
		return
	case !r.OK() && y.flaw == "tries for ever", r.Reason == adapter.ReasonUnknown && r.Status != 0 && y.flaw == "reads back, and again for ever":
		s.Part++
		y.next(tx, s, "again")
	case !r.OK():
		s.Event, s.Rest = "", ""
		tx.Fail("refused")
	case s.Rest != "":
		s.Part++
		y.next(tx, s, s.Rest)
	default:
		s.Event = ""
	}
}

// script is a script of the toy that is right.
func script() (string, error) {
	data, err := os.ReadFile("testdata/toy.txt")
	return string(data), err
}
