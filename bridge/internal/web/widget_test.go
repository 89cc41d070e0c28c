package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

// hostStyle is what a page may do to everything on it.
const hostStyle = `* { color: rgb(255, 0, 0) !important; font: italic 44px monospace !important; letter-spacing: 9px !important; text-transform: uppercase !important;
	--accent: red !important; --ink: red !important; direction: rtl !important; visibility: hidden !important }
	html { font-size: 40px } button, section, textarea, div, footbridge-chat { display: none !important; position: static !important; opacity: 0 !important }
	h1, p, input { visibility: visible !important; display: block !important; font: 16px sans-serif !important; direction: ltr !important }
	main { height: 3000px; display: block !important }`

// hostScript notes what a page can see of what the chat does to it.
const hostScript = `window.heard = [];
	window.told = [];
	console.warn = (...words) => told.push(words.join(" "));
	window.before = undefined;
	for (const type of ["keydown", "keyup", "keypress", "input", "paste", "drop"]) document.addEventListener(type, () => heard.push(type));
	window.look = () => JSON.stringify({
		globals: Object.getOwnPropertyNames(window).filter((name) => !before.has(name) && !/^\d+$/.test(name)), title: document.title, address: location.href, past: history.length,
		scroll: [scrollX, scrollY], sheets: document.styleSheets.length + document.adoptedStyleSheets.length, size: document.documentElement.scrollHeight,
		html: document.documentElement.attributes.length, body: document.body.attributes.length, children: [...document.body.children].map((n) => n.tagName).join(),
		scripts: document.querySelectorAll("script").length, focus: document.activeElement.tagName, inert: document.querySelectorAll("[inert], [aria-hidden]").length,
		input: getComputedStyle(document.querySelector("input")).fontSize, heard: heard.length });
	window.before = new Set(Object.getOwnPropertyNames(window));`

// shop is a site of another origin with the chat on its page.
type shop struct {
	*httptest.Server
	bridge *server
	attrs  string
}

// newShop is a site whose page has the chat of a bridge, with a policy as strict as
// docs/widget.md says it may be; /plain has no styles of its own, /bare no policy.
func newShop(t *testing.T, attrs string, with ...func(*api.Site)) *shop {
	t.Helper()
	s := &shop{attrs: attrs}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	s.URL = "http://localhost:" + port
	s.bridge = newServer(t, append([]func(*api.Site){func(site *api.Site) { site.AllowedOrigins = []string{s.URL} }}, with...)...)
	return s
}

func (s *shop) policy() string {
	bridge := s.bridge.url()
	return fmt.Sprintf("default-src 'none'; script-src 'self' %s; connect-src %s %s; img-src %s; style-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'",
		bridge, bridge, strings.Replace(bridge, "http", "ws", 1), bridge)
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/bare" {
		w.Header().Set("Content-Security-Policy", s.policy())
	}
	switch r.URL.Path {
	case "/host.css":
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, hostStyle)
	case "/host.js":
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, hostScript)
	case "/", "/plain", "/bare":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		sheet := `<link rel="stylesheet" href="/host.css">`
		if r.URL.Path != "/" {
			sheet = ""
		}
		fmt.Fprintf(w, `<!doctype html><html><head><title>Shop</title><meta name="viewport" content="width=device-width, initial-scale=1">%s<script src="/host.js"></script>
			<script src="%s/chat.js" data-key="%s" %s async></script></head><body><main><h1>Shop</h1><p>Words of the shop.</p><input value="search"></main></body></html>`, sheet, s.bridge.url(), chatKey, s.attrs)
	default:
		http.NotFound(w, r)
	}
}

// within is an expression about what is in the widget: r is its shadow root, q finds
// one element and all finds several.
func within(expression string) string {
	return `((r) => { const q = (s) => r?.querySelector(s), all = (s) => [...(r?.querySelectorAll(s) || [])]; return ` + expression + ` })(document.querySelector("footbridge-chat")?.shadowRoot)`
}

// inside waits for an expression about the widget to be true.
func (b *tab) inside(what, expression string) { b.t.Helper(); b.until(what, within(expression)) }

