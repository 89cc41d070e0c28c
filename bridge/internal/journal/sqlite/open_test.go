package sqlite

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// openElsewhere names the folder a second process has to try to open.
const openElsewhere = "JOURNAL_TEST_OPEN"

// TestMain has rapid try less than it would, since every try opens files; the
// flag on the command line asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func TestASecondProcessIsRefused(t *testing.T) {
	if dir := os.Getenv(openElsewhere); dir != "" {
		_, err := Open(context.Background(), dir, openKeys(t, dir), Options{})
		t.Fatal(err)
	}
	dir := t.TempDir()
	j := openJournal(t, dir, Options{})
	owner := "in use by process " + strconv.Itoa(os.Getpid())

	_, err := Open(context.Background(), dir, openKeys(t, dir), Options{})
	if err == nil || !strings.Contains(err.Error(), owner) {
		t.Errorf("the same process opened it twice: %v", err)
	}
	other := exec.Command(os.Args[0], "-test.run=^TestASecondProcessIsRefused$")
	other.Env = append(os.Environ(), openElsewhere+"="+dir)
	if out, err := other.CombinedOutput(); err == nil || !strings.Contains(string(out), owner) {
		t.Errorf("another process was not refused: %v\n%s", err, out)
	}
	commit(t, j, newTurn("c"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	openJournal(t, dir, Options{})
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // too wide on purpose.
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fileName), nil, 0o644); err != nil { //nolint:gosec // as above.
		t.Fatal(err)
	}
	j := openJournal(t, dir, Options{})
	commit(t, j, newTurn("c"))
	modes := map[string]os.FileMode{".": 0o700, fileName: 0o600, fileName + "-wal": 0o600, fileName + "-shm": 0o600, lockName: 0o600}
	for name, want := range modes {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestASharedFolderIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	openJournal(t, dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	info, err := os.Stat(dir)
	equal(t, "mode", info.Mode().Perm(), os.FileMode(0o777), err)
	if !strings.Contains(log.String(), "0700") {
		t.Errorf("no warning: %s", log.String())
	}
}

func TestANewerJournalIsRefused(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, Options{})
	tamper(t, j, `INSERT INTO migrations (number, name) VALUES (999, 'later')`)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), dir, openKeys(t, dir), Options{})
	want := fmt.Sprintf("newer program (schema 999, this program knows up to %d)", len(migrations()))
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestAnotherMasterKeyIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := openJournal(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), dir, openKeys(t, dir+"-another"), Options{})
	if err == nil || !strings.Contains(err.Error(), "master key") {
		t.Errorf("got %v", err)
	}
}

func TestMigrationsGoForwards(t *testing.T) {
	steps := migrations()
	for i, step := range steps {
		if step.number != int64(i)+1 || step.name == "" || step.sql == "" {
			t.Errorf("step %d is %d %q", i+1, step.number, step.name)
		}
	}
	j, ctx := openJournal(t, t.TempDir(), Options{}), context.Background()
	db, err := openPool(j.path, writerPragmas, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	next := migration{int64(len(steps)) + 1, "next", `CREATE TABLE next (id TEXT); INSERT INTO next (id) VALUES ('a')`}
	broken := migration{next.number + 1, "broken", `CREATE TABLE after (id TEXT); INSERT INTO nowhere (id) VALUES ('a')`}
	steps = append(steps, next, broken)
	for range 2 { // the same step fails again, the ones before are not repeated.
		if err := migrate(ctx, db, steps); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Fatalf("got %v", err)
		}
	}
	var rows int
	if err := db.QueryRow(`SELECT COUNT(*) FROM next`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
	if err := db.QueryRow(`SELECT COUNT(*) FROM after`).Scan(&rows); err == nil {
		t.Error("half a step was kept")
	}
}

func TestAClosedJournalAnswersNothing(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	j := openJournal(t, dir, Options{})
	commit(t, j, newTurn("c"))
	if _, err := j.Load(ctx, "c"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	isError(t, "Commit", j.Commit(ctx, newTurn("c")), journal.ErrClosed)
	_, err := j.Load(ctx, "c")
	isError(t, "Load", err, journal.ErrClosed)
	if _, err := os.Stat(filepath.Join(dir, fileName+"-wal")); err == nil {
		t.Error("the log was not folded in")
	}
	for _, open := range openFiles() {
		if strings.HasPrefix(open, dir) {
			t.Errorf("%s is still open", open)
		}
	}
}

// openFiles lists what the process has open, where the system tells.
func openFiles() (paths []string) {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if path, err := os.Readlink(link); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// An image of the files taken at any moment, as a crash leaves them, opens and
// holds every commit that was answered, and whole commits only.
func TestACrashImageHoldsWhatWasAnswered(t *testing.T) {
	dir, images := t.TempDir(), t.TempDir()
	type image struct {
		dir      string
		answered int64
	}
	var taken []image
	var answered int64
	j := openJournal(t, dir, Options{Hook: func(point string) {
		to := filepath.Join(images, strconv.Itoa(len(taken))+point)
		copyFiles(t, dir, to)
		taken = append(taken, image{to, answered})
	}})
	c := newTurn("c")
	for ; c.Version < 12; c.Version++ {
		c.Events = []event.Event{said("c", 2*c.Version+1, "one"), said("c", 2*c.Version+2, "two")}
		commit(t, j, c)
		answered = c.Version + 1
		if c.Version%5 == 0 {
			time.Sleep(2 * keepEvery) // lets the keeper fold the log in.
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, i := range taken {
		opened, err := Open(context.Background(), i.dir, openKeys(t, dir), Options{})
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := opened.Load(context.Background(), "c")
		if i.answered > 0 && (err != nil || loaded.Version < i.answered || loaded.Version > i.answered+1 || loaded.Seq != 2*loaded.Version) {
			t.Errorf("%s: version %d and seq %d after %d answers: %v", i.dir, loaded.Version, loaded.Seq, i.answered, err)
		}
		if err := opened.Scrub(context.Background()); err != nil {
			t.Errorf("%s: %v", i.dir, err)
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Error(err)
	}
	for _, name := range []string{fileName, fileName + "-wal"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), data, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestTheLogIsFoldedInBesideWork(t *testing.T) {
	j := openJournal(t, t.TempDir(), Options{})
	before, err := os.Stat(j.path)
	if err != nil {
		t.Fatal(err)
	}
	large := newTurn("c")
	large.State = make([]byte, 1<<20)
	commit(t, j, large)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if now, err := os.Stat(j.path); err == nil && now.Size() > before.Size() {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the file did not grow")
		}
	}
	j.writer.crowded.Store(true)
	commit(t, j, newTurn("d"))
	commit(t, j, newTurn("e"))
	if j.writer.crowded.Load() {
		t.Error("a crowded log was not folded in by the writer")
	}
}
