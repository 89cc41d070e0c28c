package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/bridge/event"
)

// page is a page of the bridge in a browser of its own.
type page struct {
	t   *testing.T
	ctx context.Context
}

func (r *rig) browse(path string) page {
	r.t.Helper()
	return browse(r.t, "http://"+r.public+path)
}

// browse opens an address in a browser of its own.
func browse(t *testing.T, address string, more ...chromedp.ExecAllocatorOption) page {
	t.Helper()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && browser == "" {
			browser = found
		}
	}
	if browser == "" {
		t.Fatal("no Chromium on PATH to look at pages with; mend: apt-get install chromium")
	}
	options := append([]chromedp.ExecAllocatorOption{chromedp.ExecPath(browser), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1500, 1100), chromedp.Flag("disable-dev-shm-usage", true)}, more...)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil { // starts it, which a context that ends would end
		t.Fatalf("open %s: %v", address, err)
	}
	return page{t, ctx}
}

func (p page) do(what string, step chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, step); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

func (p page) click(selector string) {
	p.t.Helper()
	p.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// until waits for an expression to be true.
func (p page) until(what, expression string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("!!("+expression+")")); err == nil && ok {
			return
		}
	}
	text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	p.t.Fatalf("never: %s; the page shows\n%s", what, text)
}

// steps are the rows of the picture, without what differs from run to run.
func (p page) steps() []string {
	p.t.Helper()
	rows, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("#seq > li")].map((li) =>
		[".way", ".label", ".end"].map((part) => [...li.querySelectorAll(part)].map((n) => n.textContent.trim()).join(" ; "))
			.concat(li.matches(".in, .out") ? [li.querySelector("button").matches(".right") ? "on the right" : "on the left"] : []).filter(Boolean).join(" | "))`))
	if err != nil {
		p.t.Fatal(err)
	}
	varies := regexp.MustCompile(`in \d[\d.]* m?s`)
	for i, row := range rows {
		rows[i] = varies.ReplaceAllString(row, "#")
	}
	return rows
}

// TestConsolePicture: what two vendors sent, the events it became and the frames it
// became at the other, as the console draws it.
func TestConsolePicture(t *testing.T) {
	t.Parallel()
	people := aiserasim.NewServer(aiserasim.Options{Token: "people-token"})
	r := newRig(t, setting{backends: []string{"people"}, env: []string{"PEOPLE_TOKEN=people-token"}, extra: fmt.Sprintf(`
