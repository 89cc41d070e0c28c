package stories

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cell is one entry of the matrix as JSON.
type cell struct {
	Front, Back  struct{ Account, Adapter, Role string }
	VirtualAgent struct{ Account, Adapter string } `json:"virtual_agent"`
	Levels       map[string]string
}

func TestMatrix(t *testing.T) {
	t.Parallel()
	got := finish(t, nil, nil, "matrix", "--json")
	found := map[string]cell{}
	for _, text := range printed(got.out) {
		var c cell
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		found[strings.Join([]string{c.Front.Adapter, c.Front.Role, c.VirtualAgent.Adapter, c.Back.Adapter}, " ")] = c
	}
	if got.code != exitOK || found["native customer  native"].Levels["choices"] != "full" || found["native customer scripted native"].Levels["media"] != "fallback" {
		t.Fatalf("%+v", got)
	}
	studio := found["vonage virtual_agent  native"]
	for name, want := range map[string]string{"text": "full", "media": "partial", "choices": "fallback", "long_text": "partial", "typing": "dropped", "transcript": "full"} {
		if studio.Levels[name] != want {
			t.Errorf("%s between AI Studio and the desk is %q, want %q", name, studio.Levels[name], want)
		}
	}
	table := finish(t, nil, nil, "matrix")
	rows := printed(table.out)
	if len(rows) != len(found)+1 || !strings.HasPrefix(rows[0], "FRONT END") {
		t.Fatalf("%d rows for %d pairs:\n%s", len(rows), len(found), table.out)
	}
	at := strings.Index(rows[0], "TIMEOUT")
	for _, row := range rows[1:] {
		if len(row) < at || strings.ContainsRune(row[at:], ' ') || row[at-1] != ' ' {
			t.Errorf("not aligned with TIMEOUT: %s", row)
		}
	}
}

// TestMatrixOfAConfiguration: the accounts are the configuration's; one whose
// plugin does not run is told, and the others are shown.
func TestMatrixOfAConfiguration(t *testing.T) {
	t.Parallel()
	p := newProgram(t, example(t))
	got := p.run("matrix")
	if got.code != exitOK || !strings.Contains(got.out, "studio (virtual_agent)") || !strings.Contains(got.out, "web (customer)") || strings.Contains(got.out, "native") {
		t.Errorf("%+v", got)
	}
	got = p.run("matrix", "--guarantees")
	for _, part := range []string{"Never lost:", "May repeat:", "start", "reply within 10s", "body, during a hand-off", "within 1m0s", "nothing: it is new"} {
		if !strings.Contains(got.out, part) {
			t.Errorf("--guarantees lacks %q:\n%s", part, got.all())
		}
	}
	own := t.TempDir()
	if err := os.WriteFile(filepath.Join(own, "footbridge-adapter-crasher"), []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	broken := fmt.Sprintf("[plugins]\ndir = %q\n%s\n[accounts.bad]\nadapter = \"crasher\"\nrole = \"live_agent\"\n", own,
		"[accounts.web]\nadapter = \"native\"\nrole = \"customer\"\npublishable_key = \"pk_test\"\n[accounts.desk]\nadapter = \"native\"\nrole = \"live_agent\"")
	p = newProgram(t, broken)
	if got := p.run("matrix"); got.code != exitFailed || !strings.Contains(got.out, "web (customer)") || !strings.Contains(got.err, "account bad: ") {
		t.Errorf("with a plugin that does not run: %+v", got)
	}
	if got := finish(t, nil, nil, "matrix", "--config", "/nowhere.toml"); got.code != exitUsage || got.out != "" {
		t.Errorf("without its configuration: %+v", got)
	}
}
