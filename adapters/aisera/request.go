package aisera

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// request is a chat client's frame as it was read. used are the members of data
// that were understood; what is left of it is kept for the way out.
type request struct {
	top, data codec.Value
	kind      string
	used      []string
}

func readRequest(v codec.Value) request {
	r := request{top: v, data: v.Get("data").Unwrap(), used: []string{"userFullName", "sessionVars"}}
	if !r.data.IsObject() { // a frame without data has its members at the top
		r.data = objectOf(v.Without(topKeys()...))
		r.top = objectOf(v.Without(names(r.data)...))
	}
	r.kind = scalar(r.data.Get("type"))
	r.kind = spelled(cmp.Or(r.kind, scalar(v.Get("type"))), typePickUp, typeCompleted, typeTransfer, typeTimeout, typeSurvey)
	return r
}

// topKeys are the members of a frame that stand beside data.
func topKeys() []string { return []string{credential, "userId", "userEmail", "channelId", "data"} }

// customer is who sent the frame.
func (r request) customer() event.Actor {
	return event.Actor{Role: event.RoleCustomer, ID: clip(scalar(r.top.Get("userId"))), Name: clip(scalar(r.data.Get("userFullName")))}
}

// facts are what the frame tells beside words, and what of it was not text.
func (r request) facts() (attributes map[string]string, rest json.RawMessage) {
	attributes, odd := attributesOf(r.data.Get("sessionVars").Unwrap())
	if email := scalar(r.top.Get("userEmail")); email != "" {
		if attributes == nil {
			attributes = map[string]string{}
		}
		attributes[emailAttribute] = email
	}
	if len(odd) > 0 {
		rest, _ = codec.Encode(fields{"data": fields{"sessionVars": odd}})
	}
	return attributes, rest
}

func names(v codec.Value) []string {
	var out []string
	for _, m := range v.Members() {
		out = append(out, m.Name)
	}
	return out
}

// emailAttribute is the fact an address is known by in a conversation.
const emailAttribute = "email"

// bodies are what the frame says, in order.
func (r *request) bodies(o *offer, ends bool) []event.Body {
	if bodies, known := r.typed(); known {
		return bodies
	}
	bodies := r.commands(ends)
	for _, p := range r.parts(o) {
		bodies = append(bodies, event.MessageCreated{Content: event.Content{Part: p}})
	}
	if len(bodies) == 0 && r.kind != "" {
		r.use("type")
		bodies = append(bodies, event.Extension{Vendor: vendor, Name: r.kind, Data: r.data.Without(append(r.used, "reqId")...)})
		r.data = r.only("reqId")
	}
	return bodies
}

// only is the data with one member of it, where the rest is in a body.
func (r *request) only(name string) codec.Value {
	others := slices.DeleteFunc(names(r.data), func(n string) bool { return n == name })
	return objectOf(r.data.Without(others...))
}

func (r *request) use(names ...string) { r.used = append(r.used, names...) }

// typed are the frames whose type says all.
func (r *request) typed() ([]event.Body, bool) {
	read, known := map[string]func() event.Body{
		typePickUp:    func() event.Body { return event.HandoffAccepted{} },
		typeCompleted: func() event.Body { return event.HandbackRequested{} },
		typeTransfer:  r.transfer,
		typeTimeout:   func() event.Body { return event.ConversationEnded{Reason: "expired", By: event.RoleCustomer} },
		typeSurvey:    r.survey,
	}[r.kind]
	if !known {
		return nil, false
	}
	r.use(append(agentKeys(), "type")...)
	return []event.Body{read()}, true
}

func (r *request) transfer() event.Body {
	r.use("toAgentId", "queue")
	return event.TransferRequested{Agent: scalar(r.data.Get("toAgentId")), Routing: event.Routing{Queue: scalar(r.data.Get("queue"))}}
}

// survey is the customer's answer to a survey, or the wish for one.
func (r *request) survey() event.Body {
	r.use("score", "rating", "text")
	answer := event.SurveyAnswered{Score: scalar(r.data.Get("score", "rating")), Comment: scalar(r.data.Get("text"))}
	if answer == (event.SurveyAnswered{}) {
		data := r.data.Without(append(r.used, "reqId")...)
		r.data = r.only("reqId")
		return event.Extension{Vendor: vendor, Name: typeSurvey, Data: data}
	}
	return answer
}

