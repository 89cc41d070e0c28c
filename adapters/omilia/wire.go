package omilia

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The names an envelope may have its channel and its payload under. The first of
// each are those we write unless set otherwise.
//
//nolint:gochecknoglobals // tables that are never written.
var (
	channelNames = []string{"channel", "topic", "type", "message_type", "event"}
	payloadNames = []string{"data", "payload", "message"}
	// idle are names of frames that only keep a connection open.
	idle = []string{"ping", "pong", "heartbeat", "keepalive", "ack"}
)

// part is one payload of a frame. Of a frame nobody knows only name and data are
// there.
type part struct {
	channel channel
	body    *fields
	// frame is what the envelope has beside the payload.
	frame *fields
	name  string
	data  json.RawMessage
}

// partsOf reads a frame: one object or an array of them, in any envelope. What
// cannot be read has no parts.
func partsOf(data []byte) []part {
	v, err := codec.Lenient(data)
	if err != nil {
		return nil
	}
	var parts []part
	for _, item := range v.Unwrap().Items() {
		for _, open := range envelopes {
			if found := open(fieldsOf(item)); found != nil {
				parts = append(parts, found...)
				break
			}
		}
	}
	return parts
}

// envelopes are the variants a frame may come in; the first that fits counts.
//
//nolint:gochecknoglobals // a table that is never written.
var envelopes = []func(*fields) []part{named, keyed, bare, within, unknown}

// named is {"channel":"ai_info","data":{…}}. A payload may also stand beside the
// name of its channel.
func named(f *fields) []part {
	for _, name := range channelNames {
		if c, known := channelOf(f.get(name).Text()); known {
			f.drop(name)
			return payload(f, c)
		}
	}
	return nil
}

func payload(f *fields, c channel) []part {
	for _, name := range payloadNames {
		v := f.get(name)
		if c.own != name {
			v = v.Unwrap()
		}
		if v.IsObject() || v.IsArray() && c.own != name {
			f.drop(name)
			return several(v, c, f)
		}
	}
	return []part{{channel: c, body: f}}
}

// several is a part for each object of an array, or the one for an object.
func several(v codec.Value, c channel, frame *fields) []part {
	parts := []part{}
	for _, item := range v.Items() {
		if item.IsObject() {
			parts = append(parts, part{channel: c, body: fieldsOf(item), frame: frame})
			frame = nil
		}
	}
	return parts
}

// keyed is {"ai_info":{…}}, of one channel or more.
func keyed(f *fields) []part {
	var parts []part
	for i, m := range f.members {
		c, known := channelOf(m.Name)
		v := m.Value
		if known && c.own == "" {
			v = v.Unwrap()
		}
		if !known || !v.IsObject() && !v.IsArray() && c.own == "" {
			continue
		}
		f.left[i] = nil
		if !v.IsObject() && c.own != "" {
			own := codec.Member{Name: c.own, Value: v}
			parts = append(parts, part{channel: c, body: &fields{[]codec.Member{own}, []json.RawMessage{rawOf(v)}}})
			continue
		}
		parts = append(parts, several(v, c, nil)...)
	}
	if len(parts) > 0 {
		parts[0].frame = f
	}
	return parts
}

// mark is a set of fields by which a payload without a name is known.
type mark struct {
	channel string
	fields  []string
	// is says what the first field must be; nil is anything.
	is func(codec.Value) bool
}

func isNumber(v codec.Value) bool {
	_, ok := whole(v.Text())
	return ok && !v.IsString()
}

