package convocore

import (
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// leftOver is how long the turn of a repeat stays open for words that waited.
const leftOver = 2 * time.Second

// between sets messages apart that the client puts together as one text.
const between = "\n\n"

// exchange is one turn of a client: what it has been sent.
type exchange struct {
	Ref string `json:"ref,omitempty"`
	// Plain says the client takes text alone.
	Plain bool  `json:"plain,omitempty"`
	Next  int64 `json:"next,omitempty"`
	// Said are the messages so far, and Turn what goes with them. Over says they
	// are too many to be repeated; Shown that the client has them as a whole.
	Said  []object `json:"said,omitempty"`
	Turn  object   `json:"turn,omitempty"`
	Over  bool     `json:"over,omitempty"`
	Shown bool     `json:"shown,omitempty"`
	Begun bool     `json:"begun,omitempty"`
	// Last is the event whose messages were added last, Count how many they were.
	Last  string `json:"last,omitempty"`
	Count int    `json:"count,omitempty"`
	// Stream is the message that is being written, Streamed what the client has
	// of it; Long says that is not remembered.
	Stream   string `json:"stream,omitempty"`
	Streamed string `json:"streamed,omitempty"`
	Long     bool   `json:"long,omitempty"`
	// Told says the summary has gone, History that the client asked for what was
	// said before.
	Told    bool `json:"told,omitempty"`
	History bool `json:"history,omitempty"`
}

// say gives the client a message, or what is left of one it has had a part of.
// Without a connection it waits.
func (s *clientState) say(tx *adapter.Tx, e event.Event, body event.MessageCreated) {
	if s.Conn == "" {
		tx.Later()
		return
	}
	t, extra := &s.Turn, kept(e)
	if t.Plain {
		body.Content = event.Content{Part: event.Text{Text: codec.Plain(body.Content), Format: event.FormatMarkdown}}
	}
	messages := messagesOf(fromBot, body.Content, e.Time)
	if len(messages) == 1 {
		messages[0] = restored(messages[0], extra["message"])
	}
	if len(messages) == 0 {
		return
	}
	if rest, ok := extra["turn"].(object); ok && weight(rest) < partsSize/8 {
		t.Turn = rest
	}
	t.Told = false
	tag := "say/" + e.ID
	begun := body.Stream != "" && body.Stream == t.Stream
	rest, fits := t.rest(codec.Plain(body.Content), begun)
	t.remember(e.ID, messages)
	t.Stream, t.Streamed, t.Long = "", "", false
	_, isText := body.Content.Part.(event.Text)
	if t.Over || t.Plain || isText && fits && !t.Shown {
		s.chunk(tx, tag, rest, false, nil)
		return
	}
	s.show(tx, tag, t.Said, extra)
}

// restored is a message with what was kept of it; an item that was of another
// type than ours is kept whole.
func restored(ours object, kept any) object {
	rest, _ := kept.(object)
	if item, ok := rest["item"].(object); ok && item["type"] != nil {
		ours["item"] = item
	}
	return merged(ours, rest)
}

// rest is what the client has yet to get of a text, and whether that can be put
// behind what it has.
func (t *exchange) rest(text string, begun bool) (string, bool) {
	switch {
	case !begun && !t.Begun:
		return text, true
	case !begun:
		return between + text, true
	case t.Long:
		return "", true
	case strings.HasPrefix(text, t.Streamed):
		return text[len(t.Streamed):], true
	}
	return "", false
}

// remember keeps messages for what repeats the whole turn. Those of an event that
// is offered again take the place they had.
func (t *exchange) remember(eventID string, messages []object) {
	if eventID == t.Last && len(t.Said) >= t.Count {
		t.Said = t.Said[:len(t.Said)-t.Count]
	}
	t.Last, t.Count = eventID, len(messages)
	t.Said = append(t.Said, messages...)
	if t.Over = t.Over || weight(t.Said) > partsSize; t.Over {
		t.Said = nil
	}
}

// partial gives the client a piece of a message. One whose beginning it has not
// had comes as a whole at the end.
func (s *clientState) partial(tx *adapter.Tx, e event.Event, p event.MessagePartial) {
	t := &s.Turn
	if s.Conn == "" || e.Actor.Role == event.RoleCustomer {
		return
	}
	if t.Stream != p.Stream {
		if p.Index != 0 {
			return
		}
		t.Stream, t.Streamed, t.Long = p.Stream, "", false
	}
	if p.Mode == "replace" || t.Shown {
		s.snapshot(tx, e, p)
		return
	}
	piece := p.Text
	if t.Begun && p.Index == 0 {
		piece = between + piece
	}
	t.write(p.Text)
	s.chunk(tx, "", piece, false, kept(e)["frame"])
}

// write notes that the client has more of the stream.
func (t *exchange) write(text string) {
	t.Streamed += text
	if t.Long = t.Long || weight(t.Streamed) > partsSize; t.Long {
		t.Streamed = ""
	}
}

// snapshot gives the client the whole turn with the message as it is now.
func (s *clientState) snapshot(tx *adapter.Tx, e event.Event, p event.MessagePartial) {
	t := &s.Turn
	if t.Plain || t.Over {
		t.Stream = "" // it comes as a whole
		return
	}
	if p.Mode == "replace" {
		t.Streamed = ""
	}
	t.write(p.Text)
	if t.Long {
		return
	}
	now := messageOf(fromBot, item{itemText, object{"message": t.Streamed}}, e.Time)
	s.show(tx, "", append(slices.Clone(t.Said), now), kept(e))
}

// show sends messages as all that was said in the turn.
func (s *clientState) show(tx *adapter.Tx, tag string, messages []object, extra object) {
	s.Turn.Shown = true
	turn := turnOf(fromBot, listed(messages), stampOf(messages))
	s.chunk(tx, tag, string(codec.Compose(merged(turn, extra["turn"]))), true, extra["frame"])
}

// stampOf is when the last of messages was said.
func stampOf(messages []object) time.Time {
	if len(messages) == 0 {
		return time.Time{}
	}
	switch at := messages[len(messages)-1]["ts"].(type) {
	case int64:
		return time.Unix(at, 0)
	case float64: // read from the state
		return time.Unix(int64(at), 0)
	}
	return time.Time{}
}

func listed(messages []object) []any {
	out := make([]any, len(messages))
	for i, m := range messages {
		out[i] = m
	}
	return out
}

func (s *clientState) chunk(tx *adapter.Tx, tag, text string, ui bool, extra any) {
	tx.Send(tag, s.Conn, codec.Compose(merged(chunkFrame(text, s.Turn.Next, ui), extra)))
	s.Turn.Next++
	s.Turn.Begun = true
}

// summary is the last frame of a turn: what was said, and facts of how.
func (t *exchange) summary(facts object) object {
	metadata := object{"sources": []any{}}
	for name, value := range facts {
		metadata[name] = value
	}
	if len(t.Said) > 0 {
		metadata["turns"] = []any{merged(turnOf(fromBot, listed(t.Said), stampOf(t.Said)), t.Turn)}
	}
	return object{"type": frameMetadata, "metadata": metadata}
}

// extension gives the client what only this vendor's agents say.
func (s *clientState) extension(tx *adapter.Tx, x event.Extension) {
	if x.Vendor != vendor || s.Conn == "" {
		return
	}
	data, ok := decode(x.Data).(object)
	switch {
	case !ok:
	case x.Name == frameMetadata:
		tx.Send("", s.Conn, codec.Compose(s.Turn.summary(data)))
		s.Turn.Told = true
	case x.Name == frameAction:
		tx.Send("", s.Conn, codec.Compose(object{"type": frameAction, "action": data}))
	}
}
