package engine

import (
	"bytes"
	"encoding/json"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

// capture takes the tokens a call asked for out of a good answer, and gives the
// answer without them.
func (l *leg) capture(c adapter.Call, a Attempt) []byte {
	if len(c.Capture) == 0 || a.Reason != "" || a.Status < 200 || a.Status > 299 {
		return a.Body
	}
	doc, ok := pointer.Decode(a.Body)
	if !ok {
		return a.Body
	}
	for _, k := range c.Capture {
		token := pointer.Text(doc, k.Pointer)
		if token == "" || !pointer.Replace(doc, []string{k.Pointer}, adapter.CapturedMark) {
			continue
		}
		if l.doc.Tokens == nil {
			l.doc.Tokens = map[string]string{}
		}
		l.doc.Tokens[k.Name] = token
		l.dirty = true
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return nil
	}
	return body
}

// mint makes the tokens a turn asks for, before anything of it is put together.
func (b *batch) mint(l *leg, out adapter.Outcome) {
	for _, effect := range out.Effects {
		if x, ok := effect.(adapter.Minting); ok && x.Placeholder != "" {
			token := b.c.e.Desk.Mint(l.Account, l.doc.Key, x.Name, b.at, x.TTL)
			b.minted = append(b.minted, minted{[]byte(x.Placeholder), []byte(token)})
		}
	}
}

// minted is a token and what stands for it.
type minted struct{ placeholder, token []byte }

// fillMinted puts the turn's new tokens in their places.
func (b *batch) fillMinted(data []byte) []byte {
	for _, m := range b.minted {
		data = bytes.ReplaceAll(data, m.placeholder, m.token)
	}
	return data
}

// opened notes that a connection stands, and says whether it was dialled for the
// leg's delivery.
func (l *leg) opened(in adapter.Opened) bool {
	k := l.doc.Conns[in.Conn]
	if k == nil {
		k = &connection{}
		if l.doc.Conns == nil {
			l.doc.Conns = map[string]*connection{}
		}
		l.doc.Conns[in.Conn] = k
	}
	serves := k.Serves
	k.Stands, k.Serves = true, false
	return serves
}

// written takes a send away, and says whether it served the leg's delivery.
func (l *leg) written(in adapter.Sent) bool {
	s := l.doc.Sends[in.Tag]
	delete(l.doc.Sends, in.Tag)
	if d := l.doc.Delivery; d != nil && s != nil && s.Serves {
		d.Unsure = d.Unsure || in.Outcome == adapter.SentUnknown
	}
	return s != nil && s.Serves
}
