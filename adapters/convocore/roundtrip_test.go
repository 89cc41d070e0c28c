package convocore_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/adapters/convocore"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/event"
)

type object = map[string]any

// now is the time of a rehearsal.
const now = 1767607200

func messageOf(kind string, payload object) object {
	return object{"from": "bot", "type": kind, "ts": now, "item": object{"type": kind, "payload": payload}}
}

func textItem(text string) object { return messageOf("text", object{"message": text}) }

func turnOf(messages ...any) object {
	return object{"from": "bot", "ts": now, "messages": messages}
}

func words() *rapid.Generator[string] {
	return rapid.StringMatching(`[A-Za-zé<>&"*漢]([ A-Za-z0-9é<>&"\n*👋漢]{0,20}[a-z])?`)
}

func button(t *rapid.T) object {
	name := words().Draw(t, "name")
	if rapid.Bool().Draw(t, "opens") {
		return object{"name": name, "request": object{"type": "open_url", "payload": object{"url": "https://shop.example/" + rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "path")}}}
	}
	return object{"name": name, "request": object{"type": "text", "payload": object{"message": words().Draw(t, "message")}}}
}

func buttons(t *rapid.T) []any {
	out := []any{}
	for range rapid.IntRange(1, 3).Draw(t, "buttons") {
		out = append(out, button(t))
	}
	return out
}

func card(t *rapid.T) object {
	out := object{"title": words().Draw(t, "title")}
	if rapid.Bool().Draw(t, "described") {
		out["description"] = object{"text": words().Draw(t, "description")}
	}
	if rapid.Bool().Draw(t, "pictured") {
		out["imageUrl"] = "https://files.example/a.png"
	}
	if rapid.Bool().Draw(t, "active") {
		out["buttons"] = buttons(t)
	}
	return out
}

func field(t *rapid.T) object {
	out := object{"id": rapid.StringMatching(`[a-z]{1,6}`).Draw(t, "id"), "label": words().Draw(t, "label"),
		"type": rapid.SampledFrom([]string{"text", "email", "date", "textarea"}).Draw(t, "input")}
	if rapid.Bool().Draw(t, "required") {
		out["required"] = true
	}
	if rapid.Bool().Draw(t, "select") {
		out["type"], out["options"] = "select", []any{object{"value": "s", "label": "Small"}, object{"value": "l", "label": "Large"}}
	}
	return out
}

// anyMessage is a message of a turn as the vendor documents it.
func anyMessage(t *rapid.T) any {
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		return messageOf("choice", object{"buttons": buttons(t)})
	case 1:
		return messageOf("visual", object{"image": "https://files.example/b.png"})
	case 2:
		return messageOf("cardV2", card(t))
	case 3:
		return messageOf("carousel", object{"cards": []any{card(t), card(t)}})
	case 4:
		return messageOf("form", object{"title": words().Draw(t, "title"), "fields": []any{field(t), field(t)}, "onSubmit": object{"type": "submit_form"}})
	case 5:
		return messageOf("input", object{"field": field(t), "onSubmit": object{"type": "submit_input"}})
	}
	return textItem(words().Draw(t, "text"))
}

func rehearse(t *rapid.T, role event.Role) *adaptertest.Rehearsal {
	d := convocore.Definition()
	r, err := adaptertest.NewRehearsal(d.Manifest, d.Configure, adaptertest.InProcess(d), account(role))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// there brings a frame to one side and what it means to the other; it gives the
// last frame that leaves there.
func there(t *rapid.T, from, to *adaptertest.Rehearsal, frame object, bare bool) object {
	data, err := json.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	events, err := from.Arrive("interact", "", data)
	if err != nil || len(events) == 0 {
		t.Fatalf("%s comes to %d events: %v", data, len(events), err)
	}
	var last []byte
	for _, e := range events {
		if bare {
			e.Vendor = nil
		}
		_, left, err := to.Deliver(e)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) > 0 {
			last = left[len(left)-1].Body
		}
	}
	var out object
	if err := json.Unmarshal(last, &out); err != nil {
		t.Fatalf("%q left: %v", last, err)
	}
	return out
}

func same(t *rapid.T, want, got object) {
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var again object
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, got) {
		back, _ := json.Marshal(got)
		t.Fatalf("it came back as another frame:\n sent %s\n back %s", data, back)
	}
}

// An answer that is read and written again is the answer.
func TestAnswersComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		messages := []any{}
		for range rapid.IntRange(1, 4).Draw(t, "messages") {
			messages = append(messages, anyMessage(t))
		}
		frame := object{"type": "metadata", "metadata": object{"sources": []any{"s-1"}, "turns": []any{turnOf(messages...)}}}
		client := rehearse(t, event.RoleCustomer)
		if _, err := client.Arrive("interact", "", []byte(`{"convoId":"leg-1","prompt":"hi"}`)); err != nil {
			t.Fatal(err)
		}
		same(t, frame, there(t, rehearse(t, event.RoleVirtualAgent), client, frame, rapid.Bool().Draw(t, "bare")))
	})
}

// What a client asks, read and written again, is the same question.
func TestPromptsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		light := object{"origin": rapid.SampledFrom([]string{"web-chat", "discord", "sms"}).Draw(t, "origin")}
		for _, name := range []string{"userID", "userName", "userEmail", "userPhone"} {
			if rapid.Bool().Draw(t, name) {
				light[name] = words().Draw(t, name)
			}
		}
		frame := object{"agentId": "a-1", "bucket": "voiceglow-eu", "convoId": "leg-1", "lightConvoData": light, "prompt": words().Draw(t, "prompt")}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			frame["messageType"], frame["visualPayload"] = "visual", object{"image": "https://files.example/c.png",
				"images": []any{"https://files.example/c.png"}, "message": frame["prompt"], "imageCount": 1}
		case 1:
			frame["prompt"] = "start"
		case 2:
			frame["prompt"] = "Name: Ada"
			frame["formSubmissionMetadata"] = object{"formType": "ui_engine_form",
				"payload": []any{object{"index": 0, "label": "Name", "value": "Ada", "field_id": "n", "field_type": "text"}}}
		}
		got := there(t, rehearse(t, event.RoleCustomer), rehearse(t, event.RoleVirtualAgent), frame, rapid.Bool().Draw(t, "bare"))
		delete(got, "actionMetadata")
		same(t, frame, got)
	})
}