[accounts.people]
adapter = "aisera"
role = "live_agent"
credentials = { token = "env:PEOPLE_TOKEN" }
settings = { base_url = %q, channel_id = "c-1", user_id = "conversation" }
`, serve(t, people.Handler()))})
	r.begin("s1")
	id := r.conversation("s1")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r.inState(id, "queued")
	must(people.Queue(id, 2))
	r.eventually("the place in the queue", func() bool {
		places := 0
		for _, e := range r.events(id) {
			if e.Kind() == event.KindHandoffQueued {
				places++
			}
		}
		return places == 2
	})
	must(people.Join(id, "Sam"))
	r.inState(id, "active")
	must(people.Say(id, "Sam", "okapi hello"))
	r.eventually("the customer has it", func() bool { return slices.Contains(r.studio.Shown("s1"), "okapi hello") })
	said := r.tell("s1", "thanks")
	r.eventually("Sam has it", func() bool { return slices.Contains(people.Texts(id), said) })
	must(people.Exit(id, "Sam"))
	r.inState(id, "automated")

	p := r.browse("/console#token=" + deskToken)
	p.until("signed in", `!document.querySelector("#main").hidden`)
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("location.hash = '#/conversations/"+id+"'")); err != nil {
		t.Fatal(err)
	}
	p.until("the end", `[...document.querySelectorAll("#seq .label")].some((n) => n.textContent.includes("chat-1: closed"))`)
	got := p.steps()
	if dir := os.Getenv("FOOTBRIDGE_SHOTS"); dir != "" {
		picture, _ := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		_ = os.WriteFile(filepath.Join(dir, "console-vendors.png"), picture, 0o600)
	}
	want := strings.Split(strings.TrimSpace(twoVendors), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("the picture is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	r.traceCommand(id)
}

// traceCommand compares what the command prints with what the API has.
func (r *rig) traceCommand(id string) {
	r.t.Helper()
	var trace struct{ Turns []json.RawMessage }
	r.api("GET", "/conversations/"+id+"/trace?limit=1000", deskToken, "", nil, &trace)
	var want strings.Builder
	for _, turn := range trace.Turns {
		want.WriteString(string(turn) + "\n")
	}
	if got := r.command("", "trace", id, "--json").out; got != want.String() || len(trace.Turns) < 20 {
		r.t.Errorf("trace --json prints\n%s\nwant %d turns\n%s", got, len(trace.Turns), want.String())
	}
	for _, secret := range []string{studioKey, deskKey, deskToken, "people-token"} {
		if strings.Contains(want.String(), secret) {
			r.t.Errorf("the trace holds the secret %s", secret)
		}
	}
	if !strings.Contains(want.String(), `"token":"[secret]"`) {
		r.t.Error("the trace does not say where a secret was")
	}
	plain := r.command("", "trace", id).out
	for _, line := range []string{`studio → bridge\s+POST start`, `live_agent message.created "okapi hello" → studio delivered`, `state queued → active, owner - → live_agent`,
		`bridge → studio\s+call POST http://\S+/live-agent/outbound/s1 \{"message_type":"text","text":"okapi hello"\}`, `studio → bridge\s+result 200`} {
		if !regexp.MustCompile(line).MatchString(plain) {
			r.t.Errorf("trace does not print %q:\n%s", line, plain)
		}
	}
	if got := r.command("", "trace"); got.code != exitUsage || !strings.Contains(got.err, "name one conversation") {
		r.t.Errorf("trace without an id: %d %s", got.code, got.err)
	}
}

// twoVendors is written by hand: AI Studio asks for people, Aisera's answer, and the
// words go both ways until they give it back.
const twoVendors = `
Footbridge | conversation opened
event | system conversation.started | → studio delivered, nothing sent
state | new → automated, owner nobody → virtual agent
studio → Footbridge | POST start | on the left
event | virtual agent handoff.requested | → people delivered
state | automated → requested, owner virtual agent → nobody
Footbridge → people | connect /socket.io/ | on the right
people → Footbridge | chat-1: connected | on the right
Footbridge → people | message on chat-1 | sent # | on the right
people → Footbridge | chat-1 message | on the right
event | live agent handoff.queued | → studio delivered
state | requested → queued
Footbridge → studio | answer 200 | sent # | on the left
people → Footbridge | chat-1 message | on the right
event | live agent handoff.queued | → studio delivered, nothing sent
people → Footbridge | chat-1 message | on the right
event | live agent Sam handoff.accepted | → studio delivered, nothing sent
state | queued → active, owner nobody → live agent
people → Footbridge | chat-1 message | on the right
event | live agent Sam message.created | → studio delivered
Footbridge → studio | POST /live-agent/outbound/s1 | 200 # | on the left
studio → Footbridge | POST inbound | on the left
event | customer message.created | → people delivered
Footbridge → people | message on chat-1 | sent # | on the right
people → Footbridge | chat-1 message | on the right
event | live agent Sam handback.requested | → studio delivered
state | active → returning, owner live agent → nobody
Footbridge → studio | POST /live-agent/disconnect/s1 | 200 # | on the left
studio → Footbridge | answer 200 | on the left
event | virtual agent handback.completed | → people delivered
state | returning → automated, owner nobody → virtual agent
Footbridge → people | message on chat-1 | on the right
Footbridge → people | close chat-1 | on the right
people → Footbridge | chat-1: closed | on the right
`
