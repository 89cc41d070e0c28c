package vonage

import (
	"cmp"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The phases of a desk leg beyond those of a routing leg.
const (
	phaseStarting  = "starting"  // start is called; the agent may speak already
	phaseReturning = "returning" // the agent has given the conversation back
)

// startLimit is how long a server is given to take a start: when it does not, the
// next backend must still be in time for whoever asked for people.
const startLimit = 8 * time.Second

// deskState is what a leg to a live-agent server remembers between turns.
type deskState struct {
	Phase   string `json:"phase,omitempty"`
	Session string `json:"session,omitempty"`
	// Start is the event whose start call is open, and Spoke that the agent has
	// spoken before its answer.
	Start   string  `json:"start,omitempty"`
	Spoke   bool    `json:"spoke,omitempty"`
	Sending sending `json:"sending,omitzero"`
}

func deskProfile(s settings) (adapter.Profile, error) {
	hosts, err := hostsOf([2]string{"start_url", s.StartURL}, [2]string{"inbound_url", s.InboundURL},
		[2]string{"status_url", cmp.Or(s.StatusURL, s.InboundURL)})
	if err != nil {
		return adapter.Profile{}, err
	}
	endpoint := func(name string) adapter.Endpoint {
		return adapter.Endpoint{Name: name, Method: http.MethodPost, Path: "/live-agent/" + name + "/{session}",
			Answer: adapter.AnswerReply, Key: "path:session", Auth: "header:" + keyHeader + "=" + credential,
			Unknown: adapter.UnknownRefuse, Refusal: noSession(),
			Unauthorized: nestError(http.StatusUnauthorized, "Unauthorized")}
	}
	carried := levels(s.Channel)
	carried.QueuePosition = adapter.Dropped // the server has no frame that tells one
	return adapter.Profile{
		Hosts: hosts, Endpoints: []adapter.Endpoint{endpoint("outbound"), endpoint("disconnect")},
		Levels: carried,
		Assumptions: []string{
			"start: a server answers 4xx to refuse the conversation and 5xx when it cannot take it now",
			"start: servers read SENDER_PHONE_NUMBER, so one that cannot be a number is made up where the customer has none",
			"inbound: the customer's end has no frame, so the agent is told in words",
			"outbound: the answer holds message_uuid, which status then names",
			"status: the payload is that of the Messages API's status webhook",
		},
	}, nil
}

func noSession() adapter.Reply {
	return nestError(http.StatusNotFound, "Session not found")
}

func handleDesk(tx *adapter.Tx, s *deskState, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Request:
		return s.request(tx, in)
	case adapter.Deliver:
		return s.deliver(tx, in.Event)
	case adapter.Result:
		return s.result(tx, in)
	}
	return adapter.ErrUnsupported
}

func (s *deskState) request(tx *adapter.Tx, r adapter.Request) error {
	if !slices.Contains([]string{"outbound", "disconnect"}, r.Endpoint) {
		return adapter.ErrUnsupported
	}
	if path.Base(r.Path) != s.Session || (s.Phase != phaseOpen && s.Phase != phaseStarting) {
		tx.Reply(r.ID, noSession())
		return nil
	}
	if r.Endpoint == "disconnect" {
		s.Phase = phaseReturning
		tx.Reply(r.ID, okReply())
		tx.Emit(adapter.Emission{Actor: liveAgent(), Body: event.HandbackRequested{}})
		return nil
	}
	s.outbound(tx, r)
	return nil
}

func liveAgent() event.Actor { return event.Actor{Role: event.RoleLiveAgent} }

func (s *deskState) outbound(tx *adapter.Tx, r adapter.Request) {
	v, err := codec.Lenient(r.Body)
	part := contentOf(v)
	if err != nil || part == nil {
		tx.Reply(r.ID, nestError(http.StatusBadRequest, "message_type must be one of text, image, video, audio, file, with its text or url"))
		return
	}
	ref := tx.NewID()
	s.Spoke = true
	tx.Emit(adapter.Emission{Actor: liveAgent(), Ref: ref, Vendor: extra(v, frameKeys()...),
		Body: event.MessageCreated{Content: event.Content{Part: part}}})
	tx.Reply(r.ID, jsonReply(http.StatusOK, map[string]string{"message_uuid": ref}))
}

// deliver passes an event on to the server. Its agent sees the customer's words
// only: what the bridge says is meant for the customer.
func (s *deskState) deliver(tx *adapter.Tx, e event.Event) error {
	if s.Phase == phaseEnded {
		return nil
	}
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		return s.start(tx, e, body)
	case event.MessageCreated:
		return s.say(tx, e, body.Content)
	case event.MessageDelivered:
		return s.status(tx, e, body.Message, "delivered", "")
	case event.MessageRead:
		return s.status(tx, e, body.Message, "read", "")
	case event.MessageFailed:
		return s.status(tx, e, body.Message, "undeliverable", body.Reason)
	case event.HandoffCancelled, event.HandoffFailed, event.HandbackCompleted:
		return s.leave(tx, e.ID, phaseNone)
	case event.ConversationEnded:
		return s.leave(tx, e.ID, phaseEnded)
	case event.HandbackFailed:
		if s.Phase == phaseReturning {
			s.Phase = phaseOpen
		}
	}
	return nil
}

