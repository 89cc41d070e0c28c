package slack

import (
	"cmp"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// parts is what a message says: its words, and its files each by itself, so that a
// file that cannot be had takes no words with it.
func (d desk) parts(m codec.Value) []event.Part {
	var list []event.Part
	if text := d.markdown(m.Get("text").Text()); strings.TrimSpace(text) != "" {
		list = append(list, event.Text{Text: text, Format: event.FormatMarkdown})
	}
	for _, one := range m.Get("files").Items() {
		if part := fileOf(one); part != nil {
			list = append(list, part)
		}
	}
	return list
}

// fileOf is a file; one that lies elsewhere is a link, one that is gone nothing.
func fileOf(v codec.Value) event.Part {
	address := codec.WebAddress(cmp.Or(v.Get("url_private").Text(), v.Get("url_private_download").Text()))
	title := cmp.Or(v.Get("name").Text(), v.Get("title").Text())
	mode := strings.ToLower(v.Get("mode").Text())
	switch {
	case address == "" || mode == "tombstone" || mode == "hidden_by_limit":
		return nil
	case yes(v.Get("is_external")) || mode == "external":
		return event.Link{URL: address, Title: title}
	}
	kind, name := codec.MediaType(v.Get("mimetype").Text())
	return event.Media{Kind: kind, URL: address, Name: title, MIME: name, Size: codec.NumberID(v.Get("size").Text())}
}
