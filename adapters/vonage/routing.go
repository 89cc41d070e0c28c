package vonage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The phases of a routing leg.
const (
	phaseNone    = ""        // the virtual agent has the conversation
	phaseWaiting = "waiting" // a start is held, nobody has answered it yet
	phaseOpen    = "open"    // the start is answered: our words reach the customer
	phaseEnded   = "ended"
)

// heldLimit bounds the starts of one session held at once.
const heldLimit = 4

// routingState is what a routing leg remembers between turns.
type routingState struct {
	Phase    string      `json:"phase,omitempty"`
	Held     []string    `json:"held,omitempty"`
	Customer event.Actor `json:"customer,omitzero"`
	// Taken says a live agent has the conversation.
	Taken   bool    `json:"taken,omitempty"`
	Sending sending `json:"sending,omitzero"`
	// Ending is the event that has the open disconnect call.
	Ending string `json:"ending,omitempty"`
	// Session is the vendor's session in mode agent, where the leg may have had
	// several and the customer is not the vendor's; otherwise it is the leg's key.
	Session string `json:"session,omitempty"`
}

func (s *routingState) session(tx *adapter.Tx) string { return cmp.Or(s.Session, tx.Key()) }

func routingProfile(s settings) (adapter.Profile, error) {
	hosts, err := hostsOf([2]string{"base_url", s.BaseURL})
	if err != nil {
		return adapter.Profile{}, err
	}
	retry, err := time.ParseDuration(s.RetryWithin)
	if err != nil {
		return adapter.Profile{}, fmt.Errorf("setting retry_within: %w", err)
	}
	return adapter.Profile{
		Hosts: hosts, Endpoints: routingEndpoints(adapter.UnknownOpen, adapter.UnknownIgnore),
		Levels: levels(s.Channel), HoldsCustomer: true, RetryWithin: retry,
		Assumptions: []string{
			"start: AI Studio waits at least 10 s for the answer and asks again, if at all, within 60 s (setting retry_within)",
			"start: an answer other than 2xx takes the flow to the node's Failed output",
			"start: parameters named queue, language, skills, priority, reason and summary are the flow author's wishes",
			"outbound: a file goes as message_type file, by analogy with the Messages API",
			"outbound: an answer may hold message_uuid, which status then names",
			"status: the payload is that of the Messages API's status webhook",
			"outbound and disconnect: 404 says the session is gone",
		},
	}, nil
}

// routingEndpoints are what the Live Agent Routing node calls; unknown and other
// say what a session nobody knows comes to, at start and elsewhere.
func routingEndpoints(unknown, other string) []adapter.Endpoint {
	endpoint := func(name, answer, unknown string) adapter.Endpoint {
		return adapter.Endpoint{Name: name, Method: http.MethodPost, Path: "/" + name, Answer: answer,
			Key: "body:/sessionId", Unknown: unknown, Default: okReply()}
	}
	start := endpoint("start", adapter.AnswerReply, unknown)
	start.Default = adapter.Reply{}
	start.Dedup, start.DedupWhile = "body", adapter.DedupHandoff
	start.Within, start.MaxBody = 10*time.Second, 1<<20
	start.Failure = nestError(http.StatusServiceUnavailable, "No live agent can be reached")
	return []adapter.Endpoint{start, endpoint("inbound", adapter.AnswerAck, other), endpoint("status", adapter.AnswerAck, other)}
}

