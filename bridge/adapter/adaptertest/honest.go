package adaptertest

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// capability is one thing a profile says of the far side.
type capability struct {
	name  string
	level func(adapter.Levels) adapter.Level
	// bodies are what is delivered to try it.
	bodies []event.Body
	// shown reports whether an event, in either direction, shows it.
	shown func(event.Body) bool
}

// declared are the capabilities a profile may have.
func declared() []capability {
	transcript := []event.TranscriptEntry{{Actor: event.Actor{Role: event.RoleCustomer}, Content: event.Plain("a person")}}
	all := []capability{
		{"typing", func(l adapter.Levels) adapter.Level { return l.Typing }, []event.Body{event.TypingStarted{}, event.TypingStopped{}}, kindOf(event.KindTypingStarted)},
		{"receipts", func(l adapter.Levels) adapter.Level { return l.Receipts },
			[]event.Body{event.MessageDelivered{Message: "m-1"}, event.MessageRead{Message: "m-1"}}, kindOf(event.KindMessageDelivered, event.KindMessageRead)},
		{"partials", func(l adapter.Levels) adapter.Level { return l.Partials },
			[]event.Body{event.MessagePartial{Stream: "s", Mode: "append", Text: "wo"}, event.MessageCreated{Stream: "s", Content: event.Plain("words")}}, kindOf(event.KindMessagePartial)},
		{"transcript", func(l adapter.Levels) adapter.Level { return l.Transcript }, []event.Body{event.TranscriptShared{Entries: transcript}}, tellsPast},
		{"queue_position", func(l adapter.Levels) adapter.Level { return l.QueuePosition },
			[]event.Body{event.HandoffQueued{Position: 3, Wait: 60}}, kindOf(event.KindHandoffQueued)},
		{"customer_end", func(l adapter.Levels) adapter.Level { return l.CustomerEnd },
			[]event.Body{event.ConversationEnded{Reason: "completed", By: event.RoleCustomer}}, endedByCustomer},
	}
	for _, s := range specimens() {
		body, err := event.DecodeBody(s.kind, []byte(s.body))
		said, ok := body.(event.MessageCreated)
		if !ok || err != nil {
			continue
		}
		if c := content(said); !slices.ContainsFunc(all, func(other capability) bool { return other.name == c.name }) {
			all = append(all, c)
		}
	}
	return all
}

func kindOf(kinds ...event.Kind) func(event.Body) bool {
	return func(b event.Body) bool { return slices.Contains(kinds, b.Kind()) }
}

func tellsPast(b event.Body) bool {
	switch b := b.(type) {
	case event.TranscriptShared:
		return len(b.Entries) > 0
	case event.HandoffRequested:
		return len(b.Transcript) > 0
	}
	return false
}

func endedByCustomer(b event.Body) bool {
	ended, ok := b.(event.ConversationEnded)
	return ok && ended.By == event.RoleCustomer
}

// content is the capability of what a message holds.
func content(said event.MessageCreated) capability {
	kind := contentType(said)
	return capability{"content " + kind, func(l adapter.Levels) adapter.Level { return l.Content[kind] }, []event.Body{said},
		func(b event.Body) bool {
			other, ok := b.(event.MessageCreated)
			return ok && contentType(other) == kind
		}}
}

func contentType(m event.MessageCreated) string {
	if m.Content.Part == nil {
		return ""
	}
	return m.Content.Part.Type()
}

// honest delivers what the profile says the far side carries, whole, in part or in
// another form: it is neither unsupported nor given up where all goes well. What it
// carries whole or in part must be shown by a script, too.
func honest(b *bench) error {
	var shown map[string]bool
	var faults []error
	if b.options.Testdata != "" {
		var err error
		if shown, err = b.showing(); err != nil {
			faults = append(faults, err)
		}
	}
	for _, c := range declared() {
		level := c.level(b.profile.Levels)
		if level == "" || level == adapter.Dropped || level == adapter.Rejected {
			continue
		}
		if err := b.carries(c); err != nil {
			faults = append(faults, fmt.Errorf("%s is declared %s: %w", c.name, level, err))
		}
		if shown != nil && level != adapter.Fallback && !shown[c.name] {
			faults = append(faults, fmt.Errorf("%s is declared %s for %s, and no script in %s shows it", c.name, level, b.account.Role, b.options.Testdata))
		}
	}
	return errors.Join(faults...)
}

