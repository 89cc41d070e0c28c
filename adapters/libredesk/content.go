package libredesk

import (
	"mime"
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
			list = append(list, event.Media{Kind: kindOf(one), URL: address, Name: one.Get("name").Text(),
				MIME: mediaType(one), Size: codec.NumberID(one.Get("size").Text())})
		}
	}
	return list
}

func mediaType(v codec.Value) string {
	name, _, err := mime.ParseMediaType(v.Get("content_type").Text())
	if err != nil {
		return ""
	}
	return name
}

func kindOf(v codec.Value) string {
	switch kind, _, _ := strings.Cut(mediaType(v), "/"); kind {
	case "image", "audio", "video":
		return kind
	}
	return "file"
}
