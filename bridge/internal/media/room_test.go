package media

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
)

// TestTotal: what a conversation's files come to together has a limit, however many
// come at once, and whoever points to them.
func TestTotal(t *testing.T) {
	site := &web{kind: "image/png", body: sized(90000)}
	s := newStore(t, newSafe(t, here, there), site, func(r *Rules) { r.MaxFiles, r.MaxTotal = 100, 300_000 })
	var work sync.WaitGroup
	var mu sync.Mutex
	taken, refused := 0, 0
	begin := make(chan struct{})
	for range 10 {
		work.Go(func() {
			in, out := io.Pipe()
			go func() { <-begin; _, err := out.Write(sized(90000)); out.CloseWithError(err) }()
			_, err := s.Put(t.Context(), here, event.Media{Name: "a.png"}, in)
			_ = in.Close()
			var no *Refusal
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				taken++
			case errors.As(err, &no) && strings.Contains(no.Reason, "larger than the 300000 bytes [media] max_total allows"):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	close(begin)
	work.Wait()
	if taken != 3 || refused != 7 {
		t.Errorf("taken %d, refused %d", taken, refused)
	}
	e := told(s, "https://vendor.example/a.png")
	m, _ := mediaOf(e)
	s.Stored(e)
	s.await(t.Context(), m.Blob)
	if _, _, why := s.Link(t.Context(), e, m); !strings.Contains(why, "max_total") {
		t.Errorf("a vendor's file is refused with %q", why)
	}
	if _, err := s.Put(t.Context(), there, event.Media{}, bytes.NewReader(sized(90000))); err != nil {
		t.Errorf("in another conversation: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*", "*"+unready)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Files on their way count too, so that not all of a disk can be filled with them.
func TestArrivingFilesCount(t *testing.T) {
	s := newStore(t, newSafe(t, here), nil, func(r *Rules) { r.MaxFiles = 2 })
	upload(t, s, "a.png", "", png)
	if err := os.WriteFile(filepath.Join(s.Dir, here, "123"+unready), png, 0o600); err != nil {
		t.Fatal(err)
	}
	var no *Refusal
	if _, err := s.Put(t.Context(), here, event.Media{}, bytes.NewReader(png)); !errors.As(err, &no) {
		t.Errorf("a third: %v", err)
	}
}

func sized(n int) []byte { return append(bytes.Clone(png), make([]byte, n-len(png))...) }
