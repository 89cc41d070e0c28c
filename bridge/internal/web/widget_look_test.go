package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

// arabic are words in a language the chat does not have by itself.
func arabic(site *api.Site) {
	site.Chat = api.Chat{Title: "متجر", Color: "#7a1fa2", ColorDark: "#ffd54f", Survey: true, Texts: map[string]map[string]string{
		"ar": {"open": "افتح المحادثة", "placeholder": "اكتب رسالة", "send": "إرسال", "end": "إنهاء المحادثة", "you": "أنت", "greeting": "أهلاً وسهلاً!", "compose": "رسالتك", "sent": "أُرسلت"},
		"de": {"greeting": "Willkommen bei **uns**!"}}}
}

// TestWidgetSpeaks: each language in its own words, and the rest of what the site
// and the account say of its looks.
func TestWidgetSpeaks(t *testing.T) {
	t.Parallel()
	s := newShop(t, "", arabic)
	b := newTab(t, look{width: 900, height: 700})
	for language, want := range map[string][]string{ // opener, placeholder, button, end, own name
		"en": {"Open the chat", "Write a message", "Send", "End chat", "You"},
		"de": {"Chat öffnen", "Nachricht schreiben", "Senden", "Chat beenden", "Sie"},
		"es": {"Abrir el chat", "Escriba un mensaje", "Enviar", "Terminar el chat", "Usted"},
		"ar": {"افتح المحادثة", "اكتب رسالة", "إرسال", "إنهاء المحادثة", "أنت"},
	} {
		s.attrs = `data-language="` + language + `"`
		b.open(s.URL + "/plain")
		b.inside("its name", `q(".opener")?.getAttribute("aria-label") === `+quoted(want[0]))
		b.tap(`q(".opener")`)
		b.reads("Hello, how can I help?")
		b.writes("one two")
		b.reads("You said: one two")
		got := value[[]string](b, within(`[q("#text").placeholder, q("#send").textContent, q("#end").textContent, q(".mine .who b").textContent]`))
		if strings.Join(got, "|") != strings.Join(want[1:], "|") {
			t.Errorf("%s says %q, want %q", language, got, want[1:])
		}
		greeting := value[string](b, within(`q("#talk > :first-child .bubble").innerText`))
		if first := map[string]string{"de": "Willkommen bei uns!", "ar": "أهلاً وسهلاً!", "en": "Hello", "es": "Hello"}[language]; !strings.HasPrefix(greeting, first) {
			t.Errorf("%s begins with %q, want %q", language, greeting, first)
		}
		mirrored(b, language == "ar")
		b.inside("the account's colour, and letters to be read on it", `getComputedStyle(q("#send")).backgroundColor === "rgb(122, 31, 162)" && getComputedStyle(q("#send")).color === "rgb(255, 255, 255)"`)
		b.inside("the language, for who reads aloud", `q(".footbridge").lang === `+quoted(language))
		b.shot("widget-" + language)
		value[bool](b, `localStorage.clear(), sessionStorage.clear(), true`)
	}
	b.clean()
}

// mirrored looks where things are: what the customer says and the button that sends
// it are at the end of a line, which in some languages is on the left.
func mirrored(b *tab, is bool) {
	b.t.Helper()
	got := value[map[string]bool](b, within(`(() => { const at = (n) => { const b = n.getBoundingClientRect(); return b.x + b.width / 2; };
		return { own: at(q(".mine")) < at(q(".word:not(.mine)")), send: at(q("#send")) < at(q("#text")), box: getComputedStyle(q("#text")).direction === "rtl",
		name: (() => { const words = document.createRange(); words.selectNodeContents(q("#with")); return at(words) > at(q(".top")) })(), face: at(q(".with-face")) > at(q("#with")), opener: at(q(".opener")) < innerWidth / 2, panel: at(q(".panel")) < innerWidth / 2 } })()`))
	for name, left := range got {
		if left != is {
			b.t.Errorf("%s: mirrored is %v, want %v", name, left, is)
		}
	}
}

// TestWidgetAttributes are what the site says of its looks: it goes before what the
// account says.
func TestWidgetAttributes(t *testing.T) {
	t.Parallel()
	s := newShop(t, `data-color="#ffee00" data-position="left" data-theme="light" data-language="fr-CH"`, arabic)
	b := newTab(t, look{width: 900, height: 700, dark: true})
	b.open(s.URL + "/plain")
	b.tap(`q(".opener")`)
	b.reads("Hello, how can I help?")
	b.inside("its colour, with dark letters", `getComputedStyle(q("#send")).backgroundColor === "rgb(255, 238, 0)" && getComputedStyle(q("#send")).color === "rgb(17, 24, 23)"`)
	b.inside("bright on a dark screen", `getComputedStyle(q("#scroll")).backgroundColor === "rgb(244, 245, 243)"`)
	b.inside("letters that can be read on the ground", `getComputedStyle(q(".options button")).color === "rgb(17, 24, 23)"`)
	b.inside("on the left", `q(".opener").getBoundingClientRect().x < 100`)
	b.inside("in a language there is", `q("#send").textContent === "Send"`)
	b.shot("widget-attributes")
	b.clean()
}

