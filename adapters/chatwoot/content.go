package chatwoot

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// parts is what a message says: its words, or what they are part of, and its files,
// each by itself, so that a file that cannot be had takes no words with it.
func (s *settings) parts(v codec.Value) []event.Part {
	var list []event.Part
	text, items := v.Get("content").Text(), v.Get("content_attributes").Unwrap().Get("items").Items()
	rich := map[string]func(string, []codec.Value) event.Part{"input_select": choicesOf, "cards": cardsOf, "form": formOf, "article": articlesOf}
	if of, ok := rich[strings.ToLower(v.Get("content_type").Text())]; ok && len(items) > 0 {
		list = append(list, of(text, items))
	} else if text != "" {
		list = append(list, event.Text{Text: text, Format: s.TextFormat})
	}
	for _, one := range v.Get("attachments").Items() {
		if part := s.attachment(one); part != nil {
			list = append(list, part)
		}
	}
	return list
}

func (s *settings) attachment(v codec.Value) event.Part {
	address, title := s.address(v.Get("data_url").Text()), v.Get("fallback_title").Text()
	switch kind := strings.ToLower(v.Get("file_type").Text()); {
	case kind == "location":
		return event.Location{Latitude: degrees(v.Get("coordinates_lat")), Longitude: degrees(v.Get("coordinates_long")), Name: title}
	case kind == "contact" && title != "":
		return event.Text{Text: title, Format: event.FormatPlain}
	case address == "":
		return nil
	case kind == "fallback":
		return event.Link{URL: address, Title: title}
	default:
		known := map[string]string{"image": "image", "audio": "audio", "video": "video"}
		return event.Media{Kind: cmp.Or(known[kind], "file"), URL: address, Name: codec.FileName(address), Size: codec.NumberID(v.Get("file_size").Text())}
	}
}

func degrees(v codec.Value) float64 {
	n, err := strconv.ParseFloat(v.Text(), 64)
	if err != nil || n < -180 || n > 180 {
		return 0
	}
	return n
}

// address is where a file can be had: Chatwoot names a place that redirects to its
// storage, and serves the same file itself beside it.
func (s *settings) address(text string) string {
	if text = codec.WebAddress(text); s.Files == filesAsTold {
		return text
	}
	return strings.Replace(text, "/rails/active_storage/blobs/redirect/", "/rails/active_storage/blobs/proxy/", 1)
}

func choicesOf(text string, items []codec.Value) event.Part {
	c := event.Choices{Text: text, Options: []event.Choice{}}
	for _, one := range items {
		if label := cmp.Or(one.Get("title").Text(), one.Get("value").Text()); label != "" {
			c.Options = append(c.Options, event.Choice{Label: label, Value: one.Get("value").Text()})
		}
	}
	return c
}

func cardsOf(_ string, items []codec.Value) event.Part {
	c := event.Carousel{Cards: []event.Card{}}
	for _, one := range items {
		card := event.Card{Title: one.Get("title").Text(), Text: one.Get("description").Text(), Image: one.Get("media_url").Text()}
		for _, action := range one.Get("actions").Items() {
			card.Actions = append(card.Actions, event.Choice{Label: action.Get("text").Text(), Value: action.Get("payload").Text(), URL: action.Get("uri").Text()})
		}
		c.Cards = append(c.Cards, card)
	}
	return c
}

func formOf(text string, items []codec.Value) event.Part {
	f := event.Form{Text: text, Fields: []event.Field{}}
	for _, one := range items {
		field := event.Field{Name: one.Get("name").Text(), Label: one.Get("label").Text(), Input: one.Get("type").Text()}
		for _, option := range one.Get("options").Items() {
			field.Options = append(field.Options, event.Choice{Label: option.Get("label").Text(), Value: option.Get("value").Text()})
		}
		if field.Name != "" {
			f.Fields = append(f.Fields, field)
		}
	}
	return f
}

// articlesOf are articles as cards that lead to them.
func articlesOf(_ string, items []codec.Value) event.Part {
	c := event.Carousel{Cards: []event.Card{}}
	for _, one := range items {
		title := one.Get("title").Text()
		c.Cards = append(c.Cards, event.Card{Title: title, Text: one.Get("description").Text(),
			Actions: []event.Choice{{Label: title, URL: one.Get("link").Text()}}})
	}
	return c
}
