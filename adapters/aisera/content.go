package aisera

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// offerLimit bounds what a state remembers of the choices or form last offered,
// in bytes of JSON.
const offerLimit = 2500

// offer is what was put to the customer last, as far as their answer needs it.
type offer struct {
	Choices []event.Choice `json:"choices,omitempty"`
	Form    string         `json:"form,omitempty"`
	// Inputs are the form's fields that are not simply text.
	Inputs []input `json:"inputs,omitempty"`
}

// input is a field of a form: Number says it takes one, Many that several of its
// options may be picked; else it is a yes or no.
type input struct {
	Name   string `json:"name"`
	Number bool   `json:"number,omitempty"`
	Many   bool   `json:"many,omitempty"`
}

// remember keeps what content offers; other content leaves it as it is.
func (o *offer) remember(p event.Part) {
	switch p := p.(type) {
	case event.Choices:
		var options []event.Choice
		for _, c := range p.Options {
			if c.ID != "" && len(c.ID) <= 200 {
				options = append(options, event.Choice{ID: c.ID, Label: clip(c.Label), Value: clip(c.Value)})
			}
		}
		o.Choices = bounded(options, offerLimit)
	case event.Form:
		o.Form, o.Inputs = clip(p.ID), nil
		for _, f := range p.Fields {
			if f.Input == "number" || f.Input == "checkbox" {
				o.Inputs = append(o.Inputs, input{clip(f.Name), f.Input == "number", len(f.Options) > 0})
			}
		}
		o.Inputs = bounded(o.Inputs, offerLimit)
	}
}

// picked is the id of the choice a text picks, or "".
func (o *offer) picked(text string) string {
	text = strings.TrimSpace(text)
	for _, c := range o.Choices {
		if text != "" && (strings.EqualFold(text, c.Label) || text == c.Value || text == c.ID) {
			return c.ID
		}
	}
	return ""
}

// says is what picking the choice of that id says; a choice nobody remembers is
// the text beside it, or its id.
func (o *offer) says(id, text string) string {
	for _, c := range o.Choices {
		if c.ID == id {
			return cmp.Or(c.Value, text, c.Label)
		}
	}
	return cmp.Or(text, id)
}

// value is the answer to a field as JSON of the kind the form asks for. Without
// the form, text that is JSON other than text or an object is taken as it stands.
func (o *offer) value(form string, v event.FieldValue) any {
	if o.Form == "" || (form != "" && form != o.Form) {
		return guess(v.Value)
	}
	at := slices.IndexFunc(o.Inputs, func(i input) bool { return i.Name == v.Name })
	switch {
	case at < 0:
		return v.Value
	case o.Inputs[at].Number:
		return guess(v.Value)
	case o.Inputs[at].Many:
		if list, ok := guess(v.Value).(json.RawMessage); ok && list[0] == '[' {
			return list
		}
		return []string{v.Value}
	}
	return slices.Contains([]string{"true", "yes", "on", "1"}, strings.ToLower(v.Value))
}

// guess is text as the number, truth or list it writes, else as itself.
func guess(text string) any {
	v, err := codec.Strict([]byte(text))
	if err != nil || !v.Exists() || v.IsString() || v.IsObject() || strings.TrimSpace(text) != text {
		return text
	}
	return json.RawMessage(v.Text())
}

// textKeys are the names an answer's text has been documented or guessed under.
func textKeys() []string { return []string{"text", "message", "messages", "displayText"} }

// content reads what an answer says, and the members that said it. format is of
// its text.
func content(v codec.Value, format string, keys []string) (parts []event.Part, understood []string) {
	text := ""
	for _, name := range keys {
		if text == "" {
			text = textOf(v.Get(name))
			understood = append(understood, name)
		}
	}
	form, options, used := formOf(v), event.Choices{}, ""
	if form == nil || v.Get("form").Exists() {
		options.Options, used = optionsOf(v)
	}
	if form != nil {
		form.Text = text
		parts, text = append(parts, *form), ""
		understood = append(understood, "form", "formId", "title", "fields")
	}
	if len(options.Options) > 0 {
		options.Text = text
		return append(parts, options), append(understood, used)
	}
	if text != "" {
		parts = append(parts, event.Text{Text: text, Format: format})
	}
	return parts, understood
}

// followUpList is what choices are called; of them those count that can be picked.
const followUpList = "followUps"

