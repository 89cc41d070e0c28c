package host

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSealWaits: a page the kernel is busy with delays a seal and does not fail it; any
// other error does at once, and one that never ends in the end.
func TestSealWaits(t *testing.T) {
	for _, c := range []struct {
		busy  int
		last  error
		tries int
		want  error
	}{{3, nil, 4, nil}, {0, unix.EPERM, 1, unix.EPERM}, {1000, nil, 20, unix.EBUSY}} {
		tries := 0
		err := patiently(func() error {
			if tries++; tries <= c.busy {
				return unix.EBUSY
			}
			return c.last
		})
		if tries != c.tries || !errors.Is(err, c.want) {
			t.Errorf("busy %d times: %v after %d tries", c.busy, err, tries)
		}
	}
}
