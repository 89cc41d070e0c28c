package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// sealed is what the bridge would give out; with its keys a test may lie about
// the time.
func (b *bridge) sealed(label, message string) string {
	mac := hmac.New(sha256.New, b.keys.Derive(label))
	mac.Write([]byte(message))
	return message + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// cookieOf is a sign-in that began and was last seen so long ago.
func (b *bridge) cookieOf(name, secret string, began, seen time.Duration) header {
	proof := b.sealed("api sign-in cookie", "secret "+name+" "+secret)
	said := fmt.Sprintf(`{"i":"one","t":%q,"p":%q,"b":%d,"s":%d}`, name, proof[strings.LastIndexByte(proof, '.')+1:],
		time.Now().Add(-began).UnixMilli(), time.Now().Add(-seen).UnixMilli())
	return header{"Cookie": "footbridge=" + b.sealed("api sign-in cookie", base64.RawURLEncoding.EncodeToString([]byte(said)))}
}

func (b *bridge) customerUntil(until time.Duration) string {
	return b.sealed("api customer token", fmt.Sprintf("c.%s.%d", "some", time.Now().Add(until).Unix()))
}

func (b *bridge) signIn(token string) header {
	b.t.Helper()
	r := b.ask("POST", "/session", "", `{"token":"`+token+`"}`).is(200, "")
	c := (&http.Response{Header: r.Header}).Cookies()[0]
	return header{"Cookie": c.Name + "=" + c.Value}
}

// proof is one way to show who one is. A wrong token is refused everywhere, also
// where none is needed; a cookie is sent by the browser and then is nobody's.
type proof struct {
	name   string
	header header
	ticket string
	token  bool
	good   bool // the others of its kind are made like it
}

// proofs are all ways to be refused, and beside those that are forged here the
// good one that they were made from.
func (b *bridge) proofs() []proof {
	bearer := func(name, token string) proof {
		return proof{name: name, header: header{"Authorization": "Bearer " + token}, token: true}
	}
	_, customer := b.open()
	gone := b.signIn(samToken)
	b.ask("DELETE", "/session", "", "", gone, header{"Sec-Fetch-Site": "same-origin"}).is(204, "")
	used := decode[api.Ticket](b.ask("POST", "/tickets", operatorToken, "{}").is(201, "")).Ticket
	b.listen("/events?ticket="+used, "").next()
	ops := func(began, seen time.Duration) header { return b.cookieOf("ops", operatorToken, began, seen) }
	good := bearer("a customer's token", b.customerUntil(time.Minute))
	good.good = true
	last := b.cookieOf("ops", operatorToken, 0, 0)["Cookie"]
	return []proof{
		{name: "nothing"},
		bearer("an unknown token", "wrong"), bearer("an empty token", ""), bearer("a token in other case", strings.ToUpper(operatorToken)),
		bearer("a token and more", operatorToken+"x"), bearer("half a token", operatorToken[:6]), bearer("a hash", "c.some."),
		bearer("a customer's token cut short", customer[:len(customer)-3]), bearer("a customer's token changed", customer[:len(customer)-3]+"AAA"),
		bearer("a customer's token of another bridge", "c.some.99999999999."+strings.Repeat("A", 43)),
		bearer("a customer's token that has expired", b.customerUntil(-time.Second)), good,
		{name: "another scheme", header: header{"Authorization": "Basic " + operatorToken}, token: true},
		{name: "no scheme", header: header{"Authorization": operatorToken}, token: true},
		{name: "a cookie", header: ops(0, 0), good: true},
		{name: "a cookie that has expired", header: ops(12*time.Hour, 0)},
		{name: "an idle cookie", header: ops(time.Hour, 30*time.Minute)},
		{name: "a cookie of a token that is gone", header: b.cookieOf("nobody", operatorToken, 0, 0)},
		{name: "a cookie of a secret that has changed", header: b.cookieOf("ops", "before", 0, 0)},
		{name: "a cookie that was signed out", header: gone},
		{name: "a cookie changed", header: header{"Cookie": last[:len(last)-2] + "zz"}},
		{name: "a cookie that is a customer's token", header: header{"Cookie": "footbridge=" + customer}},
		{name: "a cookie under the other name", header: header{"Cookie": "__Host-" + last}},
		{name: "a used ticket", ticket: used}, {name: "an unknown ticket", ticket: "wrong"},
	}
}

// TestEveryRouteForEveryProof: what is wrong, expired, used or somebody else's
// opens no route, and a route that needs nothing is not opened by lying.
func TestEveryRouteForEveryProof(t *testing.T) {
	b := start(t)
	proofs := b.proofs()
	routes, asked := described(t, b), 0
	slices.Reverse(routes) // DELETE /session is the last: it takes the good cookie
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		for _, p := range proofs {
			at := address(path)
			if p.ticket != "" {
				at += map[bool]string{true: "&", false: "?"}[strings.Contains(at, "?")] + "ticket=" + p.ticket
			}
			code := b.ask(method, at, "", "", p.header, header{"Sec-Fetch-Site": "same-origin", "Origin": b.server.URL}).Status
			asked++
			switch open := matrix[route] == "-"; {
			case p.good && code == 401:
				t.Errorf("%s with %s answers 401: it is no test of the others", route, p.name)
			case p.good, open && !p.token && (code != 401 || method == "POST"): // a POST may want a key besides
			case code != 401:
				t.Errorf("%s with %s answers %d", route, p.name, code)
			}
		}
	}
	if want := len(matrix) * len(proofs); asked != want {
		t.Errorf("%d of %d were asked", asked, want)
	}
}

