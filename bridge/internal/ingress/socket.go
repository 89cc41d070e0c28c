package ingress

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/socket"
	"github.com/footbridge/footbridge/bridge/internal/ws"
)

// firstWithin is how long a socket may take to say whose it is.
const firstWithin = 10 * time.Second

// The close codes a socket that was not taken is told.
const (
	closeUnauthorized = 4401
	closeUnknownKey   = 4404
)

// connect serves one socket until it ends.
func (d *door) connect(w http.ResponseWriter, r *http.Request) {
	v := &visit{door: d, r: r}
	if !v.waits() {
		if no := v.admit(nil); no != nil {
			d.i.refuse(w, d.account.Name, no.reason, no.reply)
			return
		}
	}
	conn, err := d.accept(w, r)
	if err != nil {
		d.i.o.Logger.Debug("socket not opened", "account", d.account.Name, "endpoint", d.endpoint.Name, "error", err)
		return
	}
	v.conn = conn
	v.serve()
}

func (d *door) accept(w http.ResponseWriter, r *http.Request) (ws.Messages, error) {
	o := ws.Options{MaxMessage: int(d.endpoint.MaxBody)}
	for _, place := range d.endpoint.Tokens {
		if protocol := r.Header.Get("Sec-WebSocket-Protocol"); place == "protocol" && protocol != "" {
			for p := range strings.SplitSeq(protocol, ",") {
				o.Protocols = append(o.Protocols, strings.TrimSpace(p))
			}
		}
	}
	if d.endpoint.Transport == adapter.TransportSocketIO {
		conn, err := ws.AcceptSocketIO(w, r, ws.SocketIOOptions{Options: o, Event: d.endpoint.Event})
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
	conn, err := ws.Accept(w, r, o)
	if err != nil {
		return nil, err
	}
	return conn.Messages(), nil
}

// visit is one socket while it is open.
type visit struct {
	door    *door
	r       *http.Request
	conn    ws.Messages
	arrival engine.Arrival
	token   credential.Secret // of our own, which whoever comes showed

	begun sync.Once
	heard func(name string, data []byte, binary bool)
	ready chan struct{} // closed when the engine listens
	gone  chan struct{} // closed when the socket has ended
	code  int
}

// waits reports whether the first message says whose the socket is. A token that
// the request shows already is not waited for.
func (v *visit) waits() bool {
	e := v.door.endpoint
	places := []string{e.Key, e.Auth}
	if v.door.token(v.r, nil) == "" {
		places = append(places, e.Tokens...)
	}
	return slices.ContainsFunc(places, func(p string) bool { return strings.Contains(p, "frame:") })
}

// admit checks who comes and finds whose the socket is.
func (v *visit) admit(first []byte) *refusal {
	d := v.door
	f := fields{r: v.r, body: first}
	if first != nil {
		if err := f.parse(); err != nil {
			return &refusal{"syntax", problem(http.StatusBadRequest, "first message is not valid: "+err.Error())}
		}
	}
	bound, no := d.authenticate(v.r, f.doc)
	if no != nil {
		return no
	}
	f.bound, v.token = bound, credential.NewSecret(d.token(v.r, f.doc))
	key, err := f.get(d.endpoint.Key)
	if err != nil {
		return &refusal{"key", problem(http.StatusBadRequest, "no usable key: "+err.Error())}
	}
	if bound != "" && key != bound {
		return d.denied()
	}
	if no := d.paced(); no != nil {
		return no
	}
	in := d.request(v.r, nil)
	in.Header.Del("Sec-WebSocket-Protocol")
	v.arrival = engine.Arrival{Account: d.account.Name, Endpoint: d.endpoint, Key: key,
		Opened: &adapter.Opened{Endpoint: d.endpoint.Name, Path: in.Path, Query: in.Query, Header: in.Header}}
	return nil
}

// serve reads the socket until it ends.
func (v *visit) serve() {
	v.ready, v.gone = make(chan struct{}), make(chan struct{})
	if !v.waits() && !v.begin() {
		v.conn.Run(v)
		return
	}
	timer := time.AfterFunc(firstWithin, func() {
		select {
		case <-v.ready:
		default:
			v.conn.Close(ws.CodePolicy, "nothing said whose this is")
		}
	})
	defer timer.Stop()
	v.conn.Run(v)
}

// begin gives the socket to its leg; false when it was turned away.
func (v *visit) begin() bool {
	ctx, cancel := context.WithTimeout(context.Background(), firstWithin)
	defer cancel()
	err := v.door.i.o.Sockets.Connect(ctx, v.arrival, v)
	if err == nil {
		if v.door.i.o.Received != nil {
			v.door.i.o.Received(v.door.account.Name, v.door.endpoint.Name, engine.Receipt{})
		}
		<-v.ready
		return true
	}
	code, why := closeUnknownKey, "not found"
	if !errors.Is(err, engine.ErrUnknownKey) {
		code, why = ws.CodeTryLater, "try again"
	}
	v.refuse(code, why, "not_stored")
	return false
}

func (v *visit) refuse(code int, why, reason string) {
	if v.door.i.o.Refused != nil {
		v.door.i.o.Refused(v.door.account.Name, reason)
	}
	v.conn.Close(code, why)
}

// OnMessage gives what arrives to the leg, after the first message said which.
func (v *visit) OnMessage(_ ws.Messages, name string, data []byte, binary bool) {
	taken := true
	v.begun.Do(func() { taken = !v.waits() || v.first(data) })
	if !taken || !v.open() {
		return
	}
	v.heard(name, v.door.keep(data, v.token), binary)
}

func (v *visit) first(data []byte) bool {
	if no := v.admit(data); no != nil {
		code := ws.CodePolicy
		switch no.reason {
		case "unauthorized":
			code = closeUnauthorized
		case "rate":
			code = ws.CodeTryLater
		}
		v.refuse(code, no.reason, no.reason)
		return false
	}
	return v.begin()
}

func (v *visit) open() bool {
	select {
	case <-v.ready:
		return true
	default:
		return false
	}
}

// OnClose is called when the socket has ended.
func (v *visit) OnClose(_ ws.Messages, code int, _ string) {
	v.code = code
	close(v.gone)
}

// Run is the engine's: it listens until the socket has ended.
func (v *visit) Run(heard func(name string, data []byte, binary bool)) adapter.Closed {
	v.heard = heard
	close(v.ready)
	<-v.gone
	return socket.Ended(v.conn, v.code)
}

// Write hands one message to the socket.
func (v *visit) Write(ctx context.Context, m engine.Message) string {
	return socket.New(v.conn, nil, nil).Write(ctx, m)
}

// Close ends the socket after what was written.
func (v *visit) Close(code int) { v.conn.Close(code, "") }
