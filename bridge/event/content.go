package event

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Content is what a message says: one of Text, Media, Choices, Form,
// FormResponse, Card, Carousel, Location, Link or UnknownContent.
//
// Content is a struct around the sum so that bodies can be decoded in one go;
// the zero Content holds nothing and is written as null.
type Content struct{ Part }

// Part is one arm of the content sum.
type Part interface {
	// Type is the word in the JSON field "type".
	Type() string
}

// The formats of a Text.
const (
	FormatPlain    = "plain"
	FormatMarkdown = "markdown"
	FormatHTML     = "html"
)

// Text is words. Format is "plain", "markdown" or "html"; empty means plain.
type Text struct {
	Text   string `json:"text"`
	Format string `json:"format,omitempty"`
}

// Media is a file by reference: a URL of its own place, or the handle of a blob
// the bridge stores. Adapters tell and are given URLs, and name no blob. Kind is "image", "audio", "video" or "file"; Size is in
// bytes, 0 if unknown.
type Media struct {
	Kind    string `json:"kind"`
	URL     string `json:"url,omitempty"`
	Blob    string `json:"blob,omitempty"`
	MIME    string `json:"mime,omitempty"`
	Name    string `json:"name,omitempty"`
	Size    int64  `json:"size,omitempty"`
	Caption string `json:"caption,omitempty"`
}

// Choice is one answer to pick. Value is what picking it says; empty means Label.
type Choice struct {
	ID    string `json:"id,omitempty"`
	Label string `json:"label"`
	Value string `json:"value,omitempty"`
	URL   string `json:"url,omitempty"`
}

// Choices is a question with answers to pick from.
type Choices struct {
	Text    string   `json:"text,omitempty"`
	Options []Choice `json:"options"`
}

// Field is one question of a form. Input is an HTML input type.
type Field struct {
	Name     string   `json:"name"`
	Label    string   `json:"label,omitempty"`
	Input    string   `json:"input,omitempty"`
	Required bool     `json:"required,omitempty"`
	Options  []Choice `json:"options,omitempty"`
}

// Form is several questions at once.
type Form struct {
	ID     string  `json:"id,omitempty"`
	Title  string  `json:"title,omitempty"`
	Text   string  `json:"text,omitempty"`
	Fields []Field `json:"fields"`
}

// FieldValue is the answer to one field of a form.
type FieldValue struct {
	Name  string `json:"name"`
	Label string `json:"label,omitempty"`
	Value string `json:"value"`
}

// FormResponse is a filled form, its values in the form's order.
type FormResponse struct {
	Form   string       `json:"form,omitempty"`
	Values []FieldValue `json:"values"`
}

// Card is a titled piece with an optional picture and actions.
type Card struct {
	Title   string   `json:"title,omitempty"`
	Text    string   `json:"text,omitempty"`
	Image   string   `json:"image,omitempty"`
	Actions []Choice `json:"actions,omitempty"`
}

// Carousel is several cards side by side.
type Carousel struct {
	Cards []Card `json:"cards"`
}

// Location is a place on earth in degrees.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// Link is an address to open.
type Link struct {
	URL   string `json:"url"`
	Title string `json:"title,omitempty"`
}

// UnknownContent carries a content type this program does not know, untouched.
type UnknownContent struct {
	Name string
	JSON json.RawMessage
}

// Type is "text".
func (Text) Type() string { return "text" }

// Type is "media".
func (Media) Type() string { return "media" }

// Type is "choices".
func (Choices) Type() string { return "choices" }

// Type is "form".
func (Form) Type() string { return "form" }

// Type is "form_response".
func (FormResponse) Type() string { return "form_response" }

// Type is "card".
func (Card) Type() string { return "card" }

// Type is "carousel".
func (Carousel) Type() string { return "carousel" }

// Type is "location".
func (Location) Type() string { return "location" }

// Type is "link".
func (Link) Type() string { return "link" }

// Type is the type as it was read.
func (u UnknownContent) Type() string { return u.Name }

// Plain is content of plain text.
func Plain(text string) Content { return Content{Text{Text: text, Format: FormatPlain}} }

type contentDecoder func([]byte) (Part, error)

func partOf[P Part](data []byte) (Part, error) {
	var p P
	err := json.Unmarshal(data, &p)
	return p, err
}

//nolint:gochecknoglobals // a table that is never written.
var contentDecoders = map[string]contentDecoder{
	"text":          partOf[Text],
	"media":         partOf[Media],
	"choices":       partOf[Choices],
	"form":          partOf[Form],
	"form_response": partOf[FormResponse],
	"card":          partOf[Card],
	"carousel":      partOf[Carousel],
	"location":      partOf[Location],
	"link":          partOf[Link],
}

// MarshalJSON writes the content with its type first.
func (c Content) MarshalJSON() ([]byte, error) {
	if c.Part == nil {
		return []byte("null"), nil
	}
	if u, ok := c.Part.(UnknownContent); ok {
		return tagged(u.Name, u.JSON)
	}
	return typed(c.Part.Type(), c.Part)
}

// tagged is an arm of a sum as it was read, or its type alone.
func tagged(name string, data json.RawMessage) ([]byte, error) {
	if len(data) > 0 {
		return data, nil
	}
	return json.Marshal(map[string]string{"type": name})
}

// typed writes an arm of a sum, a struct, with its type first.
func typed(name string, arm any) ([]byte, error) {
	fields, err := json.Marshal(arm)
	if err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return nil, err
	}
	head := append([]byte(`{"type":`), quoted...)
	if len(fields) > len("{}") {
		head = append(head, ',')
	}
	return append(head, fields[1:]...), nil
}

// UnmarshalJSON reads content by its "type"; an unknown type is kept untouched.
func (c *Content) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		c.Part = nil
		return nil
	}
	name, err := typeOf(data)
	if err != nil {
		return fmt.Errorf("content: %w", err)
	}
	decode, known := contentDecoders[name]
	if !known {
		c.Part = UnknownContent{Name: name, JSON: append(json.RawMessage(nil), data...)}
		return nil
	}
	part, err := decode(data)
	if err != nil {
		return fmt.Errorf("content %s: %w", name, err)
	}
	c.Part = part
	return nil
}

// typeOf reads the type of an arm of a sum. MarshalJSON writes it first, and then the
// rest need not be read for it.
func typeOf(data []byte) (string, error) {
	if rest, ok := bytes.CutPrefix(data, []byte(`{"type":"`)); ok {
		if end := bytes.IndexAny(rest, `"\\`); end > 0 && rest[end] == '"' && !bytes.Contains(rest, []byte(`"type"`)) {
			return string(rest[:end]), nil
		}
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return "", err
	}
	if head.Type == "" {
		return "", fmt.Errorf("it has no type")
	}
	return head.Type, nil
}
