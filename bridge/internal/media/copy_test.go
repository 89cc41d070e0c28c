package media

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

func everybody(string) bool { return true }

// at is the same store on another folder.
func (s *Store) at(t *testing.T, dir string) *Store {
	o := s.Options
	o.Dir = dir
	other := New(o)
	t.Cleanup(other.Close)
	return other
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it never came to be")
}

// A copy has every whole file, sealed as it was, and none that did not become one;
// the next copy adds what came since, and mends what was cut off.
func TestCopy(t *testing.T) {
	w := &web{kind: "image/png", body: png, gate: make(chan struct{})}
	v := newSafe(t, here, there)
	s := newStore(t, v, w, func(r *Rules) { r.MaxFiles = 50 })
	to := filepath.Join(t.TempDir(), "backup", "media")
	if err := Copy(t.Context(), s.Dir, to, everybody); err != nil {
		t.Fatalf("without any file: %v", err)
	}
	first := upload(t, s, "a.png", "", png)
	for name, data := range map[string]string{"9" + unready: "half", "stray": "x", here + ".." + unready: "y"} {
		if err := os.WriteFile(filepath.Join(s.Dir, here, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := told(s, "https://vendor.example/a.png")
	claimed, _ := mediaOf(e)
	s.Stored(e)
	until(t, func() bool { _, err := os.Stat(s.path(claimed.Blob) + wanted); return err == nil })
	copied := func(want ...string) {
		t.Helper()
		if err := Copy(t.Context(), s.Dir, to, everybody); err != nil {
			t.Fatal(err)
		}
		var names []string
		entries, err := os.ReadDir(filepath.Join(to, here))
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		if err != nil || strings.Join(names, " ") != strings.Join(slices.Sorted(slices.Values(want)), " ") {
			t.Fatalf("copied are %v, want %v: %v", names, want, err)
		}
	}
	copied(first.Blob, claimed.Blob+wanted)
	close(w.gate)
	s.await(t.Context(), claimed.Blob)
	second := upload(t, s, "b.png", "", png)
	if err := os.Truncate(filepath.Join(to, here, first.Blob), 7); err != nil {
		t.Fatal(err)
	}
	copied(first.Blob, claimed.Blob, second.Blob)
	backup := s.at(t, to)
	for _, m := range []event.Media{first, claimed, second} {
		if r := get(backup, backup.linked(t, m.Blob)); bodyOf(t, r) != string(png) {
			t.Errorf("of the copy %s is %d", m.Blob, r.StatusCode)
		}
	}
	sealed, err := os.ReadFile(filepath.Join(to, here, first.Blob))
	if err != nil || bytes.Contains(sealed, []byte("picture")) {
		t.Errorf("the copy can be read: %v", err)
	}
	v.erase(here)
	if _, err := backup.LinkTo(t.Context(), first.Blob); err == nil {
		t.Error("of an erased conversation the copy can be read")
	}
}

// What a copy says is still to be fetched is fetched where it is brought back.
func TestCopyOfAFetchUnderWay(t *testing.T) {
	w := &web{kind: "image/png", body: png, gate: make(chan struct{})}
	s := newStore(t, newSafe(t, here), w)
	e := told(s, "https://vendor.example/a.png")
	m, _ := mediaOf(e)
	s.Stored(e)
	until(t, func() bool { _, err := os.Stat(s.path(m.Blob) + wanted); return err == nil })
	to := filepath.Join(t.TempDir(), "media")
	if err := Copy(t.Context(), s.Dir, to, everybody); err != nil {
		t.Fatal(err)
	}
	close(w.gate)
	restored := s.at(t, to)
	restored.Resume(t.Context())
	restored.await(t.Context(), m.Blob)
	if r := get(restored, restored.linked(t, m.Blob)); bodyOf(t, r) != string(png) {
		t.Errorf("after a restore: %d", r.StatusCode)
	}
}

// Copy and Prune look at the conversations they are asked for alone.
func TestCopyAndPruneOfSome(t *testing.T) {
	s := newStore(t, newSafe(t, here, there), nil)
	upload(t, s, "a.png", "", png)
	if _, err := s.Put(t.Context(), there, event.Media{}, bytes.NewReader(png)); err != nil {
		t.Fatal(err)
	}
	only := func(id string) func(string) bool { return func(other string) bool { return other == id } }
	to := filepath.Join(t.TempDir(), "media")
	folders := func() string {
		entries, _ := os.ReadDir(to)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return strings.Join(names, " ")
	}
	if err := Copy(t.Context(), s.Dir, to, only(here)); err != nil || folders() != here {
		t.Errorf("copied are %s: %v", folders(), err)
	}
	if err := Copy(t.Context(), s.Dir, to, only(there)); err != nil {
		t.Fatal(err)
	}
	if err := Prune(to, only(there)); err != nil || folders() != there {
		t.Errorf("left are %s: %v", folders(), err)
	}
	if err := Prune(filepath.Join(to, "none"), only(there)); err != nil {
		t.Errorf("without any file: %v", err)
	}
}
