package api_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/media"
)

// openFor begins a conversation for a customer a program knows.
func (b *bridge) openFor(customer string) (id, token string) {
	b.t.Helper()
	body := `{"account":"web","customer":{"id":"` + customer + `","name":"Ada"}}`
	o := decode[api.Opened](b.ask("POST", "/conversations", operatorToken, body).is(201, ""))
	return o.Conversation, o.Token
}

// export gives the lines of an export by type.
func (b *bridge) export(body string) map[string][]api.Exported {
	b.t.Helper()
	out := map[string][]api.Exported{}
	lines := strings.Split(strings.TrimSpace(string(b.ask("POST", "/exports", superToken, body).is(200, "").Body)), "\n")
	for i, line := range lines {
		var e api.Exported
		if err := json.Unmarshal([]byte(line), &e); err != nil || (i == 0) != (e.Type == "export") || (i == len(lines)-1) != (e.Type == "end") {
			b.t.Fatalf("line %d of the export is %s: %v", i, line, err)
		}
		out[e.Type] = append(out[e.Type], e)
	}
	return out
}

func TestACustomerIsExportedAndErased(t *testing.T) {
	b := start(t)
	one, token := b.openFor("c-1")
	b.say(one, token, message("hello"))
	two, token2 := b.openFor("c-1")
	b.say(two, token2, message("human"))
	b.state(two, "queued")
	other, token3 := b.openFor("c-2")
	b.say(other, token3, message("mine"))
	subject := `{"customer":"c-1","account":"web","reason":"request 7"}`

	got := b.export(subject)
	if len(got["conversation"]) != 2 || len(got["delivery"]) == 0 || got["export"][0].Export.By != "token boss" {
		t.Errorf("exported are %d conversations, %d deliveries, by %+v", len(got["conversation"]), len(got["delivery"]), got["export"][0].Export)
	}
	if said := string(encodeAll(t, got["event"])); !strings.Contains(said, `"hello"`) || strings.Contains(said, `"mine"`) {
		t.Errorf("exported are %s", said)
	}
	erased := decode[api.Erasure](b.ask("POST", "/erasures", operatorToken, subject).is(200, "")).Erased
	if slices.Sort(erased); !slices.Equal(erased, sorted(one, two)) {
		t.Errorf("erased are %v", erased)
	}
	for _, id := range erased {
		b.ask("GET", "/conversations/"+id+"/events", operatorToken, "").is(410, "erased")
		b.ask("GET", "/conversations/"+id+"/frames", operatorToken, "").is(410, "erased")
		if c := b.shown(id); !c.Erased || c.State != "ended" || c.Customer.Name != "" {
			t.Errorf("shown is %+v", c)
		}
	}
	b.ask("POST", "/conversations/"+one+"/events", token, message("more")).is(410, "erased")
	if events := b.events(other, operatorToken, "").Events; len(events) < 2 {
		t.Errorf("of the other customer %d events are left", len(events))
	}
	b.say(other, token3, message("still here"))
	again := decode[api.Erasure](b.ask("POST", "/erasures", operatorToken, subject).is(200, "")).Erased
	if len(again) != 0 {
		t.Errorf("erased again are %v", again)
	}
	trail := b.trail()
	for i, want := range [][]string{sorted("token boss conversation.exported "+one, "token boss conversation.exported "+two),
		sorted("token ops conversation.erased "+one, "token ops conversation.erased "+two)} {
		if part := sorted(trail[2*i : 2*i+2]...); !slices.Equal(part, want) {
			t.Errorf("the audit trail has %v, want %v", part, want)
		}
	}
	if len(trail) != 4 {
		t.Errorf("the audit trail is %v", trail)
	}
}

func TestAConversationIsErased(t *testing.T) {
	b := start(t)
	id, token := b.openFor("c-1")
	b.say(id, token, message("hello"))
	left, _ := b.openFor("c-1")
	subject := `{"conversation":"` + id + `","reason":"request 7"}`
	for range 2 {
		if erased := decode[api.Erasure](b.ask("POST", "/erasures", superToken, subject).is(200, "")).Erased; !slices.Equal(erased, []string{id}) {
			t.Errorf("erased are %v", erased)
		}
	}
	if got := b.export(subject); len(got["event"]) != 0 || !got["conversation"][0].Conversation.Erased {
		t.Errorf("exported is %+v", got)
	}
	if b.shown(left).Erased {
		t.Error("another conversation was erased")
	}
	b.recorded("token boss conversation.erased "+id, "token boss conversation.exported "+id)
	for body, field := range map[string]string{
		`{"reason":"x"}`: "conversation", `{"conversation":"a","customer":"b","reason":"x"}`: "conversation",
		`{"conversation":"a"}`: "reason", `{"conversation":"a","reason":" "}`: "reason",
		`{"conversation":"a","account":"web","reason":"x"}`:            "account",
		`{"customer":"a","reason":"` + strings.Repeat("x", 201) + `"}`: "reason",
		`{"customer":"` + strings.Repeat("x", 201) + `","reason":"x"}`: "customer",
		`{"conversation":"a","reason":"x","more":1}`:                   "more",
	} {
		if p := b.ask("POST", "/erasures", operatorToken, body).is(422, "invalid").problem(); p.Field != field {
			t.Errorf("%s: field %q", body, p.Field)
		}
	}
	b.ask("POST", "/erasures", operatorToken, `{"conversation":"nobody","reason":"x"}`).is(404, "not_found")
	b.ask("POST", "/exports", operatorToken, `{"conversation":"nobody","reason":"x"}`).is(404, "not_found")
}

func (b *bridge) shown(id string) api.Conversation {
	b.t.Helper()
	return decode[api.Conversation](b.ask("GET", "/conversations/"+id, operatorToken, "").is(200, ""))
}

func sorted(all ...string) []string { return slices.Sorted(slices.Values(all)) }

func encodeAll(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// An export tells of every file: those that are here by a link that serves them.
func TestAnExportTellsOfFiles(t *testing.T) {
	b := start(t)
	id, ada := b.open()
	m := decode[event.Media](b.upload("name=a.png", ada, "image/png", png).is(201, ""))
	_, bob := b.open()
	b.upload("name=b.png", bob, "image/png", png).is(201, "")
	got := b.export(`{"conversation":"` + id + `","reason":"request 7"}`)["file"]
	if len(got) != 1 || got[0].File.Blob != m.Blob || got[0].File.Name != "a.png" || got[0].File.Size != int64(len(png)) || got[0].File.Missing != "" ||
		!strings.HasPrefix(got[0].File.URL, media.Root+m.Blob+"/a.png?") || got[0].File.Expires.IsZero() {
		t.Errorf("exported are %+v", got)
	}
	path := filepath.Join(b.files, id, m.Blob)
	for _, c := range []struct {
		missing string
		do      func() error
	}{
		{"it is damaged", func() error { return os.WriteFile(path, []byte("something else"), 0o600) }},
		{"it has not been fetched", func() error { return os.Rename(path, path+".want") }},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		got := b.export(`{"conversation":"` + id + `","reason":"request 7"}`)["file"]
		if len(got) != 1 || got[0].File.Blob != m.Blob || got[0].File.Missing != c.missing || got[0].File.URL != "" {
			t.Errorf("exported are %+v, want %s", got, c.missing)
		}
	}
}
