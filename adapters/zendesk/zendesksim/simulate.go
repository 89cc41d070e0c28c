package zendesksim

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Simulate declares the flags of the simulated Zendesk and gives what makes it of them,
// with a page at its root on which a person plays its people.
// Until its ctx ends it tells what its people see.
func Simulate(f *flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error) {
	var o Options
	listen := f.String("listen", "127.0.0.1:8097", "address to serve")
	f.StringVar(&o.WebhookURL, "webhook", "http://127.0.0.1:8080/in/zendesk/webhook", "the bridge's endpoint of the account")
	f.StringVar(&o.Integration, "integration", "footbridge", "the bridge's own switchboard integration")
	f.StringVar(&o.Secret, "secret", "demo-secret", "what the webhook shows")
	f.StringVar(&o.AppID, "app", "demo-app", "the App ID")
	f.StringVar(&o.KeyID, "key-id", "app_demo", "the Key ID")
	f.StringVar(&o.KeySecret, "key-secret", "demo-key", "the secret key")
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
	told := map[string]int{}
	return func() {
		for _, c := range s.Conversations() {
			for _, m := range c.Messages[told[c.ID]:] {
				content, err := json.Marshal(m.Content)
				if err == nil {
					fmt.Fprintf(out, "simulated zendesk: conversation %s (%s): %s %v: %s\n", c.ID, c.Active, m.Author["type"], m.Author["displayName"], content)
				}
			}
			told[c.ID] = len(c.Messages)
		}
	}
}

// order is the body of every control request; each reads what it needs.
type order struct {
	Conversation string         `json:"conversation"`
	Name         string         `json:"name"`
	Text         string         `json:"text"`
	Content      map[string]any `json:"content"`
	On           bool           `json:"on"`
	Reason       string         `json:"reason"`
	To           string         `json:"to"`
	File         string         `json:"file"`
	MIME         string         `json:"mime"`
	Data         []byte         `json:"data"`
}

// control adds the control of the simulation, beside that of its API and its Post:
//
//	GET  /sim/conversations          {"conversations":[…]}
//	GET  /sim/records                {"records":[…]}
//	POST /sim/reply    {"conversation","name","text"}
//	POST /sim/send     {"conversation","name","content"}
//	POST /sim/attach   {"conversation","name","file","mime","data"}, data in base64
//	POST /sim/note     {"conversation","text"}
//	POST /sim/survey   {"conversation","name","text"}
//	POST /sim/typing   {"conversation","name","on"}
//	POST /sim/read     {"conversation","name"}
//	POST /sim/end      {"conversation","reason"}
//	POST /sim/pass     {"conversation","to"}
//	POST /sim/merge    {"conversation","on"}, on for the conversation, too
func (s *Server) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /sim/conversations", simvendor.Shown(func() any { return map[string]any{"conversations": s.Conversations()} }))
	mux.HandleFunc("GET /sim/records", simvendor.Shown(func() any { return map[string]any{"records": s.Records()} }))
	for name, do := range map[string]func(order){
		"reply":  func(o order) { s.Reply(o.Conversation, o.Name, o.Text) },
		"send":   func(o order) { s.Send(o.Conversation, o.Name, o.Content) },
		"attach": func(o order) { s.Attach(o.Conversation, o.Name, o.File, o.MIME, "file", o.Data) },
		"note":   func(o order) { s.Note(o.Conversation, o.Text) },
		"survey": func(o order) { s.Survey(o.Conversation, o.Name, o.Text) },
		"typing": func(o order) { s.Typing(o.Conversation, o.Name, o.On) },
		"read":   func(o order) { s.Read(o.Conversation, o.Name) },
		"end":    func(o order) { s.End(o.Conversation, o.Reason) },
		"pass":   func(o order) { s.Pass(o.Conversation, o.To) },
		"merge":  func(o order) { s.Merge(o.Conversation, o.On) },
	} {
		mux.HandleFunc("POST /sim/"+name, simvendor.Ordered(do))
	}
	s.API.Control(mux)
	s.Post.Control(mux)
}
