//go:build screenshots

package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestScreenshots pictures every page in both themes, on a desktop and on a phone,
// into the folder FOOTBRIDGE_SHOTS; the ones of the README are small.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("FOOTBRIDGE_SHOTS")
	if dir == "" {
		t.Fatal("nowhere to put the pictures; mend: make screenshots")
	}
	for _, l := range looks() {
		pictures(t, l, fmt.Sprintf("%s-%s", map[bool]string{true: "phone", false: "desktop"}[l.phone], map[bool]string{true: "dark", false: "light"}[l.dark]))
	}
}

// pictures goes through the pages with one look.
func pictures(t *testing.T, l look, kind string) {
	t.Helper()
	s := newServer(t)
	sam, ada := newTab(t, l), newTab(t, l)
	sam.open(s.url() + "/desk")
	sam.until("the form", `!document.querySelector("#sign").hidden`)
	sam.shot("desk-sign-in-" + kind)
	place{base: s.url(), token: deskToken}.signIn(sam, "sam", "Sam")
	for _, name := range []string{"Bo", "Cleo"} {
		waits(t.Context(), s, name)
	}
	ada.open(s.url() + "/chat?name=Ada")
	ada.sees("Hello, how can I help?")
	ada.shot("chat-greeting-" + kind)
	ada.say("My card is gone, I would like a person")
	sam.until("three wait", `document.querySelectorAll("#waiting .item").length === 3`)
	sam.shot("desk-waiting-" + kind)
	value[bool](sam, `[...document.querySelectorAll("#waiting .item")].find((i) => i.innerText.includes("Ada")).querySelector("[data-role=accept]").click() ?? true`)
	ada.sees("Sam has joined")
	sam.until("the room", `!document.querySelector("#act-end").hidden`)
	sam.say("Hello Ada, Sam here. I will block it for you right away.")
	ada.sees("I will block it")
	ada.say("Thank you. It was in the blue bag.")
	sam.sees("blue bag")
	sam.shot("desk-talk-" + kind)
	ada.shot("chat-talk-" + kind)
	operated(newTab(t, l), s, kind)
	if !l.phone {
		small(t, sam, "desk-"+kind, 0.62)
		sam.press("#help")
		sam.shot("desk-keys-" + kind)
		sam.press("#keys-close")
		return
	}
	small(t, ada, "chat-"+kind, 0.8)
	sam.press("#more")
	sam.shot("desk-details-" + kind)
}

// operated pictures the console: its list, one conversation as a sequence, the accounts
// and the dead letters.
func operated(b *tab, s *server, kind string) {
	b.t.Helper()
	s.enters(b, deskToken)
	b.sees("Cleo")
	b.shot("console-list-" + kind)
	value[bool](b, `[...document.querySelectorAll("#view-conversations a")].find((a) => a.innerText.includes("Ada")).click() ?? true`)
	b.sees("handoff.accepted")
	b.shot("console-sequence-" + kind)
	for _, page := range []string{"accounts", "dead-letters"} {
		b.goes("#/" + page)
		b.until(page, `document.querySelector("#view-`+page+`") && !document.querySelector("#view-`+page+`").hidden`)
		b.shot("console-" + page + "-" + kind)
	}
}

// small keeps a picture for the README: few bytes, no more.
func small(t *testing.T, b *tab, name string, scale float64) {
	t.Helper()
	b.do(send(emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true}), chromedp.Sleep(200*time.Millisecond))
	size := value[[]float64](b, `[innerWidth, innerHeight]`)
	var shot []byte
	b.do(chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
		r, err := cdp.Call(ctx, at, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: "webp", Quality: new(int64(70)),
			Clip: &page.Viewport{Width: size[0], Height: size[1], Scale: scale / 2}})
		shot = r.Data
		return err
	}))
	if len(shot) > 60_000 {
		t.Errorf("%s has %d bytes, want at most 60,000", name, len(shot))
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("FOOTBRIDGE_SHOTS"), "small-"+name+".webp"), shot, 0o600); err != nil {
		t.Fatal(err)
	}
}
