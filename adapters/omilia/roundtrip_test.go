package omilia_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/adapters/omilia"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

const (
	plain = `{"url":"wss://assist.example/call"}`
	kept  = `{"url":"wss://assist.example/call","keep_biometrics":true}`
)

// hear gives what a frame means on an open connection.
func hear(t testing.TB, settings string, frame []byte) []event.Event {
	t.Helper()
	d := omilia.Definition()
	r, err := adaptertest.NewRehearsal(d.Manifest, d.Configure, adaptertest.InProcess(d), adapter.Account{Name: "assist",
		Role: event.RoleObserver, Settings: json.RawMessage(settings), Credentials: []string{"token"}})
	if err != nil {
		t.Fatal(err)
	}
	events, err := r.Arrive("ws", "", frame)
	if err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	return events
}

// Every documented frame leaves the canonical model as it came, and but for what
// only the vendor has also without Event.Vendor.
func TestCorpusRoundTrip(t *testing.T) {
	cases, err := adaptertest.ReadCorpus("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	channels := map[string]bool{}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			for _, e := range hear(t, string(c.Settings), c.Frame) {
				if o, ok := e.Body.(event.InsightObserved); ok {
					channels[o.Insight.InsightType()] = true
				}
				if want, have := sameFrame(t, e, c.Frame, c.VendorOnly, c.Volatile); want != have {
					t.Errorf("\n frame %s\n back  %s", want, have)
				}
			}
		})
	}
	for _, i := range event.Insights() {
		if !channels[i.InsightType()] {
			t.Errorf("no frame of the corpus is a %s", i.InsightType())
		}
	}
}

var (
	word    = rapid.StringMatching(`[A-Za-zÀ-ü <&>"\\😀]{0,8}[A-Za-z]`)
	counted = rapid.Int64Range(0, 1<<40)
	scored  = rapid.Float64Range(-1000, 1000)
	listed  = rapid.SliceOfN(rapid.MapOfN(rapid.StringMatching(`[a-z]{1,4}`), word, 1, 3), 1, 3)
	worded  = rapid.OneOf(anything(word), anything(rapid.SliceOfN(word, 2, 4)))
	when    = rapid.Int64Range(1e11, 253402300799999)
)

func anything[V any](g *rapid.Generator[V]) *rapid.Generator[any] {
	return rapid.Map(g, func(v V) any { return v })
}

// shape is what frames of a channel are made of; must are the fields by which one
// without an envelope is known.
type shape struct {
	must, may map[string]*rapid.Generator[any]
}

type gens = map[string]*rapid.Generator[any]

func shapes() map[string]shape {
	text, whole, number, truth, list := anything(word), anything(counted), anything(scored), anything(rapid.Bool()), anything(listed)
	said := gens{"startTime": anything(when), "endTime": anything(when), "isFinal": truth,
		"participantType": anything(rapid.SampledFrom([]string{"USER", "AGENT", "SUPERVISOR"})), "utterance": text, "seqId": whole}
	return map[string]shape{
		"sound_info": {gens{"level": anything(rapid.IntRange(0, 2))}, nil},
		"ai_info": {gens{"user_sentiment": text}, gens{"user_emotions": worded, "user_anger_detected": truth, "user_intents": worded,
			"agent_sentiment": text, "agent_tasks": list, "agent_remaining_tasks": list, "agent_next_task": text, "agent_suggested_prompt": text}},
		"dialog_info": {gens{"latestSeqId": whole}, gens{"agentPartialUtterance": text, "userPartialUtterance": text,
			"utterances": rapid.Custom(func(t *rapid.T) any {
				var all []any
				for range rapid.IntRange(1, 3).Draw(t, "utterances") {
					all = append(all, drawFields(t, shape{gens{"utterance": text}, said}))
				}
				return all
			})}},
		"dialog_info_diff": {gens{"seqId": whole, "participantType": said["participantType"]}, said},
		"call_info":        {gens{"status": text, "error_description": text}, nil},
		"verification_result": {gens{"risk_level": text}, gens{"label": text, "status": text, "score": number, "fraudster_id": text,
			"blocklist_id": text, "custom_agent_message": text, "custom_ui_message": text, "score_llr": number, "score_nllr": number,
			"speech_frames": whole, "list_size": whole, "match_count": whole}},
		"voice_info": {gens{"liveness_score": within(gens{"label": text, "global_post": number})},
			gens{"satResult": within(gens{"label": text, "valid": truth, "gender": text, "ageEstimate": whole})}},
		"error_info":             {gens{"messageDetails": text}, gens{"message": text}},
		"summary_info":           {gens{"data": text}, nil},
		"tts_detection":          {gens{"label": text, "global_post": number}, nil},
		"ani_validation_results": {gens{"trustIndicator": whole}, gens{"calledNumber": text}},
		"business_flow":          {gens{"flow_instance_id": text, "entity_instances": list}, gens{"flow_instance_status": text, "intent": text}},
		"business_flow_diff":     {gens{"flow_instance_id": text, "entityId": text}, gens{"flow_instance_status": text, "entity_value": text}},
		"attached_data":          {gens{"data": list}, nil},
	}
}

