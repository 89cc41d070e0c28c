// Command echo is a plugin for tests: it answers a request with its body, and
// misbehaves on order. Its adapter's name is the end of its file's name.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
	"github.com/footbridge/footbridge/bridge/event"
)

func main() {
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "footbridge-adapter-")
	if strings.HasPrefix(name, "crash") {
		fmt.Fprintln(os.Stderr, "crash: on purpose")
		os.Exit(3)
	}
	serve.Main(adapter.Definition{
		Manifest: adapter.Manifest{Name: name, Title: "Echo", Version: "1.2.3", StateVersion: 1,
			Roles: []event.Role{event.RoleVirtualAgent}},
		Configure: configure,
		Adapter:   adapter.Func(handle),
	})
}

func configure(a adapter.Account) (adapter.Profile, error) {
	switch a.Name {
	case "refused":
		return adapter.Profile{}, errors.New("settings.region: there is no such region; use eu or us")
	case "hang":
		select {}
	}
	return adapter.Profile{Hosts: []string{a.Name + ".example"}, Mask: []string{"/pin"}, Endpoints: []adapter.Endpoint{
		{Name: "ws", Auth: "frame:/token=token"}, {Name: "events", Auth: "body:/payload/secret=token", Tokens: []string{"query:t", "frame:/session"}}}}, nil
}

type state struct{ Turns int }

func handle(tx *adapter.Tx, s *state, in adapter.Input) error {
	s.Turns++
	switch in := in.(type) {
	case adapter.Request:
		var frame struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(in.Body, &frame); err != nil {
			return err
		}
		say(tx, frame.Text)
		tx.Reply(in.ID, adapter.Reply{Status: 200, Body: in.Body})
		return nil
	case adapter.Fired:
		return orders[in.Timer](tx)
	}
	return adapter.ErrUnsupported
}

func say(tx *adapter.Tx, text string) {
	tx.Emit(adapter.Emission{Body: event.MessageCreated{Content: event.Plain(text)}, Actor: event.Actor{Role: event.RoleCustomer}})
}

var orders = map[string]func(*adapter.Tx) error{
	"pid":    func(tx *adapter.Tx) error { say(tx, fmt.Sprint(os.Getpid())); return nil },
	"sleep":  func(tx *adapter.Tx) error { time.Sleep(50 * time.Millisecond); say(tx, "slept"); return nil },
	"hang":   func(*adapter.Tx) error { select {} },
	"panic":  func(*adapter.Tx) error { panic("on order") },
	"goexit": func(*adapter.Tx) error { runtime.Goexit(); return nil },
	"exit":   func(*adapter.Tx) error { os.Exit(7); return nil },
	"env":    func(tx *adapter.Tx) error { say(tx, strings.Join(os.Environ(), "\n")); return nil },
	"big": func(tx *adapter.Tx) error {
		tx.Reply("r", adapter.Reply{Status: 200, Body: make([]byte, 5<<20)})
		return nil
	},
	"print": func(tx *adapter.Tx) error {
		for range 3000 {
			fmt.Println("\x1b[31mto stdout\x00" + strings.Repeat("x", 100))
		}
		fmt.Fprintln(os.Stderr, strings.Repeat("y", 10<<20))
		say(tx, "printed")
		return nil
	},
	"child": func(tx *adapter.Tx) error {
		p, err := os.StartProcess("/bin/sleep", []string{"sleep", "60.4711"},
			&os.ProcAttr{Files: []*os.File{nil, os.Stderr, os.Stderr}})
		if err != nil {
			return err
		}
		say(tx, fmt.Sprint(p.Pid))
		return nil
	},
	"hunt": func(tx *adapter.Tx) error {
		files, err := filepath.Glob("/proc/[0-9]*/environ")
		var found []string
		for _, f := range files {
			if data, err := os.ReadFile(f); err == nil {
				found = append(found, string(data))
			}
		}
		say(tx, strings.Join(found, "\n"))
		return err
	},
	"hold": func(tx *adapter.Tx) error {
		mib, err := strconv.Atoi(tx.Key())
		held := make([]byte, mib<<20)
		for at := 0; at < len(held); at += 4096 {
			held[at] = 1
		}
		say(tx, fmt.Sprintf("holds %d with %s", len(held)>>20, os.Getenv("GOMEMLIMIT")))
		return err
	},
	"dial": func(tx *adapter.Tx) error {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+tx.Key(), time.Second)
		if err != nil {
			say(tx, err.Error())
			return nil
		}
		c.Close()
		say(tx, "connected")
		return nil
	},
}