// carries delivers what shows a capability in the middle of a conversation.
func (b *bench) carries(c capability) error {
	refused := ""
	l, err := b.openedOn(refusing{b.turner, &refused})
	if err != nil {
		return err
	}
	for _, body := range c.bodies {
		e := b.words("")
		if e.Body = body; body.Kind() == event.KindConversationEnded {
			e.Actor.Role = event.RoleCustomer
		}
		if err := l.serve(adapter.Deliver{Event: e}, answered(http.StatusOK)); err != nil {
			return err
		}
		if refused != "" {
			return fmt.Errorf("delivery of %s: %s", body.Kind(), refused)
		}
	}
	return nil
}

// refusing is a Turner that notes what is not delivered although all goes well.
type refusing struct {
	Turner
	refused *string
}

func (r refusing) Turn(t adapter.Turn) adapter.Outcome {
	out := r.Turner.Turn(t)
	if _, delivery := t.Input.(adapter.Deliver); delivery && out.Unsupported {
		*r.refused = "it is unsupported"
	}
	for _, effect := range out.Effects {
		if failure, ok := effect.(adapter.Failure); ok {
			*r.refused = "it is given up: " + failure.Reason
		}
	}
	return out
}

// showing are the capabilities the scripts show of the account's role.
func (b *bench) showing() (map[string]bool, error) {
	seen := map[string]bool{}
	turner := showing{b.turner, b.account.Role, declared(), seen}
	err := eachScript(b.options.Testdata, func(file, script string) error {
		_, err := ReplayOver(b.configure, turner, script)
		return err
	})
	return seen, err
}

// showing is a Turner that notes what the turns of a role show.
type showing struct {
	Turner
	role event.Role
	all  []capability
	seen map[string]bool
}

func (s showing) Turn(t adapter.Turn) adapter.Outcome {
	out := s.Turner.Turn(t)
	if t.Account.Role != s.role {
		return out
	}
	if d, ok := t.Input.(adapter.Deliver); ok {
		s.see(d.Event.Body)
	}
	for _, effect := range out.Effects {
		if e, ok := effect.(adapter.Emission); ok {
			s.see(e.Body)
		}
	}
	return out
}

func (s showing) see(b event.Body) {
	for _, c := range s.all {
		if b != nil && c.shown(b) {
			s.seen[c.name] = true
		}
	}
}

// eachScript reads the scripts of a folder; none at all is an error.
func eachScript(dir string, use func(file, script string) error) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no scripts %s/*.txt", dir)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read a script: %w", err)
		}
		if err := use(file, string(data)); err != nil {
			return fmt.Errorf("%s:%w", file, err)
		}
	}
	return nil
}

// scripts holds the adapter to every script of its folder.
func scripts(b *bench) error {
	if b.options.Testdata == "" || !b.first {
		return nil
	}
	return eachScript(b.options.Testdata, func(_, script string) error {
		got, err := ReplayOver(b.configure, b.turner, script)
		if err != nil || got == strings.TrimRight(script, "\n")+"\n" {
			return err
		}
		line, want, have := difference(script, got)
		return fmt.Errorf("%d: the adapter did something else\n script  %s\n adapter %s", line, want, have)
	})
}

// roundTrip holds the adapter to the cases of its corpus in the account's role.
func roundTrip(b *bench) error {
	file := filepath.Join(b.options.Testdata, "corpus.json")
	if _, err := os.Stat(file); err != nil || b.options.Testdata == "" || !b.first {
		return nil // what speaks to no vendor has no frames
	}
	cases, err := ReadCorpus(file)
	if err != nil {
		return err
	}
	s := subject{b.manifest, b.configure, b.turner}
	for i, c := range cases {
		if c.Role != b.account.Role {
			continue
		}
		if err := errors.Join(c.faults(s, i%max(1, b.options.Changed) == 0)...); err != nil {
			return fmt.Errorf("%s: %s: %w", file, c.Name, err)
		}
	}
	return nil
}
