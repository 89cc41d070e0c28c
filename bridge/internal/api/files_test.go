package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/media"
)

const png = "\x89PNG\r\n\x1a\n and more"

func (b *bridge) upload(query, token, kind, data string) reply {
	b.t.Helper()
	return b.ask("POST", "/media?"+query, token, data, header{"Content-Type": kind})
}

func showing(m event.Media) string {
	data, _ := json.Marshal(event.Content{Part: m})
	return `{"kind":"message.created","body":{"content":` + string(data) + `}}`
}

// TestFiles: who may give a file to a conversation, say it there, and read it.
func TestFiles(t *testing.T) {
	b := start(t)
	id, ada := b.handoff()
	other, bob := b.open()
	m := decode[event.Media](b.upload("name=a.png", ada, "image/png", png).is(201, ""))
	if m.Kind != "image" || m.Name != "a.png" || m.Size != int64(len(png)) || !media.Of(id, m.Blob) {
		t.Errorf("got %+v", m)
	}
	none := id + "." + strings.Repeat("a", 26)
	b.upload("conversation="+other, ada, "image/png", png).is(403, "forbidden")
	b.upload("conversation=01J00000000000000000000000", samToken, "image/png", png).is(404, "not_found")
	b.upload("", samToken, "image/png", png).is(422, "invalid")
	b.upload("", superToken, "image/png", png).is(403, "forbidden")
	if p := b.upload("", ada, "text/html", "<html>").is(422, "file_refused").problem(); !strings.Contains(p.Mend, "text/html") {
		t.Errorf("the mend is %q", p.Mend)
	}
	post := func(id, token string, m event.Media) reply {
		return b.ask("POST", "/conversations/"+id+"/events", token, showing(m))
	}
	post(other, bob, m).is(422, "invalid")
	post(id, ada, event.Media{Blob: none}).is(422, "invalid")
	said := m
	said.Kind, said.MIME, said.Name, said.Size, said.URL, said.Caption = "video", "text/html", "../x", 7, "https://evil.example/", "look"
	e := decode[event.Event](post(id, ada, said).is(201, ""))
	want := m
	want.Caption = "look"
	if got := e.Body.(event.MessageCreated).Content.Part; got != event.Part(want) {
		t.Errorf("recorded as %+v, want %+v", got, want)
	}
	for token, status := range map[string]int{ada: 200, samToken: 200, operatorToken: 200, bob: 403, "": 401} {
		if r := b.ask("GET", "/media/"+m.Blob, token, ""); r.Status != status {
			t.Errorf("link for %.8q: %d", token, r.Status)
		}
	}
	if l := decode[media.Link](b.ask("GET", "/media/"+m.Blob, ada, "").is(200, "")); !strings.HasPrefix(l.URL, media.Root+m.Blob+"/a.png?") || l.Expires.IsZero() {
		t.Errorf("link %+v", l)
	}
	b.ask("GET", "/media/"+none, samToken, "").is(404, "not_found")
	b.say(id, ada, `{"kind":"conversation.ended","body":{}}`)
	b.upload("", ada, "image/png", png).is(409, "ended")
}

// TestUploadsAreLimited: a customer may upload so many files in a minute, in one
// conversation and from one address; people with a token as many as they like.
func TestUploadsAreLimited(t *testing.T) {
	b := start(t)
	id, ada := b.handoff()
	from := header{"X-Peer": "192.0.2.7"}
	put := func(token string, more ...header) reply {
		t.Helper()
		return b.ask("POST", "/media?conversation="+id, token, "<html>", append(more, header{"Content-Type": "text/html"})...)
	}
	for range 4 {
		put(ada).is(422, "file_refused") // it counts all the same
	}
	if p := put(ada).is(429, "too_many_uploads").problem(); !strings.Contains(p.Mend, "max_uploads") {
		t.Errorf("the mend is %q", p.Mend)
	}
	for range 5 {
		put(samToken).is(422, "file_refused")
	}
	for range 4 {
		other, bob := b.open()
		b.ask("POST", "/media?conversation="+other, bob, png, from, header{"Content-Type": "image/png"}).is(201, "")
	}
	other, bob := b.open()
	b.ask("POST", "/media", bob, png, from, header{"Content-Type": "image/png"}).is(429, "too_many_uploads")
	b.ask("POST", "/media", bob, png, header{"X-Peer": "192.0.2.8", "Content-Type": "image/png"}).is(201, "")
	for range 2 {
		b.upload("conversation="+other, samToken, "image/png", png).is(201, "")
	}
	if p := b.upload("conversation="+other, samToken, "image/png", png).is(422, "file_refused").problem(); !strings.Contains(p.Mend, "max_files allows no more") {
		t.Errorf("the mend is %q", p.Mend)
	}
}

// This machine is nobody's address: one who is behind a proxy nobody trusts does not
// use up everybody's uploads.
func TestUploadsFromThisMachine(t *testing.T) {
	b := start(t)
	for range 5 {
		id, ada := b.open()
		b.ask("POST", "/media?conversation="+id, ada, png, header{"X-Peer": "127.0.0.1", "Content-Type": "image/png"}).is(201, "")
	}
}
