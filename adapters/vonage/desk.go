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
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	switch in := in.(type) {
	case adapter.Request:
		return s.request(tx, in)
	case adapter.Deliver:
		s.deliver(tx, set, in.Event)
	case adapter.Result:
		s.result(tx, set, in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
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
func (s *deskState) deliver(tx *adapter.Tx, set settings, e event.Event) {
	if s.Phase == phaseEnded {
		return
	}
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		s.start(tx, set, e, body)
	case event.MessageCreated:
		s.say(tx, set, e, body.Content)
	case event.MessageDelivered:
		s.status(tx, set, e, body.Message, "delivered", "")
	case event.MessageRead:
		s.status(tx, set, e, body.Message, "read", "")
	case event.MessageFailed:
		s.status(tx, set, e, body.Message, "undeliverable", body.Reason)
	case event.HandoffCancelled, event.HandoffFailed, event.HandbackCompleted:
		s.leave(tx, set, e.ID, phaseNone)
	case event.ConversationEnded:
		s.leave(tx, set, e.ID, phaseEnded)
	case event.HandbackFailed:
		if s.Phase == phaseReturning {
			s.Phase = phaseOpen
		}
	}
}

func (s *deskState) start(tx *adapter.Tx, set settings, e event.Event, body event.HandoffRequested) {
	if s.Phase == phaseOpen || s.Phase == phaseStarting {
		return
	}
	*s = deskState{Phase: phaseStarting, Session: tx.NewID(), Start: e.ID}
	kept, _ := codec.Lenient(e.Vendor["vonage"])
	c := set.call(tx, set.StartURL, e.ID, restored(startFrameOf(tx, set, s.Session, e, body), kept.Without("parameters")))
	c.Binds, c.GiveUp = true, startLimit
	tx.Bind(s.Session)
	tx.Call("start/"+e.ID, c)
}

func (s *deskState) say(tx *adapter.Tx, set settings, e event.Event, c event.Content) {
	switch {
	case e.Actor.Role != event.RoleCustomer:
	case s.Phase != phaseOpen && s.Phase != phaseStarting:
		tx.Fail("the live-agent server does not have the conversation")
	default:
		s.post(set).begin(tx, &s.Sending, e, c)
	}
}

func (s *deskState) post(set settings) post {
	return post{settings: set, url: set.InboundURL, session: s.Session, inbound: true}
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
func (s *deskState) status(tx *adapter.Tx, set settings, e event.Event, ref, word, reason string) {
	if set.StatusURL == "" || ref == "" || s.Phase != phaseOpen {
		return
	}
	f := receipt{SessionID: s.Session, MessageUUID: ref, Channel: set.Channel,
		Timestamp: e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Status: word}
	if reason != "" {
		f.Error = &fault{reason}
	}
	tx.Call("status/"+e.ID, set.call(tx, set.StatusURL, e.ID, restored(f, e.Vendor["vonage"])))
}

// leave tells the server's agent in words that the customer is gone. A
// conversation the agent gave back needs no such words.
func (s *deskState) leave(tx *adapter.Tx, set settings, eventID, next string) {
	open := s.Phase == phaseOpen || s.Phase == phaseStarting
	s.Phase = next
	if open {
		tx.Call("leave/"+eventID, set.call(tx, set.InboundURL, eventID, frame{SessionID: s.Session, Type: "text", Text: &set.EndedText}))
	}
}

func (s *deskState) result(tx *adapter.Tx, set settings, r adapter.Result) {
	switch {
	case s.Start != "" && r.Tag == "start/"+s.Start:
		s.startResult(tx, r)
	case s.Sending.Event != "" && r.Tag == s.Sending.tag():
		s.sayResult(tx, s.post(set), r)
	}
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

func (s *deskState) sayResult(tx *adapter.Tx, p post, r adapter.Result) {
	switch {
	case !r.OK():
		p.give(tx, &s.Sending, r.Fault(credential))
	case s.Sending.Rest != "" && s.Phase != phaseOpen && s.Phase != phaseStarting:
		p.give(tx, &s.Sending, "the conversation went on before all of it was sent")
	default:
		p.settle(tx, &s.Sending)
	}
}
