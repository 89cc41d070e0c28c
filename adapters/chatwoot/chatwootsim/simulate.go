package chatwootsim

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Simulate declares the flags of the simulated Chatwoot and gives what makes it of
// them, with a page at its root on which a person plays its people. Until its ctx ends
// it tells what its people see.
func Simulate(f *flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error) {
	var o Options
	listen := f.String("listen", "127.0.0.1:8094", "address to serve")
	f.StringVar(&o.WebhookURL, "webhook", "http://127.0.0.1:8080/in/chatwoot/webhook", "the bridge's endpoint of the account")
	f.StringVar(&o.Inbox, "inbox", "demo-inbox", "the inbox's identifier")
	f.StringVar(&o.Token, "token", "demo-token", "the API access token")
	f.StringVar(&o.Secret, "secret", "demo-secret", "what webhooks are signed with; empty signs none")
	f.BoolVar(&o.AsAgent, "as-agent", false, "the token is an agent's, not an administrator's")
	f.IntVar(&o.AutoAssign, "auto-assign", 0, "give opened conversations to this agent (7 Sam, 8 Kim)")
	f.IntVar(&o.PerSecond, "per-second", 0, "answer 429 to more calls a second")
	return func(ctx context.Context, out io.Writer) (http.Handler, error) {
		s := New(o)
		s.Serves("http://" + *listen)
		context.AfterFunc(ctx, s.Close)
		go simvendor.Narrate(ctx, s.narrator(out))
		return simdesk.Over(s.Handler(), s.Desk()), nil
	}
}

// narrator prints the messages that have come since it was last called.
func (s *Server) narrator(out io.Writer) func() {
	told := map[int]int{}
	return func() {
		for _, id := range s.Conversations() {
			c := s.Conversation(id)
			for _, m := range c.Messages[told[id]:] {
				kind := []string{"customer", "to the customer", "activity", "template"}[m.Type]
				if m.Private {
					kind = "note"
				}
				fmt.Fprintf(out, "simulated chatwoot: conversation %d (%s): %s %q\n", id, c.Status, kind, m.Content)
			}
			told[id] = len(c.Messages)
		}
	}
}

// order is the body of every control request; each reads what it needs.
type order struct {
	Conversation int    `json:"conversation"`
	Agent        int    `json:"agent"`
	Text         string `json:"text"`
	On           bool   `json:"on"`
	Private      bool   `json:"private"`
	Name         string `json:"name"`
	MIME         string `json:"mime"`
	Data         []byte `json:"data"`
}

// control adds the control of the simulation, beside that of its API and its Post:
//
//	GET  /sim/conversations          {"conversations":[…]}
//	GET  /sim/records                {"records":[…]}
//	POST /sim/assign   {"conversation","agent"}
//	POST /sim/reply    {"conversation","agent","text"}
//	POST /sim/note     {"conversation","agent","text"}
//	POST /sim/attach   {"conversation","agent","text","name","mime","data"}, data in base64
//	POST /sim/typing   {"conversation","agent","on","private"}
//	POST /sim/resolve  {"conversation","agent"}
//	POST /sim/reopen   {"conversation","agent"}
func (s *Server) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /sim/conversations", simvendor.Shown(func() any {
		all := []Conversation{}
		for _, id := range s.Conversations() {
			all = append(all, s.Conversation(id))
		}
		return map[string]any{"conversations": all}
	}))
	for name, do := range map[string]func(order){
		"assign": func(o order) { s.Assign(o.Conversation, o.Agent) },
		"reply":  func(o order) { s.Reply(o.Conversation, o.Agent, o.Text) },
		"note":   func(o order) { s.Note(o.Conversation, o.Agent, o.Text) },
		"attach": func(o order) {
			s.Attach(o.Conversation, o.Agent, o.Text, Attachment{Name: o.Name, MIME: o.MIME, Data: o.Data})
		},
		"typing":  func(o order) { s.Typing(o.Conversation, o.Agent, o.On, o.Private) },
		"resolve": func(o order) { s.Resolve(o.Conversation, o.Agent) },
		"reopen":  func(o order) { s.Reopen(o.Conversation, o.Agent) },
	} {
		mux.HandleFunc("POST /sim/"+name, simvendor.Ordered(do))
	}
	mux.HandleFunc("GET /sim/records", simvendor.Shown(func() any { return map[string]any{"records": s.Records()} }))
	s.API.Control(mux)
	s.Post.Control(mux)
}
