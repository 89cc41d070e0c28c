package convocore

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The bounds of what is kept of an answer until it is whole, in bytes: of its
// text, of its last snapshot, and of what may be a crash.
const (
	textSize     = 8 << 10
	snapshotSize = 32 << 10
	crashSize    = 2 << 10
	tailSize     = 64
)

// answer is what the agent has said in a turn so far.
type answer struct {
	// Stream counts the messages written piece by piece, Pieces the pieces of the
	// one that is written now.
	Stream int   `json:"stream,omitempty"`
	Pieces int64 `json:"pieces,omitempty"`
	// Text is that message's text, Snapshot the whole turn where it comes so, and
	// Large says that it is too large to keep.
	Text     string          `json:"text,omitempty"`
	Snapshot json.RawMessage `json:"snapshot,omitempty"`
	Large    bool            `json:"large,omitempty"`
	// Cut is how much text has become whole messages before the end, Tail its end.
	Cut  int    `json:"cut,omitempty"`
	Tail string `json:"tail,omitempty"`
	// Held is a first piece that may be a crash and not words.
	Held string `json:"held,omitempty"`
	// Whole says the last words are known.
	Whole bool `json:"whole,omitempty"`
}

// crash is how a program's error begins.
var crash = regexp.MustCompile(`^\s*(Uncaught )?[A-Z]?[A-Za-z]*(Error|Exception): `)

// frameHandlers say what becomes of a frame, by type. All others are ignored:
// the vendor adds some, and debug is nobody's to see.
//
//nolint:gochecknoglobals // a table that is never written.
var frameHandlers = map[string]func(*agentState, *adapter.Tx, settings, codec.Value){
	frameChunk:    (*agentState).chunk,
	frameAction:   (*agentState).action,
	frameMetadata: (*agentState).metadata,
	frameHistory:  (*agentState).history,
}

func (s *agentState) frame(tx *adapter.Tx, set settings, in adapter.Frame) {
	t := &s.Turn
	if in.Conn != t.Conn || t.Conn == "" || !t.Sent {
		return
	}
	t.Heard, t.Prompt = true, ""
	tx.After(turnTimer, set.Limit)
	v, err := readFrame(in.Data)
	if err != nil {
		s.words(tx, in, err)
		return
	}
	if handle, known := frameHandlers[strings.ToLower(v.Get("type").Text())]; known {
		handle(s, tx, set, v)
	}
}

// words takes a frame that is no object for words, as the vendor's own client
// does, unless it was meant to be one.
func (s *agentState) words(tx *adapter.Tx, in adapter.Frame, fault error) {
	text := string(in.Data)
	if !in.Binary && utf8.ValidString(text) && strings.TrimSpace(text) != "" && !strings.ContainsAny(strings.TrimSpace(text)[:1], `{["`) {
		s.append(tx, text, nil)
		return
	}
	s.emit(tx, event.ErrorReported{Code: "unreadable_frame", Detail: fault.Error()})
}

// stream names the message that is written now.
func (s *agentState) stream() string {
	return s.Turn.Conn + "/" + strconv.Itoa(s.Turn.Answer.Stream)
}

// streaming reports whether a message is being written.
func (a answer) streaming() bool { return a.Pieces > 0 }

func (s *agentState) chunk(tx *adapter.Tx, _ settings, v codec.Value) {
	a := &s.Turn.Answer
	body := v.Get("chunk")
	if v.Get("ui_engine").Text() == "true" && body.Unwrap().IsObject() {
		s.snapshot(tx, v, body.Unwrap())
		return
	}
	text := body.Text()
	first := !a.streaming() && a.Cut == 0 && a.Held == "" && !a.Whole
	switch {
	case text == "":
	case first && len(text) <= crashSize && crash.MatchString(text):
		a.Held = text
	default:
		s.append(tx, text, v.Without("type", "chunk", "chunkIndex", "ui_engine"))
	}
}