func handleRouting(tx *adapter.Tx, s *routingState, in adapter.Input) error {
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
	case adapter.Expired:
		s.expired(tx, set, in)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

func (s *routingState) request(tx *adapter.Tx, r adapter.Request) error {
	v, err := codec.Lenient(r.Body)
	if err != nil && r.Endpoint != "status" { // a receipt nobody can read is no loss
		return err
	}
	switch r.Endpoint {
	case "start":
		s.start(tx, r.ID, v)
	case "inbound":
		s.inbound(tx, v)
	case "status":
		s.status(tx, v)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

func (s *routingState) start(tx *adapter.Tx, request string, v codec.Value) {
	switch {
	case !usable(s.session(tx)):
		tx.Reply(request, badSession())
	case s.Phase == phaseEnded, len(s.Held) >= heldLimit:
		tx.Reply(request, nestError(http.StatusServiceUnavailable, "No live agent can be reached"))
	case s.Phase == phaseOpen:
		tx.Reply(request, okReply())
	case s.Phase == phaseWaiting:
		s.hold(tx, request)
	default:
		s.hold(tx, request)
		s.Phase, s.Taken = phaseWaiting, false
		s.requested(tx, v)
	}
}

func (s *routingState) hold(tx *adapter.Tx, request string) {
	s.Held = append(s.Held, request)
	tx.Hold(request)
}

func badSession() adapter.Reply {
	return nestError(http.StatusBadRequest, "sessionId cannot be used in an address")
}

// usable reports whether a session's id is one segment of an address.
func usable(session string) bool {
	return strings.Trim(session, ".") != "" && len(session) <= 256
}

func (s *routingState) requested(tx *adapter.Tx, v codec.Value) {
	if s.Session == "" {
		s.joined(tx, customerOf(parametersOf(v.Get("history").Unwrap().Get("parameters").Unwrap())))
	}
	tx.Emit(requestOf(v))
}

// requestOf is the request for a live agent that a start is.
func requestOf(v codec.Value) adapter.Emission {
	history := v.Get("history").Unwrap()
	p := parametersOf(history.Get("parameters").Unwrap())
	return adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Vendor: keptOfStart(v, p),
		Body: event.HandoffRequested{
			Reason: p.get("reason"), Summary: p.get("summary"),
			Transcript: transcriptOf(history.Get("transcription", "transcript").Unwrap()),
			Context:    p.values, Routing: p.routing(),
		}}
}

// customerOf is who the customer is by what the flow or the client says of them.
func customerOf(p parameters) event.Actor {
	return event.Actor{Role: event.RoleCustomer,
		ID:   clip(p.get("SENDER_PHONE_NUMBER", "CALLER_PHONE_NUMBER")),
		Name: clip(p.get("PROFILE_NAME"))}
}

// joined says who the customer is, once for each time that is new.
func (s *routingState) joined(tx *adapter.Tx, customer event.Actor) {
	if customer == s.Customer || (customer.ID == "" && customer.Name == "") {
		return
	}
	s.Customer = customer
	tx.Emit(adapter.Emission{Body: event.ParticipantJoined{Participant: customer}, Actor: customer})
}

// keptOfStart is what the request for a live agent does not carry of a start:
// members nobody knows, and parameters whose value was more than text.
func keptOfStart(v codec.Value, p parameters) map[string]json.RawMessage {
	kept := map[string]json.RawMessage{}
	for _, m := range v.Members() {
		if m.Value.Exists() && m.Name != "history" && m.Name != "sessionId" {
			kept[m.Name] = m.Value.Raw()
		}
	}
	if len(p.odd) > 0 {
		kept["parameters"] = codec.Compose(p.odd)
	}
	if len(kept) == 0 {
		return nil
	}
	return map[string]json.RawMessage{"vonage": codec.Compose(kept)}
}

// clip keeps what the state holds of a name short.
func clip(text string) string {
	head, _ := codec.Cut(text, 200)
	return head
}

func (s *routingState) inbound(tx *adapter.Tx, v codec.Value) {
	if s.Phase == phaseEnded {
		return
	}
	actor := s.Customer
	actor.Role = event.RoleCustomer
	part := contentOf(v)
	if part == nil {
		tx.Emit(adapter.Emission{Actor: actor,
			Body: event.Extension{Vendor: "vonage", Name: "inbound." + typeOf(v), Data: v.Raw()}})
		return
	}
	understood := frameKeys()
	if kind := typeOf(v); kind != "text" && !isMediaKind(kind) {
		understood = append(textKeys(), "sessionId", "session_id")
	}
	tx.Emit(adapter.Emission{Actor: actor, Vendor: extra(v, understood...),
		Body: event.MessageCreated{Content: event.Content{Part: part}}})
}

// receiptOf is the event a status word stands for, or nil.
func receiptOf(word, ref, reason string) event.Body {
	switch strings.ToLower(word) {
	case "delivered":
		return event.MessageDelivered{Message: ref}
	case "read":
		return event.MessageRead{Message: ref}
	case "rejected", "undeliverable", "failed":
		return event.MessageFailed{Message: ref, Reason: cmp.Or(reason, word)}
	}
	return nil
}

func (s *routingState) status(tx *adapter.Tx, v codec.Value) {
	ref := v.Get("message_uuid", "messageUuid", "message_id", "messageId").Text()
	fault := v.Get("error")
	reason := fault.Text()
	if fault.IsObject() {
		reason = cmp.Or(fault.Get("detail", "reason", "title", "message").Text(), fault.Get("code", "type").Text())
	}
	word := v.Get("status").Text()
	body := receiptOf(word, ref, reason)
	if body == nil || ref == "" || s.Phase == phaseEnded {
		return
	}
	actor := s.Customer
	actor.Role = event.RoleCustomer
	tx.Emit(adapter.Emission{Actor: actor, Ref: ref + "/" + strings.ToLower(word), Body: body, Vendor: extra(v, "sessionId", "session_id",
		"message_uuid", "messageUuid", "message_id", "messageId", "status", "error")})
}

// expired forgets a start that AI Studio has given up.
func (s *routingState) expired(tx *adapter.Tx, set settings, in adapter.Expired) {
	kept := slices.DeleteFunc(slices.Clone(s.Held), func(id string) bool { return id == in.Request })
	held := len(kept) < len(s.Held)
	s.Held = kept
	switch {
	case held && len(kept) == 0 && s.Phase == phaseWaiting:
		s.Phase = phaseNone
		tx.Emit(gone())
	case !held && in.Reason == adapter.ExpiredLost && s.Phase == phaseOpen && !s.Taken:
		s.unheard(tx, set, in.Request)
	}
}

// unheard withdraws a hand-off whose start was answered, but nobody knows whether
// AI Studio had the answer, and it has been silent since. If it had, disconnect
// gives it the session back; if not, it has it already.
func (s *routingState) unheard(tx *adapter.Tx, set settings, request string) {
	s.Phase = phaseNone
	tx.Emit(gone())
	s.disconnect(tx, set, "unheard/"+request, request)
}

func gone() adapter.Emission {
	return adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent},
		Body: event.HandoffCancelled{Reason: "gone", By: event.RoleVirtualAgent}}
}

// answer answers every start that is held.
func (s *routingState) answer(tx *adapter.Tx, r adapter.Reply) {
	for _, id := range s.Held {
		tx.Reply(id, r)
	}
	s.Held = nil
}

func (s settings) studioURL(what, session string) string {
	return s.BaseURL + "/live-agent/" + what + "/" + url.PathEscape(session)
}
