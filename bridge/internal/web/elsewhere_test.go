package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

// tries is the script of a page that uses the browser of whoever looks at it. It
// notes what came of each try.
const tries = `const tried = {};
	const ask = (name, path, with_) => fetch(api + path, { credentials: "include", ...with_ }).then(
		async (a) => { tried[name] = a.type === "opaque" ? "unreadable" : "read " + a.status + " " + await a.text(); }, () => { tried[name] = "refused"; });
	const says = (kind) => ({ method: "POST", headers: { "Content-Type": kind }, body: JSON.stringify({ kind: "message.created", body: { content: { type: "text", text: "forged" } } }) });
	const load = (tag, name, path) => { const n = document.createElement(tag);
		n.onload = () => { tried[name] = "loaded"; }; n.onerror = () => { tried[name] = "refused"; }; n.src = api + path; document.body.append(n); };
	const line = (name, made) => { made.onopen = made.onmessage = () => { tried[name] = "opened"; }; made.onerror = () => { tried[name] ??= "refused"; made.close(); }; };
	const send = (name, path, type, fields) => { const sink = document.createElement("iframe"), form = document.createElement("form");
		sink.name = name; Object.assign(form, { method: "post", enctype: type, action: api + path, target: name });
		for (const [key, value] of Object.entries(fields)) { const n = document.createElement("input"); Object.assign(n, { name: key, value }); form.append(n); }
		document.body.append(sink, form); sink.onload = () => { try { tried[name] = sink.contentDocument.body ? "read" : ""; } catch { } tried[name] ||= "unreadable"; }; form.submit(); };
	addEventListener("load", () => {
		ask("list", "/conversations"); ask("me", "/me", { mode: "no-cors" }); ask("words", events, says("application/json"));
		ask("plain words", events, says("text/plain")); ask("blind words", events, { ...says("text/plain"), mode: "no-cors" });
		ask("ticket", "/tickets", { method: "POST", mode: "no-cors" }); ask("state", "/agents/sam/state", { method: "PUT", headers: { "Content-Type": "application/json" }, body: '{"state":"away"}' });
		ask("signing out", "/session", { method: "DELETE" }); ask("signing in", "/session", { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: JSON.stringify({ token: other }) });
		load("img", "picture", "/me"); load("script", "script", "/conversations"); load("link", "style", "/me");
		line("socket", new WebSocket(api.replace("http", "ws") + "/socket")); line("stream", new EventSource(api + "/events", { withCredentials: true }));
		send("form", events, "text/plain", { '{"kind":"message.created","body":{"content":{"type":"text","text":"': 'forged"}}}' });
		send("fields", "/session", "application/x-www-form-urlencoded", { token: other });
		for (const page of ["/desk", "/console", "/chat"]) { const n = document.createElement("iframe"); n.src = api.replace("/api/v1", page); document.body.append(n); }
	});`

// cameOfIt is what is to come of the tries.
func cameOfIt() map[string]string {
	return map[string]string{"list": "refused", "me": "unreadable", "words": "refused", "plain words": "refused", "blind words": "unreadable", "ticket": "unreadable",
		"state": "refused", "signing out": "refused", "signing in": "unreadable", "picture": "refused", "script": "refused", "socket": "refused", "stream": "refused",
		"form": "unreadable", "fields": "unreadable"}
}

// TestFromElsewhere: a page of another origin, in the browser in which an agent is
// signed in at the desk, does whatever pages can do with the agent's cookie. The
// browser sends that along to another port of the same machine, which is another
// origin and the same site.
func TestFromElsewhere(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		host    string
		allowed bool // an account's chat may be on its pages
	}{"same site": {"127.0.0.1", false}, "another site": {"localhost", false}, "a site with a chat": {"127.0.0.1", true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fromElsewhere(t, of.host, of.allowed)
		})
	}
}

func fromElsewhere(t *testing.T, host string, allowed bool) {
	t.Helper()
	var script string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>Elsewhere</title><body><script>%s</script>", script)
	}))
	t.Cleanup(elsewhere.Close)
	origin := strings.Replace(elsewhere.URL, "127.0.0.1", host, 1)
	s := newServer(t, func(site *api.Site) {
		if allowed {
			site.AllowedOrigins = []string{origin}
		}
	})
	sam, ada := withAda(s)
	sam.until("the room", `sessionStorage["footbridge.desk.open"]`)
	id := value[string](sam, `sessionStorage["footbridge.desk.open"]`)
	script = fmt.Sprintf("const api = %q, events = %q, other = %q; %s", s.url()+"/api/v1", "/conversations/"+id+"/events", kimToken, tries)
	before := s.standing(id)
	b := sam.beside(desktop)
	b.open(origin)
	b.until("all was tried", fmt.Sprintf(`Object.keys(tried).length >= %d`, len(cameOfIt())))
	if got := value[map[string]string](b, "tried"); !maps.Equal(got, cameOfIt()) {
		t.Errorf("a page of %s got\n%v\nwant\n%v", origin, got, cameOfIt())
	}
	b.until("the frames, too", `document.readyState === "complete"`)
	if n := b.faultsWith("frame-ancestors 'none'"); n != 5 {
		t.Errorf("%d frames were refused, want three pages and the answers to two forms", n)
	}
	if host == "127.0.0.1" {
		for _, want := range []string{"GET /me", "POST /tickets", "POST /session", "POST /conversations/" + id + "/events", "GET /socket"} {
			if _, came := s.visits.Load(want); !came {
				t.Errorf("%s never came with the cookie: the test shows nothing", want)
			}
		}
	}
	if after := s.standing(id); after != before {
		t.Errorf("a page of %s changed\n%s\nto\n%s", origin, before, after)
	}
	sam.say("still here")
	ada.sees("still here")
	if me := value[string](sam, `document.querySelector("#me").textContent + ", " + document.querySelector("#state").value`); me != "Sam (sam), available" {
		t.Errorf("the agent's desk says %s, want Sam (sam), available", me)
	}
	sam.clean()
}

// standing is what a page from elsewhere would change: what was said, and how the
// agent is.
func (s *server) standing(id string) string {
	s.t.Helper()
	var list api.EventList
	s.ask("GET", "/conversations/"+id+"/events?kind=message.created&limit=1000", "", nil, &list)
	var agent struct{ Declared string }
	s.ask("GET", "/agents/sam/state", "", nil, &agent)
	out := agent.Declared
	for _, e := range list.Events {
		out += "\n" + string(mustJSON(e))
	}
	return out
}

// faultsWith counts the faults that speak of something.
func (b *tab) faultsWith(text string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		if strings.Contains(f, text) {
			n++
		}
	}
	return n
}