func within(fields gens) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any { return drawFields(t, shape{fields, nil}) })
}

func drawFields(t *rapid.T, s shape) object {
	payload := object{}
	for _, name := range slices.Sorted(maps.Keys(s.may)) {
		if rapid.Bool().Draw(t, name+" is there") {
			payload[name] = s.may[name].Draw(t, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.must)) {
		payload[name] = s.must[name].Draw(t, name)
	}
	return payload
}

// drawFrame makes a frame of a channel in any envelope, with what no document
// has; only lists where that is.
func drawFrame(t *rapid.T, channel string, s shape) (frame object, only []string) {
	payload := drawFields(t, s)
	place := "/zzMore"
	switch variant := rapid.SampledFrom([]string{"named", "keyed", "bare"}).Draw(t, "envelope"); variant {
	case "named":
		data := rapid.SampledFrom([]string{"data", "payload", "message"}).Draw(t, "payload under")
		frame = object{rapid.SampledFrom([]string{"channel", "topic", "type", "message_type", "event"}).Draw(t, "name under"): channel, data: payload}
		place = "/" + data + place
	case "keyed":
		frame = object{channel: payload}
		place = "/" + channel + place
	default:
		frame = payload
	}
	if rapid.Bool().Draw(t, "more in the payload") {
		payload["zzMore"] = object{"deep": []any{1, "x"}}
		only = append(only, place)
	}
	if rapid.Bool().Draw(t, "more in the frame") {
		frame["zzFrame"] = rapid.Int().Draw(t, "zzFrame")
		only = append(only, "/zzFrame")
	}
	return frame, only
}

// Whatever a documented channel sends comes back as the same frame.
func TestRoundTrip(t *testing.T) {
	for channel, s := range shapes() {
		t.Run(channel, rapid.MakeCheck(func(t *rapid.T) {
			frame, only := drawFrame(t, channel, s)
			data, err := json.Marshal(frame)
			if err != nil {
				t.Fatal(err)
			}
			var events []event.Event
			inTest(t, func(tb testing.TB) { events = hear(tb, kept, data) })
			if len(events) != 1 {
				t.Fatalf("%s: %d events", data, len(events))
			}
			inTest(t, func(tb testing.TB) {
				if want, have := sameFrame(tb, events[0], data, only, nil); want != have {
					t.Fatalf("\n frame %s\n back  %s", want, have)
				}
			})
		}))
	}
}

// inTest runs helpers of ordinary tests under rapid.
func inTest(t *rapid.T, run func(testing.TB)) {
	run(borrowed{rapid: t})
}

type borrowed struct {
	testing.TB
	rapid *rapid.T
}

func (b borrowed) Helper()                      {}
func (b borrowed) Fatal(args ...any)            { b.rapid.Fatal(args...) }
func (b borrowed) Fatalf(f string, args ...any) { b.rapid.Fatalf(f, args...) }

// Without keep_biometrics nothing that was measured of a voice is in an event, in
// whatever envelope and under whatever name it came.
func TestBiometricsStayOut(t *testing.T) {
	const secret = "b10m3tr1c"
	measured := map[string][]string{
		"verification_result": {"score", "score_llr", "scoreNllr", "fraudster_id", "BLOCKLIST_ID", "speech_frames", "list_size", "match_count", "future"},
		"voice_info":          {"liveness_score", "liveness_score.label", "satResult.gender", "satResult.ageEstimate", "future"},
		"tts_detection":       {"global_post", "future"},
	}
	for channel, fields := range measured {
		payload := object{"label": "L", "status": "S", "risk_level": "R", "satResult": object{"label": "OK_DATA", "gender": secret, "age_estimate": secret, "more": secret}}
		for _, f := range fields {
			payload[f] = secret
		}
		for _, frame := range []object{{"channel": channel, "data": payload, "beside": secret}, {channel: payload, "beside": secret},
			{"type": channel, "payload": []any{payload, object{"liveness_score": object{"label": secret, "global_post": 12345.5}}}}} {
			data := []byte(written(t, frame))
			events := hear(t, plain, data)
			if len(events) == 0 {
				t.Errorf("%s says nothing", data)
			}
			if got := written(t, events); strings.Contains(got, secret) || strings.Contains(got, "12345.5") {
				t.Errorf("%s\n is told as %s", data, got)
			}
			if got := written(t, hear(t, kept, data)); !strings.Contains(got, secret) {
				t.Errorf("%s\n is lost although the account keeps it: %s", data, got)
			}
		}
	}
}

// However many utterances are missing, one question is open at a time and the
// questions end.
func TestOneQuestionAtATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turn := adapter.Turn{ID: "t", Key: "k", StateVersion: 1, State: []byte(`{"phase":"open"}`),
			Account: adapter.Account{Name: "a", Role: event.RoleObserver, Settings: json.RawMessage(plain)}}
		open, inARow := false, 0
		for range rapid.IntRange(1, 60).Draw(t, "turns") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				turn.Input, open = adapter.Fired{Timer: "dialog"}, false
			case 1:
				latest := rapid.Int64Range(0, 50).Draw(t, "latest")
				turn.Input, open = adapter.Frame{Conn: "assist", Data: fmt.Appendf(nil, `{"latestSeqId":%d}`, latest)}, false
			default:
				index := rapid.Int64Range(0, 50).Draw(t, "index")
				turn.Input = adapter.Frame{Conn: "assist", Data: fmt.Appendf(nil, `{"seqId":%d,"participantType":"USER","utterance":"x"}`, index)}
				inARow = 0
			}
			out := adapter.Run(omilia.Definition(), turn)
			if out.Err != "" {
				t.Fatal(out.Err)
			}
			turn.State = out.State
			for _, effect := range out.Effects {
				if _, asks := effect.(adapter.Sending); !asks {
					continue
				}
				if inARow++; open || inARow > 3 {
					t.Fatalf("question %d in a row, another open: %t", inARow, open)
				}
				open = true
			}
		}
	})
}