// TestForeignConversation: a customer's token opens its own conversation, on every
// route that names one, and nothing of others on those that name none.
func TestForeignConversation(t *testing.T) {
	b := start(t)
	mine, token := b.open()
	other, theirs := b.open()
	b.say(other, theirs, message("canary-foreign"))
	b.heard(other, theirs, "you said canary-foreign")
	routes := 0
	for route, may := range matrix {
		method, path, _ := strings.Cut(route, " ")
		if !strings.Contains(may, "c") {
			continue
		}
		if strings.Contains(path, "{id}") {
			routes++
			b.ask(method, strings.ReplaceAll(path, "{id}", other), token, message("x")).is(403, "forbidden")
			if r := b.ask(method, strings.ReplaceAll(path, "{id}", mine), token, message("x")); r.Status >= 400 {
				t.Errorf("%s answers %d to the conversation's own customer", route, r.Status)
			}
		}
	}
	if routes != 3 {
		t.Errorf("%d routes name a conversation", routes)
	}
	s := b.listen("/events?after=0&conversation="+other+","+mine, token)
	b.say(mine, token, message("last"))
	for {
		_, e := s.next()
		if e.Conversation != "" && e.Conversation != mine {
			t.Fatalf("an event of %s came", e.Conversation)
		}
		said, ok := e.Body.(event.MessageCreated)
		if text, _ := said.Content.Part.(event.Text); ok && text.Text == "you said last" {
			break
		}
	}
	l := b.dial("", token)
	l.next()
	l.send(`{"request":"1","conversation":"` + other + `","kind":"message.created","body":{"content":{"type":"text","text":"x"}}}`)
	if told := l.answer("1"); told.Error == nil || told.Error.Code != "forbidden" {
		t.Errorf("speaking in another's conversation ends in %+v", told)
	}
}

// TestForeignAgent: a token of one agent acts as no other.
func TestForeignAgent(t *testing.T) {
	b := start(t)
	id, _ := b.handoff()
	b.ask("PUT", "/agents/kim/state", samToken, `{"state":"available"}`).is(403, "agent_mismatch")
	b.ask("POST", "/conversations/"+id+"/events", samToken, `{"kind":"handoff.accepted","actor":{"role":"live_agent","id":"kim"},"body":{}}`).is(403, "agent_mismatch")
	b.ask("GET", "/events?agent=kim", samToken, "").is(403, "agent_mismatch")
}

