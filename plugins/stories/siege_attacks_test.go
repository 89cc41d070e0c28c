package stories

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/footbridge/footbridge/bridge/event"
)

// attack is one row of the siege. mount does it, and checks what the attacker got;
// what it gives, if anything, ends what goes on while the hand-off after it passes.
type attack struct {
	name  string
	mount func(s *siege) (lift func())
}

// attacks are in this order: who guesses is locked out, and a plugin that is broken
// on purpose is not called any more.
var attacks = []attack{
	{"signatures that are not right", wrongSignatures},
	{"captured requests", capturedRequests},
	{"erasing somebody else", erasingOthers},
	{"forged tokens", forgedTokens},
	{"other sites' requests and sockets", crossSite},
	{"bodies that are no bodies", badBodies},
	{"requests that are no requests", oddRequests},
	{"frames that are no frames", badFrames},
	{"words that are code", codeInWords},
	{"guessing at the door", guessing},
	{"a broken configuration", brokenReload},
	{"many slow connections", slowConnections},
	{"addresses of inner hosts", forgedAddresses},
	{"a plugin that floods the log", floodingPlugin},
	{"a plugin that breaks out", hostilePlugin},
	{"a plugin that eats memory and dies", eatingPlugin},
	{"a plugin that hangs", hangingPlugin},
}

const vendorsWords = `{"session":{"id":"signed"},"text":"hello"}`

// wrongSignatures turns bits of signature, time and body.
func wrongSignatures(s *siege) func() {
	random, before := rand.New(rand.NewPCG(1, 2)), s.counted()
	turn := func(text string) string {
		b := []byte(text)
		b[random.IntN(len(b))] ^= 1 << random.IntN(5)
		return string(b)
	}
	answers := map[string]int{}
	for n := range 300 {
		body, h := vendorsWords, s.sign(vendorsWords)
		switch n % 4 {
		case 0:
			h[3] = strings.ToLower(turn(h[3]))[:len(h[3])-n%2*2] + "0"
		case 1:
			stamp, _ := strconv.Atoi(h[1])
			h[1] = strconv.Itoa(stamp + 1 + n)
		case 2:
			body = strings.Replace(body, "hello", turn("hello"), 1)
		case 3:
			h = h[:2]
		}
		status, _, answer := s.ask("POST", "/in/besieged/signed", body, h...)
		answers[fmt.Sprint(status, answer)]++
	}
	if len(answers) != 1 || !strings.HasPrefix(fmt.Sprint(answers), "map[401") {
		s.t.Errorf("wrong signatures were answered %v", answers)
	}
	if now := s.counted(); now != before {
		s.t.Errorf("%d conversations were begun", now-before)
	}
	return nil
}

// capturedRequests sends a right request again, while its conversation goes on and
// when it is over.
func capturedRequests(s *siege) func() {
	body, header := vendorsWords, s.sign(vendorsWords)
	again := func() {
		for range 10 {
			if status, _, answer := s.ask("POST", "/in/besieged/signed", body, header...); status != http.StatusOK {
				s.t.Errorf("captured: %d %s", status, answer)
			}
		}
	}
	again()
	s.hears("signed", "hello")
	id, before := s.conversation("signed"), s.counted()
	s.vendor("signed", "end")
	s.inState(id, "ended")
	again()
	if got := texts(s.events(id), event.RoleCustomer); len(got) != 1 || s.counted() != before {
		s.t.Errorf("captured: %d conversations more, words %q", s.counted()-before, got)
	}
	return nil
}

// forgedTokens changes a customer's token at every place, and shows the right one
// where it does not belong.
func forgedTokens(s *siege) func() {
	id, token := s.chat()
	other, _ := s.chat()
	for at := range len(token) {
		forged := token[:at] + "A" + token[at+1:]
		if forged == token {
			forged = token[:at] + "B" + token[at+1:]
		}
		if status, _, answer := s.ask("GET", "/api/v1/conversations/"+id+"/events", "", "Authorization", "Bearer "+forged); status == http.StatusOK {
			s.t.Fatalf("%s: %d %s", forged, status, answer)
		}
	}
	for path, body := range map[string]string{"/conversations/" + other + "/events": "", "/conversations": "", "/frames": "", "/dead-letters": "", "/accounts": "",
		"/conversations/" + other + "/frames": "", "/agents/sam/state": ""} {
		if status, _, answer := s.ask("GET", "/api/v1"+path, body, "Authorization", "Bearer "+token); status != http.StatusForbidden && status != http.StatusNotFound {
			s.t.Errorf("a customer got %s: %d %s", path, status, answer)
		}
	}
	return nil
}

