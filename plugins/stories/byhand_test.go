package stories

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/footbridge/footbridge/bridge/event"
)

// TestDesksByHand tries each desk of docs/desks without its vendor, as the documents
// say: with the configuration there, the simulator by its own flags, and a person in
// front of its page.
func TestDesksByHand(t *testing.T) {
	t.Parallel()
	configs, err := filepath.Glob(filepath.Join(repository, "docs", "desks", "*.toml"))
	if err != nil || len(configs) == 0 {
		t.Fatalf("no desk can be tried: %v", err)
	}
	for _, config := range configs {
		name := strings.TrimSuffix(filepath.Base(config), ".toml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, desk := tried(t, name, config)
			byHand(r, desk, name)
		})
	}
}

// tried starts a simulated desk and the bridge as make run DESK=NAME does, at other
// addresses.
func tried(t *testing.T, name, config string) (*rig, string) {
	t.Helper()
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	p, desk := newProgram(t, ""), freeAddr(t)
	own := regexp.MustCompile(`http://(127\.0\.0\.1:809\d)/`).FindStringSubmatch(string(data))
	with := regexp.MustCompile(`(?m)^# with (.*)$`).FindStringSubmatch(string(data))
	if own == nil || with == nil {
		t.Fatalf("%s does not say where its desk is, and with which credentials", config)
	}
	moved := strings.NewReplacer("127.0.0.1:8080", p.public, "127.0.0.1:8081", p.admin, own[1], desk, "./data/"+name, filepath.Join(p.dir, "data"))
	p.configure(t, moved.Replace(string(data)))
	p.env = append(p.env, strings.Fields(with[1])...)
	vendor := &program{t: t, ended: make(chan struct{})}
	vendor.cmd = exec.Command(footbridge(t), append([]string{"simulate", name}, movedFlags(t, name, moved)...)...)
	out := &locked{mu: &vendor.mu, b: &vendor.log}
	vendor.cmd.Stdout, vendor.cmd.Stderr = out, out
	vendor.begin()
	vendor.await("listens on")
	p.serve()
	p.until("/readyz")
	p.await("is ready at")
	return &rig{t: t, home: p.home, client: http.DefaultClient, process: &process{}}, "http://" + desk + "/"
}

// movedFlags are those flags of a simulator that are addresses, at others.
func movedFlags(t *testing.T, name string, moved *strings.Replacer) (flags []string) {
	t.Helper()
	help, err := exec.Command(footbridge(t), "simulate", name, "-h").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, help)
	}
	for _, f := range regexp.MustCompile(`(?m)^ +-(\w+) string\n.*\(default "(.*127\.0\.0\.1:.*)"\)`).FindAllStringSubmatch(string(help), -1) {
		flags = append(flags, "-"+f[1], moved.Replace(f[2]))
	}
	return flags
}

// byHand answers a customer on the desk's page.
func byHand(r *rig, desk, name string) {
	r.t.Helper()
	id, token := r.chatAt("pk_try")
	r.write(id, token, "1", "okapi hello")
	page := browse(r.t, desk)
	page.until("nobody has asked", "document.querySelector('#none').checkVisibility() && !document.querySelector('#main').checkVisibility()")
	r.write(id, token, "2", "okapi agent")
	shows := func(what string) {
		r.t.Helper()
		page.until(what, fmt.Sprintf("document.querySelector('#lines').innerText.includes(%q)", what))
	}
	shows("okapi hello")
	page.until("a reply needs words", "document.querySelector('#act-reply').disabled && !document.querySelector('#act-resolve').disabled")
	if page.can("take") {
		page.click("#act-take")
		page.until("somebody has it", "document.querySelector('#state').innerText.includes('with Sam')")
	}
	if page.can("note") {
		page.types("okapi between us <b>")
		page.click("#act-note")
		page.until("the note", "[...document.querySelectorAll('#lines li.note')].some(l => l.innerText.includes('okapi between us <b>'))")
	}
	page.types("okapi here I am")
	page.click("#act-reply")
	r.hearsPeople(id, token, "okapi here I am")
	page.until("somebody has it", "document.querySelector('#state').innerText.includes('with Sam')")
	page.attaches("plan.png", "image/png")
	page.click("#act-reply")
	file := r.file(id, token, event.RoleLiveAgent)
	r.serves(r.link(token, file.Blob), []byte("\x89PNG\r\n\x1a\nokapi"))
	r.write(id, token, "3", "okapi thank you")
	shows("okapi thank you")
	page.click("#act-resolve")
	reads := func(words string) bool {
		return slices.ContainsFunc(r.seenBy(id, token), func(e event.Event) bool {
			said, _ := e.Body.(event.MessageCreated)
			return strings.Contains(fmt.Sprint(said.Content.Part), words)
		})
	}
	r.eventually("the virtual agent is back", func() bool { return reads("I am back") })
	if reads("between us") {
		r.t.Error("the customer reads the note")
	}
}

// can reports whether a desk's page has a button.
func (p page) can(act string) bool {
	p.t.Helper()
	there, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("!!document.querySelector('#act-"+act+"')"))
	if err != nil {
		p.t.Fatal(err)
	}
	return there
}

// types puts words into the field of a desk's page.
func (p page) types(words string) {
	p.t.Helper()
	p.do("type", chromedp.SendKeys(chromedp.CSS("#text"), words, chromedp.NodeVisible))
}

// attaches chooses a file there.
func (p page) attaches(name, kind string) {
	p.t.Helper()
	p.until("a file is chosen", fmt.Sprintf(`(() => { const all = new DataTransfer()
		all.items.add(new File([Uint8Array.from(atob('iVBORw0KGgpva2FwaQ=='), c => c.charCodeAt(0))], %q, { type: %q }))
		const field = document.querySelector('#file'); field.files = all.files; field.onchange(); return field.files.length })()`, name, kind))
}