func FuzzFrame(f *testing.F) {
	cases, err := adaptertest.ReadCorpus("testdata/corpus.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		f.Add([]byte(c.Frame))
	}
	f.Add([]byte(`[{"data":"{\"channel\":\"ai_info\"}"},{"type":"error_info","message":[1]},{"dialog_info":{"utterances":{"seqId":-1}}}]`))
	f.Add([]byte(`{"channel":"voice_info","data":[{"satResult":[]},7,null],"data":{"LEVEL":1e999,"startTime":-1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, settings := range []string{plain, kept} {
			out := adapter.Run(omilia.Definition(), adapter.Turn{ID: "t", Key: "k", StateVersion: 1, State: []byte(`{"phase":"open"}`),
				Account: adapter.Account{Name: "a", Role: event.RoleObserver, Settings: json.RawMessage(settings)},
				Input:   adapter.Frame{Conn: "assist", Data: data}})
			if out.Err != "" || len(out.State) > 1<<10 {
				t.Errorf("%s, state of %d bytes", out.Err, len(out.State))
			}
			for _, effect := range out.Effects {
				m, ok := effect.(adapter.Emission)
				if !ok {
					continue
				}
				if m.Actor.Role != event.RoleObserver {
					t.Errorf("%s is said by %s", m.Body.Kind(), m.Actor.Role)
				}
				if _, err := json.Marshal(event.Event{Body: m.Body, Actor: m.Actor, Vendor: m.Vendor}); err != nil {
					t.Errorf("an emission cannot be written: %v", err)
				}
			}
		}
	})
}