// commands are the orders a frame gives; ends says that to log out is the end.
func (r *request) commands(ends bool) []event.Body {
	var bodies []event.Body
	add := func(name string, names ...string) {
		r.use(names...)
		bodies = append(bodies, event.CommandIssued{Name: name})
	}
	flow := spelled(scalar(r.data.Get("followUpContext").Get("type")), contextRestart, contextBack)
	switch {
	case flow == contextRestart:
		add("start_over", "followUpContext", "followUpId")
	case flow == contextBack, flow == "" && scalar(r.data.Get("followUpId")) == followUpBack:
		add("back", "followUpContext", "followUpId")
	}
	if r.data.Get("isReset").Text() == "true" {
		add("reset", "isReset")
	}
	if r.data.Get("needsSessionHistory").Text() == "true" {
		add("history", "needsSessionHistory")
	}
	if scalar(r.data.Get("text")) == logoutText {
		add("logout", "text")
		if ends {
			bodies = append(bodies, event.ConversationEnded{Reason: "completed", By: event.RoleCustomer})
		}
	}
	return bodies
}

// parts are what the customer says: words, a choice, a form.
func (r *request) parts(o *offer) []event.Part {
	var parts []event.Part
	text := textOf(r.data.Get("text"))
	if slices.Contains(r.used, "text") {
		text = ""
	}
	if id := scalar(r.data.Get("followUpId")); id != "" && !slices.Contains(r.used, "followUpId") {
		text = o.says(id, text)
	}
	r.use("text")
	if text != "" {
		parts = append(parts, event.Text{Text: text, Format: event.FormatPlain})
	}
	if form := r.data.Get("followUpData"); form.Get("formId").Exists() || form.Get("formFieldValues").Exists() {
		parts = append(parts, formResponse(form))
		r.use("followUpData")
	}
	return parts
}

func formResponse(form codec.Value) event.FormResponse {
	response := event.FormResponse{Form: scalar(form.Get("formId")), Values: []event.FieldValue{}}
	for _, m := range form.Get("formFieldValues").Members() {
		response.Values = append(response.Values, event.FieldValue{Name: m.Name, Value: m.Value.Text()})
	}
	return response
}

// rest is what was not understood of the frame. It is an object even where that
// is nothing, so that nothing is added to the frame on its way out.
func (r *request) rest() json.RawMessage {
	out := fields{}
	out.add(objectOf(r.top.Without(append(topKeys(), "type")...)))
	data := fields{}
	data.add(objectOf(r.data.Without(r.used...)))
	if values := r.typedValues(); len(values) > 0 {
		data["followUpData"] = fields{"formFieldValues": values}
	}
	if len(data) > 0 {
		out["data"] = data
	}
	rest, err := codec.Encode(out)
	if err != nil {
		return nil
	}
	return rest
}

// typedValues are the answers to a form whose text does not tell their type.
func (r *request) typedValues() fields {
	values := fields{}
	for _, m := range r.data.Get("followUpData").Get("formFieldValues").Members() {
		again, err := codec.Encode(guess(m.Value.Text()))
		if err != nil || objectOf(again).Text() != objectOf(m.Value.Raw()).Text() || m.Value.IsString() != (again[0] == '"') {
			values[m.Name] = m.Value.Raw()
		}
	}
	return values
}

// objectOf reads JSON of our own making.
func objectOf(data json.RawMessage) codec.Value {
	v, err := codec.Lenient(data)
	if err != nil {
		return codec.Value{}
	}
	return v
}

// emitRequest says what a chat client's frame means. It reports whether the
// frame ends the conversation.
func emitRequest(tx *adapter.Tx, r request, customer event.Actor, o *offer, ends bool) (ended bool) {
	bodies := r.bodies(o, ends)
	bearer := len(bodies) - 1 // of what the bodies do not carry
	if ended = bearer >= 0 && bodies[bearer].Kind() == event.KindConversationEnded; ended {
		bearer = max(bearer-1, 0)
	}
	for i, body := range bodies {
		e := adapter.Emission{Actor: r.actor(body, customer), Body: body}
		if i == bearer {
			e.Vendor = keep(r.rest())
		}
		tx.Emit(e)
	}
	return ended
}

// actor is who does what a frame says: the customer, but for what only live
// agents do.
func (r request) actor(body event.Body, customer event.Actor) event.Actor {
	switch body.(type) {
	case event.HandoffAccepted, event.HandbackRequested, event.TransferRequested:
		return agentOf(r.data)
	}
	return customer
}
