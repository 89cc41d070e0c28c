package ws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// feed gives a decoder a text packet and its attachments; nil without an error: it wants more.
func feed(d *decoder, text string, parts ...string) (*packet, *CloseError) {
	p, bad := d.text([]byte(text))
	for _, part := range parts {
		if bad == nil {
			p, bad = d.attachment([]byte(part))
		}
	}
	return p, bad
}

func TestEventsIn(t *testing.T) {
	cases := []struct {
		text   string
		parts  []string
		want   arrival
		id, ns string
	}{
		{`2["e"]`, nil, arrival{"e", []byte(`null`), false}, "", "/"},
		{`2["e",{"a": 1}]`, nil, arrival{"e", []byte(`{"a": 1}`), false}, "", "/"},
		{`2 ["e"]`, nil, arrival{}, "", ""},
		{`2[ "e" , [ 1 ] ]`, nil, arrival{"e", []byte(`[ 1 ]`), false}, "", "/"},
		{`2["e",1,"two",[3]]`, nil, arrival{"e", []byte(`[1,"two",[3]]`), false}, "", "/"},
		{`2["\u00fc","x"]`, nil, arrival{"ü", []byte(`"x"`), false}, "", "/"},
		{`2["e","{\"a\":\"\\u00fc\"}"]`, nil, arrival{"e", []byte(`{"a":"\u00fc"}`), false}, "", "/"},
		{`2["e","[1]","{"]`, nil, arrival{"e", []byte(`[[1],"{"]`), false}, "", "/"},
		{`2["e","42"]`, nil, arrival{"e", []byte(`"42"`), false}, "", "/"},
		{`2["e","null"]`, nil, arrival{"e", []byte(`"null"`), false}, "", "/"},
		{`2["e","\"x\""]`, nil, arrival{"e", []byte(`"\"x\""`), false}, "", "/"},
		{`2["e","\ud83d"]`, nil, arrival{"e", []byte(`"\ud83d"`), false}, "", "/"},
		{`2["e",{"a":1,"a":2}]`, nil, arrival{"e", []byte(`{"a":1,"a":2}`), false}, "", "/"},
		{`2["e",{"_placeholder":true,"num":0}]`, nil, arrival{"e", []byte(`{"_placeholder":true,"num":0}`), false}, "", "/"},
		{`212["e"]`, nil, arrival{"e", []byte(`null`), false}, "12", "/"},
		{`2/chat,9007199254740991["e"]`, nil, arrival{"e", []byte(`null`), false}, "9007199254740991", "/chat"},
		{`51-["e",{"_placeholder":true,"num":0}]`, []string{"\x01\xff"}, arrival{"e", []byte("\x01\xff"), true}, "", "/"},
		{`51-/chat,7["e",{"num":0,"_placeholder":true}]`, []string{""}, arrival{"e", []byte{}, true}, "7", "/chat"},
		{`51-["e",{"f":{ "_placeholder" : true , "num" : 0 }}]`, []string{"abc"}, arrival{"e", []byte(`{"f":"YWJj"}`), false}, "", "/"},
		{`52-["e",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`, []string{"a", "b"}, arrival{"e", []byte(`["Yg==","YQ=="]`), false}, "", "/"},
		{`51-["e",{"_placeholder":true,"num":0},"{\"_placeholder\":true,\"num\":0}"]`, []string{"a"},
			arrival{"e", []byte(`["YQ==",{"_placeholder":true,"num":0}]`), false}, "", "/"},
	}
	for _, c := range cases {
		d := decoder{limit: 1000}
		p, bad := feed(&d, c.text, c.parts...)
		if c.ns == "" {
			if bad == nil {
				t.Errorf("%s: taken", c.text)
			}
			continue
		}
		if bad != nil || p == nil || p.id != c.id || p.namespace != c.ns {
			t.Errorf("%s: %+v, %v", c.text, p, bad)
			continue
		}
		got, bad := d.arrival(p)
		if bad != nil || got.name != c.want.name || got.binary != c.want.binary || !bytes.Equal(got.data, c.want.data) {
			t.Errorf("%s: %q %q %v, %v", c.text, got.name, got.data, got.binary, bad)
		}
	}
}

type badPacket struct {
	text  string
	parts []string
	code  int
	words string
}

