package aisera_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/adapters/aisera"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

type object = map[string]any

func rehearsal(t *rapid.T, role event.Role, settings string) *adaptertest.Rehearsal {
	d := aisera.Definition()
	r, err := adaptertest.NewRehearsal(d.Manifest, d.Configure, adaptertest.InProcess(d),
		adapter.Account{Name: "aisera", Role: role, Settings: []byte(settings), Credentials: []string{"token"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func arrive(t *rapid.T, r *adaptertest.Rehearsal, frame object) []event.Event {
	data, err := json.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	events, err := r.Arrive("ws", "", data)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// through delivers events and gives the frame that leaves last.
func through(t *rapid.T, r *adaptertest.Rehearsal, events []event.Event) object {
	var last object
	for _, e := range events {
		e.ID, e.Via = "", event.Via{}
		_, left, err := r.Deliver(e)
		if err != nil || len(r.Counts().Failed) > 0 {
			t.Fatalf("deliver %s: %v %q", e.Kind(), err, r.Counts().Failed)
		}
		for _, d := range left {
			last = object{}
			if err := json.Unmarshal(d.Body, &last); err != nil {
				t.Fatal(err)
			}
		}
	}
	return last
}

// again is a frame as another reader of JSON sees it.
func again(t *rapid.T, frame object) (out object) {
	data, err := json.Marshal(frame)
	if err != nil || json.Unmarshal(data, &out) != nil {
		t.Fatal(err)
	}
	return out
}

func same(t *rapid.T, frame, back object) {
	if frame = again(t, frame); !reflect.DeepEqual(frame, back) {
		t.Fatalf("another frame:\n %v\n %v", frame, back)
	}
}

func words(t *rapid.T, label string) string {
	return rapid.StringN(1, 40, -1).Filter(func(s string) bool { return s != "/logout" }).Draw(t, label)
}

// scalar is a value of a form or session, other than an object.
func scalar(t *rapid.T, label string) any {
	switch rapid.IntRange(0, 4).Draw(t, label+" kind") {
	case 0:
		return rapid.IntRange(-9, 9).Draw(t, label)
	case 1:
		return rapid.Bool().Draw(t, label)
	case 2:
		return rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "1"}), 0, 3).Draw(t, label)
	case 3:
		return rapid.SampledFrom([]string{"6", "true", "null", "[1]", "{}", `"x"`, " 1", "1e3", ""}).Draw(t, label)
	}
	return words(t, label)
}

func members(t *rapid.T, prefix string, limit int) object {
	out := object{}
	for i := range rapid.IntRange(0, limit).Draw(t, prefix+" members") {
		out[fmt.Sprint(prefix, i)] = scalar(t, prefix)
	}
	return out
}

// drawRequest is a frame a chat client may send.
func drawRequest(t *rapid.T) object {
	data := members(t, "zz", 2)
	data["sessionVars"], data["reqId"] = members(t, "var", 3), "r"
	switch rapid.IntRange(0, 6).Draw(t, "request") {
	case 0:
		data["text"] = words(t, "text")
	case 1:
		data["text"], data["followUpId"] = words(t, "text"), "R:"+words(t, "follow-up")
	case 2:
		data["text"], data["followUpData"] = "", object{"formId": words(t, "form"), "formFieldValues": members(t, "field", 4)}
	case 3:
		data["isReset"] = true
	case 4:
		data["needsSessionHistory"] = true
	case 5:
		kind := rapid.SampledFrom([]string{"FlowGoBack", "FlowStartOver"}).Draw(t, "flow")
		data["followUpId"], data["followUpContext"] = "_go:back_", object{"type": kind}
	case 6:
		data["text"] = "/logout"
	}
	if rapid.Bool().Draw(t, "named") {
		data["userFullName"] = words(t, "name")
	}
	frame := members(t, "zz", 2)
	frame["token"], frame["userId"], frame["channelId"], frame["data"] = "[masked]", "u-1", "c-1", data
	if rapid.Bool().Draw(t, "has an address") {
		frame["userEmail"] = "ada@example.com"
	}
	return frame
}

// TestRequestsGoThrough: what a chat client sends us, we send as a chat client.
func TestRequestsGoThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frame := drawRequest(t)
		events := arrive(t, rehearsal(t, event.RoleCustomer, `{}`), frame)
		back := through(t, rehearsal(t, event.RoleVirtualAgent, `{"host":"x.example","channel_id":"c-1"}`), events)
		delete(frame, "token")
		delete(back, "token")
		same(t, frame, back)
	})
}

