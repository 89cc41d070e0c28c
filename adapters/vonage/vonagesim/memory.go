package vonagesim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// entry is one line of a record file: an attempt, or a session that moved.
type entry struct {
	Record  *Record `json:"record,omitempty"`
	Session string  `json:"session,omitempty"`
	State   string  `json:"state,omitempty"`
}

// recordFile is where a Studio's memory lies; nil is a Studio without one.
type recordFile struct{ f *os.File }

// Persist makes the Studio remember what the file holds and write there what
// happens from now on, so that a process that is killed goes on where it was. It
// is called before Handler is served.
func (s *Studio) Persist(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open record file: %w", err)
	}
	s.file = &recordFile{f}
	return nil
}

func (s *Studio) load(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read record file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4*bodyLimit)
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // a line cut short by a kill
		}
		if e.Record != nil {
			s.remember(*e.Record)
		} else {
			s.states[e.Session] = e.State
		}
	}
	return lines.Err()
}

// keep and move are called with the lock held.
func (s *Studio) keep(r Record) {
	s.remember(r)
	s.file.write(entry{Record: &r})
}

func (s *Studio) remember(r Record) {
	s.records = append(s.records, r)
	if r.Committed && r.Key != "" {
		s.seen[onceKey(r)] = r.Message
	}
}

func (s *Studio) move(session, state string) {
	s.states[session] = state
	s.file.write(entry{Session: session, State: state})
}

// write is best effort: a simulator that cannot write still simulates.
func (f *recordFile) write(e entry) {
	if f == nil {
		return
	}
	if line, err := json.Marshal(e); err == nil {
		_, _ = f.f.Write(append(line, '\n'))
	}
}

func (f *recordFile) close() error {
	if f == nil {
		return nil
	}
	return f.f.Close()
}