// badPackets are what follows engineMessage.
func badPackets() []badPacket {
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	many := `2["e"` + strings.Repeat(",0", maxArguments+1) + `]`
	return []badPacket{
		{``, nil, 1002, "unknown"}, {`7`, nil, 1002, "unknown"}, {`x["e"]`, nil, 1002, "unknown"}, {"\x00", nil, 1002, "unknown"},
		{`2`, nil, 1002, "payload"}, {`2{}`, nil, 1002, "payload"}, {`2"e"`, nil, 1002, "payload"},
		{`2[]`, nil, 1002, "name"}, {`2[1]`, nil, 1002, "name"}, {`2[null,1]`, nil, 1002, "name"}, {`2[""]`, nil, 1002, "name"},
		{`2["e"`, nil, 1002, "JSON"}, {`2["e"]]`, nil, 1002, "JSON"}, {`2["e",]`, nil, 1002, "JSON"}, {`2["e"]x`, nil, 1002, "JSON"},
		{`2["e",` + deep + `]`, nil, 1002, "JSON"}, {`2["e","` + "\n" + `"]`, nil, 1002, "JSON"},
		{many, nil, 1008, "arguments"}, {`2["` + strings.Repeat("n", maxEventName+1) + `"]`, nil, 1008, "name"},
		{`2/` + strings.Repeat("n", maxNamespace) + `,["e"]`, nil, 1008, "namespace"},
		{`212345678901234567["e"]`, nil, 1002, "id"}, {`2-1["e"]`, nil, 1002, "payload"},
		{`3[]`, nil, 1002, "id"}, {`31{}`, nil, 1002, "payload"}, {`112`, nil, 1002, "id"}, {`1{}`, nil, 1002, "payload"},
		{`0[]`, nil, 1002, "payload"}, {`0{`, nil, 1002, "JSON"}, {`05{}`, nil, 1002, "id"}, {`4`, nil, 1002, "payload"}, {`4[]`, nil, 1002, "payload"},
		{`5["e"]`, nil, 1002, "attachments"}, {`5-["e"]`, nil, 1002, "attachments"}, {`50-["e"]`, nil, 1002, "attachments"},
		{`51["e"]`, nil, 1002, "attachments"}, {`51`, nil, 1002, "attachments"}, {`511-["e"]`, nil, 1008, "attachments"},
		{`599999999999999999999999-["e"]`, nil, 1008, "attachments"},
		{`51-["e",0]`, []string{"a"}, 1002, "fit"}, {`51-["e",{"_placeholder":true,"num":1}]`, []string{"a"}, 1002, "fit"},
		{`51-["e",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]]`, []string{"a"}, 1002, "fit"},
		{`51-["e",[{"_placeholder":true,"num":99999999999999999999}]]`, []string{"a"}, 1002, "fit"},
		{`52-["e",{"_placeholder":true,"num":0}]`, []string{"a", "b"}, 1002, "fit"},
	}
}

func TestBadPackets(t *testing.T) {
	for _, c := range badPackets() {
		d := decoder{limit: 1 << 20}
		p, bad := feed(&d, c.text, c.parts...)
		if bad == nil && p != nil && p.event() {
			_, bad = d.arrival(p)
		}
		if bad == nil || bad.Code != c.code || bad.frame != c.code || !strings.Contains(bad.Reason, c.words) {
			t.Errorf("%.40q: %v", c.text, bad)
		}
	}
}

// TestAssembly: what is under way excludes all else, and the limit holds for the whole.
func TestAssembly(t *testing.T) {
	const two = `52-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`
	d := decoder{limit: 100}
	if _, bad := d.attachment([]byte("a")); bad == nil || bad.Code != CodeProtocol {
		t.Errorf("attachment of nothing: %v", bad)
	}
	if p, bad := feed(&d, two, "a"); p != nil || bad != nil {
		t.Errorf("unfinished: %v %v", p, bad)
	}
	if _, bad := d.text([]byte(`2["e"]`)); bad == nil || bad.Code != CodeProtocol {
		t.Errorf("packet inside: %v", bad)
	}
	for _, part := range []int{100 - len(two) - 1, 100 - len(two)} {
		d := decoder{limit: 100}
		_, bad := feed(&d, two, "a", strings.Repeat("b", part))
		if fits := part+1+len(two) <= 100; fits != (bad == nil) || !fits && bad.Code != CodeTooLarge {
			t.Errorf("%d bytes: %v", part+1+len(two), bad)
		}
	}
	d = decoder{limit: 100}
	p, bad := feed(&d, two, strings.Repeat("a", 14), strings.Repeat("b", 14))
	if bad != nil {
		t.Fatal(bad)
	}
	if _, bad := d.arrival(p); bad == nil || bad.Code != CodeTooLarge {
		t.Errorf("grows over the limit in base64: %v", bad)
	}
}

