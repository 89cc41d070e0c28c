package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

const (
	opsToken = "token-of-the-operator"
	sueToken = "token-of-the-supervisor"
)

// watched is a program with an operator and a supervisor.
func watched(t *testing.T) *server {
	t.Helper()
	s := newServer(t)
	s.api.Configure(api.Setup{Tokens: []api.Token{{Name: "ops", Roles: []string{"operator"}, Secret: credential.NewSecret(opsToken)},
		{Name: "sue", Roles: []string{"supervisor"}, Secret: credential.NewSecret(sueToken)},
		{Name: "kim", Agent: "kim", Roles: []string{"live_agent"}, Secret: credential.NewSecret(kimToken)}},
		Sites: map[string]api.Site{"web": {PublishableKey: chatKey}}})
	return s
}

// request makes one request with a token and reads the answer.
func (s *server) request(method, path, token, body string, into any) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.url()+"/api/v1"+path, strings.NewReader(body))
	s.must(err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	s.must(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	s.must(err)
	if into != nil {
		s.must(json.Unmarshal(data, into))
	}
	return resp.StatusCode
}

// begin opens a conversation for a customer of that name.
func (s *server) begin(name string) (id, token string) {
	s.t.Helper()
	var opened api.Opened
	body, _ := json.Marshal(api.Opening{PublishableKey: chatKey, Customer: api.OpeningCustomer{Name: name}})
	if code := s.request("POST", "/conversations", "", string(body), &opened); code != http.StatusCreated {
		s.t.Fatalf("opening got %d", code)
	}
	return opened.Conversation, opened.Token
}

// says has the customer say something.
func (s *server) says(id, text string) {
	s.t.Helper()
	_, err := s.engine.Do(context.Background(), engine.Command{Conversation: id, Role: event.RoleCustomer,
		Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain(text)}})
	s.must(err)
}

// console opens the console by a link with a token.
func (s *server) console(t *testing.T, l look, token string) *tab {
	t.Helper()
	b := newTab(t, l)
	s.enters(b, token)
	return b
}

func (s *server) enters(b *tab, token string) {
	b.t.Helper()
	b.open(s.url() + "/console#token=" + token)
	b.until("the token has left the address", `location.hash === "#/conversations" && !document.querySelector("#main").hidden`)
}

// goes follows a link within the console.
func (b *tab) goes(hash string) {
	b.t.Helper()
	value[string](b, "location.hash = "+quoted(hash))
}

// typed presses keys as a keyboard does: what a page does not want typed is not.
func (b *tab) typed(keys string) {
	b.t.Helper()
	for _, r := range keys {
		var down input.DispatchKeyEventParams
		for _, step := range kb.Encode(r) {
			switch step.Type {
			case kb.KeyChar:
				down.Text, down.UnmodifiedText = step.Text, step.UnmodifiedText
				b.do(send(input.DispatchKeyEvent, down))
			case kb.KeyUp:
				if down.Text == "" {
					b.do(send(input.DispatchKeyEvent, down))
				}
				b.do(send(input.DispatchKeyEvent, *step))
			default:
				down = *step
			}
		}
	}
}

// listed are the customers the list shows, in order.
const listed = `[...document.querySelectorAll("#rows a")].map((a) => a.textContent)`

func (b *tab) lists(want ...string) {
	b.t.Helper()
	b.until("lists "+strings.Join(want, ", "), listed+`.join() === `+quoted(strings.Join(want, ",")))
}

// TestConsoleList: newest first, by search and filters that a reload keeps, live,
// and more on demand.
func TestConsoleList(t *testing.T) {
	t.Parallel()
	s := watched(t)
	for _, name := range []string{"Ada", "Bob", "Cleo"} {
		s.begin(name)
	}
	b := s.console(t, desktop, opsToken)
	b.lists("Cleo", "Bob", "Ada")
	id, _ := s.begin("Dora")
	b.lists("Dora", "Cleo", "Bob", "Ada")
	s.says(id, "a person please")
	b.until("Dora waits", `document.querySelector("#rows .chip").textContent === "queued" && document.querySelector("#rows tr").textContent.includes("sales no. 1")`)
	b.shot("console-list")
	b.do(chromedp.SetValue(chromedp.CSS(`#filters [name="state"]`), "automated"))
	value[bool](b, `document.querySelector("#filters [name=state]").dispatchEvent(new Event("input", { bubbles: true }))`)
	b.lists("Cleo", "Bob", "Ada")
	b.fill("#q", "bo")
	b.lists("Bob")
	b.do(chromedp.Reload())
	b.lists("Bob")
	b.until("the filters after a reload", `document.querySelector("#q").value === "bo" && document.querySelector("#filters [name=state]").value === "automated"`)
	b.button("Clear")
	b.lists("Dora", "Cleo", "Bob", "Ada")
	b.goes("#/conversations?account=desk")
	b.lists("Dora")
	b.goes("#/conversations?owner=virtual_agent")
	b.lists("Cleo", "Bob", "Ada")
	b.goes("#/conversations?since=2999-01-01T00:00")
	b.sees("No conversation is like that.")
	b.goes("#/conversations?queue=sales&agent=nobody")
	b.sees("No conversation is like that.")
	for i := range 50 {
		s.begin(fmt.Sprintf("Crowd %d", i))
	}
	b.goes("#/conversations")
	b.until("one page", listed+`.length === 50`)
	b.press("#more-rows")
	b.until("all", listed+`.length === 54 && document.querySelector("#more-rows").hidden`)
	b.clean()
}

