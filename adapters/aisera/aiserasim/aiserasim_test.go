package aiserasim_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
)

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func TestClientAndPlatform(t *testing.T) {
	for _, transport := range []string{aiserasim.Raw, aiserasim.SocketIO} {
		t.Run(transport, func(t *testing.T) {
			o := aiserasim.Options{Token: "t", Transport: transport}
			s := aiserasim.NewServer(o)
			h := httptest.NewServer(s.Handler())
			defer h.Close()
			address := "ws" + strings.TrimPrefix(h.URL, "http") + "/socket.io/"
			c, err := aiserasim.Dial(t.Context(), address, "t", "ada", o)
			if err != nil {
				t.Fatal(err)
			}
			say := func(text string) {
				if err := c.Say(text); err != nil {
					t.Fatal(err)
				}
			}
			say("hello")
			say("an agent please")
			until(t, "waiting", func() bool { return len(c.Answers()) == 2 })
			if err := s.Join("ada", "Sam"); err != nil {
				t.Fatal(err)
			}
			say("hi Sam")
			until(t, "the words", func() bool { return len(s.Texts("ada")) == 3 })
			_ = s.Say("ada", "Sam", "hi Ada")
			_ = s.Exit("ada", "Sam")
			until(t, "the end", func() bool { return len(c.Answers()) == 5 })
			var modes []string
			for _, a := range c.Answers() {
				modes = append(modes, a.Mode)
			}
			if want := []string{"", "LiveAgentWaiting", "LiveAgentJoined", "LiveAgent", "LiveAgentExited"}; !slices.Equal(modes, want) {
				t.Errorf("modes %q, want %q", modes, want)
			}
			bad, err := aiserasim.Dial(t.Context(), address, "wrong", "eve", o)
			if err != nil {
				t.Fatal(err)
			}
			_ = bad.Say("let me in")
			until(t, "the door", func() bool { return !bad.Open() })
			if s.Refused() != 1 || len(s.Requests("eve")) != 0 {
				t.Errorf("refused %d, heard %v", s.Refused(), s.Requests("eve"))
			}
			c.Close()
		})
	}
}
