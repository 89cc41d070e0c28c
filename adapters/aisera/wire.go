package aisera

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The modeTypes of answers that have a meaning of their own; all others, and
// those that begin with modeSilent, are Aisera's alone.
const (
	modeLiveAgent  = "LiveAgent"
	modeWaiting    = "LiveAgentWaiting"
	modeUpdate     = "LiveAgentWaitingUpdate"
	modeJoined     = "LiveAgentJoined"
	modeExited     = "LiveAgentExited"
	modeTyping     = "LiveAgentTyping"
	modeError      = "Error"
	modeFormError  = "FormError"
	modeExternal   = "ExternalSystemError"
	modeStreaming  = "StreamingInProgress"
	modeStreamed   = "StreamingCompleted"
	modeStatus     = "StatusUpdate"
	modeSilent     = "SilentMode"
	typePickUp     = "LiveAgentPickUp"
	typeCompleted  = "LiveAgentCompleted"
	typeTransfer   = "LiveAgentTransfer"
	typeTimeout    = "SessionTimeout"
	typeSurvey     = "EndSessionSurvey"
	logoutText     = "/logout"
	contextBack    = "FlowGoBack"
	contextRestart = "FlowStartOver"
	followUpBack   = "_go:back_"
)

// fields are a JSON object on its way out.
type fields map[string]any

// frames reads the objects of one message: one object, a list of them, or a
// string that holds either. What begins as JSON and is broken may have carried
// words and is an error; what is no JSON at all is nothing.
func frames(data []byte) ([]codec.Value, error) {
	v, err := codec.Lenient(data)
	if err != nil {
		head := bytes.TrimLeft(data, "\ufeff \t\r\n")
		if len(head) > 0 && head[0] == '{' {
			return nil, fmt.Errorf("read a frame: %w", err)
		}
		return nil, nil
	}
	var out []codec.Value
	for _, item := range v.Unwrap().Items() {
		if item = item.Unwrap(); item.IsObject() {
			out = append(out, item)
		}
	}
	return out, nil
}

// keep is what Event.Vendor holds of an object: nothing where nothing is left.
func keep(rest json.RawMessage) map[string]json.RawMessage {
	if len(rest) == 0 {
		return nil
	}
	return map[string]json.RawMessage{vendor: rest}
}

// kept is what an event holds of an object of ours, as fields.
func kept(e event.Event) codec.Value {
	v, err := codec.Lenient(e.Vendor[vendor])
	if err != nil {
		return codec.Value{}
	}
	return v
}

// add takes the members of an object that are not there yet.
func (f fields) add(v codec.Value) {
	for _, m := range v.Members() {
		if _, there := f[m.Name]; !there && m.Value.Exists() {
			f[m.Name] = m.Value.Raw()
		}
	}
}

// put sets a field that has a value.
func (f fields) put(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// scalar is the text of a value that is neither an object nor a list.
func scalar(v codec.Value) string {
	if v.IsObject() || v.IsArray() {
		return ""
	}
	return v.Text()
}

// textOf is text given as itself, as an object around it, or as a list of either.
func textOf(v codec.Value) string {
	var lines []string
	for _, item := range v.Items() {
		if item.IsObject() {
			item = item.Get("text", "message", "displayText", "content")
		}
		if text := scalar(item); text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

// clip keeps what the state holds of a name short.
func clip(text string) string {
	head, _ := codec.Cut(text, 200)
	return head
}

// bounded drops what does not fit: the longest head of a list whose JSON is
// within limit bytes.
func bounded[T any](list []T, limit int) []T {
	for len(list) > 0 {
		data, err := codec.Encode(list)
		if err == nil && len(data) <= limit {
			break
		}
		list = list[:len(list)-1]
	}
	return list
}

// agentOf is the live agent an object names, as far as it does.
func agentOf(v codec.Value) event.Actor {
	a := event.Actor{Role: event.RoleLiveAgent}
	if agent := v.Get("agent"); agent.IsObject() {
		a.ID, a.Name = scalar(agent.Get("id", "agentId")), scalar(agent.Get("name", "displayName", "agentName"))
	} else {
		a.Name = scalar(agent)
	}
	a.ID = cmp.Or(a.ID, scalar(v.Get("agentId", "liveAgentId")))
	a.Name = cmp.Or(a.Name, scalar(v.Get("agentName", "liveAgentName")))
	return a
}

// agentKeys are the members agentOf reads.
func agentKeys() []string {
	return []string{"agent", "agentId", "liveAgentId", "agentName", "liveAgentName"}
}

// putAgent names a live agent.
func (f fields) putAgent(a event.Actor) {
	f.put("agentId", a.ID)
	f.put("agentName", a.Name)
}

// attributesOf are variables as text, and those that were more than text.
func attributesOf(vars codec.Value) (attributes map[string]string, odd map[string]json.RawMessage) {
	for _, m := range vars.Members() {
		if !m.Value.Exists() {
			continue
		}
		if attributes == nil {
			attributes, odd = map[string]string{}, map[string]json.RawMessage{}
		}
		attributes[m.Name] = m.Value.Text()
		if !m.Value.IsString() {
			odd[m.Name] = m.Value.Raw()
		}
	}
	return attributes, odd
}

// send writes one frame; a frame that cannot be written is given up.
func send(tx *adapter.Tx, tag, conn string, f fields) error {
	data, err := codec.Encode(f)
	if err != nil {
		return err
	}
	tx.Send(tag, conn, data)
	return nil
}
