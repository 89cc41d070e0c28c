package stories

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
)

// TestABackupUnderLoadIsRestored: a copy is taken while customers talk, some of
// them are erased after, and a bridge goes on from it: the erased are gone from it
// too, everybody else is whole up to the copy.
func TestABackupUnderLoadIsRestored(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	leave, stay := names("leave", 10), names("stay", 10)
	all := r.gather(append(slices.Clone(leave), stay...)...)
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
