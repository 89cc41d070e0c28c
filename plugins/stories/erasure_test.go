package stories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// crowd is many customers of the web chat who all talk at once.
type crowd struct {
	r   *rig
	ids map[string]string // conversation by customer
	// tokens are the customers' own.
	tokens map[string]string
	// said are the words the bridge took, by conversation.
	mu   sync.Mutex
	said map[string][]string
	stop chan struct{}
	work sync.WaitGroup
}

// gather opens a conversation for each customer, in which they talk until hushed.
func (r *rig) gather(names ...string) *crowd {
	r.t.Helper()
	c := &crowd{r: r, ids: map[string]string{}, tokens: map[string]string{}, said: map[string][]string{}, stop: make(chan struct{})}
	for _, name := range names {
		var opened struct{ Conversation, Token string }
		body := map[string]any{"account": "web", "customer": map[string]string{"id": name, "name": "okapi of " + name}}
		if status := r.api("POST", "/conversations", deskToken, "", body, &opened); status != http.StatusCreated {
			r.t.Fatalf("open for %s: status %d", name, status)
		}
		c.ids[name], c.tokens[name] = opened.Conversation, opened.Token
		c.work.Go(func() { c.talk(opened.Conversation, opened.Token) })
	}
	return c
}

// talk says something twice a second. Words that are refused because the
// conversation has ended are its last.
func (c *crowd) talk(id, token string) {
	for n := 0; ; n++ {
		text := fmt.Sprintf("okapi %s/%d", id, n)
		body, _ := json.Marshal(map[string]any{"kind": event.KindMessageCreated, "body": event.MessageCreated{Content: event.Plain(text)}})
		status, _, err := c.r.once("POST", "/conversations/"+id+"/events", token, fmt.Sprint("k", n), body)
		switch {
		case err == nil && status == http.StatusCreated:
			c.mu.Lock()
			c.said[id] = append(c.said[id], text)
			c.mu.Unlock()
		case err == nil && status < 500:
			return
		}
		select {
		case <-c.stop:
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (c *crowd) hush() { close(c.stop); c.work.Wait() }

func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%d@canary.example", prefix, i)
	}
	return all
}

// whole wants everything the bridge took of these customers, once and in order.
func (c *crowd) whole(of []string) {
	c.r.t.Helper()
	for _, name := range of {
		id := c.ids[name]
		if got := texts(c.r.events(id), event.RoleCustomer); !slices.Equal(got, c.said[id]) || len(got) == 0 {
			c.r.t.Errorf("%s said %d things, %d are there", name, len(c.said[id]), len(got))
		}
	}
}

// gone wants nothing of these customers to be readable.
func (c *crowd) gone(of []string) {
	c.r.t.Helper()
	for _, name := range of {
		for _, path := range []string{"/events", "/frames"} {
			if status := c.r.api("GET", "/conversations/"+c.ids[name]+path, deskToken, "", nil, nil); status != http.StatusGone {
				c.r.t.Errorf("%s of %s answers %d", path, name, status)
			}
		}
	}
	if all := c.r.command("", "conversations", "--json", "--limit", "0"); strings.Contains(all.out, of[0]) {
		c.r.t.Errorf("%s is still listed", of[0])
	}
}

// TestErasingCustomersUnderLoad: of a hundred customers nothing is left while
// fifty others go on talking, and these lose nothing.
func TestErasingCustomersUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	leave, stay := names("leave", 100), names("stay", 30)
	all := r.gather(append(slices.Clone(leave), stay...)...)
	first := filepath.Join(r.dir, "first.jsonl")
	got := r.command(leave[0]+"\n", "conversations", "erase", "--customer", "-", "--account", "web", "--reason", "request 1", "--export", first, "--yes")
	if got.code != exitOK || got.out != all.ids[leave[0]]+"  erased\n" {
		t.Errorf("the first: %+v", got)
	}
	if data, err := os.ReadFile(first); err != nil || !strings.Contains(string(data), leave[0]) || !strings.HasSuffix(string(data), `{"type":"end"}`+"\n") {
		t.Errorf("the export of the first (%v): %s", err, tail(string(data), 300))
	}
	for _, name := range leave[1:] {
		var done struct{ Erased []string }
		body := map[string]string{"customer": name, "account": "web", "reason": "request 2"}
		if status := r.api("POST", "/erasures", deskToken, "", body, &done); status != http.StatusOK || len(done.Erased) != 1 || done.Erased[0] != all.ids[name] {
			t.Fatalf("erase %s: %d %v", name, status, done)
		}
	}
	all.hush()
	all.gone(leave)
	all.whole(stay)
	r.trailHas("conversation.erased", 100)
	r.trailHas("conversation.exported", 1)
	r.erasedOnDisk(all.ids[leave[7]], append(leave, "okapi "+all.ids[leave[3]]+"/"))
}

// trailHas wants the audit trail to be whole, and to have so many of an action.
func (r *rig) trailHas(action string, n int) {
	r.t.Helper()
	list := r.command("", "audit", "list", "--limit", "0", "--json")
	if got := strings.Count(list.out, `"`+action+`"`); got != n || list.code != exitOK {
		r.t.Errorf("the audit trail has %d of %s, want %d", got, action, n)
	}
	if verified := r.command("", "audit", "verify"); verified.code != exitOK || !strings.Contains(verified.out, "whole") {
		r.t.Errorf("verify: %+v", verified)
	}
}

// erasedOnDisk ends the bridge and looks for words in all its files; the erased
// conversation cannot be opened with the journal's own keys.
func (r *rig) erasedOnDisk(id string, words []string) {
	r.t.Helper()
	r.stop()
	if out, err := exec.Command(filepath.Join(r.bin, "ledger"), filepath.Join(r.dir, "data"), id).CombinedOutput(); err == nil || !strings.Contains(string(out), "erased") {
		r.t.Errorf("the journal gave %s (%v)", out, err)
	}
	r.nowhereIn(filepath.Join(r.dir, "data"), words)
	for _, word := range words {
		if strings.Contains(r.output(), word) {
			r.t.Errorf("%q is in the log", word)
		}
	}
}

// nowhereIn wants none of the words in any file below a folder.
func (r *rig) nowhereIn(dir string, words []string) {
	r.t.Helper()
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		for _, word := range words {
			if strings.Contains(string(data), word) {
				r.t.Errorf("%q is in %s", word, name)
			}
		}
		return err
	})
	if err != nil {
		r.t.Error(err)
	}
}
