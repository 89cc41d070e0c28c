package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/media"
)

// A bridge may be anybody's: what it calls a file stays in the folder, and what did
// not come whole is no file.
func TestExportedFilesStayInTheirFolder(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/media/gone" {
			http.NotFound(w, q)
			return
		}
		_, _ = w.Write([]byte("four"))
	}))
	defer s.Close()
	const conversation = "01J00000000000000000000000"
	blob := conversation + "." + strings.Repeat("a", 26)
	for _, c := range []struct{ blob, name, url, saved, fault string }{
		{blob, "a.png", "/media/x", "a.png", ""},
		{blob, "../../../b.png", "/media/x", "b.png", ""},
		{blob, "..", "/media/x", string(filepath.Separator), ""},
		{blob, "a.png", "/media/gone", "", "404"},
		{"../../" + blob, "a.png", "/media/x", "", "what is no file"},
		{blob, "a.png", "https://vendor.example/a.png", "vendor", ""},
	} {
		folder := t.TempDir()
		r := &remote{base: s.URL + api.Base, client: s.Client()}
		line, _ := json.Marshal(api.Exported{Type: "file", File: &api.ExportedFile{Blob: c.blob, Link: media.Link{URL: c.url, Name: c.name, Size: 4}}})
		written, missed, err := r.fileLine(t.Context(), line, folder)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		var f fileRecord
		if err := json.Unmarshal(written, &f); err != nil || missed != 0 {
			t.Fatalf("%+v: %s, %d, %v", c, written, missed, err)
		}
		if c.saved == "vendor" {
			if f.File.Saved != "" || f.File.URL != c.url {
				t.Errorf("of the vendor's: %+v", f)
			}
			continue
		}
		if want := filepath.Join(conversation, "aaaaaaaa-"+c.saved); f.File.Saved != want {
			t.Errorf("%+v: saved as %q", c, f.File.Saved)
		}
		if data, err := os.ReadFile(filepath.Join(folder, f.File.Saved)); err != nil || string(data) != "four" {
			t.Errorf("%+v: %q %v", c, data, err)
		}
	}
	if err := writeFile(filepath.Join(t.TempDir(), "x"), strings.NewReader("fou"), 4); err == nil || !strings.Contains(err.Error(), "3 of its 4 bytes") {
		t.Errorf("cut short: %v", err)
	}
}
