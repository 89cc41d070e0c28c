package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a page may take to show what it should.
const patience = 20 * time.Second

// look is how a browser shows pages.
type look struct {
	width, height int
	phone, dark   bool
}

// looks are both themes on a desktop and on a phone.
func looks() []look {
	return []look{{width: 1360, height: 820}, {width: 1360, height: 820, dark: true}, {width: 390, height: 780, phone: true}, {width: 390, height: 780, phone: true, dark: true}}
}

func (l look) mobile(m *emulation.SetDeviceMetricsOverrideParams, touch *emulation.SetTouchEmulationEnabledParams) {
	m.Mobile, touch.Enabled = l.phone, l.phone
}

// send is a protocol command as a step.
func send[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// tab is one page, with cookies, storage and a window of its own in the browser
// all tests share.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string
}

func newTab(t *testing.T, l look) *tab {
	t.Helper()
	all, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	return newWindow(t, l, all, chromedp.WithNewBrowserContext())
}

// beside is one more page with the same cookies and storage.
func (b *tab) beside(l look) *tab { b.t.Helper(); return newWindow(b.t, l, b.ctx) }

func newWindow(t *testing.T, l look, of context.Context, with ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(of, with...)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	if err := chromedp.Listen(ctx, b.listen); err != nil { // opens the window
		t.Fatalf("open a window: %v", err)
	}
	scale := 1.0
	if shots() != "" {
		scale = 2
	}
	b.do(chromedp.EmulateViewport(int64(l.width), int64(l.height), chromedp.EmulateScale(scale), l.mobile),
		send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}),
		send(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	return b
}

// listen collects what the page itself says went wrong. Connections that fail
// while the server is away are not among it.
func (b *tab) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork && !strings.Contains(e.Entry.Text, "net::ERR") && !strings.Contains(e.Entry.Text, "WebSocket connection") {
			b.faults = append(b.faults, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	}
}

// clean fails the test if the page reported a fault, such as a script the policy
// stopped.
func (b *tab) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		b.t.Errorf("page reported %s", f)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("browser: %v\n%s", err, b.shown())
	}
}

// shown is the page's text, for failures.
func (b *tab) shown() string {
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body?.innerText || ''"))
	if err != nil {
		return err.Error()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return "the page shows:\n" + text + "\n" + strings.Join(b.faults, "\n")
}

func (b *tab) open(url string) { b.t.Helper(); b.do(chromedp.Navigate(url)) }

// value evaluates an expression.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("browser: %s: %v", expression, err)
	}
	return v
}

// until waits for an expression to be true. While a page is being left the
// expression may fail.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	var last error
	for pause := 5 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 40*time.Millisecond) {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if ok {
			return
		}
		if ctx.Err() == nil {
			last = err
		}
		time.Sleep(pause)
	}
	b.t.Fatalf("never: %s (%s) %v\n%s", what, expression, last, b.shown())
}

func quoted(s string) string {
	data, _ := json.Marshal(s)
	return string(data)
}

// sees waits for text anywhere on the page.
func (b *tab) sees(text string) {
	b.t.Helper()
	b.until("sees "+text, "document.body.innerText.includes("+quoted(text)+")")
}

// words are what was said, as the page shows it, oldest first.
func (b *tab) words() []string {
	b.t.Helper()
	return value[[]string](b, `[...document.querySelectorAll("#talk .bubble")].map(b => b.innerText)`)
}

// saidOnce fails unless the text is in exactly one bubble.
func (b *tab) saidOnce(texts ...string) {
	b.t.Helper()
	words := b.words()
	for _, text := range texts {
		n := 0
		for _, w := range words {
			if w == text {
				n++
			}
		}
		if n != 1 {
			b.t.Errorf("%q stands on the page %d times, want once: %q", text, n, words)
		}
	}
}

func (b *tab) press(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// button presses the button with that label.
func (b *tab) button(label string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.Search(`//button[normalize-space()=`+quoted(label)+` and not(ancestor::dialog[not(@open)])]`), chromedp.NodeVisible))
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
}

// say types into the compose box and presses Enter.
func (b *tab) say(text string) { b.t.Helper(); b.fill("#text", text+kb.Enter) }

// shots is the folder FOOTBRIDGE_SHOTS names for pictures, which are then sharp; ""
// where none are wanted.
func shots() string { return os.Getenv("FOOTBRIDGE_SHOTS") }

// shot keeps a picture where they are wanted.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := shots()
	if dir == "" {
		return
	}
	b.do(chromedp.Sleep(200 * time.Millisecond))
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
