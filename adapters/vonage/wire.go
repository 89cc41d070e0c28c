package vonage

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// attachment is a file in a frame; every public server sends url, some caption
// and name.
type attachment struct {
	URL     string `json:"url"`
	Caption string `json:"caption,omitempty"`
	Name    string `json:"name,omitempty"`
}

// frame is one message in either direction: Type is written for a customer's
// message (inbound), MessageType for an agent's (outbound).
type frame struct {
	SessionID   string      `json:"sessionId,omitempty"`
	Type        string      `json:"type,omitempty"`
	MessageType string      `json:"message_type,omitempty"`
	Text        *string     `json:"text,omitempty"`
	Image       *attachment `json:"image,omitempty"`
	Video       *attachment `json:"video,omitempty"`
	Audio       *attachment `json:"audio,omitempty"`
	File        *attachment `json:"file,omitempty"`
}

// mediaFrame is the frame of a file without its type word, and that word. A kind
// of file the protocol does not know goes as "file".
func mediaFrame(m event.Media) (frame, string) {
	a := &attachment{URL: m.URL, Caption: m.Caption, Name: m.Name}
	switch m.Kind {
	case "image":
		return frame{Image: a}, m.Kind
	case "video":
		return frame{Video: a}, m.Kind
	case "audio":
		return frame{Audio: a}, m.Kind
	}
	return frame{File: a}, "file"
}

func isMediaKind(kind string) bool {
	return slices.Contains([]string{"image", "video", "audio", "file"}, kind)
}

// textKeys are the names text has been seen or guessed under, likeliest first.
func textKeys() []string { return []string{"text", "message", "body", "content", "input"} }

// typeOf is what a message says it is; a message that says nothing is text,
// unless it holds a file.
func typeOf(v codec.Value) string {
	if said := v.Get("type", "message_type", "messageType").Text(); said != "" {
		return strings.ToLower(said)
	}
	for _, kind := range []string{"image", "video", "audio", "file"} {
		if v.Get(kind).Exists() {
			return kind
		}
	}
	return "text"
}

// contentOf reads a message of either direction. It is nil for a message that
// holds neither words nor a file.
func contentOf(v codec.Value) event.Part {
	kind := typeOf(v)
	if isMediaKind(kind) {
		if m, ok := mediaOf(kind, v); ok {
			return m
		}
	}
	if text := textOf(v.Get(textKeys()...)); text != "" {
		return event.Text{Text: text, Format: event.FormatPlain}
	}
	return nil
}

// textOf is text given as itself or as an object around it.
func textOf(v codec.Value) string {
	if v.IsObject() {
		return v.Get("text", "body", "content").Text()
	}
	if v.IsArray() {
		return ""
	}
	return v.Text()
}

// mediaOf reads a file given as an object of the kind's name, as that object's
// address alone, or beside the type.
func mediaOf(kind string, v codec.Value) (event.Media, bool) {
	object := v.Get(kind)
	m := event.Media{Kind: kind}
	if object.IsString() {
		m.URL, object = object.Text(), v
	} else if !object.IsObject() {
		object = v
	}
	m.URL = cmp.Or(m.URL, object.Get("url", "link", "href").Text())
	m.Caption = object.Get("caption").Text()
	m.Name = object.Get("name", "filename").Text()
	m.MIME = object.Get("mime_type", "mimeType").Text()
	return m, m.URL != ""
}

// frameKeys are the members of a message that contentOf and its callers read.
func frameKeys() []string {
	return append(textKeys(), "sessionId", "session_id", "type", "message_type", "messageType",
		"image", "video", "audio", "file", "url", "link", "href", "caption", "name", "filename")
}

// extra keeps what a message holds beyond what was understood of it.
func extra(v codec.Value, understood ...string) map[string]json.RawMessage {
	rest := v.Without(understood...)
	if rest == nil {
		return nil
	}
	return map[string]json.RawMessage{"vonage": rest}
}

// nestError is an error as AI Studio words it.
func nestError(status int, message string) adapter.Reply {
	body := struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
		Error      string `json:"error,omitempty"`
	}{status, message, http.StatusText(status)}
	return jsonReply(status, body)
}

func jsonReply(status int, body any) adapter.Reply {
	return adapter.Reply{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: codec.Compose(body)}
}

func okReply() adapter.Reply { return jsonReply(http.StatusOK, struct{}{}) }
