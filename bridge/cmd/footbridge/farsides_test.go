package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The far sides of the tests under a fake clock belong to no vendor. A platform
// holds its customer: it calls start, inbound and status, and takes outbound and
// disconnect. A server has people: it takes start and inbound, and calls outbound
// and disconnect. A menu answers a web chat and knows one word.

// leftText is what a server is told of its customer's end, for which it has no call.
const leftText = "The customer has left the conversation."

func definitions() map[string]adapter.Definition {
	define := func(profile adapter.Profile, a adapter.Adapter) adapter.Definition {
		return adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: a,
			Configure: func(adapter.Account) (adapter.Profile, error) { return profile, nil }}
	}
	return map[string]adapter.Definition{
		"platform": define(platformProfile(), adapter.Func(handlePlatform)),
		"server":   define(serverProfile(), adapter.Func(handleServer)),
		"menu":     define(adapter.Profile{}, adapter.Func(handleMenu)),
	}
}

func platformProfile() adapter.Profile {
	endpoint := func(name, answer, unknown string) adapter.Endpoint {
		return adapter.Endpoint{Name: name, Method: http.MethodPost, Path: "/" + name, Answer: answer, Key: "body:/id", Unknown: unknown}
	}
	start := endpoint("start", adapter.AnswerReply, adapter.UnknownOpen)
	start.Dedup, start.DedupWhile, start.Within = "body", adapter.DedupHandoff, 10*time.Second
	return adapter.Profile{HoldsCustomer: true, RetryWithin: time.Minute, Endpoints: []adapter.Endpoint{start,
		endpoint("inbound", adapter.AnswerAck, adapter.UnknownIgnore), endpoint("status", adapter.AnswerAck, adapter.UnknownIgnore)}}
}

// held is the state of a platform's leg: the starts nobody has answered yet, and
// whether our words reach the customer.
type held struct {
	Starts []string
	Open   bool
}

// posted is what a platform or a server sends.
type posted struct {
	Text    string `json:"text"`
	Waiting int    `json:"waiting"`
	Read    string `json:"read"`
}

func handlePlatform(tx *adapter.Tx, s *held, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Request:
		return s.request(tx, in)
	case adapter.Deliver:
		s.deliver(tx, in.Event)
	case adapter.Result:
		if strings.HasPrefix(in.Tag, "handback/") {
			tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandbackCompleted{}})
		}
		settle(tx, in)
	case adapter.Expired:
		s.Starts = nil
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent},
			Body: event.HandoffCancelled{Reason: "gone", By: event.RoleVirtualAgent}})
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

func (s *held) request(tx *adapter.Tx, r adapter.Request) error {
	var p posted
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return err
	}
	customer := event.Actor{Role: event.RoleCustomer}
	switch r.Endpoint {
	case "start":
		s.Starts = append(s.Starts, r.ID)
		tx.Hold(r.ID)
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.HandoffRequested{Waiting: p.Waiting}})
	case "inbound":
		tx.Emit(adapter.Emission{Actor: customer, Body: event.MessageCreated{Content: event.Plain(p.Text)}})
	case "status":
		tx.Emit(adapter.Emission{Actor: customer, Body: event.MessageRead{Message: p.Read}})
	}
	return nil
}

func (s *held) deliver(tx *adapter.Tx, e event.Event) {
	switch body := e.Body.(type) {
	case event.HandoffQueued, event.HandoffOffered, event.HandoffAccepted:
		s.answer(tx, http.StatusOK)
		s.Open = true
	case event.HandoffFailed, event.HandoffCancelled, event.ConversationEnded:
		s.answer(tx, http.StatusServiceUnavailable)
		s.disconnect(tx, "leave/"+e.ID)
	case event.HandbackRequested:
		s.disconnect(tx, "handback/"+e.ID)
	case event.MessageCreated:
		if !s.Open {
			tx.Fail("the platform has its customer")
			return
		}
		post(tx, "say/"+e.ID, "platform", "/outbound/"+tx.Key(), codec.Plain(body.Content))
	}
}

func (s *held) answer(tx *adapter.Tx, status int) {
	for _, id := range s.Starts {
		tx.Reply(id, adapter.Reply{Status: status})
	}
	s.Starts = nil
}

