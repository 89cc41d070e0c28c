package ws

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unicode/utf8"
)

// Close codes of RFC 6455 section 7.4 that callers and this package use.
const (
	CodeNormal      = 1000 // done
	CodeGoingAway   = 1001 // shutting down; also sent to a peer that fell silent
	CodeProtocol    = 1002 // frames that break the protocol
	CodeUnsupported = 1003 // data of a kind the receiver cannot take, such as binary for JSON
	CodeNone        = 1005 // the peer's close frame had no code; never sent
	CodeLost        = 1006 // the connection ended without a close frame; never sent
	CodeNotUTF8     = 1007 // text that is not UTF-8
	CodePolicy      = 1008 // floods, too many fragments, a message that takes too long
	CodeTooLarge    = 1009 // a message over Options.MaxMessage
	CodeInternal    = 1011 // our own fault, such as a panic of the handler
	CodeTryLater    = 1013 // the peer does not read what it is sent
)

// CloseError says why a connection ended. Conn.Err returns it; its Code and Reason are what
// Handler.OnClose is given.
type CloseError struct {
	Code   int    // one of the codes above, or the peer's own of 1000 to 4999
	Reason string // the peer's words where Remote, else ours; never message text
	Remote bool   // the peer closed; false: this side did, or the connection broke
	Err    error  // what lies beneath (an I/O error, a handler's panic), or nil; stays on this side

	frame int // code of the close frame to send; 0: none
}

// Error tells who closed, with which code and why.
func (e *CloseError) Error() string {
	by := "here"
	if e.Remote {
		by = "by the peer"
	}
	text := fmt.Sprintf("websocket closed %s: code %d", by, e.Code)
	if e.Reason != "" {
		text += fmt.Sprintf(" (%q)", e.Reason)
	}
	return text
}

// Unwrap gives the error beneath, so that errors.Is finds a deadline or a reset.
func (e *CloseError) Unwrap() error { return e.Err }

// readClose judges the payload of a close frame.
func readClose(payload []byte) *CloseError {
	if len(payload) == 0 {
		return &CloseError{Code: CodeNone, Remote: true, frame: CodeNone}
	}
	if len(payload) == 1 {
		return &CloseError{Code: CodeProtocol, Reason: "close payload of one byte", frame: CodeProtocol}
	}
	code, reason := int(binary.BigEndian.Uint16(payload)), payload[2:]
	switch {
	case !sendable(code):
		return &CloseError{Code: CodeProtocol, Reason: "invalid close code", frame: CodeProtocol}
	case !utf8.Valid(reason):
		return &CloseError{Code: CodeNotUTF8, Reason: "close reason is not UTF-8", frame: CodeNotUTF8}
	}
	return &CloseError{Code: code, Reason: string(reason), Remote: true, frame: code}
}

// sendable reports whether a close frame may carry the code.
func sendable(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
