package ws

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Parts of a frame, RFC 6455 section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	finBit  = 0x80
	maskBit = 0x80
	rsvBits = 0x70

	maxControl = 125 // payload bytes of a control frame
)

func isControl(op byte) bool { return op >= opClose }

// appendHeader appends a frame header; b is its first byte, a nil mask leaves it unmasked.
func appendHeader(out []byte, b byte, length int, mask []byte) []byte {
	var masked byte
	if mask != nil {
		masked = maskBit
	}
	if length < 126 {
		out = append(out, b, masked|byte(length))
	} else {
		out = append(out, b, masked|126)
		out = binary.BigEndian.AppendUint16(out, uint16(length))
	}
	return append(out, mask...)
}

// closeFrame builds a whole close frame. CodeNone makes an empty one; mask is nil for a server.
func closeFrame(code int, reason string, mask []byte) []byte {
	var payload []byte
	if code != CodeNone {
		payload = binary.BigEndian.AppendUint16(payload, uint16(code))
		payload = append(payload, cut(reason, maxControl-2)...)
	}
	frame := appendHeader(nil, finBit|opClose, len(payload), mask)
	for i, b := range payload {
		if mask != nil {
			b ^= mask[i%4]
		}
		frame = append(frame, b)
	}
	return frame
}

// cut shortens text to at most n bytes of valid UTF-8.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
