package convocore

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The bounds of what is remembered of a customer.
const (
	factsSize  = 4 << 10
	factName   = 60
	factLength = 200
)

// person is a customer as lightConvoData describes them.
type person struct {
	Actor event.Actor       `json:"actor,omitzero"`
	Facts map[string]string `json:"facts,omitempty"`
}

// The facts that lightConvoData has a field of its own for.
//
//nolint:gochecknoglobals // a table that is never written.
var ownFields = map[string]string{"email": "userEmail", "phone": "userPhone", "origin": "origin"}

// meet takes over what is new of a customer.
func (p *person) meet(a event.Actor) {
	for _, f := range []struct {
		mine *string
		new  string
		most int
	}{{&p.Actor.ID, a.ID, factLength}, {&p.Actor.Name, a.Name, factLength}, {&p.Actor.Avatar, a.Avatar, 2 * factLength}} {
		*f.mine = cmp.Or(clip(f.new, f.most), *f.mine)
	}
}

// learn adds facts and gives those that are new or changed.
func (p *person) learn(facts map[string]string) map[string]string {
	news := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		value := clip(facts[name], factLength)
		old, known := p.Facts[name]
		if name == "" || len(name) > factName || value == old && known || !known && value == "" {
			continue
		}
		if weight(p.Facts)+weight(name)+weight(value) > factsSize {
			continue
		}
		if p.Facts == nil {
			p.Facts = map[string]string{}
		}
		p.Facts[name], news[name] = value, value
	}
	return news
}

// describe reads lightConvoData.
func describe(v codec.Value) (event.Actor, map[string]string) {
	facts := map[string]string{}
	for name, field := range ownFields {
		if value := v.Get(field).Text(); value != "" {
			facts[name] = value
		}
	}
	for _, m := range v.Get("capturedVariables").Members() {
		if _, own := ownFields[m.Name]; !own && m.Value.Exists() {
			facts[m.Name] = m.Value.Text()
		}
	}
	return event.Actor{Role: event.RoleCustomer, ID: v.Get("userID", "userId").Text(),
		Name: v.Get("userName").Text(), Avatar: v.Get("userImage").Text()}, facts
}

// light writes lightConvoData; variables says that facts without a field of their
// own go too.
func (p person) light(variables bool) object {
	out, captured := object{}, object{}
	for name, value := range map[string]string{"userID": p.Actor.ID, "userName": p.Actor.Name, "userImage": p.Actor.Avatar} {
		if value != "" {
			out[name] = value
		}
	}
	for name, value := range p.Facts {
		if field, own := ownFields[name]; own {
			out[field] = value
		} else if variables {
			captured[name] = value
		}
	}
	if len(captured) > 0 {
		out["capturedVariables"] = captured
	}
	return out
}

// askedIn is what a client's object asks for.
func askedIn(v codec.Value) []event.Body {
	if form, ok := responseIn(v.Get("formSubmissionMetadata").Unwrap()); ok {
		return []event.Body{event.MessageCreated{Content: event.Content{Part: form}}}
	}
	prompt := v.Get("prompt").Text()
	if images := imagesIn(v, prompt); len(images) > 0 {
		return images
	}
	trimmed := strings.TrimSpace(prompt)
	switch {
	case trimmed == "":
		return []event.Body{event.CommandIssued{Name: "history"}}
	case trimmed == promptStart:
		return []event.Body{event.CommandIssued{Name: promptStart}}
	case strings.HasPrefix(trimmed, promptCancel):
		return []event.Body{event.CommandIssued{Name: "cancel"}}
	case strings.HasPrefix(trimmed, promptRewind):
		return []event.Body{event.CommandIssued{Name: strings.TrimPrefix(trimmed, "@")}}
	}
	return []event.Body{event.MessageCreated{Content: event.Plain(prompt)}}
}

func responseIn(v codec.Value) (event.FormResponse, bool) {
	form := event.FormResponse{Form: v.Get("formId").Text()}
	for _, f := range v.Get("payload").Unwrap().Items() {
		name := f.Get("field_id", "fieldId", "id", "name").Text()
		label := f.Get("label").Text()
		form.Values = append(form.Values, event.FieldValue{Name: cmp.Or(name, label), Label: label, Value: f.Get("value").Text()})
	}
	return form, len(form.Values) > 0
}

