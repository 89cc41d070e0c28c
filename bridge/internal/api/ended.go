package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Ended remembers the sign-ins that were ended before their time, so that a cookie
// that was signed out is worth nothing after a restart too. It is safe for
// concurrent use.
type Ended struct {
	path string

	mu   sync.Mutex
	said endings
}

// endings are what the file holds; times are in milliseconds since 1970.
type endings struct {
	// SignIns are ended one by one, Names all that began until then.
	SignIns map[string]int64 `json:"sign_ins"`
	Names   map[string]int64 `json:"names"`
}

// OpenEnded reads the file at path, which it makes with mode 0600 when somebody
// signs out; "" is a memory that ends with the process. A file that is damaged is
// refused: nobody would know who had been signed out.
func OpenEnded(path string) (*Ended, error) {
	e := newEnded()
	e.path = path
	if path == "" {
		return e, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &e.said)
	}
	if err != nil || e.said.SignIns == nil || e.said.Names == nil {
		return nil, fmt.Errorf("read who signed out from %s: %w; mend: remove the file, and change the secrets of [[api.tokens]] if somebody was signed out for good", path, orDamaged(err))
	}
	return e, nil
}

func newEnded() *Ended {
	return &Ended{said: endings{SignIns: map[string]int64{}, Names: map[string]int64{}}}
}

func orDamaged(err error) error {
	if err == nil {
		return errors.New("it is damaged")
	}
	return err
}

func (e *Ended) has(id, name string, began int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, one := e.said.SignIns[id]
	until, all := e.said.Names[name]
	return one || all && began <= until
}

// one ends a sign-in.
func (e *Ended) one(id string) error {
	return e.write(func(s endings, now int64) { s.SignIns[id] = now })
}

// all ends what began in a name until now.
func (e *Ended) all(name string) error {
	return e.write(func(s endings, now int64) { s.Names[name] = now })
}

func (e *Ended) write(change func(endings, int64)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	change(e.said, now.UnixMilli())
	for _, m := range []map[string]int64{e.said.SignIns, e.said.Names} {
		for key, at := range m {
			if now.Sub(time.UnixMilli(at)) > signedInFor {
				delete(m, key)
			}
		}
	}
	if e.path == "" {
		return nil
	}
	data, err := json.Marshal(e.said)
	if err == nil {
		err = replaceFile(e.path, data)
	}
	if err != nil {
		return fmt.Errorf("keep who signed out in %s: %w", e.path, err)
	}
	return nil
}

// replaceFile writes a whole, synced file under another name and gives it the
// name, so that a crash leaves the old one or the new one.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
