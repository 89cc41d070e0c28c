package stories

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// exportedFile is a file's line in an export.
type exportedFile struct{ Blob, URL, Name, Saved string }

// exportedFiles are the files' lines of an export, which must be whole.
func (r *rig) exportedFiles(text string) (all []exportedFile) {
	r.t.Helper()
	if !strings.HasSuffix(text, `{"type":"end"}`+"\n") {
		r.t.Fatalf("the export is cut short: %s", tail(text, 300))
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		var e struct {
			Type string
			File exportedFile
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			r.t.Fatalf("%s: %v", line, err)
		}
		if e.Type == "file" {
			all = append(all, e.File)
		}
	}
	return all
}

// TestAnExportHasTheFiles: whoever answers a customer gets what was said and, in a
// folder, every file; nothing is erased that an export beside it left out.
func TestAnExportHasTheFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	id, token := r.chat()
	pictures := map[string][]byte{}
	for _, what := range []string{"one", "two"} {
		up := r.upload(id, token, "photo.png", pngOf(what))
		if status := r.shows(id, token, what, up); status != http.StatusCreated {
			t.Fatalf("show a picture: %d", status)
		}
		pictures[up.Blob] = pngOf(what)
	}
	at := func(name string) string { return filepath.Join(r.dir, name) }
	plain := r.command("", "conversations", "export", id, "--reason", "request 8")
	if got := r.exportedFiles(plain.out); plain.code != exitOK || len(got) != 2 || !strings.Contains(plain.err, "2 files are not in the export") {
		t.Errorf("without a folder: %+v, files %+v", plain.err, got)
	}
	for _, f := range r.exportedFiles(plain.out) {
		r.serves("http://"+r.public+f.URL, pictures[f.Blob])
	}
	whole := r.command("", "conversations", "export", id, "--reason", "request 8", "--output", at("ada.jsonl"), "--files", at("ada"))
	if whole.code != exitOK || whole.err != "" {
		t.Fatalf("with a folder: %+v", whole)
	}
	r.saved(at("ada.jsonl"), at("ada"), pictures)
	if again := r.command("", "conversations", "export", id, "--reason", "request 8", "--files", at("ada")); again.code != exitFailed || !strings.Contains(again.err, "exists") {
		t.Errorf("into a folder that is there: %+v", again)
	}
	refused := r.command("", "conversations", "erase", id, "--reason", "request 8", "--export", at("b.jsonl"), "--yes")
	if refused.code != exitFailed || !strings.Contains(refused.err, "nothing was erased: 2 files are not in the export") {
		t.Errorf("erased with an export without files: %+v", refused)
	}
	erased := r.command("", "conversations", "erase", id, "--reason", "request 8", "--export", at("c.jsonl"), "--files", at("c"), "--yes")
	if erased.code != exitOK || erased.out != id+"  erased\n" {
		t.Fatalf("erased: %+v", erased)
	}
	r.saved(at("c.jsonl"), at("c"), pictures)
}

// saved checks the files of an export.
func (r *rig) saved(export, folder string, pictures map[string][]byte) {
	r.t.Helper()
	text, err := os.ReadFile(export)
	if err != nil {
		r.t.Fatal(err)
	}
	files := r.exportedFiles(string(text))
	if len(files) != len(pictures) {
		r.t.Errorf("%d files are in the export", len(files))
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(folder, f.Saved))
		if err != nil || !bytes.Equal(data, pictures[f.Blob]) || !strings.HasSuffix(f.Saved, "-photo.png") {
			r.t.Errorf("%s has %d bytes: %v", f.Saved, len(data), err)
		}
		info, err := os.Stat(filepath.Join(folder, f.Saved))
		if err != nil || info.Mode().Perm() != 0o600 {
			r.t.Errorf("others may read %s: %v", f.Saved, err)
		}
	}
}
