package slacksim_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/adapters/slack/slacksim"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

// listener is an app in Socket Mode.
type listener struct {
	t    *testing.T
	conn *websocket.Conn
}

func (d workspace) listen() listener {
	d.t.Helper()
	_, opened := simtest.Call(d.t, "POST", d.url+"/api/apps.connections.open", "", "Authorization", "Bearer a")
	conn, _, err := websocket.Dial(d.t.Context(), fmt.Sprint(opened["url"]), nil)
	if err != nil {
		d.t.Fatalf("dial %v: %v", opened, err)
	}
	d.t.Cleanup(func() { _ = conn.CloseNow() })
	l := listener{d.t, conn}
	l.hears("hello")
	return l
}

// hears reads a frame of that type.
func (l listener) hears(kind string) map[string]any {
	l.t.Helper()
	_, data, err := l.conn.Read(l.t.Context())
	var frame map[string]any
	if err == nil {
		err = json.Unmarshal(data, &frame)
	}
	if err != nil || frame["type"] != kind {
		l.t.Fatalf("heard %s, %v, want %s", data, err, kind)
	}
	return frame
}

func (l listener) acknowledges(frame map[string]any) {
	l.t.Helper()
	if err := l.conn.Write(l.t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"envelope_id":%q}`, frame["envelope_id"])); err != nil {
		l.t.Error(err)
	}
}

// TestSocketMode: events and presses come as envelopes, again where they are not
// acknowledged, over the newest connection; the others are ended after a word.
func TestSocketMode(t *testing.T) {
	d := begin(t, slacksim.Options{AppToken: "a", Retries: []time.Duration{0, 0, 0}})
	d.want("invalid_auth", "apps.connections.open", "")
	one := d.listen()
	thread := d.head()
	one.acknowledges(one.hears("events_api"))
	if err := d.s.Press(thread, "U0SAM", "claim"); err != nil {
		t.Fatal(err)
	}
	press := one.hears("interactive")
	one.acknowledges(press)
	if press["payload"].(map[string]any)["type"] != "block_actions" {
		t.Errorf("pressed %v", press)
	}
	d.s.Write("C0SUPPORT", thread, "U0SAM", "Hi")
	first := one.hears("events_api")
	d.s.Deaf(true)
	one.acknowledges(first)
	again := one.hears("events_api")
	d.s.Deaf(false)
	one.acknowledges(again)
	if again["retry_attempt"] != 1.0 || again["retry_reason"] != "timeout" || first["envelope_id"] == again["envelope_id"] ||
		first["payload"].(map[string]any)["event_id"] != again["payload"].(map[string]any)["event_id"] {
		t.Errorf("again as %v", again)
	}
	d.s.Refresh(10 * time.Millisecond)
	one.hears("disconnect")
	two := d.listen()
	if _, _, err := one.conn.Read(t.Context()); err == nil {
		t.Error("the old connection stands")
	}
	d.s.Write("C0SUPPORT", thread, "U0SAM", "Ho")
	two.acknowledges(two.hears("events_api"))
	simtest.Until(t, "one stands of two", func() bool { now, ever := d.s.Connections(); return now == 1 && ever == 2 })
	if len(d.told()) != 0 || d.s.Told() != 5 {
		t.Errorf("%d posted, %d told", len(d.told()), d.s.Told())
	}
}
