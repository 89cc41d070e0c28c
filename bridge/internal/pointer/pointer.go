// Package pointer reads and masks JSON documents by JSON pointers (RFC 6901).
package pointer

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Masked stands for what must not be kept.
const Masked = "[masked]"

// Mask replaces what the pointers lead to in a decoded document, and reports
// whether there was anything. The whole document cannot be masked.
func Mask(doc any, pointers []string) bool { return Replace(doc, pointers, Masked) }

// Replace puts a text in the place of what the pointers lead to, as Mask does.
func Replace(doc any, pointers []string, with string) bool {
	changed := false
	for _, p := range pointers {
		if p == "" {
			continue
		}
		p = "/" + strings.TrimPrefix(p, "/")
		cut := strings.LastIndex(p, "/")
		last := unescape(p[cut+1:])
		switch in := Follow(doc, p[:cut]).(type) {
		case map[string]any:
			if _, there := in[last]; there {
				in[last], changed = with, true
			}
		case []any:
			if at, ok := position(in, last); ok {
				in[at], changed = with, true
			}
		}
	}
	return changed
}

// MaskText is a JSON text with what the pointers lead to replaced, also in each
// item of a list and in a document that was encoded twice, as senders do; what is
// not JSON, or has nothing to mask, stays as it is. Numbers keep their text.
func MaskText(text []byte, pointers []string) []byte {
	if len(pointers) == 0 {
		return text
	}
	doc, ok := Decode(text)
	if !ok {
		return text
	}
	doc, changed := maskAll(doc, pointers)
	masked, err := json.Marshal(doc)
	if err != nil || !changed {
		return text
	}
	return masked
}

// Keep is what may be kept of a text: of a JSON object or list MaskText. Pointers
// lead nowhere in anything else (a form, or JSON that was cut off); redact takes
// out of that what it knows.
func Keep(text []byte, pointers []string, redact func(string) string) []byte {
	masked := MaskText(text, pointers)
	first := bytes.TrimLeft(text, " \t\r\n")
	if len(first) > 0 && (first[0] == '{' || first[0] == '[') && json.Valid(text) {
		return masked
	}
	return []byte(redact(string(masked)))
}

// maskAll masks a document, the items of a list, and what a string holds.
func maskAll(doc any, pointers []string) (masked any, changed bool) {
	switch d := doc.(type) {
	case string:
		inner := MaskText([]byte(d), pointers)
		return string(inner), string(inner) != d
	case []any:
		for i := range d {
			item, one := maskAll(d[i], pointers)
			d[i], changed = item, changed || one
		}
	}
	return doc, Mask(doc, pointers) || changed
}

// Decode reads one JSON value whose numbers keep their text.
func Decode(text []byte) (doc any, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	ok = dec.Decode(&doc) == nil && !dec.More()
	return doc, ok
}

// Text follows a pointer to a string or number; "" where there is none.
func Text(doc any, p string) string {
	switch v := Follow(doc, p).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// Follow goes where a pointer leads; nil if nowhere.
func Follow(doc any, p string) any {
	if p == "" {
		return doc
	}
	for _, step := range strings.Split(strings.TrimPrefix(p, "/"), "/") {
		switch in := doc.(type) {
		case map[string]any:
			doc = in[unescape(step)]
		case []any:
			at, ok := position(in, step)
			if !ok {
				return nil
			}
			doc = in[at]
		default:
			return nil
		}
	}
	return doc
}

// Raw is what a pointer leads to in a JSON text, in its own bytes; nil if nowhere.
func Raw(text []byte, p string) json.RawMessage {
	if !json.Valid(text) {
		return nil
	}
	for _, step := range strings.Split(p, "/")[1:] {
		var fields map[string]json.RawMessage
		var items []json.RawMessage
		if json.Unmarshal(text, &fields) == nil {
			text = fields[unescape(step)]
		} else if at, err := strconv.Atoi(step); json.Unmarshal(text, &items) == nil && err == nil && at >= 0 && at < len(items) {
			text = items[at]
		} else {
			return nil
		}
	}
	return text
}

func unescape(step string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(step) }

// position reads a step of a pointer that leads into a list.
func position(in []any, step string) (int, bool) {
	at, err := strconv.Atoi(step)
	return at, err == nil && at >= 0 && at < len(in) && step == strconv.Itoa(at)
}
