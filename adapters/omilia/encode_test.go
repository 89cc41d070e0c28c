package omilia_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

type object = map[string]any

// names are what the vendor calls the fields of an insight, by type; it is
// written from the vendor's document and knows nothing of the adapter.
var names = map[string]struct {
	channel string
	fields  map[string]string
}{
	"sound_level": {"sound_info", map[string]string{"level": "level"}},
	"analysis": {"ai_info", map[string]string{"customer_sentiment": "user_sentiment", "customer_emotions": "user_emotions",
		"customer_angry": "user_anger_detected", "customer_intents": "user_intents", "agent_sentiment": "agent_sentiment", "tasks": "agent_tasks",
		"remaining_tasks": "agent_remaining_tasks", "next_task": "agent_next_task", "suggested_reply": "agent_suggested_prompt"}},
	"dialog": {"dialog_info", map[string]string{"latest": "latestSeqId", "utterances": "utterances", "agent_partial": "agentPartialUtterance",
		"customer_partial": "userPartialUtterance"}},
	"utterance": {"dialog_info_diff", map[string]string{"index": "seqId", "speaker": "participantType", "text": "utterance",
		"started": "startTime", "ended": "endTime", "final": "isFinal"}},
	"call": {"call_info", map[string]string{"status": "status", "detail": "error_description"}},
	"verification": {"verification_result", map[string]string{"label": "label", "status": "status", "risk": "risk_level", "score": "score",
		"fraudster": "fraudster_id", "blocklist": "blocklist_id", "agent_text": "custom_agent_message", "display_text": "custom_ui_message",
		"likelihood_ratio": "score_llr", "normalized_likelihood_ratio": "score_nllr", "speech_frames": "speech_frames",
		"blocklist_size": "list_size", "matches": "match_count"}},
	"voice": {"voice_info", map[string]string{"liveness": "liveness_score.label", "liveness_score": "liveness_score.global_post",
		"quality": "satResult.label", "usable": "satResult.valid", "gender": "satResult.gender", "age": "satResult.ageEstimate"}},
	"error":         {"error_info", map[string]string{"text": "message", "detail": "messageDetails"}},
	"summary":       {"summary_info", map[string]string{"text": "data"}},
	"tts":           {"tts_detection", map[string]string{"label": "label", "score": "global_post"}},
	"caller_number": {"ani_validation_results", map[string]string{"number": "calledNumber", "trust": "trustIndicator"}},
	"flow": {"business_flow", map[string]string{"id": "flow_instance_id", "status": "flow_instance_status", "intent": "intent",
		"entities": "entity_instances"}},
	"flow_change": {"business_flow_diff", map[string]string{"id": "flow_instance_id", "status": "flow_instance_status", "entity": "entityId",
		"value": "entity_value"}},
	"attached_data": {"attached_data", map[string]string{"entries": "data"}},
}

func decoded(t testing.TB, data []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return string(data)
	}
	return v
}

