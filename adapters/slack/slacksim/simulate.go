package slacksim

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
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
		go s.narrate(ctx, out)
		mux := http.NewServeMux()
		mux.Handle("/", s.Handler())
		simdesk.Add(mux, s.Desk())
		return mux, nil
	}
}

// narrate prints messages as they come.
func (s *Server) narrate(ctx context.Context, out io.Writer) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	told := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
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

// control adds the control of the simulation:
//
//	GET  /sim/messages           {"messages":[…]}
//	GET  /sim/records            {"records":[…]}
//	POST /sim/write    {"thread","user","text"}
//	POST /sim/attach   {"thread","user","text","name","mime","data"}, data in base64
//	POST /sim/edit     {"ts","text"}
//	POST /sim/delete   {"ts"}
//	POST /sim/press    {"thread","user","action"}: footbridge_claim, footbridge_take_over, footbridge_hand_back, footbridge_close
//	POST /sim/verify
//	POST /sim/trouble  a Trouble, its times in milliseconds
//	POST /sim/fault    a Fault, its latency in milliseconds
//	POST /sim/heal
func (s *Server) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /sim/messages", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"messages": s.all(func(Message) bool { return true })})
	})
	mux.HandleFunc("GET /sim/records", func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]any{"records": s.Records()}) })
	for name, do := range map[string]func(order) error{
		"write": func(o order) error { s.Write(o.Channel, o.Thread, o.User, o.Text); return nil },
		"attach": func(o order) error {
			s.Attach(o.Channel, o.Thread, o.User, o.Text, File{Name: o.Name, MIME: o.MIME, Data: o.Data})
			return nil
		},
		"edit":   func(o order) error { s.Edit(o.Channel, o.TS, o.Text); return nil },
		"delete": func(o order) error { s.Delete(o.Channel, o.TS); return nil },
		"press":  func(o order) error { return s.Press(o.Thread, o.User, o.Action) },
		"verify": func(order) error { return s.Verify(context.Background()) },
		"heal":   func(order) error { s.Heal(); return nil },
	} {
		mux.HandleFunc("POST /sim/"+name, ordered(func(o order) error { return do(s.completed(o)) }))
	}
	mux.HandleFunc("POST /sim/trouble", ordered(func(t Trouble) error {
		t.Shuffle, t.Delay = t.Shuffle*time.Millisecond, t.Delay*time.Millisecond
		s.Trouble(t)
		return nil
	}))
	mux.HandleFunc("POST /sim/fault", ordered(func(f Fault) error {
		f.Latency *= time.Millisecond
		s.Fail(f)
		return nil
	}))
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

// ordered reads an order of any form.
func ordered[O any](do func(O) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var o O
		err := json.NewDecoder(io.LimitReader(r.Body, bodyLimit)).Decode(&o)
		if err == nil || err == io.EOF {
			err = do(o)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply(w, map[string]any{})
	}
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
