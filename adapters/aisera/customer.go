package aisera

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// customerState is what a leg remembers whose far side is Aisera's chat client.
type customerState struct {
	Conn     string      `json:"conn,omitempty"`
	Customer event.Actor `json:"customer,omitzero"`
	// Facts is a digest of the facts told last, so that they are told once.
	Facts string `json:"facts,omitempty"`
	// Request is the client's request last answered to.
	Request string `json:"request,omitempty"`
	Offer   offer  `json:"offer,omitzero"`
	// NoForms says that the client does not show forms.
	NoForms bool `json:"no_forms,omitempty"`
	Waiting bool `json:"waiting,omitempty"`
	Person  bool `json:"person,omitempty"`
	// Left says that the client has ended its session; what it sends then begins
	// another. Ended is for good.
	Left  bool `json:"left,omitempty"`
	Ended bool `json:"ended,omitempty"`
}

func handleCustomer(tx *adapter.Tx, s *customerState, in adapter.Input) error {
	set, err := settingsOf(tx)
	if err != nil {
		return err
	}
	c := customer{tx, set, s}
	switch in := in.(type) {
	case adapter.Opened:
		if s.Ended {
			tx.Close(in.Conn, closeNormal) // a client that comes again begins anew
			return nil
		}
		s.Conn, s.Left = in.Conn, false
		return nil
	case adapter.Closed:
		if in.Conn == s.Conn {
			s.Conn = ""
		}
		return nil
	case adapter.Frame:
		return c.frame(in)
	case adapter.Deliver:
		return c.deliver(in.Event)
	case adapter.Sent:
		c.sent(in)
		return nil
	}
	return adapter.ErrUnsupported
}

// customer is one turn of a leg whose far side is Aisera's chat client.
type customer struct {
	tx  *adapter.Tx
	set settings
	s   *customerState
}

func (c customer) frame(in adapter.Frame) error {
	if c.s.Ended {
		return nil
	}
	c.s.Conn = cmp.Or(c.s.Conn, in.Conn)
	all, err := frames(in.Data)
	if err != nil {
		return err
	}
	for _, f := range all {
		c.request(readRequest(f))
	}
	return nil
}

func (c customer) request(r request) {
	s := c.s
	who := r.customer()
	s.Customer = event.Actor{Role: event.RoleCustomer, ID: cmp.Or(who.ID, s.Customer.ID), Name: cmp.Or(who.Name, s.Customer.Name)}
	s.Request = cmp.Or(clip(scalar(r.data.Get("reqId"))), s.Request)
	if forms := r.data.Get("channelCapabilities").Get("isFormSupported"); forms.Exists() {
		s.NoForms = forms.Text() == "false"
	}
	c.facts(r)
	if s.Left = emitRequest(c.tx, r, s.Customer, &s.Offer, c.set.Logout == logoutEnds); s.Left {
		s.Waiting, s.Person = false, false
		c.tx.Close(s.Conn, closeNormal)
	}
}

// facts tells the facts of a frame, unless they are those of the one before.
func (c customer) facts(r request) {
	attributes, rest := r.facts()
	if len(attributes) == 0 {
		return
	}
	data, err := codec.Encode([]any{attributes, rest})
	if err != nil {
		return
	}
	sum := sha256.Sum256(data)
	if digest := hex.EncodeToString(sum[:8]); digest != c.s.Facts {
		c.s.Facts = digest
		c.tx.Emit(adapter.Emission{Actor: c.s.Customer, Body: event.ContextUpdated{Attributes: attributes}, Vendor: keep(rest)})
	}
}

func (c customer) deliver(e event.Event) error {
	if c.s.Ended || c.s.Left {
		return nil
	}
	switch body := e.Body.(type) {
	case event.ConversationEnded:
		return c.end(e)
	case event.MessagePartial:
		return c.partial(e, body)
	case event.TypingStarted:
		if e.Actor.Role != event.RoleLiveAgent || c.s.Conn == "" {
			return nil
		}
		return send(c.tx, "", c.s.Conn, c.around(c.withAgent(modeTyping, e)))
	}
	act, f := c.write(e)
	switch {
	case f == nil:
		return nil
	case c.s.Conn == "":
		c.tx.Later()
		return nil
	}
	return send(c.tx, act+"/"+e.ID, c.s.Conn, c.around(f))
}

// sent ends a send. What did not leave waits for the client's next socket.
func (c customer) sent(in adapter.Sent) {
	s := c.s
	switch {
	case s.Ended, s.Left:
	case in.Outcome != adapter.SentWritten:
		c.tx.Later()
	case act(in.Tag) == actWait:
		s.Waiting = true
	case act(in.Tag) == actJoin:
		s.Waiting, s.Person = false, true
	case act(in.Tag) == actExit:
		s.Waiting, s.Person = false, false
	}
}

// What a frame to the client does, the first word of its tag.
const (
	actWait = "wait"
	actJoin = "join"
	actExit = "exit"
)

