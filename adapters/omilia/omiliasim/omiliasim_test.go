package omiliasim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/adapters/omilia/omiliasim"
)

// desk is a listener of the simulation.
type desk struct {
	t    *testing.T
	conn *websocket.Conn
}

func serve(t *testing.T, o omiliasim.Options) (*omiliasim.Server, string) {
	t.Helper()
	s := omiliasim.NewServer(o)
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	return s, "ws" + strings.TrimPrefix(h.URL, "http")
}

// listen opens a socket; the status says why there is none.
func listen(t *testing.T, s *omiliasim.Server, address, call string, o *websocket.DialOptions) (*desk, int) {
	t.Helper()
	before := s.Opened("c/1")
	conn, answer, err := websocket.Dial(t.Context(), address+"/agent-assist/c%2F1"+call, o)
	if err != nil {
		return nil, answer.StatusCode
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	for deadline := time.Now().Add(10 * time.Second); s.Opened("c/1") == before && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	return &desk{t, conn}, answer.StatusCode
}

func (d *desk) send(text string) {
	d.t.Helper()
	if err := d.conn.Write(d.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) hears(want string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := d.conn.Read(ctx)
	if err != nil {
		d.t.Fatalf("no %s: %v", want, err)
	}
	if !bytes.Contains(data, []byte(want)) {
		d.t.Errorf("heard %s, want %s in it", data, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTokenIsLookedFor(t *testing.T) {
	bearer := &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer t"}}}
	protocol := &websocket.DialOptions{Subprotocols: []string{"assist", "t"}}
	for _, c := range []struct {
		in, query string
		o         *websocket.DialOptions
		want      int
	}{
		{omiliasim.InQuery, "?token=t", nil, 101}, {omiliasim.InQuery, "?session_token=t", nil, 101}, {omiliasim.InQuery, "", bearer, 401},
		{omiliasim.InBearer, "", bearer, 101}, {omiliasim.InBearer, "?token=t", nil, 401}, {omiliasim.InProtocol, "", protocol, 101},
		{"", "", protocol, 101}, {"", "?token=wrong", nil, 401}, {"", "", nil, 401},
	} {
		s, address := serve(t, omiliasim.Options{Token: "t", TokenIn: c.in})
		if _, got := listen(t, s, address, c.query, c.o); got != c.want {
			t.Errorf("token in %q, asked with %q: %d, want %d", c.in, c.query, got, c.want)
		}
		if (s.Refused() == 1) != (c.want == 401) {
			t.Errorf("refused %d", s.Refused())
		}
	}
}

func TestEnvelopes(t *testing.T) {
	for envelope, c := range map[string]struct{ ask, wrong, answer string }{
		"channel": {`{"channel":"command_request","data":{"command":"GET_DIALOG","parameters":{}}}`, `{"channel":"ai_info","data":{}}`, `{"channel":"dialog_info","data":{"latestSeqId":0`},
		"key":     {`{"command_request":{"command":"GET_DIALOG","parameters":{}}}`, `{}`, `{"dialog_info":{"latestSeqId":0`},
		"none":    {`{"command":"GET_DIALOG","parameters":{}}`, `{"command":"GET_DIALOG"}`, `{"latestSeqId":0`},
	} {
		s, address := serve(t, omiliasim.Options{Token: "t", Envelope: envelope})
		d, _ := listen(t, s, address, "?token=t", nil)
		d.send(c.ask)
		d.hears(c.answer)
		d.send(c.wrong)
		d.hears("Bad request")
		if len(s.Commands("c/1")) != 1 || len(s.Problems("c/1")) != 1 {
			t.Errorf("%s: commands %v, problems %q", envelope, s.Commands("c/1"), s.Problems("c/1"))
		}
	}
	s, address := serve(t, omiliasim.Options{Token: "t", Dotted: true})
	d, _ := listen(t, s, address, "?token=t", nil)
	must(t, s.Send("c/1", "voice_info", omiliasim.VoiceInfo{Sat: omiliasim.SatResult{Label: "OK_DATA"}}))
	d.hears(`"satResult.label":"OK_DATA"`)
}

func TestDialog(t *testing.T) {
	s, address := serve(t, omiliasim.Options{Token: "t"})
	if s.Speak("c/1", omiliasim.User, "nobody hears this") == nil {
		t.Error("nobody listens, and it was told")
	}
	d, _ := listen(t, s, address, "?token=t", nil)
	must(t, s.Begin("c/1", omiliasim.User, "I lo"))
	d.hears(`"seqId":2,"participantType":"USER","utterance":"I lo"`)
	must(t, s.Speak("c/1", omiliasim.User, "I lost it"))
	d.hears(`"seqId":2`)
	s.Lose("c/1", omiliasim.Agent, "what?")
	must(t, s.Speak("c/1", omiliasim.User, "my card"))
	d.hears(`"seqId":4`)
	d.send(`{"channel":"command_request","data":{"command":"GET_DIALOG","parameters":{}}}`)
	d.hears(`"latestSeqId":4`)
	must(t, s.Repeat("c/1"))
	for _, want := range []string{"nobody hears this", "I lost it", "what?", "my card"} {
		d.hears(want)
	}
}

func TestFlowsAndErrors(t *testing.T) {
	s, address := serve(t, omiliasim.Options{Token: "t"})
	d, _ := listen(t, s, address, "?token=t", nil)
	must(t, s.Flow("c/1", omiliasim.Flow{ID: "f-1", Status: "RUNNING"}))
	d.hears(`"RUNNING"`)
	ask := func(command, parameters string) {
		d.send(`{"channel":"command_request","data":{"command":"` + command + `","parameters":` + parameters + `}}`)
	}
	ask("GET_BUSINESSFLOW_INSTANCES", `{"flow_instance_id":"f-1"}`)
	d.hears(`"business_flow"`)
	ask("GET_BUSINESSFLOW_INSTANCES", `{"flow_instance_id":"f-2"}`)
	d.hears("Unknown flow")
	ask("MAKE_TEA", `{}`)
	d.hears("Unknown command")
	for _, payload := range []any{omiliasim.SoundInfo{Level: 3}, omiliasim.CallerNumber{TrustIndicator: 101}} {
		if s.Send("c/1", "x", payload) == nil {
			t.Errorf("%+v is beyond the documented range, and was sent", payload)
		}
	}
}

func TestConnections(t *testing.T) {
	s, address := serve(t, omiliasim.Options{Token: "t"})
	s.Refuse(503)
	if _, got := listen(t, s, address, "?token=t", nil); got != 503 {
		t.Errorf("%d, want 503", got)
	}
	d, _ := listen(t, s, address, "?token=t", nil)
	s.Drop("c/1")
	if _, _, err := d.conn.Read(t.Context()); websocket.CloseStatus(err) != -1 || err == nil {
		t.Errorf("dropped with %v", err)
	}
	d, _ = listen(t, s, address, "?token=t", nil)
	go func() { _ = s.End("c/1", "a card was lost") }()
	d.hears("CLOSED")
	d.hears("a card was lost")
	if _, _, err := d.conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("ended with %v", err)
	}
	if _, got := listen(t, s, address, "?token=t", nil); got != 404 {
		t.Errorf("%d for a call that is over, want 404", got)
	}
}

func TestControl(t *testing.T) {
	s, address := serve(t, omiliasim.Options{Token: "t"})
	d, _ := listen(t, s, address, "?token=t", nil)
	post := func(name, body string, want int) {
		t.Helper()
		resp, err := http.Post("http"+strings.TrimPrefix(address, "ws")+"/sim/"+name, "application/json", strings.NewReader(body))
		must(t, err)
		defer resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s %s: %d, want %d", name, body, resp.StatusCode, want)
		}
	}
	post("send", `{"call":"c/1","channel":"summary_info","data":{"data":"short"}}`, 200)
	d.hears(`{"channel":"summary_info","data":{"data":"short"}}`)
	post("speak", `{"call":"c/1","participant":"USER","text":"hello"}`, 200)
	d.hears("hello")
	post("speak", `{"call":"c/2","participant":"USER","text":"hello"}`, 409)
	post("speak", `{`, 400)
	resp, err := http.Get("http" + strings.TrimPrefix(address, "ws") + "/sim/calls")
	must(t, err)
	defer resp.Body.Close()
	var got struct{ Calls []string }
	must(t, json.NewDecoder(resp.Body).Decode(&got))
	if !slices.Equal(got.Calls, []string{"c/1", "c/2"}) {
		t.Errorf("calls %q", got.Calls)
	}
}
