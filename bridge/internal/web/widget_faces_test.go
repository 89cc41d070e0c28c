package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// TestWidgetAsksNoStrangerForAFace: on a page without a policy, too, a picture of a person
// is loaded from the bridge and the sites the company names; of others nobody is asked,
// who would learn the customer's address, and the letters of the name stand there.
func TestWidgetAsksNoStrangerForAFace(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		portrait(w, r)
	}))
	t.Cleanup(stranger.Close)
	for name, sites := range map[string][]string{"a stranger": {"https://img.example", "none"}, "a site that is named": {stranger.URL + "/"}} {
		t.Run(name, func(t *testing.T) {
			asked.Store(0)
			s := newShop(t, "", func(site *api.Site) { site.Chat.Pictures = sites })
			b := newTab(t, look{width: 1100, height: 760})
			b.open(s.URL + "/bare")
			b.tap(`q(".opener")`)
			b.reads("Hello, how can I help?")
			b.writes("a person please")
			at := s.bridge.waiting().conversation
			who := event.Actor{Role: event.RoleLiveAgent, ID: "sam", Name: "Sam Smith", Avatar: stranger.URL + "/sam.png"}
			for _, body := range []event.Body{event.HandoffAccepted{}, event.MessageCreated{Content: event.Plain("Hello, Sam here.")}} {
				_, err := s.bridge.engine.Do(context.Background(), engine.Command{Conversation: at, Role: who.Role, Actor: who, Body: body})
				s.bridge.must(err)
			}
			b.reads("Hello, Sam here.")
			if len(sites) == 1 {
				b.inside("their picture", `q(".with-face img")?.naturalWidth === 1 && all("#talk .face img").length === 1`)
				return
			}
			b.do(chromedp.Sleep(time.Second)) // what runs late runs now
			b.inside("their letters", `q(".with-face").textContent === "SS" && all(".face").length > 1 && all(".face img").length === 0`)
			if n := asked.Load(); n != 0 {
				t.Errorf("a stranger was asked %d times", n)
			}
		})
	}
}