// frameOf turns an event back into the vendor's frame, in the envelope like has.
func frameOf(t testing.TB, e event.Event, like any) any {
	t.Helper()
	data, err := json.Marshal(e.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := decoded(t, data).(object)
	kept := object{}
	if v, ok := e.Vendor["omilia"]; ok {
		kept, _ = decoded(t, v).(object)
	}
	if e.Kind() == event.KindExtension {
		return envelope(body["name"].(string), merge(body["data"], kept["data"]), kept["frame"], like)
	}
	kind, _ := body["type"].(string)
	payload := merge(payloadOf(kind, body), kept["data"])
	return envelope(names[kind].channel, payload, kept["frame"], like)
}

func payloadOf(kind string, body object) any {
	payload := object{}
	for field, value := range body {
		name := names[kind].fields[field]
		outer, inner, nested := strings.Cut(name, ".")
		switch {
		case name == "":
		case nested:
			within, _ := payload[outer].(object)
			if within == nil {
				within = object{}
			}
			within[inner] = value
			payload[outer] = within
		default:
			payload[name] = vendorValue(field, value)
		}
	}
	return payload
}

// vendorValue is a value as the vendor writes it.
func vendorValue(field string, value any) any {
	switch field {
	case "utterances":
		list, _ := value.([]any)
		for i := range list {
			list[i] = payloadOf("utterance", list[i].(object))
		}
		return list
	case "speaker":
		if name, ok := map[any]string{"customer": "USER", "live_agent": "AGENT"}[value]; ok {
			return name
		}
	case "started", "ended":
		if at, err := time.Parse(time.RFC3339Nano, value.(string)); err == nil {
			return json.Number(strconv.FormatInt(at.UnixMilli(), 10))
		}
	case "customer_emotions", "customer_intents":
		if list, _ := value.([]any); len(list) == 1 {
			return list[0]
		}
	}
	return value
}

// merge puts what only the vendor has back to where it was.
func merge(into, from any) any {
	switch f := from.(type) {
	case nil:
		return into
	case object:
		target, ok := into.(object)
		if !ok {
			return from
		}
		for name, value := range f {
			target[name] = merge(target[name], value)
		}
		return target
	case []any:
		target, ok := into.([]any)
		if !ok || len(target) != len(f) {
			return from
		}
		for i := range f {
			target[i] = merge(target[i], f[i])
		}
		return target
	}
	return from
}

// envelope wraps a payload as like is wrapped.
func envelope(channel string, payload, beside, like any) any {
	l, _ := like.(object)
	frame := object{}
	for _, name := range []string{"channel", "Channel", "topic", "type", "message_type", "event"} {
		if _, named := l[name].(string); !named {
			continue
		}
		frame[name] = channel
		for _, data := range []string{"data", "Data", "payload", "message"} {
			if _, there := l[data]; there {
				frame[data] = payload
				return merge(frame, beside)
			}
		}
	}
	if _, keyed := l[channel].(object); keyed {
		frame[channel] = payload
		return merge(frame, beside)
	}
	return merge(payload, beside)
}

// meaning is a value without what means nothing: spelling of names, nulls, empty
// words and lists, and how a number is written.
func meaning(v any) any {
	switch x := v.(type) {
	case object:
		out := object{}
		for name, value := range x {
			if m := meaning(value); m != nil {
				out[strings.ToLower(strings.ReplaceAll(name, "_", ""))] = m
			}
		}
		if len(out) > 0 {
			return out
		}
		return nil
	case []any:
		out := []any{}
		for _, value := range x {
			out = append(out, meaning(value))
		}
		if len(out) > 0 {
			return out
		}
		return nil
	case json.Number:
		f, err := x.Float64()
		if err != nil {
			return x.String()
		}
		return f
	case string:
		if x == "" {
			return nil
		}
		return strings.ToLower(strings.ReplaceAll(x, "_", ""))
	}
	return v
}

func written(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// without takes the fields at JSON pointers out of a value.
func without(v any, pointers []string) any {
	for _, p := range pointers {
		v = cut(v, strings.Split(strings.TrimPrefix(p, "/"), "/"))
	}
	return v
}

func cut(v any, path []string) any {
	switch x := v.(type) {
	case object:
		if len(path) == 1 {
			delete(x, path[0])
		} else if inner, ok := x[path[0]]; ok {
			x[path[0]] = cut(inner, path[1:])
		}
	case []any:
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(x) && len(path) > 1 {
			x[i] = cut(x[i], path[1:])
		}
	}
	return v
}

// sameFrame turns the event back, as it is and with Vendor emptied, and compares
// with the frame it came of.
func sameFrame(t testing.TB, e event.Event, frame []byte, only, volatile []string) (want, have string) {
	t.Helper()
	for _, bare := range []bool{false, true} {
		drop := slices.Clone(volatile)
		if bare {
			e.Vendor = nil
			drop = append(drop, only...)
		}
		want = written(t, meaning(without(decoded(t, frame), drop)))
		have = written(t, meaning(without(frameOf(t, e, decoded(t, frame)), drop)))
		if want != have {
			return want, have
		}
	}
	return want, have
}
