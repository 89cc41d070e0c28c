package slacksim

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// Simulate declares the flags of the simulated Slack and gives what makes it of them.
// Until its ctx ends it tells what its people see.
func Simulate(f *flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error) {
	var o Options
	listen := f.String("listen", "127.0.0.1:8096", "address to serve")
	f.StringVar(&o.EventsURL, "events", "http://127.0.0.1:8080/in/slack/events", "the bridge's address of events")
	f.StringVar(&o.ActionsURL, "actions", "http://127.0.0.1:8080/in/slack/actions", "the bridge's address of presses")
	f.StringVar(&o.Token, "token", "demo-token", "the bot's token")
	f.StringVar(&o.Secret, "secret", "demo-secret", "what requests are signed with")
	f.StringVar(&o.AppToken, "app-token", "", "tell everything over Socket Mode to who shows this; empty posts")
	f.IntVar(&o.Burst, "burst", 3, "messages a channel takes at once before one a second; 0 is no limit")
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
	told := 0
	return func() {
		all := s.all(func(Message) bool { return true })
		for _, m := range all[told:] {
			who := m.User + m.Username
			if m.Thread == "" {
				fmt.Fprintf(out, "simulated slack: thread %s begins: %q\n", m.TS, m.Text)
				continue
			}
			fmt.Fprintf(out, "simulated slack: thread %s: %s %q\n", m.Thread, who, m.Text)
		}
		told = len(all)
	}
}

// order is the body of every control request; each reads what it needs. Thread "" is
// the newest, and channel "" the thread's.
type order struct {
	Channel string `json:"channel"`
	Thread  string `json:"thread"`
	User    string `json:"user"`
	Text    string `json:"text"`
	TS      string `json:"ts"`
	Action  string `json:"action"`
	Name    string `json:"name"`
	MIME    string `json:"mime"`
	Data    []byte `json:"data"`
}

// control adds the control of the simulation, beside that of its API and its Post:
//
//	GET  /sim/messages           {"messages":[…]}
//	GET  /sim/records            {"records":[…]}
//	POST /sim/write    {"thread","user","text"}
//	POST /sim/attach   {"thread","user","text","name","mime","data"}, data in base64
//	POST /sim/edit     {"ts","text"}
//	POST /sim/delete   {"ts"}
//	POST /sim/press    {"thread","user","action"}: footbridge_claim, footbridge_take_over, footbridge_hand_back, footbridge_close
//	POST /sim/verify
func (s *Server) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /sim/messages", simvendor.Shown(func() any {
		return map[string]any{"messages": s.all(func(Message) bool { return true })}
	}))
	for name, do := range map[string]func(context.Context, order) error{
		"write": func(_ context.Context, o order) error { s.Write(o.Channel, o.Thread, o.User, o.Text); return nil },
		"attach": func(_ context.Context, o order) error {
			s.Attach(o.Channel, o.Thread, o.User, o.Text, File{Name: o.Name, MIME: o.MIME, Data: o.Data})
			return nil
		},
		"edit":   func(_ context.Context, o order) error { s.Edit(o.Channel, o.TS, o.Text); return nil },
		"delete": func(_ context.Context, o order) error { s.Delete(o.Channel, o.TS); return nil },
		"press":  func(_ context.Context, o order) error { return s.Press(o.Thread, o.User, o.Action) },
		"verify": func(ctx context.Context, _ order) error { return s.Verify(ctx) },
	} {
		mux.HandleFunc("POST /sim/"+name, simvendor.Asked(http.StatusBadRequest, func(ctx context.Context, o order) (any, error) {
			return map[string]any{}, do(ctx, s.completed(o))
		}))
	}
	mux.HandleFunc("GET /sim/records", simvendor.Shown(func() any { return map[string]any{"records": s.Records()} }))
	s.API.Control(mux)
	s.Post.Control(mux)
}

// completed is an order with what it left out.
func (s *Server) completed(o order) order {
	if threads := s.Threads(); o.Thread == "" && len(threads) > 0 {
		o.Thread = threads[len(threads)-1]
	}
	if o.Channel == "" {
		o.Channel = s.Head(o.Thread).Channel
	}
	return o
}
