package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
)

// TestChatIsTold: what a page needs to know before it opens a conversation, to pages
// that may open one, and no more.
func TestChatIsTold(t *testing.T) {
	b := start(t)
	s := setup()
	of := s.Sites["web"]
	of.Chat = api.Chat{Title: "Shop", Color: "#123456", Survey: true, Texts: map[string]map[string]string{"de": {"greeting": "Hallo"}}}
	s.Sites["web"] = of
	b.api.Configure(s)
	r := b.ask("GET", "/chat?publishable_key="+key, "", "", header{"Origin": site}).is(200, "")
	if got := decode[api.Chat](r); got.Title != "Shop" || !got.Survey || got.Texts["de"]["greeting"] != "Hallo" || r.Header.Get("Access-Control-Allow-Origin") != site {
		t.Errorf("told is %s, with %v", r.Body, r.Header)
	}
	if strings.Contains(string(r.Body), site) || strings.Contains(string(r.Body), key) {
		t.Errorf("told is more than the chat: %s", r.Body)
	}
	refused := b.ask("GET", "/chat?publishable_key="+key, "", "", header{"Origin": "https://evil.example"}).is(403, "cross_origin")
	if refused.Header.Get("Access-Control-Allow-Origin") != "*" || strings.Contains(string(refused.Body), "Shop") {
		t.Errorf("a page that is refused is told %s, with %v", refused.Body, refused.Header)
	}
	b.ask("GET", "/chat?publishable_key=pk_other&account=web", "", "").is(404, "not_found")
	b.ask("GET", "/chat?account=open", "", "", header{"Origin": site}).is(403, "cross_origin")
	b.ask("GET", "/chat?account=desk", "", "").is(404, "not_found")
	b.ask("GET", "/chat", "", "").is(404, "not_found")
	own := b.ask("GET", "/chat?account=open", "", "").is(200, "") // browsers name no origin to their own
	if strings.TrimSpace(string(own.Body)) != `{"survey":false,"texts":{}}` {
		t.Errorf("told of an account without settings is %s", own.Body)
	}
}

// TestAChatOnAnotherSite is all that a chat on an allowed site's page does with its
// customer's token: every question a browser asks before, and every answer it
// lets the page read. A page of any other site reads nothing.
func TestAChatOnAnotherSite(t *testing.T) {
	b := start(t)
	id, customer := b.open()
	for _, path := range []string{"/conversations", "/conversations/" + id + "/events", "/tickets", "/media?name=a.png"} {
		asks := header{"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type,idempotency-key", "Origin": site}
		r := b.ask(http.MethodOptions, path, "", "", asks).is(204, "")
		for _, name := range []string{"Authorization", "Content-Type", "Idempotency-Key"} {
			if !strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), name) || !strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), "POST") {
				t.Errorf("%s: the preflight answers %v", path, r.Header)
			}
		}
	}
	shared := func(r reply, origin string) {
		t.Helper()
		want := map[string]string{site: site}[origin]
		if r.Header.Get("Access-Control-Allow-Origin") != want || r.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("for %s the answer has %v", origin, r.Header)
		}
	}
	for _, origin := range []string{site, "https://evil.example"} {
		from := header{"Origin": origin}
		shared(b.ask("POST", "/conversations/"+id+"/events", customer, message("hello"), from).is(201, ""), origin)
		shared(b.ask("GET", "/conversations/"+id+"/events", customer, "", from).is(200, ""), origin)
		m := b.ask("POST", "/media?name=a.png", customer, png, from, header{"Content-Type": "image/png"}).is(201, "")
		shared(m, origin)
		shared(b.ask("GET", "/media/"+decode[event.Media](m).Blob, customer, "", from).is(200, ""), origin)
		shared(b.ask("POST", "/conversations/"+id+"/events", customer, `{"kind":"nonsense"}`, from).is(422, ""), origin) // problems too
	}
	b.listen("/events?after=0", customer, header{"Origin": site}).until(event.KindMessageCreated)
	ticket := func() string {
		return "?after=0&ticket=" + decode[api.Ticket](b.ask("POST", "/tickets", customer, "", header{"Origin": site}).is(201, "")).Ticket
	}
	b.dial(ticket(), "", header{"Origin": site}).until(event.KindMessageCreated)
	b.ask("GET", "/socket"+ticket(), "", "", header{"Origin": "https://evil.example"}).is(403, "cross_origin")
}

// TestPictureOfAnAgent is the one of their token where they show no other.
func TestPictureOfAnAgent(t *testing.T) {
	b := start(t)
	s := setup()
	s.Tokens[0].Picture = "https://img.example/sam.png"
	b.api.Configure(s)
	id, customer := b.handoff()
	b.say(id, samToken, `{"kind":"handoff.accepted","body":{}}`)
	b.say(id, samToken, `{"kind":"message.created","actor":{"avatar":"https://img.example/other.png"},"body":{"content":{"type":"text","text":"x"}}}`)
	got := ""
	for _, e := range b.events(id, customer, "").Events {
		if e.Actor.Role == event.RoleLiveAgent {
			got += string(e.Kind()) + " " + e.Actor.Avatar + "\n"
		}
	}
	if want := "handoff.accepted https://img.example/sam.png\nmessage.created https://img.example/other.png\n"; !strings.HasSuffix(got, want) {
		t.Errorf("customers see\n%s, want\n%s", got, want)
	}
}
