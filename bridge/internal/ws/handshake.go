package ws

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/lxzan/gws"
)

// HandshakeError says that no WebSocket came about. Accept and Dial return it.
type HandshakeError struct {
	Status int         // the HTTP status answered: by us in Accept, by the peer in Dial; 0: none
	Header http.Header // of the peer's answer in Dial, for Retry-After and the like; else nil
	Err    error
}

// Error tells the status, where there was one, and what was wrong.
func (e *HandshakeError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("websocket handshake: %v", e.Err)
	}
	return fmt.Sprintf("websocket handshake: status %d: %v", e.Status, e.Err)
}

// Unwrap gives the error beneath.
func (e *HandshakeError) Unwrap() error { return e.Err }

const (
	maxOffered      = 64      // subprotocols a client may offer
	maxOfferedBytes = 4 << 10 // of these
)

// Accept turns a request into a WebSocket. A request that is not a sound handshake is answered
// here, 400 or 426 (500 where the connection cannot be taken over), and the error is a
// *HandshakeError. Origin and authentication are the caller's to check before. After success
// w and r are used up and the caller must Run the connection; r's context is no longer its clock.
func Accept(w http.ResponseWriter, r *http.Request, o Options) (*Conn, error) {
	if bad := checkHandshake(r); bad != nil {
		return nil, refuse(w, bad)
	}
	raw, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, refuse(w, &HandshakeError{Status: http.StatusInternalServerError, Err: fmt.Errorf("take over connection: %w", err)})
	}
	o = o.filled()
	c := newConn(raw, false, o)
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	c.wire.in = slices.Clone(early)
	protocol := choose(o.Protocols, offered(r.Header))
	sock, err := upgrade(c, r.Header.Get("Sec-WebSocket-Key"), protocol)
	if err != nil {
		raw.Close()
		return nil, &HandshakeError{Err: fmt.Errorf("answer handshake: %w", err)}
	}
	return c.open(sock, protocol), nil
}

// upgrade has the library answer a request made of checked parts alone.
func upgrade(c *Conn, key, protocol string) (*gws.Conn, error) {
	request := &http.Request{Method: http.MethodGet, Header: http.Header{}}
	set := request.Header.Set
	set("Connection", "Upgrade")
	set("Upgrade", "websocket")
	set("Sec-WebSocket-Version", "13")
	set("Sec-WebSocket-Key", key)
	option := &gws.ServerOption{
		ReadMaxPayloadSize:  c.opt.MaxMessage,
		WriteMaxPayloadSize: c.opt.OutboxBytes,
		CheckUtf8Enabled:    true,
		HandshakeTimeout:    c.opt.WriteTimeout,
	}
	if protocol != "" {
		set("Sec-WebSocket-Protocol", protocol)
		option.SubProtocols = []string{protocol}
	}
	upgrader := gws.NewUpgrader(events{c: c}, option)
	return upgrader.UpgradeFromConn(c.wire, newReader(c.wire), request)
}

func refuse(w http.ResponseWriter, bad *HandshakeError) error {
	if bad.Status == http.StatusUpgradeRequired {
		w.Header().Set("Sec-WebSocket-Version", "13")
		w.Header().Set("Upgrade", "websocket")
	}
	http.Error(w, bad.Err.Error(), bad.Status)
	return bad
}

// checkHandshake judges a request by RFC 6455 section 4.2.1, read strictly.
func checkHandshake(r *http.Request) *HandshakeError {
	h := r.Header
	version := h.Values("Sec-WebSocket-Version")
	checks := []struct {
		bad    bool
		status int
		text   string
	}{
		{r.Method != http.MethodGet, 400, "the method must be GET"},
		{r.ProtoMajor != 1 || r.ProtoMinor != 1, 400, "the handshake needs HTTP/1.1"},
		{r.ContentLength != 0 || len(r.TransferEncoding) > 0, 400, "the request must have no body"},
		{!oneUpgrade(h), 400, "one Upgrade header must ask for websocket"},
		{!slices.ContainsFunc(tokens(h, "Connection"), isUpgrade), 400, "the Connection header must name Upgrade"},
		{len(version) != 1 || version[0] != "13", 426, "Sec-WebSocket-Version must be 13"},
		{!soundKey(h.Values("Sec-WebSocket-Key")), 400, "one Sec-WebSocket-Key must be base64 of 16 bytes"},
		{!fewOffered(h), 400, "too many subprotocols"},
	}
	for _, c := range checks {
		if c.bad {
			return &HandshakeError{Status: c.status, Err: errors.New(c.text)}
		}
	}
	return nil
}

func oneUpgrade(h http.Header) bool {
	v := h.Values("Upgrade")
	return len(v) == 1 && strings.EqualFold(v[0], "websocket")
}

func isUpgrade(token string) bool { return strings.EqualFold(token, "upgrade") }

func soundKey(keys []string) bool {
	if len(keys) != 1 || len(keys[0]) != 24 {
		return false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(keys[0])
	return err == nil && len(b) == 16
}

func fewOffered(h http.Header) bool {
	size := 0
	for _, v := range h.Values("Sec-WebSocket-Protocol") {
		size += len(v)
	}
	return size <= maxOfferedBytes && len(offered(h)) <= maxOffered
}

func offered(h http.Header) []string { return tokens(h, "Sec-WebSocket-Protocol") }

// choose picks the first of ours that the peer offers.
func choose(ours, theirs []string) string {
	for _, p := range ours {
		if slices.Contains(theirs, p) {
			return p
		}
	}
	return ""
}

// tokens splits all values of a header at commas.
func tokens(h http.Header, name string) []string {
	var list []string
	for _, v := range h.Values(name) {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	return list
}