// tap presses what an expression about the widget gives, with the mouse.
func (b *tab) tap(expression string) {
	b.t.Helper()
	b.inside("something to press: "+expression, `(() => { const n = `+expression+`; return n && n.getBoundingClientRect().width > 0 && !n.disabled })()`)
	at := value[[]float64](b, within(`(() => { const n = `+expression+`; n.scrollIntoView({ block: "nearest" }); const b = n.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] })()`))
	b.do(chromedp.MouseClickXY(at[0], at[1]))
}

// labelled is the button of the widget with that label.
func labelled(label string) string {
	return `all("button").find((n) => n.textContent === ` + quoted(label) + `)`
}

// writes types into the widget's box and presses Enter.
func (b *tab) writes(text string) {
	b.t.Helper()
	b.tap(`q("#text")`)
	b.do(chromedp.KeyEvent(text + kb.Enter))
}

// reads waits for words in the widget.
func (b *tab) reads(text string) {
	b.t.Helper()
	b.inside("reads "+text, `q(".panel")?.innerText.includes(`+quoted(text)+`)`)
}

// bubbles are what was said, as the widget shows it.
func (b *tab) bubbles() []string {
	b.t.Helper()
	return value[[]string](b, within(`all("#talk .bubble").map((n) => n.innerText)`))
}

// hostLook is what the page sees of itself.
func (b *tab) hostLook() map[string]any {
	b.t.Helper()
	var seen map[string]any
	if err := json.Unmarshal([]byte(value[string](b, "look()")), &seen); err != nil {
		b.t.Fatal(err)
	}
	return seen
}

// TestWidgetLeavesThePageAlone: on a page of another origin, with a strict policy
// and styles meant to do harm, the chat works and the page is as it was.
func TestWidgetLeavesThePageAlone(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	b := newTab(t, look{width: 1100, height: 760})
	b.open(s.URL + "/")
	b.inside("the button that opens it", `q(".opener") && document.readyState === "complete"`)
	b.do(chromedp.Click(chromedp.CSS("input"), chromedp.NodeVisible), chromedp.Evaluate[chromedp.Void](`scrollTo(0, 700)`))
	was := b.hostLook()
	b.shot("widget-closed")
	if value[bool](b, within(`!!q(".panel").firstChild`)) || slices.ContainsFunc(value[[]string](b, `performance.getEntriesByType("resource").map((e) => e.name)`), func(u string) bool { return strings.HasSuffix(u, "/panel.js") }) {
		t.Error("the chat is loaded before anybody opened it")
	}
	if value[bool](b, `Object.keys(localStorage).length > 0`) {
		t.Error("something is kept before anybody opened the chat")
	}
	b.tap(`q(".opener")`)
	b.reads("Hello, how can I help?")
	b.writes("good morning")
	b.reads("You said: good morning")
	b.tap(labelled("End chat"))
	b.tap(labelled("Keep talking"))
	b.shot("widget-open-hostile")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.inside("closed, and the focus where it began", `q(".panel").hidden && r.activeElement === q(".opener")`)
	now := b.hostLook()
	was["focus"] = "FOOTBRIDGE-CHAT" // the customer went there
	for name, want := range was {
		if got := now[name]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s was %v and is %v", name, want, got)
		}
	}
	if globals, _ := now["globals"].([]any); len(globals) > 0 {
		t.Errorf("the page has new globals: %v", globals)
	}
	b.tap(`q(".opener")`)
	looks := value[map[string]string](b, within(`(() => { const of = (s) => { const c = getComputedStyle(q(s)); return [c.fontSize, c.fontStyle, c.letterSpacing, c.textTransform, c.direction, c.visibility, c.color].join(" ") };
		return { title: of("#with"), bubble: of(".word:not(.mine) .bubble"), text: of("#text") } })()`))
	want := map[string]string{"title": "16.8px normal normal none ltr visible rgb(28, 36, 34)", "bubble": "15px normal normal none ltr visible rgb(28, 36, 34)", "text": "15px normal normal none ltr visible rgb(28, 36, 34)"}
	for name, got := range looks {
		if got != want[name] {
			t.Errorf("the page's style reaches the chat's %s: %s, want %s", name, got, want[name])
		}
	}
	b.clean()
}
