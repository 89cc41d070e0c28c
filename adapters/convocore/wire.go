package convocore

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// object is a JSON object; it is written with its names in order.
type object = map[string]any

// The types of a frame.
const (
	frameChunk    = "chunk"
	frameAction   = "action"
	frameMetadata = "metadata"
	frameHistory  = "sync_chat_history"
)

// The authors of a turn, and the action that asks for people.
const (
	fromBot        = "bot"
	fromHuman      = "human"
	fromSystem     = "system"
	requestHandoff = "request_handoff"
)

// Prompts that are not words.
const (
	promptStart  = "start"
	promptCancel = "@cancel:"
	promptRewind = "@rewind:"
)

var errNotObject = errors.New("the frame is no JSON object")

// readFrame reads one message of the socket.
func readFrame(data []byte) (codec.Value, error) {
	v, err := codec.Lenient(data)
	if err != nil {
		return codec.Value{}, err
	}
	if v = v.Unwrap(); !v.IsObject() {
		return codec.Value{}, errNotObject
	}
	return v, nil
}

// chunkFrame is a piece of an answer.
func chunkFrame(text string, index int64, ui bool) object {
	return object{"type": frameChunk, "chunk": text, "chunkIndex": index, "ui_engine": ui}
}

// plain is a value as Go's own types, numbers as they were written.
func plain(v codec.Value) any {
	switch {
	case v.IsObject():
		out := object{}
		for _, m := range slices.Backward(v.Members()) { // of two the first counts
			out[m.Name] = plain(m.Value)
		}
		return out
	case v.IsArray():
		out := make([]any, 0, len(v.Items()))
		for _, item := range v.Items() {
			out = append(out, plain(item))
		}
		return out
	}
	return decode(v.Raw())
}

func decode(data []byte) any {
	var out any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if dec.Decode(&out) != nil {
		return nil
	}
	return out
}

// residue is what a value holds beyond what we would write in its place: what an
// event keeps of its frame. It is nil when that is nothing.
func residue(v codec.Value, ours any) any { return beyond(plain(v), decode(codec.Compose(ours))) }

func beyond(theirs, ours any) any {
	switch t := theirs.(type) {
	case nil:
		return nil
	case object:
		return objectBeyond(t, ours)
	case []any:
		return listBeyond(t, ours)
	}
	if theirs == ours {
		return nil
	}
	return theirs
}

func objectBeyond(theirs object, ours any) any {
	o, ok := ours.(object)
	if !ok {
		return theirs
	}
	out := object{}
	for name, value := range theirs {
		if rest := beyond(value, o[name]); rest != nil {
			out[name] = rest
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// listBeyond keeps a list whole, unless both are lists of as many objects: then
// it is a list of what each holds beyond ours.
func listBeyond(theirs []any, ours any) any {
	o, _ := ours.([]any)
	if len(theirs) != len(o) {
		return theirs
	}
	out, found := make([]any, len(theirs)), false
	for i := range theirs {
		rest := beyond(theirs[i], o[i])
		if _, isObject := theirs[i].(object); !isObject && rest != nil {
			return theirs
		}
		found = found || rest != nil
		if out[i] = rest; rest == nil {
			out[i] = object{}
		}
	}
	if !found {
		return nil
	}
	return out
}

// overlay puts what was kept of a frame onto what we write.
func overlay(ours, kept any) any {
	switch k := kept.(type) {
	case object:
		o, ok := ours.(object)
		if !ok {
			return kept
		}
		out := maps.Clone(o)
		for name, value := range k {
			out[name] = overlay(o[name], value)
		}
		return out
	case []any:
		o, ok := ours.([]any)
		if !ok || len(o) != len(k) || slices.ContainsFunc(k, notObject) {
			return kept
		}
		out := make([]any, len(k))
		for i := range k {
			out[i] = overlay(o[i], k[i])
		}
		return out
	case nil:
		return ours
	}
	return kept
}

func notObject(v any) bool {
	_, ok := v.(object)
	return !ok
}

// keep is an event's Vendor: what is left of its frame, by where it belongs.
func keep(rest object) map[string]json.RawMessage {
	for name, value := range rest {
		if value == nil {
			delete(rest, name)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return map[string]json.RawMessage{vendor: codec.Compose(rest)}
}

// kept reads what keep wrote.
func kept(e event.Event) object {
	out, ok := decode(e.Vendor[vendor]).(object)
	if !ok {
		return object{}
	}
	return out
}

// merged is ours with what was kept under a name; a list or object of ours stays
// one.
func merged(ours object, kept any) object {
	if out, ok := overlay(ours, kept).(object); ok {
		return out
	}
	return ours
}

// clip keeps what the state holds of a text short.
func clip(text string, limit int) string {
	head, _ := codec.Cut(text, limit)
	return head
}

// weight is how much room a value takes in the state.
func weight(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return len(data)
}

// squash is a name in lower case without its separators.
func squash(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "", ".", "", ":", "").Replace(strings.ToLower(name))
}
