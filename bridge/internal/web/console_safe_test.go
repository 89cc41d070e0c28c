package web_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestConsoleInjections: every one of the injections as a name, as words, and some in
// every text an event can have: nothing of them runs, and each is there to be read.
func TestConsoleInjections(t *testing.T) {
	t.Parallel()
	s := watched(t)
	all := injections(t)
	id, _ := s.begin(all[0])
	for _, x := range all {
		s.says(id, x)
	}
	for i := 0; i < len(all); i += 30 {
		named, _ := s.begin(all[i])
		s.says(named, everything+all[i])
	}
	b := s.console(t, desktop, opsToken)
	value[bool](b, `(window.hits = 0, window.hit = window.alert = () => { window.hits++; }, true)`)
	b.until("the names", listed+`.length === `+fmt.Sprint(1+(len(all)+29)/30))
	var rows []string
	for _, path := range value[[]string](b, `[...document.querySelectorAll("#rows a")].map((a) => a.getAttribute("href"))`) {
		b.goes(path)
		b.until("its rows", `document.querySelectorAll("#seq > li").length > 5 && document.querySelector("#one-facts").textContent.startsWith(`+quoted(strings.TrimPrefix(path, "#/conversations/"))+`)`)
		value[bool](b, `[...document.querySelectorAll("#seq > li")].map((n) => n.dataset.key).slice(0, 60).every((key) => ([...document.querySelectorAll("#seq > li")].find((n) => n.dataset.key === key)?.querySelector("button").click(), true))`)
		if path == "#/conversations/"+id {
			b.press("#more-steps")
			b.until("all of it", `document.querySelector("#more-steps").hidden`)
			rows = value[[]string](b, `[...document.querySelectorAll("#seq .step.event .text")].map((n) => n.textContent)`)
		}
	}
	said := map[string]bool{}
	for _, text := range rows {
		said[text] = true
	}
	for _, x := range all {
		if strings.TrimSpace(x) != "" && !said[x] {
			t.Errorf("%q is not there to be read", x)
		}
	}
	if value[bool](b, `window.hits > 0 || !!document.querySelector("main img, main svg, main script, main iframe, main [onerror], main [onload], main a[href^='javascript:' i]")`) {
		t.Errorf("what was said became part of the page: %d ran", value[int](b, `window.hits`))
	}
	b.clean()
}

// TestConsoleAccessible has axe-core look at every part in both themes, on a desktop
// and on a phone.
func TestConsoleAccessible(t *testing.T) {
	t.Parallel()
	source := axeSource(t)
	s := watched(t)
	id, _ := s.begin("Ada")
	s.says(id, "poison")
	s.says(id, "a person please")
	for _, l := range looks() {
		t.Run(fmt.Sprintf("%d dark %v", l.width, l.dark), func(t *testing.T) {
			t.Parallel()
			b := newTab(t, l)
			for _, token := range []string{opsToken, sueToken} {
				b.open("about:blank") // what was loaded for another is gone
				s.enters(b, token)
				everyPart(b, source, token+": ", id)
			}
		})
	}
}

// everyPart goes through all the console can show.
func everyPart(b *tab, source, what, id string) {
	b.t.Helper()
	b.sees("Ada")
	b.accessible(source, what+"the list")
	b.goes("#/conversations/" + id)
	b.sees("dead letter")
	b.accessible(source, what+"a picture")
	b.press("#seq li.event button")
	b.accessible(source, what+"details")
	b.goes("#/accounts")
	b.sees("answered 503")
	b.accessible(source, what+"accounts")
	b.goes("#/dead-letters")
	b.sees("cannot read")
	b.accessible(source, what+"dead letters")
	value[bool](b, `document.querySelector("#keys").showModal() || true`)
	b.accessible(source, what+"keys")
	b.clean()
}
