package aisera

import (
	"strconv"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// streamLimit bounds what a state keeps of an answer that is still being
// written, in bytes of JSON.
const streamLimit = 4 << 10

// stream is the answer being written: its pieces so far, for an end that does
// not repeat them.
type stream struct {
	Open    bool   `json:"open,omitempty"`
	Number  int    `json:"number,omitempty"`
	Request string `json:"request,omitempty"`
	Index   int64  `json:"index,omitempty"`
	Text    string `json:"text,omitempty"`
	// Cut says that not all of it is in Text.
	Cut bool `json:"cut,omitempty"`
}

func (s *stream) id(tx *adapter.Tx) string { return tx.Account().Name + "/" + strconv.Itoa(s.Number) }

// begin opens a stream unless the one of that request is open.
func (s *stream) begin(request string) {
	if !s.Open || request != s.Request {
		*s = stream{Open: true, Number: s.Number + 1, Request: request}
	}
}

// piece emits a part of an answer.
func (s *stream) piece(tx *adapter.Tx, a answer, mode string) {
	text := textOf(a.body.Get(firstOf(a.body, textKeys()...)))
	if text == "" {
		return
	}
	s.begin(clip(scalar(a.body.Get("reqId"))))
	tx.Emit(adapter.Emission{Actor: virtualAgent(), Vendor: keep(a.rest(firstOf(a.body, textKeys()...))),
		Body: event.MessagePartial{Stream: s.id(tx), Index: s.Index, Mode: mode, Text: text}})
	s.Index++
	s.keep(text, mode)
}

func (s *stream) keep(text, mode string) {
	if mode == "replace" {
		s.Text, s.Cut = "", false
	}
	if s.Cut {
		return
	}
	if s.Cut = len(bounded([]string{s.Text + text}, streamLimit)) == 0; !s.Cut {
		s.Text += text
	}
}

// whole emits the finished answer. One that does not say it again is what its
// pieces were.
func (s *stream) whole(tx *adapter.Tx, a answer, o *offer, format string) {
	s.begin(clip(scalar(a.body.Get("reqId"))))
	parts, understood := content(a.body, format, textKeys())
	last := event.MessageCreated{Stream: s.id(tx)}
	if len(parts) == 0 && s.Text != "" {
		last.Incomplete = s.Cut
		parts = []event.Part{event.Text{Text: s.Text, Format: format}}
	}
	for i, p := range parts {
		o.remember(p)
		body, kept := event.MessageCreated{Content: event.Content{Part: p}}, keep(nil)
		if i == len(parts)-1 {
			last.Content, body, kept = body.Content, last, keep(a.rest(understood...))
			body.Content = event.Content{Part: p}
		}
		tx.Emit(adapter.Emission{Actor: virtualAgent(), Body: body, Vendor: kept})
	}
	*s = stream{Number: s.Number}
}

func virtualAgent() event.Actor { return event.Actor{Role: event.RoleVirtualAgent} }
