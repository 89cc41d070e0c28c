package credential

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func open(t *testing.T, dir string) *Keyring {
	t.Helper()
	k, err := OpenKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyringIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := open(t, dir)
	info, err := os.Stat(filepath.Join(dir, "master.key"))
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Fatalf("%v %v", info, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Fatalf("left behind: %v", entries)
	}
	key, wrapped, err := first.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	sealed := key.Seal([]byte("body"), []byte("row 7"))
	again, err := open(t, dir).Unwrap(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Open(sealed, []byte("row 7")); err != nil || string(plain) != "body" {
		t.Fatalf("%q %v", plain, err)
	}
	other := open(t, t.TempDir())
	if _, err := other.Unwrap(wrapped); err == nil || !strings.Contains(err.Error(), "master.key") {
		t.Fatalf("another master key unwrapped it: %v", err)
	}
	if !bytes.Equal(first.Derive("a"), open(t, dir).Derive("a")) || bytes.Equal(first.Derive("a"), first.Derive("b")) ||
		bytes.Equal(first.Derive("a"), other.Derive("a")) || len(first.Derive("a")) != 32 {
		t.Fatal("a derived key depends on the master key and the label, and on nothing else")
	}
}

func TestKeyringRefuses(t *testing.T) {
	for want, spoil := range map[string]func(path string) error{
		"chmod 600":           func(p string) error { return os.Chmod(p, 0o640) },
		"put it back":         func(p string) error { return os.Truncate(p, 31) },
		"put it back from":    func(p string) error { return os.WriteFile(p, make([]byte, 33), 0o600) },
		"must be a file":      func(p string) error { return os.Chmod(p, 0o604) },
		"run chmod 600 on it": func(p string) error { _ = os.Remove(p); return os.Mkdir(p, 0o600) },
	} {
		dir := t.TempDir()
		open(t, dir)
		if err := spoil(filepath.Join(dir, "master.key")); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyring(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

func TestStartsAtOnceShareOneKey(t *testing.T) {
	dir := t.TempDir()
	derived := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range derived {
		wg.Go(func() {
			k, err := OpenKeyring(dir)
			if err != nil {
				t.Error(err)
				return
			}
			derived[i] = k.Derive("x")
		})
	}
	wg.Wait()
	for _, d := range derived {
		if !bytes.Equal(d, derived[0]) {
			t.Fatal("two programs that started at once use different keys")
		}
	}
}

func TestSealing(t *testing.T) {
	k := open(t, t.TempDir())
	key, wrapped, err := k.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := k.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(r, "plain")
		aad := rapid.SliceOf(rapid.Byte()).Draw(r, "aad")
		sealed := key.Seal(plain, aad)
		if got, err := key.Open(sealed, aad); err != nil || !bytes.Equal(got, plain) {
			r.Fatalf("%q %v", got, err)
		}
		if bytes.Equal(sealed, key.Seal(plain, aad)) {
			r.Fatal("sealed twice to the same bytes")
		}
		spoiled := bytes.Clone(sealed)
		at := rapid.IntRange(0, len(sealed)*8-1).Draw(r, "bit")
		spoiled[at/8] ^= 1 << (at % 8)
		cut := sealed[:rapid.IntRange(0, len(sealed)-1).Draw(r, "cut")]
		for _, bad := range [][]byte{spoiled, cut, nil, append(bytes.Clone(sealed), 0)} {
			if _, err := key.Open(bad, aad); err == nil {
				r.Fatalf("damaged data was opened")
			}
		}
		if _, err := key.Open(sealed, append(bytes.Clone(aad), 1)); err == nil {
			r.Fatal("opened as another row")
		}
		if _, err := other.Open(sealed, aad); err == nil {
			r.Fatal("opened with another key")
		}
	})
	wrapped[len(wrapped)-1] ^= 1
	if _, err := k.Unwrap(wrapped); err == nil {
		t.Fatal("a damaged wrapped key was unwrapped")
	}
}

func TestKeysDoNotShow(t *testing.T) {
	k := open(t, t.TempDir())
	key, _, err := k.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %+v %#v %v", k, key, key, key.String()+k.String()); got != strings.Repeat(Mask+" ", 3)+Mask+Mask {
		t.Fatal(got)
	}
}

func TestKeyringIsForManyGoroutines(t *testing.T) {
	k := open(t, t.TempDir())
	key, wrapped, err := k.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				again, err := k.Unwrap(wrapped)
				if err != nil {
					t.Error(err)
				}
				if _, err := again.Open(key.Seal([]byte("x"), nil), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