// TestCrossSite: what a page of another site can make a browser send with its
// cookie changes nothing and opens nothing.
func TestCrossSite(t *testing.T) {
	b := start(t)
	cookie := b.signIn(operatorToken)
	evil := []header{{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
		{"Sec-Fetch-Site": "cross-site", "Origin": b.server.URL}, {"Origin": site}, {"Origin": strings.Replace(b.server.URL, "http:", "https:", 1) + "0"}}
	for _, route := range described(t, b) {
		method, path, _ := strings.Cut(route, " ")
		if method == http.MethodGet && path != "/socket" || route == "POST /conversations" { // which has its own rule, see TestOpening
			continue
		}
		for _, from := range evil {
			if path == "/socket" && from["Origin"] == b.server.URL {
				continue
			}
			b.ask(method, address(path), "", "", cookie, from).is(403, "cross_origin")
		}
	}
	b.ask("GET", "/me", "", "", cookie).is(200, "")
}

// TestCrossSiteSockets: a browser opens sockets across sites freely, so a ticket
// is not enough for a page that nobody let in.
func TestCrossSiteSockets(t *testing.T) {
	b := start(t)
	_, customer := b.open()
	dial := func(token, origin string) int {
		ticket := decode[api.Ticket](b.ask("POST", "/tickets", token, "{}").is(201, "")).Ticket
		conn, answer, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(b.server.URL, "http")+api.Base+"/socket?ticket="+ticket,
			&websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if err == nil {
			_ = conn.CloseNow()
		}
		return answer.StatusCode
	}
	for origin, want := range map[string]int{"https://evil.example": 403, "null": 403, b.server.URL + "0": 403, site: 101, b.server.URL: 101} {
		for _, token := range []string{customer, samToken} {
			if got := dial(token, origin); got != want {
				t.Errorf("a socket from %s answers %d, want %d", origin, got, want)
			}
		}
	}
}

// TestAnswersHaveStrictHeaders looks at every route's answer and its refusal.
func TestAnswersHaveStrictHeaders(t *testing.T) {
	b := start(t)
	for _, route := range append(described(t, b), "GET /nothing", "PATCH /me", "TRACE /me") {
		method, path, _ := strings.Cut(route, " ")
		for _, token := range []string{"", operatorToken, samToken} {
			r := b.ask(method, address(path), token, "")
			for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"} {
				if got := r.Header.Values(name); len(got) != 1 || got[0] != want {
					t.Errorf("%s: %s is %q, want %q", route, name, got, want)
				}
			}
		}
	}
}

// TestWrongTokensLookAlike: an answer does not tell how near a guess was.
func TestWrongTokensLookAlike(t *testing.T) {
	b := start(t)
	first := ""
	for _, token := range []string{"", "x", operatorToken[:5], operatorToken + "x", strings.ToUpper(samToken), "sam", `\u0000`, `ops-secret\u0000`, strings.Repeat("x", 200_000)} {
		r := b.ask("POST", "/session", "", `{"token":"`+token+`"}`).is(401, "unauthorized")
		p := r.problem()
		p.RequestID = ""
		said := fmt.Sprintf("%+v %v", p, r.Header["Set-Cookie"])
		if first == "" {
			first = said
		}
		if said != first {
			t.Errorf("%.10s is answered with %s, others with %s", token, said, first)
		}
	}
	b.ask("POST", "/session", "", `{"token":"`+strings.Repeat("x", 1<<20)+`"}`).is(413, "too_large")
	s := setup()
	s.Tokens = append(s.Tokens, api.Token{Name: "none", Roles: []string{"operator"}, Secret: credential.Secret{}})
	b.api.Configure(s)
	b.ask("POST", "/session", "", `{"token":""}`).is(401, "unauthorized")
	b.ask("GET", "/me", "", "", header{"Authorization": "Bearer "}).is(401, "unauthorized")
}