// drawAnswer is a frame the server may send.
func drawAnswer(t *rapid.T) object {
	frame := members(t, "zz", 2)
	frame["reqId"] = "r"
	mode := rapid.SampledFrom([]string{"", "LiveAgent", "StreamingCompleted", "StreamingInProgress", "Campaign", "FlowStarted",
		"SilentModeFollowUp", "Error", "New"}).Draw(t, "mode")
	if mode != "" {
		frame["modeType"] = mode
	}
	switch {
	case mode == "FlowStarted" || mode == "Error":
	case mode == "StreamingInProgress" || rapid.Bool().Draw(t, "only words"):
		frame["text"] = words(t, "text")
	case rapid.Bool().Draw(t, "has choices"):
		var options []object
		for i := range rapid.IntRange(1, 4).Draw(t, "choices") {
			options = append(options, object{"followUpId": fmt.Sprint("R:", i), "text": words(t, "choice")})
		}
		frame["text"], frame["followUps"] = words(t, "text"), options
	default:
		fields := []object{}
		for i := range rapid.IntRange(0, 3).Draw(t, "fields") {
			fields = append(fields, object{"name": fmt.Sprint("f", i), "label": words(t, "label"), "type": "text"})
		}
		frame["form"] = object{"formId": words(t, "form"), "fields": fields}
	}
	if mode == "LiveAgent" {
		frame["agentName"] = words(t, "agent")
	}
	return frame
}

// TestAnswersGoThrough: what the server sends us, we send as the server.
func TestAnswersGoThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frame := drawAnswer(t)
		where := rapid.SampledFrom([]string{"top", "data", "response"}).Draw(t, "where")
		if where != "top" {
			frame = object{where: frame}
		}
		events := arrive(t, rehearsal(t, event.RoleVirtualAgent, `{"host":"x.example","channel_id":"c-1","people":"vendor"}`), frame)
		client := rehearsal(t, event.RoleCustomer, `{"answer_in":"`+where+`"}`)
		arrive(t, client, object{"userId": "u-1", "data": object{"text": "hello", "reqId": "r"}})
		same(t, frame, through(t, client, events))
	})
}

// TestChoicesAreKnownAgain: whatever choices are offered, picking one by its
// words says its id.
func TestChoicesAreKnownAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,20}`), 1, 8, rapid.ID[string]).Draw(t, "labels")
		var options []object
		for i, label := range labels {
			options = append(options, object{"id": fmt.Sprint(i), "label": label})
		}
		agent := rehearsal(t, event.RoleVirtualAgent, `{"host":"x.example","channel_id":"c-1"}`)
		arrive(t, agent, object{"displayText": "Which?", "buttons": options})
		pick := rapid.IntRange(0, len(labels)-1).Draw(t, "pick")
		frame := through(t, agent, []event.Event{{Actor: event.Actor{Role: event.RoleCustomer},
			Body: event.MessageCreated{Content: event.Plain(labels[pick])}}})
		if got := frame["data"].(object)["followUpId"]; got != fmt.Sprint(pick) {
			t.Fatalf("picked %v, want %d", got, pick)
		}
	})
}

// FuzzFrame reads frames nobody would send, on legs in the middle of things.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{`{"modeType":"LiveAgentJoined"}`, `{"data":{"text":"hello","followUpData":{"formFieldValues":{"a":[1]}}}}`,
		`[{"response":{"messages":["a",{"text":"b"}],"x":[{"id":1,"label":2}]}}]`, `"{\"sessionHistory\":[{\"text\":\"a\",\"time\":\"9999-12-31T23:59:59-01:00\"}]}"`, `{`} {
		f.Add([]byte(seed))
	}
	states := map[event.Role]string{
		event.RoleCustomer:     `{"conn":"c"}`,
		event.RoleVirtualAgent: `{"line":{"state":"open","number":1},"phase":"theirs"}`,
		event.RoleLiveAgent:    `{"line":{"state":"open","number":1},"phase":"open"}`,
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for role, state := range states {
			out := adapter.Run(aisera.Definition(), adapter.Turn{ID: "t", Key: "k", Conversation: "c", StateVersion: 1, State: []byte(state),
				Account: adapter.Account{Name: "a", Role: role, Settings: []byte(`{"host":"x.example","channel_id":"c"}`)},
				Input:   adapter.Frame{Conn: "chat-1", Data: data}})
			if out.Err != "" && json.Valid(data) || len(out.State) > 16<<10 {
				t.Fatalf("%s: error %q, state of %d bytes", role, out.Err, len(out.State))
			}
			for _, effect := range out.Effects {
				e, ok := effect.(adapter.Emission)
				if _, err := json.Marshal(event.Event{Body: e.Body, Actor: e.Actor, Vendor: e.Vendor}); ok && err != nil {
					t.Fatalf("%s: %v", role, err)
				}
			}
		}
	})
}