// around puts the fields of an answer where the client reads them.
func (c customer) around(f fields) fields {
	f.put("reqId", c.s.Request)
	if c.set.AnswerIn == "top" {
		return f
	}
	return fields{c.set.AnswerIn: f}
}

// withAgent is a frame that names the live agent who caused it.
func (c customer) withAgent(mode string, e event.Event) fields {
	f := fields{"modeType": mode}
	if e.Actor.Role == event.RoleLiveAgent {
		f.putAgent(e.Actor)
	}
	return f
}

// write is the frame an event leaves as and what that does, or nil.
func (c customer) write(e event.Event) (act string, f fields) {
	switch body := e.Body.(type) {
	case event.MessageCreated:
		return actSay, c.message(e, body)
	case event.SurveyOffered:
		return actSay, c.message(e, event.MessageCreated{Content: event.Content{Part: event.Choices{Text: body.Question, Options: body.Options}}})
	case event.TranscriptShared:
		f = sessionHistory(body)
		f.add(kept(e))
		return actSay, f
	case event.ErrorReported:
		return actSay, faultFrame(e, body)
	case event.Extension:
		if f = extensionFrame(body); f != nil {
			f.add(kept(e))
		}
		return actSay, f
	}
	return c.handoff(e)
}

func faultFrame(e event.Event, body event.ErrorReported) fields {
	f := fields{"modeType": body.Code}
	if !isFault(body.Code) {
		f["modeType"] = modeError
	}
	f.put("error", body.Detail)
	f.add(kept(e))
	return f
}

// extensionFrame is what only Aisera has.
func extensionFrame(body event.Extension) fields {
	if body.Vendor != vendor {
		return nil
	}
	f := fields{"modeType": body.Name}
	if body.Name == plainAnswer {
		f = fields{}
	}
	f.add(objectOf(body.Data))
	return f
}

// handoff is the frame for what becomes of the wish for a person.
func (c customer) handoff(e event.Event) (act string, f fields) {
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		return actWait, c.wait(e, event.HandoffQueued{})
	case event.HandoffQueued:
		return actWait, c.wait(e, body)
	case event.HandoffAccepted, event.TransferCompleted:
		f = c.withAgent(modeJoined, e)
		f.add(kept(e))
		return actJoin, f
	case event.HandbackRequested, event.HandbackCompleted, event.HandoffFailed, event.HandoffCancelled:
		if !c.s.Waiting && !c.s.Person {
			return "", nil
		}
		f = c.withAgent(modeExited, e)
		f.add(kept(e))
		return actExit, f
	}
	return "", nil
}

func (c customer) wait(e event.Event, q event.HandoffQueued) fields {
	f := c.withAgent(modeWaiting, e)
	if c.s.Waiting {
		f["modeType"] = modeUpdate
	}
	if q.Position > 0 {
		f["position"] = q.Position
	}
	if q.Wait > 0 {
		f["waitTime"] = q.Wait
	}
	f.add(kept(e))
	return f
}

// message is the frame of words by whoever may speak to the customer.
func (c customer) message(e event.Event, body event.MessageCreated) fields {
	part := body.Content.Part
	if e.Actor.Role == event.RoleCustomer || part == nil {
		return nil
	}
	if form, ok := part.(event.Form); ok && c.s.NoForms {
		part = event.Text{Text: codec.Plain(event.Content{Part: form})}
	}
	if options, ok := part.(event.Choices); ok {
		part = event.Choices{Text: options.Text, Options: named(options.Options, e.ID)}
	}
	f := fields{}
	switch {
	case e.Actor.Role == event.RoleLiveAgent:
		f = c.withAgent(modeLiveAgent, e)
	case body.Stream != "":
		f["modeType"] = modeStreamed
	}
	f.putContent(part, e.ID)
	c.s.Offer.remember(part)
	f.add(kept(e))
	return f
}

// partial is a piece of an answer of the kind the client expects.
func (c customer) partial(e event.Event, body event.MessagePartial) error {
	if c.s.Conn == "" || e.Actor.Role != event.RoleVirtualAgent || body.Mode != c.set.Streaming {
		return nil
	}
	f := fields{"modeType": modeStreaming, "text": body.Text}
	f.add(kept(e))
	return send(c.tx, "", c.s.Conn, c.around(f))
}

func sessionHistory(body event.TranscriptShared) fields {
	list := []fields{}
	for _, entry := range body.Entries {
		text := codec.Plain(entry.Content)
		if text == "" {
			continue
		}
		item := fields{"role": string(entry.Actor.Role), "text": text}
		if !entry.Time.IsZero() {
			item["time"] = entry.Time.UTC().Format(time.RFC3339Nano)
		}
		list = append(list, item)
	}
	return fields{"sessionHistory": list}
}

// end closes the client's socket; one that was with a person is told.
func (c customer) end(e event.Event) error {
	c.s.Ended = true
	if c.s.Conn == "" {
		return nil
	}
	defer c.tx.Close(c.s.Conn, closeNormal)
	if !c.s.Person && !c.s.Waiting {
		return nil
	}
	return send(c.tx, "", c.s.Conn, c.around(c.withAgent(modeExited, e)))
}