// imagesIn are the pictures a client sends, the words with the first.
func imagesIn(v codec.Value, prompt string) []event.Body {
	visual := v.Get("visualPayload").Unwrap()
	var addresses []string
	for _, one := range slices.Concat(visual.Get("image").Items(), visual.Get("images").Items()) {
		address := one.Text()
		if one.IsObject() {
			address = one.Get("url", "image").Text()
		}
		if address != "" && !slices.Contains(addresses, address) {
			addresses = append(addresses, address)
		}
	}
	var out []event.Body
	for i, address := range addresses {
		m := event.Media{Kind: "image", URL: address}
		if i == 0 {
			m.Caption = cmp.Or(visual.Get("message").Text(), prompt)
		}
		out = append(out, event.MessageCreated{Content: event.Content{Part: m}})
	}
	return out
}

// prompts are the commands the vendor has a prompt for.
//
//nolint:gochecknoglobals // a table that is never written.
var prompts = map[string]string{"start": promptStart, "start_over": promptStart, "reset": promptStart, "cancel": promptCancel}

// promptOf writes what a customer's event asks as fields of a client's object;
// false when the vendor has no words for it.
func promptOf(body event.Body) (object, bool) {
	switch b := body.(type) {
	case event.MessageCreated:
		return promptOfContent(b.Content)
	case event.CommandIssued:
		if strings.HasPrefix(b.Name, strings.TrimPrefix(promptRewind, "@")) {
			return object{"prompt": "@" + b.Name}, true
		}
		prompt, known := prompts[b.Name]
		return object{"prompt": prompt}, known
	}
	return nil, false
}

func promptOfContent(c event.Content) (object, bool) {
	text := codec.Plain(c)
	switch p := c.Part.(type) {
	case event.FormResponse:
		form := object{"formType": "ui_engine_form", "payload": answers(p)}
		if p.Form != "" {
			form["formId"] = p.Form
		}
		return object{"prompt": text, "formSubmissionMetadata": form}, len(p.Values) > 0
	case event.Media:
		if p.Kind == "image" && p.URL != "" {
			return object{"prompt": p.Caption, "messageType": "visual", "visualPayload": object{
				"image": p.URL, "images": []any{p.URL}, "message": p.Caption, "imageCount": 1}}, true
		}
	}
	return object{"prompt": text}, strings.TrimSpace(text) != ""
}

func answers(f event.FormResponse) []any {
	out := make([]any, 0, len(f.Values))
	for i, v := range f.Values {
		out = append(out, object{"index": i, "label": cmp.Or(v.Label, v.Name), "value": v.Value, "field_id": v.Name, "field_type": "text"})
	}
	return out
}

// passed are the fields of a client's object that may go on to another agent of
// the vendor. What changes the agent itself (agentData, workspaceData, tests) is
// not among them.
//
//nolint:gochecknoglobals // a table that is never written.
var passed = []string{"prompt", "sessionId", "messageType", "visualPayload", "replyTo", "formSubmissionMetadata", "lightConvoData"}

func staysHere(name string, _ any) bool { return !slices.Contains(passed, name) }

// passedOn is what a client's object held, as far as it may go on.
func passedOn(e event.Event) object {
	out := kept(e)
	maps.DeleteFunc(out, staysHere)
	return out
}

// private are the fields of lightConvoData that are not the client's to say, or
// are facts already.
//
//nolint:gochecknoglobals // a table that is never written.
var private = []string{"state", "chatAssignedTo", "capturedVariables"}

// restOfPrompt is what a client's object holds beyond its event.
func restOfPrompt(v codec.Value, body event.Body, who person) object {
	ours, _ := promptOf(body)
	if ours == nil {
		ours = object{}
	}
	ours["lightConvoData"] = who.light(true)
	rest, ok := residue(v, ours).(object)
	if !ok {
		return nil
	}
	maps.DeleteFunc(rest, staysHere)
	if light, ok := rest["lightConvoData"].(object); ok {
		maps.DeleteFunc(light, func(name string, _ any) bool { return slices.Contains(private, name) })
		if len(light) == 0 {
			delete(rest, "lightConvoData")
		}
	}
	return rest
}
