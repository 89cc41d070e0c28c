package stories

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestAdapterTestCommand: the command holds a plugin to the laws, and tells one that
// breaks them. Every adapter is held to them by the same code in bridge/cmd/footbridge.
func TestAdapterTestCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"adapter", "test", "scripted", "--testdata", filepath.Join(repository, "adapters", "scripted", "testdata")},
		{"adapter", "test", "vonage"},
		{"adapter", "test", "aisera", "--own-people"},
	} {
		if got := finish(t, nil, nil, args...); got.code != exitOK || !strings.Contains(got.out, "kept") || strings.Contains(got.out, "BROKEN") {
			t.Errorf("%v: %+v", args, got)
		}
	}
	dir, err := testPlugins()
	if err != nil {
		t.Fatal(err)
	}
	got := finish(t, nil, nil, "adapter", "test", "brittle", "--dir", dir, "--sample", `say={"id":"{key}","text":"poison"}`, "--json")
	if got.code != exitFailed || !strings.Contains(got.out, `"kept":false`) || !strings.Contains(got.err, "laws broken") {
		t.Errorf("a plugin that dies: %+v", got)
	}
	if got := finish(t, nil, nil, "adapter", "test", "scripted", "--testdata", t.TempDir()); got.code != exitFailed || !strings.Contains(got.out, "BROKEN  scripts") || !strings.Contains(got.out, "BROKEN  upgradable") {
		t.Errorf("a folder without scripts and states: %+v", got)
	}
	if got := finish(t, nil, nil, "adapter", "test", "scripted", "--testdata", "nowhere"); got.code != exitFailed || !strings.Contains(got.err, "read the test data") {
		t.Errorf("a folder that is not there: %+v", got)
	}
	if got := finish(t, nil, nil, "adapter", "test", "nowhere"); got.code != exitFailed || !strings.Contains(got.err, "footbridge-adapter-nowhere") {
		t.Errorf("a plugin that is not there: %+v", got)
	}
}
