package aiserasim_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

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
			simtest.Until(t, "waiting", func() bool { return len(c.Answers()) == 2 })
			if err := s.Join("ada", "Sam"); err != nil {
				t.Fatal(err)
			}
			say("hi Sam")
			simtest.Until(t, "the words", func() bool { return len(s.Texts("ada")) == 3 })
			_ = s.Say("ada", "Sam", "hi Ada")
			_ = s.Exit("ada", "Sam")
			simtest.Until(t, "the end", func() bool { return len(c.Answers()) == 5 })
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
			simtest.Until(t, "the door", func() bool { return !bad.Open() })
			if s.Refused() != 1 || len(s.Requests("eve")) != 0 {
				t.Errorf("refused %d, heard %v", s.Refused(), s.Requests("eve"))
			}
			c.Close()
		})
	}
}
