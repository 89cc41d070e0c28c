package zendesk

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The most Zendesk takes of a rich message.
const (
	labelLimit   = 128
	actionsMost  = 10
	cardsMost    = 10
	buttonsMost  = 3
	questionMost = 20
)

func textOf(text string) backend.Fields { return backend.Fields{"type": "text", "text": text} }

// textEntries are a text as messages, whole and in order.
func textEntries(name, text string) []entry {
	var list []entry
	for _, part := range codec.Split(text, textLimit) {
		list = append(list, entry{Name: name, Content: textOf(part)})
	}
	return list
}

// captionLimit is the longest text beside a file, which is kept twice until it was sent;
// what is longer follows.
const captionLimit = 2000

// entriesOf is what a message is there: one, or several where its text is long. Only
// the business may send what has buttons or questions.
func entriesOf(name string, c event.Content) []entry {
	whole, rest := codec.Plain(c), ""
	if m, ok := c.Part.(event.Media); ok {
		m.Caption, rest = codec.Cut(m.Caption, captionLimit)
		c = event.Content{Part: m}
	}
	text := codec.Plain(c)
	one := entry{Name: name, Plain: text}
	switch part := c.Part.(type) {
	case event.Media:
		if file, ok := backend.File(c); ok {
			one.Content, one.File = mediaOf(part), &file
		}
	case event.Location:
		one.Content = backend.Fields{"type": "location", "coordinates": backend.Fields{"lat": part.Latitude, "long": part.Longitude}}
		place := backend.Fields{}
		place.Put("name", part.Name)
		place.Put("address", part.Address)
		if len(place) > 0 {
			one.Content["location"] = place
		}
	default:
		if name != "" {
			one.Content = richOf(c)
		}
	}
	if one.Content == nil || codec.Length(text) > textLimit {
		return textEntries(name, whole)
	}
	return append([]entry{one}, textEntries(name, rest)...)
}

func mediaOf(m event.Media) backend.Fields {
	kind := "file"
	if m.Kind == "image" {
		kind = "image"
	}
	f := backend.Fields{"type": kind}
	f.Put("text", m.Caption)
	return f
}

// richOf is what only the business sends, or nil where words say it better.
func richOf(c event.Content) backend.Fields {
	switch part := c.Part.(type) {
	case event.Choices:
		if text := cmp.Or(part.Text, " "); len(part.Options) > 0 && len(part.Options) <= actionsMost && codec.Length(text) <= textLimit {
			return backend.Fields{"type": "text", "text": text, "actions": actionsOf("reply", part.Options)}
		}
	case event.Link:
		if part.URL != "" {
			return backend.Fields{"type": "text", "text": cmp.Or(part.Title, part.URL), "actions": actionsOf("link", []event.Choice{{Label: cmp.Or(part.Title, part.URL), URL: part.URL}})}
		}
	case event.Card:
		return carouselOf([]event.Card{part})
	case event.Carousel:
		return carouselOf(part.Cards)
	case event.Form:
		return formOf(part)
	}
	return nil
}

// actionsOf are choices as actions; what opens an address is a link.
func actionsOf(kind string, options []event.Choice) []backend.Fields {
	list := []backend.Fields{}
	for _, one := range options {
		label := codec.Within(one.Label, labelLimit)
		if one.URL != "" {
			list = append(list, backend.Fields{"type": "link", "text": label, "uri": one.URL})
			continue
		}
		list = append(list, backend.Fields{"type": kind, "text": label, "payload": cmp.Or(one.Value, one.Label)})
	}
	return list
}

// carouselOf is cards side by side: each needs a title and something to press.
func carouselOf(cards []event.Card) backend.Fields {
	items := []backend.Fields{}
	for _, one := range cards {
		if one.Title == "" || len(one.Title) > labelLimit || len(one.Text) > labelLimit || len(one.Actions) == 0 || len(one.Actions) > buttonsMost {
			return nil
		}
		item := backend.Fields{"title": one.Title, "actions": actionsOf("postback", one.Actions)}
		item.Put("description", one.Text)
		item.Put("mediaUrl", one.Image)
		items = append(items, item)
	}
	if len(items) == 0 || len(items) > cardsMost {
		return nil
	}
	return backend.Fields{"type": "carousel", "items": items}
}

func formOf(f event.Form) backend.Fields {
	questions := []backend.Fields{}
	for _, one := range f.Fields {
		q := backend.Fields{"type": "text", "name": one.Name, "label": codec.Within(cmp.Or(one.Label, one.Name), labelLimit)}
		if one.Input == "email" {
			q["type"] = "email"
		}
		if len(one.Options) > 0 {
			options := []backend.Fields{}
			for _, o := range one.Options {
				options = append(options, backend.Fields{"name": cmp.Or(o.Value, o.Label), "label": codec.Within(o.Label, labelLimit)})
			}
			q["type"], q["options"] = "select", options
		}
		questions = append(questions, q)
	}
	if len(questions) == 0 || len(questions) > questionMost {
		return nil
	}
	return backend.Fields{"type": "form", "fields": questions}
}