// TestWidgetOnAPhone fills the screen, and is not in the way after a reload.
func TestWidgetOnAPhone(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	b := newTab(t, phone)
	b.open(s.URL + "/plain")
	b.tap(`q(".opener")`)
	b.reads("Hello, how can I help?")
	b.inside("all of the screen", `(() => { const p = q(".panel").getBoundingClientRect(); return p.x === 0 && p.y === 0 && p.width === innerWidth && p.height === innerHeight && getComputedStyle(q(".opener")).display === "none" && document.documentElement.scrollWidth <= innerWidth })()`)
	b.writes("a rather long word that fills more than one line of a small screen: Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen")
	b.reads("You said: a rather long word")
	b.inside("nothing beyond the edge", `all(".panel *").every((n) => n.classList.contains("unseen") || n.getBoundingClientRect().right <= innerWidth + 1)`)
	b.shot("widget-phone")
	b.tap(`q(".shut")`)
	b.inside("closed", `q(".panel").hidden && r.activeElement === q(".opener")`)
	b.tap(`q(".opener")`)
	b.do(chromedp.Reload())
	b.inside("closed after a reload, and the conversation there", `q(".panel").hidden && q("#talk .bubble")`)
	b.tap(`q(".opener")`)
	b.reads("You said: a rather long word")
	b.clean()
}

// TestWidgetByKeyboard: everything is reached, has a name, and what is new is told.
func TestWidgetByKeyboard(t *testing.T) {
	t.Parallel()
	s := newShop(t, "", asks)
	b := newTab(t, look{width: 900, height: 700})
	b.open(s.URL + "/plain")
	b.inside("the button", `q(".opener")`)
	b.do(chromedp.Click(chromedp.CSS("input"), chromedp.NodeVisible), chromedp.KeyEvent(kb.Tab+kb.Enter))
	b.inside("open, and the customer may write", `r.activeElement === q("#text")`)
	b.reads("Hello, how can I help?")
	b.do(chromedp.KeyEvent("hello" + kb.Tab + kb.Enter)) // the button beside it
	b.reads("You said: hello")
	named := value[[]string](b, within(`all("button, input, textarea, select").filter((n) => n.offsetParent && !(n.textContent || n.getAttribute("aria-label") || n.labels?.length)).map((n) => n.outerHTML)`))
	if len(named) > 0 {
		t.Errorf("these have no name: %q", named)
	}
	roles := value[string](b, within(`[q(".panel").getAttribute("role"), q(".panel").getAttribute("aria-label"), q("#talk").getAttribute("role"), q("#talk").getAttribute("aria-live"), q("#problem").getAttribute("role"), q("#connection").getAttribute("role"), q("#standing").getAttribute("role")].join()`))
	if want := "dialog,Chat,log,polite,alert,status,status"; roles != want {
		t.Errorf("roles are %s, want %s", roles, want)
	}
	backwards := kb.Tab
	for range 5 { // back to the button that ends it
		b.do(chromedp.KeyEvent(backwards, chromedp.KeyModifiers(8)))
		if value[bool](b, within(`r.activeElement === q("#end")`)) {
			break
		}
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.inside("the question", `r.activeElement?.textContent === "Keep talking" && q("#really").getAttribute("role") === "alertdialog"`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.inside("taken back, the chat still open", `q("#really").hidden && !q(".panel").hidden && r.activeElement === q("#end")`)
	b.do(chromedp.KeyEvent(kb.Enter + kb.Tab + kb.Enter))
	b.inside("the question how it was", `q("#survey") && !q("#over").hidden`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.inside("closed", `q(".panel").hidden && r.activeElement === q(".opener")`)
	b.clean()
}

// TestWidgetWhereItMayNotBe: a site the account does not name has no chat, and is
// told why where its makers look.
func TestWidgetWhereItMayNotBe(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.bridge.site.AllowedOrigins = []string{"https://another.example"}
	s.bridge.halt()
	s.bridge.start()
	b := newTab(t, look{width: 900, height: 700})
	b.open(s.URL + "/plain")
	b.until("it was tried and given up", `performance.getEntriesByType("resource").some((e) => e.name.includes("/api/v1/chat?")) && document.querySelector("h1") && !document.querySelector("footbridge-chat")`)
	b.until("its makers are told", `told.join().includes("allowed_origins")`)
}
