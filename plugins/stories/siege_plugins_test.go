package stories

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// floodingPlugin writes far more than anybody reads; the log has its share of it.
func floodingPlugin(s *siege) func() {
	s.vendor("flood", "flood")
	s.hears("flood", "flood")
	return func() {
		if n := strings.Count(s.output(), "xxxxxxxxxx\""); n > 2000 {
			s.t.Errorf("the log has %d lines of the flood", n)
		}
	}
}

// hostilePlugin has the plugin of the sandbox's tests try what it knows, in a whole
// bridge: nothing of it works, and its process stays. What would bring a machine
// down that does not deny it is for the sandbox's own tests.
func hostilePlugin(s *siege) func() {
	id, token := s.chatAt("pk_shop")
	answers := func() []string { return texts(s.seenBy(id, token), event.RoleVirtualAgent) }
	s.write(id, token, "list", "list")
	s.eventually("the list of attempts", func() bool { return len(answers()) == 1 })
	var tried []string
	for line := range strings.Lines(answers()[0]) {
		if name, unless, _ := strings.Cut(strings.TrimSpace(line), "\t"); unless != "danger" {
			tried = append(tried, name)
			s.write(id, token, fmt.Sprint("attempt-", len(tried)), name)
		}
	}
	return func() {
		s.eventually("the end of the attempts", func() bool { return len(answers()) == len(tried)+1 })
		for n, answer := range answers()[1:] {
			if !strings.HasPrefix(answer, "denied: ") {
				s.t.Errorf("the attempt %s %s", tried[n], answer)
			}
		}
		if p := s.plugin("hostile"); p.Restarts != 0 || len(tried) < 100 || s.heard.Load() != 0 {
			s.t.Errorf("%d attempts, %d connections, process %+v", len(tried), s.heard.Load(), p)
		}
	}
}

// eatingPlugin wants more memory than it is given, and dies of it again and again.
func eatingPlugin(s *siege) func() {
	s.vendor("eats", "eat")
	return s.deadLetter("eats")
}

// hangingPlugin never answers: its words are tried again, and become a dead letter.
// Others do not wait for it.
func hangingPlugin(s *siege) func() {
	s.vendor("hangs", "hang")
	dead := s.deadLetter("hangs")
	return func() {
		dead()
		if p := s.plugin("besieged"); !strings.Contains(p.Reason, "a turn took longer than 2s") {
			s.t.Errorf("its process ended for another reason: %+v", p)
		}
	}
}

// deadLetter waits for one of the conversation of a key.
func (s *siege) deadLetter(key string) func() {
	id := s.conversation(key)
	return func() {
		s.eventually("a dead letter of "+key, func() bool {
			var list struct {
				Letters []struct{ Conversation string } `json:"dead_letters"`
			}
			if status := s.api("GET", "/dead-letters", deskToken, "", nil, &list); status != http.StatusOK {
				s.t.Fatalf("dead letters: %d", status)
			}
			return slices.ContainsFunc(list.Letters, func(l struct{ Conversation string }) bool { return l.Conversation == id })
		})
	}
}
