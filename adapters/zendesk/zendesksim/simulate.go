package zendesksim

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
	told := map[string]int{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
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

// control adds the control of the simulation:
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
//	POST /sim/trouble  a Trouble, its times in milliseconds
//	POST /sim/fault    a Fault, its latency in milliseconds
//	POST /sim/heal
func (s *Server) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /sim/conversations", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"conversations": s.Conversations()})
	})
	mux.HandleFunc("GET /sim/records", func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]any{"records": s.Records()}) })
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
		"heal":   func(order) { s.Heal() },
	} {
		mux.HandleFunc("POST /sim/"+name, ordered(do))
	}
	mux.HandleFunc("POST /sim/trouble", ordered(func(t Trouble) {
		t.Shuffle, t.Delay = t.Shuffle*time.Millisecond, t.Delay*time.Millisecond
		s.Trouble(t)
	}))
	mux.HandleFunc("POST /sim/fault", ordered(func(f Fault) {
		f.Latency *= time.Millisecond
		s.Fail(f)
	}))
}

// ordered reads an order of any form.
func ordered[O any](do func(O)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var o O
		if err := json.NewDecoder(io.LimitReader(r.Body, bodyLimit)).Decode(&o); err != nil && err != io.EOF {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		do(o)
		reply(w, map[string]any{})
	}
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