// append says there is more of the message that is written now. One that grows
// too long to keep becomes whole, and the next begins.
func (s *agentState) append(tx *adapter.Tx, text string, rest json.RawMessage) {
	a := &s.Turn.Answer
	text, a.Held = a.Held+text, ""
	s.piece(tx, "append", text, keep(object{"frame": decode(rest)}))
	a.Snapshot, a.Large = nil, false
	if a.Text += text; weight(a.Text) <= textSize {
		return
	}
	a.Cut += len(a.Text)
	a.Tail = tailOf(a.Tail + a.Text)
	s.close(tx, event.Content{Part: event.Text{Text: a.Text, Format: event.FormatMarkdown}}, false)
}

// tailOf is the end of a text.
func tailOf(text string) string {
	at := max(0, len(text)-tailSize)
	for at < len(text) && !utf8.RuneStart(text[at]) {
		at++
	}
	return text[at:]
}

func (s *agentState) piece(tx *adapter.Tx, mode, text string, extra map[string]json.RawMessage) {
	a := &s.Turn.Answer
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Vendor: extra,
		Body: event.MessagePartial{Stream: s.stream(), Index: a.Pieces, Mode: mode, Text: text}})
	a.Pieces++
}

// close ends the message that is written now.
func (s *agentState) close(tx *adapter.Tx, c event.Content, incomplete bool) {
	a := &s.Turn.Answer
	s.emit(tx, event.MessageCreated{Content: c, Stream: s.stream(), Incomplete: incomplete})
	a.Stream++
	a.Pieces, a.Text, a.Snapshot, a.Large = 0, "", nil, false
}

// snapshot says the turn reads so now. It replaces all pieces before it.
func (s *agentState) snapshot(tx *adapter.Tx, v, turn codec.Value) {
	a := &s.Turn.Answer
	all := messagesIn(turn)
	text := wordsOf(all)
	ours := turnOf(fromBot, []any{messageOf(fromBot, item{itemText, object{"message": text}}, tx.Now())}, tx.Now())
	a.Held = ""
	if text != "" || a.streaming() {
		s.piece(tx, "replace", text, keep(object{"turn": residue(turn, ours),
			"frame": decode(v.Without("type", "chunk", "chunkIndex", "ui_engine"))}))
	}
	a.Text, a.Snapshot, a.Large = "", turn.Raw(), false
	if weight(a.Snapshot) > snapshotSize {
		a.Text, a.Snapshot, a.Large = clip(text, textSize/6), nil, true
	}
}

// wordsOf are the words of messages, less what comes with its own message when
// all is said.
func wordsOf(all []said) string {
	var parts []string
	for _, one := range all {
		if text, ok := one.part.(event.Text); ok {
			parts = append(parts, text.Text)
		}
	}
	return strings.Join(parts, between)
}

// metadata sums the turn up: its last words, and facts of how they came.
func (s *agentState) metadata(tx *adapter.Tx, _ settings, v codec.Value) {
	m := v.Get("metadata").Unwrap()
	turns := m.Get("turns")
	if !turns.Exists() {
		turns = v.Get("turns")
	}
	if all, ok := s.yet(answerOf(turns)); ok {
		s.Turn.Answer.Held = ""
		s.final(tx, all)
		s.Turn.Answer.Whole = true
	}
	facts := object{}
	for _, name := range []string{"sources", "inputTokens", "outputTokens", "llmUsed"} {
		if value := m.Get(name); value.Exists() && value.Text() != "[]" {
			facts[name] = plain(value)
		}
	}
	if len(facts) == 0 {
		return
	}
	s.emit(tx, event.Extension{Vendor: vendor, Name: frameMetadata, Data: written(facts)})
}

// yet is what of an answer is not said as a whole yet; false when that cannot be
// told, or it is nothing.
func (s *agentState) yet(all []said) ([]said, bool) {
	a := s.Turn.Answer
	if a.Cut == 0 || len(all) == 0 {
		return all, len(all) > 0
	}
	text, ok := all[0].part.(event.Text)
	if !ok || len(text.Text) < a.Cut || !strings.HasSuffix(text.Text[:a.Cut], a.Tail) {
		return nil, false
	}
	if text.Text = text.Text[a.Cut:]; text.Text == "" {
		return all[1:], true
	}
	all = slices.Clone(all)
	all[0].part = text
	return all, true
}