// marks are in the order they are tried: what is unique first, then what needs
// company, and last what other payloads have, too.
//
//nolint:gochecknoglobals // a table that is never written.
var marks = []mark{
	{"sound_info", []string{"level"}, isNumber},
	{"ai_info", []string{"user_sentiment"}, nil}, {"ai_info", []string{"agent_tasks"}, nil},
	{"ai_info", []string{"user_emotions"}, nil}, {"ai_info", []string{"user_intents"}, nil},
	{"ai_info", []string{"user_anger_detected"}, nil}, {"ai_info", []string{"agent_sentiment"}, nil},
	{"ai_info", []string{"agent_remaining_tasks"}, nil}, {"ai_info", []string{"agent_next_task"}, nil},
	{"ai_info", []string{"agent_suggested_prompt"}, nil},
	{"dialog_info", []string{"utterances"}, nil}, {"dialog_info", []string{"latestSeqId"}, nil},
	{"dialog_info", []string{"agentPartialUtterance"}, nil}, {"dialog_info", []string{"userPartialUtterance"}, nil},
	{"dialog_info_diff", []string{"seqId", "participantType"}, nil}, {"dialog_info_diff", []string{"participantType", "utterance"}, nil},
	{"dialog_info_diff", []string{"seqId", "utterance"}, nil},
	{"call_info", []string{"status", "error_description"}, nil},
	{"verification_result", []string{"risk_level"}, nil}, {"verification_result", []string{"score_llr"}, nil},
	{"verification_result", []string{"score_nllr"}, nil}, {"verification_result", []string{"fraudster_id"}, nil},
	{"verification_result", []string{"blocklist_id"}, nil}, {"verification_result", []string{"custom_agent_message"}, nil},
	{"verification_result", []string{"custom_ui_message"}, nil},
	{"voice_info", []string{"liveness_score"}, nil}, {"voice_info", []string{"satResult"}, nil},
	{"voice_info", []string{"liveness_score.label"}, nil}, {"voice_info", []string{"satResult.label"}, nil},
	{"error_info", []string{"messageDetails"}, nil},
	{"ani_validation_results", []string{"trustIndicator"}, nil}, {"ani_validation_results", []string{"calledNumber"}, nil},
	{"business_flow", []string{"flow_instance_id", "entity_instances"}, nil},
	{"business_flow_diff", []string{"flow_instance_id", "entityId"}, nil},
	{"business_flow_diff", []string{"flow_instance_id", "entity_value"}, nil},
	{"business_flow", []string{"flow_instance_id"}, nil},
	{"tts_detection", []string{"label", "global_post"}, nil},
	{"verification_result", []string{"label", "status"}, nil},
	{"summary_info", []string{"data"}, codec.Value.IsString}, {"attached_data", []string{"data"}, codec.Value.IsArray},
	{"call_info", []string{"status"}, codec.Value.IsString}, {"error_info", []string{"message"}, codec.Value.IsString},
}

// bare is a payload without an envelope.
func bare(f *fields) []part {
	for _, m := range marks {
		lacks := slices.ContainsFunc(m.fields, func(name string) bool { return !f.has(name) })
		if lacks || m.is != nil && !m.is(f.get(m.fields[0])) {
			continue
		}
		c, _ := channelOf(m.channel)
		return []part{{channel: c, body: f}}
	}
	return nil
}

// within is an envelope that names its channel in no way we know.
func within(f *fields) []part {
	for _, name := range payloadNames {
		v := f.get(name).Unwrap()
		if found := bare(fieldsOf(v)); v.IsObject() && found != nil {
			f.drop(name)
			found[0].frame = f
			return found
		}
	}
	return nil
}

// unknown is a frame of a channel nobody told us of.
func unknown(f *fields) []part {
	for _, name := range channelNames {
		kind := f.get(name)
		if !kind.IsString() || kind.Text() == "" || slices.Contains(idle, alike(kind.Text())) {
			continue
		}
		f.drop(name)
		p := part{name: kind.Text(), data: f.rest()}
		for _, data := range payloadNames {
			if v := f.get(data); v.Exists() {
				f.drop(data)
				p.data, p.frame = rawOf(v), f
				break
			}
		}
		return []part{p}
	}
	return nil
}

// command is what a live agent may ask for.
type command struct {
	Command    string                     `json:"command"`
	Parameters map[string]json.RawMessage `json:"parameters"`
}

const commandChannel = "command_request"

// The commands of the vendor that are documented.
const (
	getDialog = "GET_DIALOG"
	getFlows  = "GET_BUSINESSFLOW_INSTANCES"
)

// flowParameter is what a flow's id is called in a command.
const flowParameter = "flow_instance_id"

// commandOf is the command for an insight that is wanted; a type that is none of
// ours is the vendor's own word. It is false for what cannot be asked for.
func commandOf(r event.InsightRequested) (command, bool) {
	c := command{Command: r.Type, Parameters: map[string]json.RawMessage{}}
	for name, value := range r.Parameters {
		c.Parameters[name] = value
	}
	switch r.Type {
	case "dialog":
		c.Command = getDialog
	case "flow":
		c.Command = getFlows
		if id, there := c.Parameters["id"]; there {
			delete(c.Parameters, "id")
			c.Parameters[flowParameter] = id
		}
	}
	observed := slices.ContainsFunc(event.Insights(), func(i event.Insight) bool { return i.InsightType() == c.Command })
	return c, strings.TrimSpace(c.Command) != "" && !observed
}

// frame writes a command in the account's envelope.
func (s settings) frame(c command) ([]byte, error) {
	switch s.Envelope {
	case envelopeNone:
		return codec.Encode(c)
	case envelopeKey:
		return codec.Encode(map[string]command{commandChannel: c})
	}
	return codec.Encode(map[string]any{s.Envelope: commandChannel, s.Payload: c})
}