func (s *deskState) start(tx *adapter.Tx, e event.Event, body event.HandoffRequested) error {
	if s.Phase == phaseOpen || s.Phase == phaseStarting {
		return nil
	}
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	*s = deskState{Phase: phaseStarting, Session: tx.NewID(), Start: e.ID}
	kept, _ := codec.Lenient(e.Vendor["vonage"])
	c, err := set.call(tx, set.StartURL, e.ID, restored(startFrameOf(tx, set, s.Session, e, body), kept.Without("parameters")))
	if err != nil {
		return err
	}
	c.Binds, c.GiveUp = true, startLimit
	tx.Bind(s.Session)
	tx.Call("start/"+e.ID, c)
	return nil
}

func (s *deskState) say(tx *adapter.Tx, e event.Event, c event.Content) error {
	if e.Actor.Role != event.RoleCustomer {
		return nil
	}
	if s.Phase != phaseOpen && s.Phase != phaseStarting {
		tx.Fail("the live-agent server does not have the conversation")
		return nil
	}
	p, err := s.post(tx)
	if err != nil {
		return err
	}
	return p.begin(tx, &s.Sending, e, c)
}

func (s *deskState) post(tx *adapter.Tx) (post, error) {
	set, err := settingsOf(tx)
	return post{settings: set, url: set.InboundURL, session: s.Session, inbound: true}, err
}

// receipt is a status frame: what became of a message the server sent.
type receipt struct {
	SessionID   string `json:"sessionId"`
	MessageUUID string `json:"message_uuid"`
	Channel     string `json:"channel"`
	Timestamp   string `json:"timestamp"`
	Status      string `json:"status"`
	Error       *fault `json:"error,omitempty"`
}

type fault struct {
	Detail string `json:"detail"`
}

// status passes a receipt on, where the server asked for them.
func (s *deskState) status(tx *adapter.Tx, e event.Event, ref, word, reason string) error {
	set, err := settingsOf(tx)
	if err != nil || set.StatusURL == "" || ref == "" || s.Phase != phaseOpen {
		return err
	}
	f := receipt{SessionID: s.Session, MessageUUID: ref, Channel: set.Channel,
		Timestamp: e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Status: word}
	if reason != "" {
		f.Error = &fault{reason}
	}
	c, err := set.call(tx, set.StatusURL, e.ID, restored(f, e.Vendor["vonage"]))
	if err != nil {
		return err
	}
	tx.Call("status/"+e.ID, c)
	return nil
}

// leave tells the server's agent in words that the customer is gone. A
// conversation the agent gave back needs no such words.
func (s *deskState) leave(tx *adapter.Tx, eventID, next string) error {
	told := s.Phase != phaseOpen && s.Phase != phaseStarting
	s.Phase = next
	if told {
		return nil
	}
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	c, err := set.call(tx, set.InboundURL, eventID, frame{SessionID: s.Session, Type: "text", Text: &set.EndedText})
	if err != nil {
		return err
	}
	tx.Call("leave/"+eventID, c)
	return nil
}

func (s *deskState) result(tx *adapter.Tx, r adapter.Result) error {
	switch {
	case s.Start != "" && r.Tag == "start/"+s.Start:
		s.startResult(tx, r)
	case s.Sending.Event != "" && r.Tag == s.Sending.tag():
		return s.sayResult(tx, r)
	}
	return nil
}

// startResult reports what the server made of the start. An agent who has spoken
// has the conversation, whatever the answer; a start cut short is ended by what
// cut it.
func (s *deskState) startResult(tx *adapter.Tx, r adapter.Result) {
	s.Start = ""
	if s.Phase != phaseStarting {
		return
	}
	s.Phase = phaseOpen
	if s.Spoke || r.Reason == adapter.ReasonCancelled {
		return
	}
	actor := event.Actor{Role: event.RoleLiveAgent}
	if r.OK() {
		tx.Emit(adapter.Emission{Actor: actor, Body: event.HandoffQueued{}})
		return
	}
	s.Phase = phaseNone
	reason := event.FailedBackendDown
	if r.Reason == "" && r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests {
		reason = event.FailedRejected
	}
	tx.Emit(adapter.Emission{Actor: actor, Body: event.HandoffFailed{Reason: reason}})
}

func (s *deskState) sayResult(tx *adapter.Tx, r adapter.Result) error {
	p, err := s.post(tx)
	switch {
	case err != nil:
		return err
	case !r.OK():
		p.give(tx, &s.Sending, r.Fault(credential))
		return nil
	case s.Sending.Rest != "" && s.Phase != phaseOpen && s.Phase != phaseStarting:
		p.give(tx, &s.Sending, "the conversation went on before all of it was sent")
		return nil
	}
	_, err = p.settle(tx, &s.Sending)
	return err
}
