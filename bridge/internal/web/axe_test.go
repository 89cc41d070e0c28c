package web_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// axe-core is no part of the program; it comes from the npm registry once and is
// kept beside the tests, out of the repository.
const (
	axeFile    = "axe-core-4.10.3.tgz"
	axeAddress = "https://registry.npmjs.org/axe-core/-/" + axeFile
	axeSum     = "5e6edba515e70d25f6604d9815f064d859c5d1ea7ab661bbc4f87c88779ef0c21cae0abbeb636471ef39e9d62d2582e4b88a1866f19f4ecfcf6d986275e4dc12"
)

// axeSource is the program that looks for what keeps people out of a page.
func axeSource(t *testing.T) string {
	t.Helper()
	packed, err := axePackage(filepath.Join("testdata", axeFile))
	if err != nil {
		t.Fatalf("axe-core: %v; mend: let this machine reach %s, or put that file into bridge/internal/web/testdata", err, axeAddress)
	}
	source, err := axeIn(packed)
	if err != nil {
		t.Fatalf("axe-core: %v", err)
	}
	return source
}

func axePackage(kept string) ([]byte, error) {
	if packed, err := os.ReadFile(kept); err == nil && axeGenuine(packed) {
		return packed, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, axeAddress, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	packed, err := io.ReadAll(io.LimitReader(answer.Body, 32<<20))
	if err != nil {
		return nil, err
	}
	if !axeGenuine(packed) {
		return nil, fmt.Errorf("what %s answered (%d) is not the file that was examined", axeAddress, answer.StatusCode)
	}
	return packed, os.WriteFile(kept, packed, 0o600)
}

func axeGenuine(packed []byte) bool {
	sum := sha512.Sum512(packed)
	return hex.EncodeToString(sum[:]) == axeSum
}

func axeIn(packed []byte) (string, error) {
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(plain); ; {
		f, err := files.Next()
		if errors.Is(err, io.EOF) {
			return "", errors.New("the package has no axe.min.js")
		}
		if err != nil {
			return "", err
		}
		if f.Name == "package/axe.min.js" {
			source, err := io.ReadAll(files)
			return string(source), err
		}
	}
}

// finding is one rule a page breaks, and where.
type finding struct {
	Rule, Impact, Help string
	Where              []string
}

// accessible fails the test for everything serious axe-core finds on the page as
// it is now.
func (b *tab) accessible(source, what string) {
	b.t.Helper()
	b.accessibleIn(source, "html", what)
}

// accessibleIn looks at one element and what is in it, shadow roots too.
func (b *tab) accessibleIn(source, element, what string) {
	b.t.Helper()
	if !value[bool](b, `!!window.axe`) {
		value[bool](b, source+`; !!window.axe`)
	}
	b.until("colours that last", `[document, document.querySelector(`+quoted(element)+`).shadowRoot || document].flatMap((n) => n.getAnimations()).every((a) => a.playState === "finished" || a.effect.getComputedTiming().endTime === Infinity)`)
	value[bool](b, `(() => { window.axeFound = undefined; axe.run(`+quoted(element)+`, { preload: false, iframes: false }).then((r) => { window.axeFound = r; }, (e) => { window.axeFound = { passes: [], violations: [{ id: String(e), impact: "critical", help: "", nodes: [] }] }; }); return true; })()`)
	b.until("axe is done", `window.axeFound`)
	found := value[[]finding](b, `axeFound.violations.filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => ({ Rule: v.id, Impact: v.impact, Help: v.help, Where: v.nodes.map((n) => n.target.join(" ") + ": " + (n.any[0]?.message || n.html)) }))`)
	for _, f := range found {
		b.t.Errorf("%s: %s (%s): %s\n  %s", what, f.Rule, f.Impact, f.Help, strings.Join(f.Where, "\n  "))
	}
	if n := value[int](b, `axeFound.passes.flatMap((p) => p.nodes).length`); n < 5 {
		b.t.Errorf("%s: axe looked at only %d elements", what, n)
	}
}

// TestAccessible has axe-core look at every page in both themes, on a desktop and
// on a phone.
func TestAccessible(t *testing.T) {
	t.Parallel()
	source := axeSource(t)
	for _, l := range looks() {
		t.Run(fmt.Sprintf("%d dark %v", l.width, l.dark), func(t *testing.T) {
			t.Parallel()
			everyPage(t, l, source)
		})
	}
}

// everyPage goes through all the pages can show.
func everyPage(t *testing.T, l look, source string) {
	t.Helper()
	s := newServer(t)
	sam, ada := newTab(t, l), newTab(t, l)
	sam.open(s.url() + "/desk")
	sam.until("the form", `!document.querySelector("#sign").hidden`)
	sam.accessible(source, "signing in")
	place{base: s.url(), token: deskToken}.signIn(sam, "sam", "Sam")
	sam.accessible(source, "the empty desk")
	ada.open(s.url() + "/chat?name=Ada")
	ada.sees("Hello, how can I help?")
	ada.say("form")
	ada.until("a form", `document.querySelector(".form")`)
	ada.accessible(source, "the chat")
	ada.say("person please")
	ada.until("a place in line", `document.querySelector("#standing").textContent.includes("next")`)
	sam.until("a waiting customer", `document.querySelector("#waiting .item")`)
	sam.accessible(source, "somebody waits")
	sam.press("#waiting .open")
	sam.until("the room", `!document.querySelector("#act-accept").hidden`)
	sam.accessible(source, "somebody who waits is open")
	sam.press("#act-accept")
	ada.sees("Sam has joined")
	ada.say("insight")
	sam.until("what the assistant found", `document.querySelector("#suggested")`)
	sam.say("a word")
	ada.sees("a word")
	ada.accessible(source, "the chat with a person")
	sam.accessible(source, "the talk")
	everyDialog(sam, source, l)
	ada.button("End chat")
	ada.accessible(source, "whether to end")
	ada.press("#really .primary")
	ada.sees("This conversation has ended.")
	ada.accessible(source, "the ended chat")
	sam.until("the wrap-up", `!document.querySelector("#wrapup").hidden`)
	sam.accessible(source, "the wrap-up")
}

// everyDialog opens what the desk asks and lists.
func everyDialog(sam *tab, source string, l look) {
	sam.t.Helper()
	sam.press("#note")
	sam.accessible(source, "writing a note")
	sam.press("#note")
	sam.fill("#text", "/")
	sam.until("the ready answers", `!document.querySelector("#replies").hidden`)
	sam.accessible(source, "ready answers")
	sam.fill("#text", kb.Backspace)
	for _, dialog := range []string{"handback", "transfer", "end"} {
		sam.press("#act-" + dialog)
		sam.accessible(source, dialog)
		sam.do(chromedp.KeyEvent(kb.Escape))
		sam.until("no dialog", `!document.querySelector("dialog[open]")`)
	}
	sam.press("#me")
	sam.until("the menu", `document.querySelector("#menu").matches(":popover-open")`)
	sam.accessible(source, "my menu")
	sam.do(chromedp.KeyEvent(kb.Escape))
	if l.phone {
		sam.press("#more")
		sam.accessible(source, "the details")
		sam.press("#close-facts")
		return
	}
	sam.press("#help")
	sam.until("the list", `document.querySelector("#keys").open`)
	sam.accessible(source, "what can be done")
	sam.press("#keys-close")
}