// optionsOf finds the choices of an answer: the first list whose items have both
// an id and a label.
func optionsOf(v codec.Value) (options []event.Choice, name string) {
	for _, m := range v.Members() {
		if !m.Value.IsArray() || slices.Contains(append(textKeys(), "fields", "errors", "sessionHistory", "history"), m.Name) {
			continue
		}
		for _, item := range m.Value.Items() {
			c := event.Choice{ID: scalar(item.Get("followUpId", "id")), Label: scalar(item.Get("text", "label", "title")),
				URL: scalar(item.Get("url"))}
			if c.ID != "" && c.Label != "" {
				options = append(options, c)
			} else if m.Name != followUpList { // a list of something else
				options = nil
				break
			}
		}
		if len(options) > 0 {
			return options, m.Name
		}
	}
	return nil, ""
}

// formOf is the form of an answer, in an object of its own or in its fields.
func formOf(v codec.Value) *event.Form {
	f := v.Get("form")
	if !f.IsObject() {
		f = v
	}
	id, list := scalar(f.Get("formId")), f.Get("fields")
	if id == "" && !list.IsArray() {
		return nil
	}
	form := &event.Form{ID: id, Title: scalar(f.Get("title")), Fields: []event.Field{}}
	for _, item := range list.Items() {
		name := scalar(item.Get("name", "id", "key"))
		if name == "" {
			continue
		}
		form.Fields = append(form.Fields, event.Field{Name: name, Label: scalar(item.Get("label", "title", "text")),
			Input: inputOf(scalar(item.Get("type"))), Required: item.Get("required").Text() == "true",
			Options: fieldOptions(item.Get("options", "values"))})
	}
	return form
}

// inputOf is the HTML input a type of field stands for.
func inputOf(kind string) string {
	inputs := map[string]string{"string": "text", "simplestring": "text", "text_area": "textarea", "dropdown": "select",
		"radios": "radio", "radiobuttons": "radio", "multiselect": "checkbox", "multiselectcheckboxes": "checkbox",
		"checkboxes": "checkbox", "boolean": "checkbox", "integer": "number"}
	if input, known := inputs[strings.ToLower(kind)]; known {
		return input
	}
	return strings.ToLower(kind)
}

func fieldOptions(list codec.Value) []event.Choice {
	var options []event.Choice
	for _, item := range list.Items() {
		c := event.Choice{Label: scalar(item)}
		if item.IsObject() {
			c = event.Choice{Label: scalar(item.Get("label", "text", "title")), Value: scalar(item.Get("value", "id"))}
			c.Label = cmp.Or(c.Label, c.Value)
		}
		if c.Label != "" {
			options = append(options, c)
		}
	}
	return options
}

// putContent writes what an answer says. id names choices that have no id.
func (f fields) putContent(p event.Part, id string) {
	switch p := p.(type) {
	case event.Choices:
		f.put("text", p.Text)
		if list := followUps(p.Options, id); len(list) > 0 {
			f[followUpList] = list
		}
	case event.Form:
		f.put("text", p.Text)
		form := fields{"formId": cmp.Or(p.ID, id), "fields": formFields(p.Fields)}
		form.put("title", p.Title)
		f["form"] = form
	default:
		f["text"] = codec.Plain(event.Content{Part: p})
	}
}

// named gives every choice an id: its own, or one made of the event's.
func named(options []event.Choice, id string) []event.Choice {
	out := slices.Clone(options)
	for i := range out {
		out[i].ID = cmp.Or(out[i].ID, id+"/"+strconv.Itoa(i+1))
	}
	return out
}

func followUps(options []event.Choice, id string) []fields {
	var list []fields
	for _, c := range named(options, id) {
		item := fields{"followUpId": c.ID, "text": c.Label}
		item.put("url", c.URL)
		list = append(list, item)
	}
	return list
}

func formFields(all []event.Field) []fields {
	list := []fields{}
	for _, field := range all {
		item := fields{"name": field.Name}
		item.put("label", field.Label)
		item.put("type", field.Input)
		if field.Required {
			item["required"] = true
		}
		if options := formOptions(field.Options); len(options) > 0 {
			item["options"] = options
		}
		list = append(list, item)
	}
	return list
}

func formOptions(options []event.Choice) []fields {
	var list []fields
	for _, o := range options {
		list = append(list, fields{"label": o.Label, "value": cmp.Or(o.Value, o.Label)})
	}
	return list
}
