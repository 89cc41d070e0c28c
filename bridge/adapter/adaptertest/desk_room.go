package adaptertest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// roomLimit is the most a state may have while what is long is on its way, in bytes: less
// than the bridge takes, for a text of which each sign takes six bytes there.
const roomLimit = 56 << 10

// roomy hands over what is long in each place there is, and has the customer say it
// then.
func roomy(open func(page int) *shift) error {
	long := longParts()
	for _, name := range slices.Sorted(maps.Keys(long)) {
		s := open(deskPage)
		s.most, s.calls = cmp.Or(s.desk.Room, roomLimit), 500
		if err := s.given(long[name]); err != nil {
			return fmt.Errorf("a long %s: %w", name, err)
		}
	}
	return nil
}

// shown is a word in each long part that people are to see.
const shown = "okapi"

func longParts() map[string]event.Part {
	const link = "https://shop.example/"
	long := strings.Repeat("x", 70<<10)
	press := []event.Choice{{Label: "Yes", Value: long}}
	parts := map[string]event.Part{
		"picture in a card":    event.Card{Title: shown, Image: "data:image/png;base64," + long, Actions: []event.Choice{{Label: "Buy", URL: link}}},
		"button of a carousel": event.Carousel{Cards: []event.Card{{Title: shown, Actions: press}}},
		"value of a choice":    event.Choices{Text: shown, Options: press},
		"name of a field":      event.Form{Fields: []event.Field{{Name: long, Label: shown}}},
		"value of a field":     event.Form{Fields: []event.Field{{Name: shown, Label: shown, Options: press}}},
		"link":                 event.Link{URL: link + long, Title: shown},
		"address":              event.Location{Latitude: 1, Longitude: 2, Name: shown, Address: long},
		"name of a file":       event.Media{Kind: "file", URL: "https://bridge.example/media/1", Name: long, MIME: long, Caption: shown},
		"address of a file":    event.Media{Kind: "file", URL: link + long, Caption: shown},
		"caption of a picture": event.Media{Kind: "image", URL: "https://bridge.example/media/1", Name: "a.png", Size: 5, Caption: shown + strings.Repeat("語", 20_000)},
		"caption of signs":     event.Media{Kind: "image", URL: "https://bridge.example/media/1", Caption: shown + strings.Repeat("\x01", 4096)},
	}
	for _, sign := range []string{"a", "語", "👩‍👩‍👧‍👦", "\u0e49", "\x01", "&", "<"} {
		parts[fmt.Sprintf("text of %q", sign)] = event.Text{Text: shown + "\n" + strings.Repeat(sign, (10<<10)/len(sign))}
	}
	return parts
}

// given hands a conversation over in which both sides said a part, and says it again.
func (s *shift) given(part event.Part) error {
	long, wide := strings.Repeat("x", 70<<10), strings.Repeat("\x01", 4096)
	name := long
	if text, ok := part.(event.Text); ok {
		name, wide = text.Text, text.Text
	}
	content := event.Content{Part: part}
	customer := event.Actor{Role: event.RoleCustomer, Name: name}
	said := []event.TranscriptEntry{{Actor: event.Actor{Role: event.RoleVirtualAgent}, Content: content}, {Actor: customer, Content: content}}
	body := event.HandoffRequested{Transcript: said, Summary: wide, Routing: event.Routing{Queue: long}, Context: map[string]string{"name": long}}
	if err := s.begin(body); err != nil {
		return err
	}
	if err := s.showed("the hand-off"); err != nil {
		return err
	}
	if err := s.deliver(event.Event{ID: "m", Actor: customer, Body: event.MessageCreated{Content: content}}); err != nil {
		return err
	}
	return s.showed("the customer's message")
}

// showed looks whether what left has the word in it.
func (s *shift) showed(what string) error {
	sent := s.sent.String()
	s.sent.Reset()
	if !strings.Contains(sent, shown) {
		return fmt.Errorf("people are not shown %s: %.300s", what, sent)
	}
	return nil
}