// TestConsoleByKeysAlone walks from the list to a row of the picture and back
// without a mouse.
func TestConsoleByKeysAlone(t *testing.T) {
	t.Parallel()
	s := watched(t)
	for _, name := range []string{"Ada", "Bob", "Cleo"} {
		id, _ := s.begin(name)
		s.says(id, "hello from "+name)
	}
	b := s.console(t, desktop, opsToken)
	b.lists("Cleo", "Bob", "Ada")
	focused := func(text string) {
		t.Helper()
		b.until("focus on "+text, `document.activeElement.matches("[data-step]") && document.activeElement.textContent.includes(`+quoted(text)+`)`)
	}
	b.typed("?")
	b.until("the keys", `document.querySelector("#keys").open`)
	b.typed(kb.Escape)
	b.until("no keys", `!document.querySelector("#keys").open`)
	b.typed("j")
	focused("Cleo")
	b.typed("jjj")
	focused("Ada")
	b.typed("k")
	focused("Bob")
	b.typed("/")
	b.until("the search", `document.activeElement.id === "q"`)
	b.typed("ada")
	b.lists("Ada")
	b.typed(kb.Enter)
	focused("Ada")
	b.typed(kb.Enter)
	b.sees("hello from Ada")
	b.until("the rows", `document.querySelectorAll("#seq > li").length > 4`)
	b.typed("j")
	focused("conversation opened")
	b.typed("j" + kb.Enter)
	b.until("the details", `document.activeElement.id === "detail-head" && document.querySelector("#detail-raw").textContent.includes('"kind": "conversation.started"')`)
	b.typed(kb.Escape)
	b.until("back at the row", `document.querySelector("#detail").hidden`)
	focused("conversation.started")
	b.typed(kb.Escape)
	b.lists("Ada")
	b.typed("ga")
	b.sees("What passes between the accounts")
	b.typed("gd")
	b.sees("There are none.")
	b.typed("gc")
	b.lists("Cleo", "Bob", "Ada")
	b.clean()
}

// TestConsoleTables: on a phone, where each row is a box of its own, who does not see
// the page still has rows and cells below the heads of their columns, empty cells
// too; and a customer without a name or an id has words for a link.
func TestConsoleTables(t *testing.T) {
	t.Parallel()
	s := watched(t)
	_, err := s.engine.Open(context.Background(), engine.Opening{Account: "web", Customer: event.Actor{Role: event.RoleCustomer}})
	s.must(err)
	id, _ := s.begin("Ada")
	s.says(id, "poison")
	for name, l := range map[string]look{"desktop": desktop, "phone": phone} {
		b := s.console(t, l, opsToken)
		b.lists("Ada", "unnamed")
		want := map[string]int{"table": 1, "columnheader": 8, "row": 3, "cell": 16}
		if got := b.told(slices.Collect(maps.Keys(want))...); !maps.Equal(got, want) {
			t.Errorf("on a %s the list is told as %v, want %v", name, got, want)
		}
		b.goes("#/accounts")
		b.until("the adapters", `document.querySelectorAll("#adapters tr").length === 2`)
		b.goes("#/dead-letters")
		b.until("the letter", `document.querySelector("#letters tr")`)
		if mute := value[[]string](b, `[...document.querySelectorAll(".grid:not(.matrix), .grid:not(.matrix) *")].filter((n) => n.matches("table, thead, tbody, tr, th, td") && !n.role).map((n) => n.outerHTML)`); len(mute) > 0 {
			t.Errorf("browsers that go by the layout do not tell what these are: %q", mute)
		}
		b.clean()
	}
}

// told counts what the browser tells a screen reader there is, by role.
func (b *tab) told(roles ...string) map[string]int {
	b.t.Helper()
	out := map[string]int{}
	b.do(chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
		tree, err := cdp.Call(ctx, at, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		for _, n := range tree.Nodes {
			var role string
			if n.Role != nil && !n.Ignored && json.Unmarshal(n.Role.Value, &role) == nil && slices.Contains(roles, role) {
				out[role]++
			}
		}
		return err
	}))
	return out
}
