package convocore

import (
	"cmp"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The types of an item.
const (
	itemText     = "text"
	itemChoice   = "choice"
	itemVisual   = "visual"
	itemCard     = "cardV2"
	itemCarousel = "carousel"
	itemForm     = "form"
	itemInput    = "input"
)

// itemReaders read an item's payload by its type, in lower case without
// separators. A type without one is opaque.
//
//nolint:gochecknoglobals // a table that is never written.
var itemReaders = map[string]func(codec.Value) event.Part{
	"text":      readText,
	"choice":    readChoice,
	"visual":    readVisual,
	"image":     readVisual,
	"card":      func(v codec.Value) event.Part { return readCard(v) },
	"cardv2":    func(v codec.Value) event.Part { return readCard(v) },
	"carousel":  readCarousel,
	"iframe":    readFrameItem,
	"form":      readForm,
	"input":     readInput,
	"file":      readFile("file"),
	"voicenote": readFile("audio"),
	"audio":     readFile("audio"),
	"video":     readFile("video"),
}

// partOf reads one message of a turn; nil when it is opaque or empty. Older
// stored messages have content or rawItem for item, or the words alone.
func partOf(m codec.Value) event.Part {
	item := m.Get("item", "rawItem", "content").Unwrap()
	if item.IsString() {
		return readText(item)
	}
	kind, payload := item.Get("type").Text(), item.Get("payload")
	if !payload.Exists() {
		payload = item
	}
	read, known := itemReaders[squash(cmp.Or(kind, m.Get("type").Text(), itemText))]
	if !known {
		return nil
	}
	return read(payload)
}

func readText(v codec.Value) event.Part {
	text := v.Text()
	if v.IsObject() || v.IsArray() {
		text = v.Get("message", "text").Text()
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return event.Text{Text: text, Format: event.FormatMarkdown}
}

func readChoice(v codec.Value) event.Part {
	options := readButtons(v.Get("buttons"))
	if len(options) == 0 {
		return nil
	}
	return event.Choices{Text: v.Get("message", "text").Text(), Options: options}
}

func readButtons(v codec.Value) []event.Choice {
	var options []event.Choice
	for _, b := range v.Items() {
		c := event.Choice{Label: b.Get("name", "label", "title").Text()}
		payload := b.Get("request").Get("payload")
		if payload.IsObject() {
			c.URL = payload.Get("url").Text()
			c.Value = payload.Get("message", "text").Text()
		} else {
			c.Value = payload.Text()
		}
		c.Label = cmp.Or(c.Label, c.Value)
		if c.Value == c.Label {
			c.Value = ""
		}
		if c.Label != "" {
			options = append(options, c)
		}
	}
	return options
}

func readVisual(v codec.Value) event.Part {
	address := v.Get("image", "imageUrl", "url", "src").Text()
	if address == "" {
		return nil
	}
	return event.Media{Kind: "image", URL: address}
}

func readFile(kind string) func(codec.Value) event.Part {
	return func(v codec.Value) event.Part {
		address := v.Get("url", "fileUrl", "src").Text()
		if address == "" {
			return nil
		}
		return event.Media{Kind: kind, URL: address, Name: v.Get("name", "fileName").Text()}
	}
}

func readCard(v codec.Value) event.Card {
	text := v.Get("description")
	if text.IsObject() {
		text = text.Get("text")
	}
	return event.Card{Title: v.Get("title").Text(), Text: text.Text(), Image: v.Get("imageUrl", "image").Text(),
		Actions: readButtons(v.Get("buttons"))}
}

func readCarousel(v codec.Value) event.Part {
	var cards []event.Card
	for _, c := range v.Get("cards").Items() {
		cards = append(cards, readCard(c))
	}
	if len(cards) == 0 {
		return nil
	}
	return event.Carousel{Cards: cards}
}

func readFrameItem(v codec.Value) event.Part {
	address := v.Get("url", "src").Text()
	if address == "" {
		return nil
	}
	return event.Link{URL: address}
}

func readForm(v codec.Value) event.Part {
	form := event.Form{ID: v.Get("id", "formId").Text(), Title: v.Get("title").Text(), Text: v.Get("description").Text()}
	for _, f := range v.Get("fields").Items() {
		form.Fields = append(form.Fields, readField(f))
	}
	if len(form.Fields) == 0 {
		return nil
	}
	return form
}

func readInput(v codec.Value) event.Part {
	field := v.Get("field")
	if !field.Exists() {
		return nil
	}
	return event.Form{Fields: []event.Field{readField(field)}}
}

func readField(v codec.Value) event.Field {
	f := event.Field{Name: v.Get("id", "field_id", "name", "key").Text(), Label: v.Get("label").Text(),
		Input: v.Get("type", "field_type").Text(), Required: v.Get("required").Text() == "true"}
	f.Name = cmp.Or(f.Name, f.Label)
	for _, o := range v.Get("options").Items() {
		c := event.Choice{Label: o.Get("label").Text(), Value: o.Get("value").Text()}
		if !o.IsObject() {
			c.Label = o.Text()
		}
		c.Label = cmp.Or(c.Label, c.Value)
		if c.Value == c.Label {
			c.Value = ""
		}
		f.Options = append(f.Options, c)
	}
	return f
}

// item is one thing said: its type and payload.
type item struct {
	kind    string
	payload object
}

// itemsOf are the items content is written as: what has no item of its own is
// text, and what an item has no room for goes before it as text.
func itemsOf(c event.Content) []item {
	switch p := c.Part.(type) {
	case event.Choices:
		return headed(p.Text, item{itemChoice, object{"buttons": buttons(p.Options)}})
	case event.Card:
		return []item{{itemCard, card(p)}}
	case event.Carousel:
		return []item{{itemCarousel, object{"cards": cards(p.Cards)}}}
	case event.Form:
		return []item{formItem(p)}
	case event.Media:
		if p.Kind == "image" && p.URL != "" {
			return headed(p.Caption, item{itemVisual, object{"image": p.URL}})
		}
	case event.Link:
		open := event.Choice{Label: cmp.Or(p.Title, p.URL), URL: p.URL}
		return []item{{itemChoice, object{"buttons": buttons([]event.Choice{open})}}}
	}
	return headed(codec.Plain(c))
}

func headed(text string, rest ...item) []item {
	if text == "" {
		return rest
	}
	return append([]item{{itemText, object{"message": text}}}, rest...)
}

func buttons(options []event.Choice) []any {
	out := make([]any, 0, len(options))
	for _, o := range options {
		request := object{"type": "text", "payload": object{"message": cmp.Or(o.Value, o.Label)}}
		if o.URL != "" {
			request = object{"type": "open_url", "payload": object{"url": o.URL}}
		}
		out = append(out, object{"name": o.Label, "request": request})
	}
	return out
}

func card(c event.Card) object {
	out := object{"title": c.Title}
	if c.Text != "" {
		out["description"] = object{"text": c.Text}
	}
	if c.Image != "" {
		out["imageUrl"] = c.Image
	}
	if len(c.Actions) > 0 {
		out["buttons"] = buttons(c.Actions)
	}
	return out
}

func cards(all []event.Card) []any {
	out := make([]any, 0, len(all))
	for _, c := range all {
		out = append(out, card(c))
	}
	return out
}

// formItem writes a single question without a title as input, all others as form.
func formItem(f event.Form) item {
	if len(f.Fields) == 1 && f.ID == "" && f.Title == "" && f.Text == "" {
		return item{itemInput, object{"field": field(f.Fields[0]), "onSubmit": object{"type": "submit_input"}}}
	}
	fields := make([]any, 0, len(f.Fields))
	for _, one := range f.Fields {
		fields = append(fields, field(one))
	}
	out := object{"fields": fields, "onSubmit": object{"type": "submit_form"}}
	for name, value := range map[string]string{"id": f.ID, "title": f.Title, "description": f.Text} {
		if value != "" {
			out[name] = value
		}
	}
	return item{itemForm, out}
}

func field(f event.Field) object {
	out := object{"id": f.Name, "label": cmp.Or(f.Label, f.Name), "type": cmp.Or(f.Input, "text")}
	if f.Required {
		out["required"] = true
	}
	var options []any
	for _, o := range f.Options {
		options = append(options, object{"value": cmp.Or(o.Value, o.Label), "label": o.Label})
	}
	if options != nil {
		out["options"] = options
	}
	return out
}

// messageOf is an item as a message of a turn; a zero time is left out.
func messageOf(from string, i item, at time.Time) object {
	m := object{"from": from, "type": i.kind, "item": object{"type": i.kind, "payload": i.payload}}
	if !at.IsZero() {
		m["ts"] = at.Unix()
	}
	return m
}

// messagesOf are the messages content is written as.
func messagesOf(from string, c event.Content, at time.Time) []object {
	items := itemsOf(c)
	out := make([]object, 0, len(items))
	for _, i := range items {
		out = append(out, messageOf(from, i, at))
	}
	return out
}

// turnOf is a turn of messages.
func turnOf(from string, messages []any, at time.Time) object {
	t := object{"from": from, "messages": messages}
	if !at.IsZero() {
		t["ts"] = at.Unix()
	}
	return t
}