// partsOf is what a message of Zendesk's says.
func partsOf(v codec.Value) []event.Part {
	kinds := map[string]func(codec.Value) event.Part{"image": partOfMedia, "file": partOfMedia, "carousel": partOfCards, "list": partOfCards,
		"form": partOfForm, "formresponse": partOfResponse, "location": partOfPlace}
	if of, ok := kinds[strings.ToLower(v.Get("type").Text())]; ok {
		if part := of(v); part != nil {
			if words, ok := withActions(v, ""); ok && is(v.Get("type"), "image") {
				return []event.Part{part, words}
			}
			return []event.Part{part}
		}
	}
	text, format := v.Get("htmlText").Text(), event.FormatHTML
	if text == "" {
		text, format = cmp.Or(v.Get("text").Text(), v.Get("textFallback").Text()), event.FormatPlain
	}
	if choices, ok := withActions(v, v.Get("text").Text()); ok {
		return []event.Part{choices}
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return []event.Part{event.Text{Text: text, Format: format}}
}

// withActions is a text with what there is to press; false where there is nothing.
func withActions(v codec.Value, text string) (event.Choices, bool) {
	c := event.Choices{Text: text, Options: choicesOf(v.Get("actions"))}
	return c, len(c.Options) > 0
}

// choicesOf are actions as choices: what they say, or open.
func choicesOf(v codec.Value) []event.Choice {
	var list []event.Choice
	for _, one := range v.Items() {
		uri := one.Get("uri").Text()
		if is(one.Get("type"), "webview") {
			uri = cmp.Or(one.Get("fallback").Text(), uri)
		}
		if label := one.Get("text").Text(); label != "" {
			list = append(list, event.Choice{Label: label, Value: one.Get("payload").Text(), URL: codec.WebAddress(uri)})
		}
	}
	return list
}

func partOfMedia(v codec.Value) event.Part {
	address := codec.WebAddress(v.Get("mediaUrl").Text())
	if address == "" {
		return nil
	}
	kind, media := codec.MediaType(v.Get("mediaType").Text())
	if is(v.Get("type"), "image") {
		kind = "image"
	}
	return event.Media{Kind: kind, URL: address, MIME: media, Name: codec.FileName(address), Size: codec.NumberID(v.Get("mediaSize").Text()), Caption: v.Get("text").Text()}
}

func partOfCards(v codec.Value) event.Part {
	c := event.Carousel{Cards: []event.Card{}}
	for _, one := range v.Get("items").Items() {
		c.Cards = append(c.Cards, event.Card{Title: one.Get("title").Text(), Text: one.Get("description").Text(),
			Image: codec.WebAddress(one.Get("mediaUrl").Text()), Actions: choicesOf(one.Get("actions"))})
	}
	if len(c.Cards) == 0 {
		return nil
	}
	return c
}

func partOfForm(v codec.Value) event.Part {
	f := event.Form{Fields: []event.Field{}}
	for _, one := range v.Get("fields").Items() {
		field := event.Field{Name: one.Get("name").Text(), Label: one.Get("label").Text(), Input: strings.ToLower(one.Get("type").Text())}
		for _, o := range one.Get("options").Items() {
			field.Options = append(field.Options, event.Choice{Label: o.Get("label").Text(), Value: o.Get("name").Text()})
		}
		if field.Name != "" {
			f.Fields = append(f.Fields, field)
		}
	}
	if len(f.Fields) == 0 {
		return nil
	}
	return f
}

// partOfResponse is a form somebody has filled in.
func partOfResponse(v codec.Value) event.Part {
	r := event.FormResponse{Values: []event.FieldValue{}}
	for _, one := range v.Get("fields").Items() {
		var picked []string
		for _, o := range one.Get("select").Items() {
			picked = append(picked, cmp.Or(o.Get("label").Text(), o.Get("name").Text()))
		}
		value := cmp.Or(one.Get("text").Text(), one.Get("email").Text(), strings.Join(picked, ", "))
		r.Values = append(r.Values, event.FieldValue{Name: one.Get("name").Text(), Label: one.Get("label").Text(), Value: value})
	}
	if len(r.Values) == 0 {
		return nil
	}
	return r
}

func partOfPlace(v codec.Value) event.Part {
	at, place := v.Get("coordinates"), v.Get("location")
	lat, fine := degrees(at.Get("lat"))
	long, good := degrees(at.Get("long"))
	if !fine || !good {
		return nil
	}
	return event.Location{Latitude: lat, Longitude: long, Name: place.Get("name").Text(), Address: place.Get("address").Text()}
}

func degrees(v codec.Value) (float64, bool) {
	n, err := strconv.ParseFloat(v.Text(), 64)
	return n, err == nil && n >= -180 && n <= 180
}