// crossSite is a page somewhere that uses the cookie of somebody who is signed in.
func crossSite(s *siege) func() {
	status, header, answer := s.ask("POST", "/api/v1/session", fmt.Sprintf(`{"token":%q}`, samToken), "Origin", "http://"+s.public)
	if status != http.StatusOK {
		s.t.Fatalf("signing in: %d %s", status, answer)
	}
	cookie, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
	if status, _, _ := s.ask("GET", "/api/v1/me", "", "Cookie", cookie, "Origin", "http://"+s.public); status != http.StatusOK {
		s.t.Errorf("who is signed in is not: %d", status)
	}
	id, _ := s.chat()
	for _, from := range []string{"https://evil.example", "null", "http://" + s.public + ".evil.example", "http://localhost:1"} {
		for _, c := range [][2]string{{"POST", "/conversations/" + id + "/events"}, {"PUT", "/agents/sam/state"}, {"POST", "/tickets"}, {"DELETE", "/session"}, {"GET", "/socket"}} {
			h := []string{"Cookie", cookie, "Origin", from, "Sec-Fetch-Site", "cross-site"}
			if c[1] == "/socket" {
				h = append(h, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
			}
			status, header, answer := s.ask(c[0], "/api/v1"+c[1], `{"kind":"handoff.accepted","body":{},"state":"away"}`, h...)
			if status != http.StatusForbidden || header.Get("Access-Control-Allow-Origin") != "" {
				s.t.Errorf("%s %s from %s: %d %s", c[0], c[1], from, status, answer)
			}
		}
	}
	return nil
}

// codeInWords says code, as name and words; it comes back as the same words, in
// an answer that no browser runs.
func codeInWords(s *siege) func() {
	for _, code := range []string{`<script>document.title="stolen"</script>`, `<img src=x onerror="document.title='stolen'">`, `"><svg/onload=alert(1)>`,
		`javascript:alert(1)`, `[x](javascript:alert(1))`, "{{constructor.constructor('alert(1)')()}}", "</title><script>alert(1)</script>", "\u2028alert(1)\u2029"} {
		id, token := s.chat()
		s.write(id, token, "code", code)
		status, header, answer := s.ask("GET", "/api/v1/conversations/"+id+"/events", "", "Authorization", "Bearer "+token)
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "application/json") || header.Get("X-Content-Type-Options") != "nosniff" {
			s.t.Errorf("%s came back as %d %v", code, status, header)
		}
		if got := texts(s.seenBy(id, token), event.RoleCustomer); !slices.Equal(got, []string{code}) || answer == "" {
			s.t.Errorf("%s came back as %q", code, got)
		}
		_, header, page := s.ask("GET", "/chat?name="+strings.NewReplacer("<", "%3C", ">", "%3E", `"`, "%22", " ", "%20", "{", "%7B", "}", "%7D", "\u2028", "", "\u2029", "").Replace(code), "")
		if strings.Contains(page, code) || !strings.Contains(header.Get("Content-Security-Policy"), "default-src") {
			s.t.Errorf("the page repeats %s", code)
		}
	}
	return nil
}

// erasingOthers asks for what only a supervisor may ask for.
func erasingOthers(s *siege) func() {
	id, token := s.chat()
	s.write(id, token, "1", "do not erase me")
	_, other := s.chat()
	for _, who := range []string{other, token, samToken, "", "wrong"} {
		for _, body := range []string{fmt.Sprintf(`{"conversation":%q,"reason":"x"}`, id), `{"customer":"Ada","account":"web","reason":"x"}`} {
			if status, _, answer := s.ask("POST", "/api/v1/erasures", body, "Authorization", "Bearer "+who); status != http.StatusForbidden && status != http.StatusUnauthorized {
				s.t.Errorf("%s of %.9s: %d %s", body, who, status, answer)
			}
		}
	}
	s.trailHas("conversation.erased", 0)
	if got := texts(s.seenBy(id, token), event.RoleCustomer); !slices.Equal(got, []string{"do not erase me"}) {
		s.t.Errorf("left is %q", got)
	}
	return nil
}

// guessing tries words at the door; from then on a right one from there is refused
// too, and nobody else's.
func guessing(s *siege) func() {
	last := 0
	for n := range 10 {
		last, _, _ = s.ask("POST", "/api/v1/session", fmt.Sprintf(`{"token":"guess-%d"}`, n), "Origin", "http://"+s.public)
	}
	right, _, _ := s.ask("POST", "/api/v1/session", fmt.Sprintf(`{"token":%q}`, samToken), "Origin", "http://"+s.public)
	for n := range 200 {
		s.ask("GET", "/api/v1/conversations", "", "Authorization", fmt.Sprint("Bearer guess-", n))
	}
	bearer, _, _ := s.ask("GET", "/api/v1/conversations", "", "Authorization", "Bearer "+samToken)
	if last != http.StatusTooManyRequests || right != http.StatusTooManyRequests || bearer != http.StatusTooManyRequests {
		s.t.Errorf("the last guess was answered %d, a right sign-in %d, a right token %d", last, right, bearer)
	}
	return nil
}

// brokenReload has configurations that cannot be; the old one stays.
func brokenReload(s *siege) func() {
	s.refuses(`level = "debug"`, `level = "debug`)
	s.refuses(`adapter = "scripted"`, `adaptor = "scripted"`, "adaptor")
	s.refuses(`virtual_agent = "helper"`, `virtual_agent = "nobody"`, "nobody")
	if err := s.cmd.Process.Signal(syscall.Signal(0)); err != nil {
		s.t.Error(err)
	}
	return nil
}

// forgedAddresses has a vendor send files that lie where no account may go, and an
// adapter call there that says its vendor is there.
func forgedAddresses(s *siege) func() {
	for n, some := range slices.Collect(slices.Chunk(s.forged, 100)) {
		words := strings.Join(some, " ")
		for _, way := range []string{"files", "calls"} {
			key := fmt.Sprint(way, n)
			s.vendor(key, way+" "+words)
			s.hears(key, way+" "+words)
		}
	}
	return func() {
		s.eventually("the refusal of every call", func() bool {
			n, _ := strconv.Atoi(s.gauge(`footbridge_calls_total{account="besieged",outcome="not_allowed"}`))
			return n > 200
		})
		if n := s.heard.Load(); n != 0 {
			s.t.Errorf("where no account may go was reached %d times", n)
		}
	}
}
