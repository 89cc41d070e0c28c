package libredesk

import (
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// parts is what a message says: its words and its files, each by itself, so that a
// file that cannot be had takes no words with it.
func (s *settings) parts(v codec.Value) []event.Part {
	var list []event.Part
	text, files := v.Get("content").Text(), v.Get("attachments").Items()
	plain := v.Get("text_content")
	if wordless := len(files) > 0 && plain.IsString() && strings.TrimSpace(plain.Text()) == ""; strings.TrimSpace(text) != "" && !wordless {
		format := event.FormatHTML
		if is(v.Get("content_type"), "text") {
			format = event.FormatPlain
		}
		list = append(list, event.Text{Text: text, Format: format})
	}
	for _, one := range files {
		if address := s.address(one.Get("url").Text()); address != "" {
			kind, name := codec.MediaType(one.Get("content_type").Text())
			list = append(list, event.Media{Kind: kind, URL: address, Name: one.Get("name").Text(), MIME: name, Size: codec.NumberID(one.Get("size").Text())})
		}
	}
	return list
}
