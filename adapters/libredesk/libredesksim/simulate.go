package libredesksim

import (
	"context"
	"flag"
	"io"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Events are all a webhook may want (internal/webhook/models).
func Events() []string {
	return []string{"conversation.created", "conversation.status_changed", "conversation.tags_changed", "conversation.assigned", "conversation.unassigned", "message.created", "message.updated"}
}

// Simulate declares the flags of the simulated desk, with the address it listens on,
// and gives what makes it of them. POST /sim/{say,note,assign,status,type,automate} with
// {"conversation","agent","text"} lets its people act, POST /sim/trouble with {"lose",
// "double","shuffle","delay_ms"} troubles its webhooks; GET /sim/conversations shows all.
func Simulate(f *flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error) {
	f.String("listen", "127.0.0.1:8095", "address to serve")
	o := Options{}
	f.StringVar(&o.APIKey, "api-key", "demo-key", "the API key of its agent 1")
	f.StringVar(&o.APISecret, "api-secret", "demo-secret", "the secret of that key")
	f.StringVar(&o.InboxUUID, "inbox", "8f1c3a52-5b1f-4c4e-9d3c-5f6f5b1f2a01", "the uuid of its inbox")
	f.StringVar(&o.InboxSecret, "inbox-secret", "demo-inbox-secret", "the secret of its inbox")
	f.BoolVar(&o.CSAT, "csat", false, "add a survey to what is resolved")
	bridge := f.String("webhook", "http://127.0.0.1:8080/in/libredesk/webhook", "where a webhook posts, the bridge's endpoint of the account; empty makes none")
	secret := f.String("webhook-secret", "demo-webhook-secret", "what that webhook is signed with")
	return func(ctx context.Context, _ io.Writer) (http.Handler, error) {
		s := NewServer(o)
		context.AfterFunc(ctx, s.Close)
		if *bridge != "" {
			s.AddWebhook(*bridge, *secret, Events()...)
		}
		return s.Controlled(), nil
	}
}

// order is the body of every control request; each reads what it needs.
type order struct {
	Conversation, Text    string
	Agent                 int
	Lose, Double, Shuffle bool
	DelayMS               time.Duration `json:"delay_ms"`
}

// troubles is an order of Trouble: what is shuffled gathers as long as it is late.
func (o order) troubles() simvendor.Trouble {
	t := simvendor.Trouble{Lose: o.Lose, Twice: o.Double, Delay: o.DelayMS * time.Millisecond}
	if o.Shuffle {
		t.Shuffle = max(t.Delay, time.Millisecond)
	}
	return t
}

// Controlled is Handler with the control at /sim/, beside that of its API, and at the
// root a page on which a person plays its people. Neither is authenticated: listen on
// loopback only.
func (s *Server) Controlled() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", simdesk.Over(s.Handler(), s.Desk()))
	for name, do := range map[string]func(order) error{
		"say":      func(o order) error { _, err := s.Say(o.Conversation, o.Agent, o.Text); return err },
		"note":     func(o order) error { _, err := s.Note(o.Conversation, o.Agent, o.Text); return err },
		"automate": func(o order) error { _, err := s.Automate(o.Conversation, o.Text); return err },
		"assign":   func(o order) error { return s.Assign(o.Conversation, o.Agent) },
		"status":   func(o order) error { return s.SetStatus(o.Conversation, o.Agent, o.Text) },
		"type":     func(o order) error { return s.Type(o.Conversation, o.Text != "") },
		"trouble":  func(o order) error { s.Trouble(o.troubles()); return nil },
	} {
		mux.HandleFunc("POST /sim/"+name, simvendor.Asked(http.StatusConflict, func(_ context.Context, o order) (any, error) {
			err := do(o)
			return map[string]any{"problems": s.Problems()}, err
		}))
	}
	mux.HandleFunc("GET /sim/conversations", simvendor.Shown(func() any {
		statuses, lost := s.Delivered()
		return map[string]any{"conversations": s.Conversations(), "webhooks": statuses, "lost": lost}
	}))
	s.API.Control(mux)
	return mux
}
