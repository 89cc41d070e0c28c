package libredesk

import (
	"fmt"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// The timers of the widget's socket.
const (
	timerPing   = "ping"
	timerRedial = "redial"
)

const (
	// pingEvery keeps the socket open: it closes after 20 s of silence.
	pingEvery = 15 * time.Second
	// dialLimit bounds one dial: a hand-off waits for the first.
	dialLimit = 5 * time.Second
	// redialFirst and redialMost bound how often a lost socket is dialled again;
	// after that the next Reconcile begins anew.
	redialFirst = 2 * time.Second
	redialMost  = 6
)

// line is the widget's socket. It tells of typing, both ways, and that there may be
// something to read; nothing waits for it.
type line struct {
	// Conn counts the dials; the connection is named by it.
	Conn int `json:"conn,omitempty"`
	// Up says that it is dialled or stands, Joined that typing goes over it.
	Up     bool `json:"up,omitempty"`
	Joined bool `json:"joined,omitempty"`
	Tries  int  `json:"tries,omitempty"`
}

func (l *line) name() string { return fmt.Sprintf("widget-%d", l.Conn) }

func (d desk) dial() {
	l := &d.s.Line
	if d.s.Phase != backend.Open || l.Up {
		return
	}
	l.Conn, l.Up, l.Joined = l.Conn+1, true, false
	d.Tx.Stop(timerRedial)
	d.Tx.Dial(l.name(), adapter.Dial{URL: "ws" + strings.TrimPrefix(d.set.BaseURL, "http") + "/widget/ws", GiveUp: dialLimit})
}

// again dials a line that was given up.
func (d desk) again() {
	if d.s.Phase == backend.Open && !d.s.Line.Up {
		d.s.Line.Tries = 0
		d.dial()
	}
}

func (d desk) hangUp() {
	l := &d.s.Line
	if l.Conn == 0 {
		return
	}
	if l.Up {
		d.Tx.Close(l.name(), 1000)
	}
	l.Up, l.Joined = false, false
	d.Tx.Stop(timerPing)
	d.Tx.Stop(timerRedial)
}

// connection is what happens to the line, and when it is time for something.
func (d desk) connection(in adapter.Input) error {
	l := &d.s.Line
	switch in := in.(type) {
	case adapter.Opened:
		if in.Conn == l.name() && l.Up && d.s.Phase == backend.Open {
			d.send(backend.Fields{"type": "join", "token": d.Tx.Credential(session), "data": backend.Fields{"inbox_id": d.set.InboxUUID}})
			d.Tx.After(timerPing, pingEvery)
		}
	case adapter.Closed:
		if in.Conn == l.name() && l.Up {
			d.lost()
		}
	case adapter.Frame:
		return d.frame(in)
	case adapter.Sent:
	case adapter.Fired:
		d.fired(in.Timer)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

func (d desk) fired(timer string) {
	switch {
	case timer == timerRedial:
		d.dial()
	case timer == timerPing && d.s.Line.Up && d.s.Phase == backend.Open:
		d.send(backend.Fields{"type": "ping"})
		d.Tx.After(timerPing, pingEvery)
	}
}

// lost dials again, a few times, each after twice as long.
func (d desk) lost() {
	l := &d.s.Line
	l.Up, l.Joined = false, false
	d.Tx.Stop(timerPing)
	if l.Tries < redialMost && d.s.Phase == backend.Open {
		d.Tx.After(timerRedial, redialFirst<<l.Tries)
		l.Tries++
	}
}

// send writes a frame that may be lost.
func (d desk) send(f backend.Fields) { d.Tx.Send("", d.s.Line.name(), codec.Compose(f)) }

// types shows that the customer writes, or no longer.
func (d desk) types(writing bool) {
	if d.s.Line.Joined {
		d.send(backend.Fields{"type": "typing", "data": backend.Fields{"conversation_uuid": d.s.Chat, "is_typing": writing}})
	}
}

// frame is what the line tells. It is believed for what passes; all else is read. A
// contact's line tells of all of their conversations.
func (d desk) frame(in adapter.Frame) error {
	v, err := codec.Lenient(in.Data)
	if in.Conn != d.s.Line.name() || !d.s.Line.Up || d.s.Phase != backend.Open || err != nil {
		return nil
	}
	data := v.Get("data")
	of := data.Get("conversation_uuid").Text()
	ours := of == "" || strings.EqualFold(of, d.s.Chat)
	switch kind := v.Get("type"); {
	case is(kind, "joined"):
		d.s.Line.Joined, d.s.Line.Tries = true, 0
	case is(kind, "error"):
		d.exchange(actRenew + "/" + d.s.Line.name()) // it does not take the token
		d.Tx.Close(d.s.Line.name(), 1000)
		d.lost()
	case is(kind, "new_message") && ours && !d.s.Reading.Knows(backend.Seen{ID: data.Get("uuid").Text()}):
		d.Look(backend.LookMessages)
	case is(kind, "conversation_update") && ours:
		d.Look(backend.LookWhole)
	case is(kind, "typing") && ours && of != "":
		d.Types(d.s.Agent, is(data.Get("is_typing"), "true"))
	}
	return nil
}