// jsonText draws JSON that encoding/json wrote.
func jsonText() *rapid.Generator[[]byte] {
	leaf := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return strings.ToValidUTF8(s, "?") }),
		rapid.Map(rapid.Int32(), func(i int32) any { return i }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil))
	return rapid.Custom(func(t *rapid.T) []byte {
		var v any = leaf.Draw(t, "leaf")
		for range rapid.IntRange(0, 4).Draw(t, "depth") {
			if rapid.Bool().Draw(t, "list") {
				v = []any{v, leaf.Draw(t, "item")}
			} else {
				v = map[string]any{strings.ToValidUTF8(rapid.StringN(0, 5, -1).Draw(t, "key"), "?"): v}
			}
		}
		text, _ := json.Marshal(v)
		return text
	})
}

// TestEventsRoundTrip: what Write sends is what the far side's OnMessage is given, for every name
// and namespace; JSON comes back as it was but for a string that holds an object or array.
func TestEventsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 20, 80).Draw(t, "name")
		ns := "/" + rapid.StringMatching(`[a-zü/0-9]{0,9}`).Draw(t, "namespace")
		binary := rapid.Bool().Draw(t, "binary")
		data := rapid.OneOf(jsonText(), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }), rapid.SliceOf(rapid.Byte())).Draw(t, "data")
		o, err := SocketIOOptions{Event: name, Namespace: ns}.filled()
		if err != nil {
			t.Skip(err)
		}
		p, err := newSocketIO(nil, o, true).parcel(data, binary)
		if err != nil {
			if binary || json.Valid(data) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if p.data[0] != engineMessage {
			t.Fatalf("sent %q", p.data)
		}
		d := decoder{limit: o.MaxMessage}
		got, bad := d.text(p.data[1:])
		for _, a := range p.attached {
			got, bad = d.attachment(a)
		}
		if bad != nil || got == nil || got.namespace != ns || got.id != "" {
			t.Fatalf("%q: %+v %v", p.data, got, bad)
		}
		a, bad := d.arrival(got)
		if bad != nil || a.name != name || a.binary != binary || !sameData(data, a.data, binary) {
			t.Fatalf("%q became %+v %v", data, a, bad)
		}
	})
}

func sameData(sent, got []byte, binary bool) bool {
	if binary {
		return bytes.Equal(sent, got)
	}
	var text string
	switch {
	case !json.Valid(sent):
		text = string(sent)
	case json.Unmarshal(sent, &text) != nil || bytes.Equal(bytes.TrimSpace(sent), []byte("null")):
		return bytes.Equal(bytes.TrimSpace(sent), got)
	}
	if held := strings.TrimSpace(text); json.Valid([]byte(text)) && (held[0] == '{' || held[0] == '[') {
		return text == string(got)
	}
	var back string
	return json.Unmarshal(got, &back) == nil && back == text
}

// FuzzSocketIO: no stream of packets breaks the decoder, and whatever becomes an event is within
// the limits and can be sent on.
func FuzzSocketIO(f *testing.F) {
	for _, c := range badPackets() {
		if len(c.text) < 1000 {
			f.Add([]byte(c.text), []byte(strings.Join(c.parts, "|")))
		}
	}
	f.Add([]byte(`52-/n,3["e",{"a":{"_placeholder":true,"num":0}},{"num":1,"_placeholder":true}]`), []byte("a|b"))
	f.Add([]byte(`2["e","{\"a\":[1]}"]`), []byte(""))
	f.Fuzz(func(t *testing.T, text, parts []byte) {
		const limit = 1 << 12
		d := decoder{limit: limit}
		p, bad := d.text(text)
		for part := range bytes.SplitSeq(parts, []byte("|")) {
			if p == nil && bad == nil {
				p, bad = d.attachment(part)
			}
		}
		if bad != nil && (!sendable(bad.frame) || bad.Reason == "") {
			t.Fatalf("closed with %+v", bad)
		}
		if bad != nil || p == nil || !p.event() {
			return
		}
		a, bad := d.arrival(p)
		if bad != nil {
			return
		}
		if a.name == "" || len(a.name) > maxEventName || len(a.data) > limit || !a.binary && !sound(a.data) {
			t.Fatalf("%q became %+v", text, a)
		}
		if a.binary {
			return
		}
		again := fmt.Appendf(nil, "2%s", appendArguments(nil, quoted("e"), argument(a.data)))
		d = decoder{limit: len(again)}
		if p, bad = d.text(again); bad != nil {
			t.Fatalf("%q cannot be sent on: %v", a.data, bad)
		}
		b, bad := d.arrival(p)
		if bad != nil || !bytes.Equal(a.data, b.data) && a.data[0] != '"' {
			t.Fatalf("%q sent on became %q, %v", a.data, b.data, bad)
		}
	})
}
