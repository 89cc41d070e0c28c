package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// dot is a picture of one pixel.
const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// gives hands a file to the page the way a script writes: with as the transfer.
func (b *tab) gives(name, kind, base64, how string) {
	b.t.Helper()
	value[bool](b, fmt.Sprintf(`(() => {
		const bytes = Uint8Array.from(atob(%q), (c) => c.charCodeAt(0));
		const with_ = new DataTransfer();
		with_.items.add(new File([bytes], %q, { type: %q }));
		%s;
		return true;
	})()`, base64, name, kind, how))
}

const (
	byDrop  = `document.querySelector("#talk").dispatchEvent(new DragEvent("drop", { dataTransfer: with_, bubbles: true, cancelable: true }))`
	byPaste = `document.querySelector("#text").dispatchEvent(new ClipboardEvent("paste", { clipboardData: with_, bubbles: true, cancelable: true }))`
	byPick  = `document.querySelector("#pick").files = with_.files; document.querySelector("#pick").dispatchEvent(new Event("change"))`
)

// TestFiles: the customer and the agent show each other files, by each way to give
// one; a file that is not taken is told.
func TestFiles(t *testing.T) {
	t.Parallel()
	p := here(t)
	agent, customer := newTab(t, desktop), newTab(t, phone)
	p.signIn(agent, "sam", "Sam")
	customer.open(p.base + "/chat?name=Ada")
	customer.until("choices", `document.querySelector(".options button:enabled")`)
	customer.gives("dot.png", "image/png", dot, byDrop)
	const picture = `[...document.querySelectorAll("#talk img")].filter((i) => i.complete && i.naturalWidth === 1 && i.src.includes("/media/")).length`
	customer.until("the picture", picture+` === 1`)
	customer.say("a person")
	agent.until("a waiting customer", `document.querySelector("#waiting .item")`)
	agent.press("#waiting [data-role=accept]")
	agent.until("the customer's picture", picture+` === 1`)
	agent.gives("dot.png", "image/png", dot, byPaste)
	customer.until("the agent's picture", picture+` === 2`)
	agent.gives("terms.txt", "text/plain", "YWxsIGlzIHdlbGw=", byPick)
	customer.until("the agent's file", `[...document.querySelectorAll("#talk .file a")].some((a) => a.textContent === "terms.txt" && a.download === "terms.txt")`)
	value[bool](customer, `!!fetch([...document.querySelectorAll("#talk .file a")].find((a) => a.textContent === "terms.txt").href).then(async (r) => { document.body.dataset.file = await r.text(); })`)
	customer.until("what the file says", `document.body.dataset.file === "all is well"`)
	customer.shot("chat-files")
	agent.shot("desk-files")
	customer.gives("page.html", "text/html", "PGh0bWw+PC9odG1sPg==", byPick)
	customer.until("the refusal", `document.querySelector("#problem").textContent.includes("page.html") && document.querySelector("#problem").textContent.includes("text/html are not taken")`)
	agent.gives("page.html", "text/html", "PGh0bWw+PC9odG1sPg==", byDrop)
	agent.until("the refusal", `document.querySelector("#toast").textContent.includes("text/html are not taken")`)
	customer.do(chromedp.Reload())
	customer.until("the pictures after a reload", picture+` === 2`)
	agent.clean()
	customer.clean()
}
