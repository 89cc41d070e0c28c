package ws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// DialSocketIO is Dial for Socket.IO. The target is a ws or wss URL; its path is /socket.io/ if
// it has none, and EIO and transport are added to its query. It returns once the server has
// accepted the connect packet; a refusal is ErrRefused in the *HandshakeError.
func DialSocketIO(ctx context.Context, d Dialer, target string, header http.Header, o SocketIOOptions) (*SocketIO, error) {
	o, err := o.filled()
	if err != nil {
		return nil, &HandshakeError{Err: err}
	}
	u, err := socketIOTarget(target)
	if err != nil {
		return nil, &HandshakeError{Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	c, err := Dial(ctx, d, u.String(), header, o.Options)
	if err != nil {
		return nil, err
	}
	s := newSocketIO(c, o, true)
	if err := s.start(ctx); err != nil {
		return nil, &HandshakeError{Err: fmt.Errorf("open %s: %w", u.Host, err)}
	}
	return s, nil
}

// socketIOTarget completes the URL. What its query holds stays as it is written.
func socketIOTarget(target string) (*url.URL, error) {
	u, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = "/socket.io/", ""
	}
	for _, want := range [][2]string{{"EIO", "4"}, {"transport", "websocket"}} {
		switch got := u.Query()[want[0]]; {
		case len(got) == 0:
			u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+want[0]+"="+want[1], "&")
		case len(got) > 1 || got[0] != want[1]:
			return nil, fmt.Errorf("the URL's %s must be %s or absent", want[0], want[1])
		}
	}
	return u, nil
}

// AcceptSocketIO is Accept for Socket.IO. A request for another version or transport is answered
// 400 here: clients must be told to use the transport websocket alone. It returns once the client
// has sent its connect packet, which must come within 15 s and while r's context lives, and was
// accepted. Check Auth then; Close with CodePolicy turns the client away.
func AcceptSocketIO(w http.ResponseWriter, r *http.Request, o SocketIOOptions) (*SocketIO, error) {
	o, err := o.filled()
	if err != nil {
		return nil, refuse(w, &HandshakeError{Status: http.StatusInternalServerError, Err: err})
	}
	if err := checkSocketIO(r.URL.Query()); err != nil {
		return nil, refuse(w, &HandshakeError{Status: http.StatusBadRequest, Err: err})
	}
	c, err := Accept(w, r, o.Options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), handshakeWithin)
	defer cancel()
	s := newSocketIO(c, o, false)
	s.open()
	if err := s.start(ctx); err != nil {
		return nil, &HandshakeError{Err: fmt.Errorf("wait for the connect packet: %w", err)}
	}
	return s, nil
}

func checkSocketIO(q url.Values) error {
	switch {
	case q.Get("EIO") != "4":
		return errors.New("the Engine.IO version must be 4: use a Socket.IO client 3 or later")
	case q.Get("transport") != "websocket":
		return errors.New("the transport must be websocket: configure the client with transports websocket alone")
	case q.Has("sid"):
		return errors.New("there are no upgrades: configure the client with transports websocket alone")
	}
	return nil
}
