package stories

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is an account without rights.
const nobody = 65534

// asAccount writes a configuration into a folder everybody may read, with a copy of
// the program, and runs serve under that account.
func asAccount(t *testing.T, account uint32, prepare func(data string) error) (outcome, string) {
	t.Helper()
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	open, err := os.MkdirTemp("", "fb-open")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(open) })
	program, data, config := filepath.Join(open, "footbridge"), filepath.Join(open, "data"), filepath.Join(open, "config.toml")
	p.change(filepath.Join(p.dir, "data"), data)
	text, err := os.ReadFile(p.config)
	if err == nil {
		err = errors.Join(os.Chmod(open, 0o755), os.WriteFile(config, text, 0o644), exec.Command("cp", footbridge(t), program).Run(), os.Chmod(program, 0o755), prepare(data))
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second) // one that is not refused serves
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "serve", "--config", config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: account, Gid: account}}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &out, []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + open}
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{out: out.String(), code: cmd.ProcessState.ExitCode()}, data
}

// TestAnotherAccount: a journal is its owner's; a folder that cannot be used is told
// with the mend, and nothing is put into it.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another account")
	}
	of := func(account int, mode os.FileMode, journal bool) func(string) error {
		return func(data string) error {
			err := os.Mkdir(data, 0o700)
			if journal {
				file := filepath.Join(data, "journal.db")
				err = errors.Join(err, os.WriteFile(file, nil, 0o600), os.Chown(file, account, account))
			}
			return errors.Join(err, os.Chown(data, account, account), os.Chmod(data, mode))
		}
	}
	for name, c := range map[string]struct {
		account uint32
		prepare func(string) error
		wanted  []string
	}{
		"root, another's journal":           {0, of(nobody, 0o700, true), []string{"belongs to account 65534", "runs as 0", "mend: run it as 65534"}},
		"another, root's journal":           {nobody, of(0, 0o700, true), []string{"belongs to account 0", "runs as 65534", "mend: run it as 0"}},
		"a folder that is not writable":     {nobody, of(nobody, 0o500, false), []string{"write into the journal's folder", "permission denied", "mend: give this account write access"}},
		"a journal that is not writable":    {nobody, of(nobody, 0o500, true), []string{"write into the journal's folder", "permission denied", "mend: give this account write access"}},
		"a folder that cannot be made":      {nobody, func(string) error { return nil }, []string{"make the journal's folder", "mend: set [journal] dir"}},
		"a file in the place of the folder": {0, func(data string) error { return os.WriteFile(data, nil, 0o600) }, []string{"make the journal's folder", "mend: set [journal] dir"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, data := asAccount(t, c.account, c.prepare)
			if part := missing(got.out, c.wanted); part != "" || got.code != exitFailed {
				t.Errorf("exit code %d, no %q in:\n%s", got.code, part, got.out)
			}
			left, _ := os.ReadDir(data)
			for _, entry := range left {
				if entry.Name() != "journal.db" {
					t.Errorf("%s was left behind", fmt.Sprint(entry))
				}
			}
		})
	}
}