// final says what the agent said, message by message; the one that was written
// piece by piece closes its stream.
func (s *agentState) final(tx *adapter.Tx, all []said) {
	a := &s.Turn.Answer
	closing := -1
	if a.streaming() && len(all) > 0 {
		closing = max(0, slices.IndexFunc(all, func(one said) bool { _, isText := one.part.(event.Text); return isText }))
	}
	for i, one := range all {
		body := event.MessageCreated{Content: event.Content{Part: one.part}}
		if i == closing {
			body.Stream = s.stream()
		}
		e := adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: body, Ref: one.message.Get("mid").Text()}
		e.Vendor = restOfMessage(tx, one, body.Content, i == 0)
		tx.Emit(e)
	}
	if closing >= 0 {
		a.Stream++
	}
	a.Pieces, a.Text, a.Snapshot, a.Large = 0, "", nil, false
}

// restOfMessage is what a message holds beyond its content, and the first of a
// turn for the turn.
func restOfMessage(tx *adapter.Tx, one said, c event.Content, first bool) map[string]json.RawMessage {
	rest := object{}
	if ours := messagesOf(fromBot, c, tx.Now()); len(ours) == 1 {
		rest["message"] = foreign(one.message, residue(one.message, ours[0]))
	}
	if turn, ok := residue(one.turn, turnOf(fromBot, []any{}, tx.Now())).(object); ok && first {
		if delete(turn, "messages"); len(turn) > 0 {
			rest["turn"] = turn
		}
	}
	return keep(rest)
}

// foreign keeps an item whole whose type is another than ours.
func foreign(message codec.Value, rest any) any {
	kept, _ := rest.(object)
	if item, _ := kept["item"].(object); item["type"] != nil {
		kept["item"] = plain(message.Get("item"))
	}
	return rest
}

func (s *agentState) history(tx *adapter.Tx, set settings, v codec.Value) {
	turns := v.Get("turns")
	entries := historyOf(turns)
	if !*set.History || len(entries) == 0 {
		return
	}
	tx.Emit(adapter.Emission{Actor: event.Actor{Role: event.RoleVirtualAgent}, Body: event.TranscriptShared{Entries: entries},
		Vendor: keep(object{"turns": residue(turns.Unwrap(), turnsOf(entries))})})
}

// finish ends a turn: what was begun is closed, and the customer's words count as
// answered. A turn that was cut says why.
func (s *agentState) finish(tx *adapter.Tx, whole bool, fault string) {
	a, to := &s.Turn.Answer, s.Turn.To
	if a.Held != "" && whole {
		s.emit(tx, event.ErrorReported{Code: "crash", Detail: a.Held})
	} else if a.Held != "" {
		s.append(tx, "", nil)
	}
	s.closeLast(tx, whole)
	if !whole {
		s.emit(tx, event.ErrorReported{Code: fault, Detail: "the answer was cut"})
	}
	s.emit(tx, event.AnswerCompleted{To: to})
	tx.Stop(turnTimer)
	s.Turn = turn{}
}

// closeLast closes the message that is written now with what is known of it.
func (s *agentState) closeLast(tx *adapter.Tx, whole bool) {
	a := &s.Turn.Answer
	if !a.streaming() && a.Snapshot == nil {
		return
	}
	if a.Snapshot != nil {
		if v, err := codec.Lenient(a.Snapshot); err == nil {
			if all := messagesIn(v); len(all) > 0 && whole {
				s.final(tx, all)
				return
			} else if !whole {
				a.Text = wordsOf(all)
			}
		}
	}
	if a.streaming() {
		s.close(tx, event.Content{Part: event.Text{Text: a.Text, Format: event.FormatMarkdown}}, !whole || a.Large)
	}
}