func (s *held) disconnect(tx *adapter.Tx, tag string) {
	if s.Open {
		post(tx, tag, "platform", "/disconnect/"+tx.Key(), "")
	}
	s.Open = false
}

func post(tx *adapter.Tx, tag, host, path, text string) {
	body, _ := json.Marshal(posted{Text: text})
	tx.Call(tag, adapter.Call{Method: http.MethodPost, URL: "http://" + host + ".example" + path, Body: body})
}

// settle gives up the delivery whose call failed.
func settle(tx *adapter.Tx, r adapter.Result) {
	if !r.OK() {
		tx.Fail(fmt.Sprintf("%d %s", r.Status, r.Reason))
	}
}

func serverProfile() adapter.Profile {
	endpoint := func(name string) adapter.Endpoint {
		return adapter.Endpoint{Name: name, Method: http.MethodPost, Path: "/" + name + "/{id}", Answer: adapter.AnswerReply,
			Key: "path:id", Auth: "header:X-Key=key", Unknown: adapter.UnknownRefuse, Refusal: adapter.Reply{Status: http.StatusNotFound}}
	}
	return adapter.Profile{Endpoints: []adapter.Endpoint{endpoint("outbound"), endpoint("disconnect")}}
}

// served is the state of a server's leg.
type served struct {
	ID   string
	Open bool
}

func handleServer(tx *adapter.Tx, s *served, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Request:
		return s.request(tx, in)
	case adapter.Deliver:
		s.deliver(tx, in.Event)
	case adapter.Result:
		s.result(tx, in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

func (s *served) request(tx *adapter.Tx, r adapter.Request) error {
	var p posted
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return err
	}
	if !s.Open || path.Base(r.Path) != s.ID {
		tx.Reply(r.ID, adapter.Reply{Status: http.StatusNotFound})
		return nil
	}
	var body event.Body = event.MessageCreated{Content: event.Plain(p.Text)}
	if r.Endpoint == "disconnect" {
		s.Open, body = false, event.HandbackRequested{}
	}
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: body})
	tx.Reply(r.ID, adapter.Reply{Status: http.StatusOK})
	return nil
}

func (s *served) deliver(tx *adapter.Tx, e event.Event) {
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		*s = served{ID: tx.NewID(), Open: true}
		tx.Bind(s.ID)
		tx.Call("start/"+e.ID, adapter.Call{Method: http.MethodPost, URL: "http://server.example/start", Binds: true, GiveUp: 8 * time.Second})
	case event.MessageCreated:
		if e.Actor.Role == event.RoleCustomer {
			post(tx, "say/"+e.ID, "server", "/inbound", codec.Plain(body.Content))
		}
	case event.HandoffCancelled, event.HandoffFailed, event.HandbackCompleted, event.ConversationEnded:
		if s.Open {
			post(tx, "leave/"+e.ID, "server", "/inbound", leftText)
		}
		s.Open = false
	}
}

// result reports what the server made of a start; one that was cut short is ended
// by what cut it.
func (s *served) result(tx *adapter.Tx, r adapter.Result) {
	switch {
	case !strings.HasPrefix(r.Tag, "start/"):
		settle(tx, r)
	case !s.Open || r.Reason == adapter.ReasonCancelled:
	case r.OK():
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: event.HandoffQueued{}})
	default:
		s.Open = false
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleLiveAgent}, Body: event.HandoffFailed{Reason: event.FailedBackendDown}})
	}
}

// handleMenu asks for people at the word person.
func handleMenu(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
	d, ok := in.(adapter.Deliver)
	if !ok {
		return adapter.ErrUnsupported
	}
	say := func(body event.Body) {
		tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: body})
	}
	switch body := d.Event.Body.(type) {
	case event.MessageCreated:
		if strings.Contains(codec.Plain(body.Content), "person") {
			say(event.HandoffRequested{})
			return nil
		}
		say(event.MessageCreated{Content: event.Plain("Say person.")})
	case event.HandoffFailed:
		say(event.MessageCreated{Content: event.Plain("I am still here.")})
	}
	return nil
}
