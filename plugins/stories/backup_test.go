package stories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// pictures has customers show a picture each now, and go on until hushed.
func (c *crowd) pictures(of ...string) {
	c.r.t.Helper()
	for _, name := range of {
		id, token := c.ids[name], c.tokens[name]
		show := func(n int) bool {
			m, status, err := c.r.offer(id, token, fmt.Sprintf("%d.png", n), pngOf(fmt.Sprint(id, n)))
			if err != nil || status != http.StatusCreated {
				return false
			}
			body, _ := json.Marshal(map[string]any{"kind": event.KindMessageCreated, "body": event.MessageCreated{Content: event.Content{Part: m}}})
			status, _, err = c.r.once("POST", "/conversations/"+id+"/events", token, fmt.Sprint("picture", n), body)
			return err == nil && status == http.StatusCreated
		}
		if !show(0) {
			c.r.t.Fatalf("%s shows no picture", name)
		}
		c.work.Go(func() {
			for n := 1; show(n); n++ {
				select {
				case <-c.stop:
					return
				case <-time.After(200 * time.Millisecond):
				}
			}
		})
	}
}

// shown checks that every picture the conversation of a customer tells of is there,
// and gives how many those are.
func (c *crowd) shown(name string) (n int) {
	c.r.t.Helper()
	id := c.ids[name]
	for _, e := range c.r.events(id) {
		said, _ := e.Body.(event.MessageCreated)
		if m, ok := said.Content.Part.(event.Media); ok {
			c.r.serves(c.r.link(deskToken, m.Blob), pngOf(id+strings.TrimSuffix(m.Name, ".png")))
			n++
		}
	}
	return n
}

// TestABackupUnderLoadIsRestored: a copy is taken while customers talk and show
// pictures, some of them are erased after, and a bridge goes on from it: the erased
// are gone from it too, everybody else is whole up to the copy.
func TestABackupUnderLoadIsRestored(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	leave, stay := names("leave", 10), names("stay", 10)
	all := r.gather(append(slices.Clone(leave), stay...)...)
	all.pictures(leave[0], leave[1], stay[0], stay[1], stay[2])
	for _, name := range stay {
		r.eventually(name+" talks", func() bool { return len(all.heard(name)) >= 3 })
	}
	backup := filepath.Join(r.dir, "backup")
	sure := map[string][]string{} // taken before the copy was begun
	for _, name := range stay {
		sure[name] = all.heard(name)
	}
	made := r.command("", "backup", backup)
	copied := strings.TrimSpace(made.out)
	if made.code != exitOK || filepath.Dir(copied) != backup {
		t.Fatalf("backup: %+v", made)
	}
	for _, name := range leave {
		r.api("POST", "/erasures", deskToken, "", map[string]string{"customer": name, "reason": "request 3"}, nil)
	}
	all.hush()
	if got := r.command("", "backup", backup, "--keys-only"); got.code != exitOK {
		t.Fatalf("backup of the keys: %+v", got)
	}
	for _, name := range []string{leave[0], stay[0]} {
		_, err := os.Stat(filepath.Join(backup, "media", all.ids[name]))
		if (err == nil) != (name == stay[0]) {
			t.Errorf("files of %s in the backup: %v", name, err)
		}
	}
	if got := r.command("", "restore", backup); got.code != exitFailed || !strings.Contains(got.err, "in use") {
		t.Errorf("restore over a running bridge: %+v", got)
	}
	r.restoredFrom(backup, all, leave, sure)
}

// heard are the words the bridge has taken of a customer until now.
func (c *crowd) heard(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.said[c.ids[name]])
}

// restoredFrom ends the bridge, loses its disk but for the master key, restores and
// looks.
func (r *rig) restoredFrom(backup string, all *crowd, leave []string, sure map[string][]string) {
	r.t.Helper()
	r.nowhereIn(backup, append(leave, canary))
	r.stop()
	key, err := os.ReadFile(filepath.Join(r.dir, "data", "master.key"))
	if err == nil {
		err = os.RemoveAll(filepath.Join(r.dir, "data"))
	}
	if err != nil {
		r.t.Fatal(err)
	}
	if got := r.command("", "restore", backup); got.code != exitFailed || !strings.Contains(got.err, "no master key") {
		r.t.Errorf("restore without the master key: %+v", got)
	}
	if err := os.Mkdir(filepath.Join(r.dir, "data"), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "data", "master.key"), key, 0o600); err != nil {
		r.t.Fatal(err)
	}
	if got := r.command("", "restore", backup); got.code != exitOK || !strings.Contains(got.out, "10 conversations, 10 erased since, all verified") {
		r.t.Fatalf("restore: %+v", got)
	}
	r.again()
	all.gone(leave)
	for name, said := range sure {
		got := texts(r.events(all.ids[name]), event.RoleCustomer)
		whole := all.heard(name)
		if len(got) > len(whole) || !slices.Equal(got, whole[:len(got)]) || len(got) < len(said) {
			r.t.Errorf("%s has %d of %d, of which %d were sure", name, len(got), len(whole), len(said))
		}
	}
	for _, name := range []string{"stay-0@canary.example", "stay-1@canary.example", "stay-2@canary.example"} {
		if n := all.shown(name); n < 1 {
			r.t.Errorf("%s has %d pictures", name, n)
		}
	}
	id, token := r.chat()
	r.write(id, token, "k", "okapi apples")
	r.answered(id, "okapi about apples")
	r.trailHas("journal.restored", 1)
}

// again starts the bridge once more after it was stopped.
func (r *rig) again() {
	r.t.Helper()
	r.mu.Lock()
	r.closing = false
	r.mu.Unlock()
	r.done = make(chan struct{})
	cmd, err := r.start()
	if err != nil {
		r.t.Fatal(err)
	}
	go r.keep(cmd)
	r.ready()
}
