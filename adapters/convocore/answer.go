package convocore

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
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
	// Stream counts the messages written piece by piece.
	Stream int `json:"stream,omitempty"`
	writing
	// Cut is how much text has become whole messages before the end, Tail its end.
	Cut  int    `json:"cut,omitempty"`
	Tail string `json:"tail,omitempty"`
	// Held is a first piece that may be a crash and not words.
	Held string `json:"held,omitempty"`
	// Whole says the last words are known.
	Whole bool `json:"whole,omitempty"`
}

// writing is the message that is written now.
type writing struct {
	// Pieces counts what it came in so far.
	Pieces int64 `json:"pieces,omitempty"`
	// Text is its text, Snapshot the whole turn where it comes so, and Large says
	// that it is too large to keep.
	Text     string          `json:"text,omitempty"`
	Snapshot json.RawMessage `json:"snapshot,omitempty"`
	Large    bool            `json:"large,omitempty"`
}

// crash is how a program's error begins.
var crash = regexp.MustCompile(`^\s*(Uncaught )?[A-Z]?[A-Za-z]*(Error|Exception): `)

// frame is a frame of the turn. Those of other types are ignored: the vendor adds
// some, and debug is nobody's to see.
func (a agent) frame(in adapter.Frame) {
	t := &a.Turn
	if !t.on(in.Conn) || !t.Sent {
		return
	}
	t.Heard, t.Prompt = true, ""
	a.tx.After(turnTimer, a.set.Limit)
	v, err := readFrame(in.Data)
	if err != nil {
		a.words(in, err)
		return
	}
	switch strings.ToLower(v.Get("type").Text()) {
	case frameChunk:
		a.chunk(v)
	case frameAction:
		a.action(v)
	case frameMetadata:
		a.metadata(v)
	case frameHistory:
		a.history(v)
	}
}

// words takes a frame that is no object for words, as the vendor's own client
// does, unless it was meant to be one.
func (a agent) words(in adapter.Frame, fault error) {
	text := string(in.Data)
	if !in.Binary && utf8.ValidString(text) && strings.TrimSpace(text) != "" && !strings.ContainsAny(strings.TrimSpace(text)[:1], `{["`) {
		a.append(text, nil)
		return
	}
	a.emit(event.ErrorReported{Code: "unreadable_frame", Detail: fault.Error()})
}

// stream names the message that is written now.
func (a agent) stream() string { return a.Turn.Conn + "/" + strconv.Itoa(a.Turn.Answer.Stream) }

// streaming reports whether a message is being written.
func (w writing) streaming() bool { return w.Pieces > 0 }

func (a agent) chunk(v codec.Value) {
	ans := &a.Turn.Answer
	body, rest := v.Get("chunk"), decode(v.Without("type", "chunk", "chunkIndex", "ui_engine"))
	text := body.Text()
	switch {
	case v.Get("ui_engine").Text() == "true" && body.Unwrap().IsObject():
		a.snapshot(body.Unwrap(), rest)
	case text == "":
	case ans.empty() && len(text) <= crashSize && crash.MatchString(text):
		ans.Held = text
	default:
		a.append(text, rest)
	}
}

// empty reports whether nothing was said in the turn yet.
func (s *answer) empty() bool { return !s.streaming() && s.Cut == 0 && s.Held == "" && !s.Whole }

// append says there is more of the message that is written now. One that grows
// too long to keep becomes whole, and the next begins.
func (a agent) append(text string, rest any) {
	ans := &a.Turn.Answer
	text, ans.Held = ans.Held+text, ""
	a.piece("append", text, object{"frame": rest})
	ans.Snapshot, ans.Large = nil, false
	if ans.Text += text; weight(ans.Text) <= textSize {
		return
	}
	ans.Cut += len(ans.Text)
	ans.Tail = tailOf(ans.Tail + ans.Text)
	a.close(false)
}

// tailOf is the end of a text.
func tailOf(text string) string {
	at := max(0, len(text)-tailSize)
	for at < len(text) && !utf8.RuneStart(text[at]) {
		at++
	}
	return text[at:]
}

func (a agent) piece(mode, text string, rest object) {
	ans := &a.Turn.Answer
	a.relay(event.MessagePartial{Stream: a.stream(), Index: ans.Pieces, Mode: mode, Text: text}, "", rest)
	ans.Pieces++
}

// close ends the message that is written now.
func (a agent) close(incomplete bool) {
	ans := &a.Turn.Answer
	a.emit(event.MessageCreated{Content: event.Content{Part: event.Text{Text: ans.Text, Format: event.FormatMarkdown}},
		Stream: a.stream(), Incomplete: incomplete})
	ans.Stream, ans.writing = ans.Stream+1, writing{}
}

// snapshot says the turn reads so now. It replaces all pieces before it.
func (a agent) snapshot(turn codec.Value, rest any) {
	ans := &a.Turn.Answer
	text := wordsOf(messagesIn(turn))
	ours := turnOf(fromBot, []any{messageOf(fromBot, item{itemText, object{"message": text}}, a.tx.Now())}, a.tx.Now())
	ans.Held = ""
	if text != "" || ans.streaming() {
		a.piece("replace", text, object{"turn": residue(turn, ours), "frame": rest})
	}
	ans.Text, ans.Snapshot, ans.Large = "", turn.Raw(), false
	if weight(ans.Snapshot) > snapshotSize {
		ans.Text, ans.Snapshot, ans.Large = clip(text, textSize/6), nil, true
	}
}

// wordsOf are the words of messages, less what comes with its own message when
// all is ans.
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
func (a agent) metadata(v codec.Value) {
	m := v.Get("metadata").Unwrap()
	turns := m.Get("turns")
	if !turns.Exists() {
		turns = v.Get("turns")
	}
	if all, ok := a.Turn.Answer.yet(answerOf(turns)); ok {
		a.final(all)
		a.Turn.Answer.Held, a.Turn.Answer.Whole = "", true
	}
	facts := object{}
	for _, name := range []string{"sources", "inputTokens", "outputTokens", "llmUsed"} {
		if value := m.Get(name); value.Exists() && value.Text() != "[]" {
			facts[name] = plain(value)
		}
	}
	if len(facts) > 0 {
		a.emit(event.Extension{Vendor: vendor, Name: frameMetadata, Data: codec.Compose(facts)})
	}
}

// yet is what of an answer is not said as a whole yet; false when that cannot be
// told, or it is nothing.
func (s *answer) yet(all []said) ([]said, bool) {
	if s.Cut == 0 || len(all) == 0 {
		return all, len(all) > 0
	}
	text, ok := all[0].part.(event.Text)
	if !ok || len(text.Text) < s.Cut || !strings.HasSuffix(text.Text[:s.Cut], s.Tail) {
		return nil, false
	}
	if text.Text = text.Text[s.Cut:]; text.Text == "" {
		return all[1:], true
	}
	all[0].part = text
	return all, true
}

// final says what the agent said, message by message; the one that was written
// piece by piece closes its stream.
func (a agent) final(all []said) {
	closing := -1
	if a.Turn.Answer.streaming() && len(all) > 0 {
		closing = max(0, slices.IndexFunc(all, func(one said) bool { _, isText := one.part.(event.Text); return isText }))
	}
	for i, one := range all {
		body := event.MessageCreated{Content: event.Content{Part: one.part}}
		if i == closing {
			body.Stream = a.stream()
		}
		a.relay(body, one.message.Get("mid").Text(), one.rest(a.tx.Now(), i == 0))
	}
	if closing >= 0 {
		a.Turn.Answer.Stream++
	}
	a.Turn.Answer.writing = writing{}
}

// rest is what a message holds beyond its content, and the first of a turn for
// the turn. An item whose type is another than ours is kept whole.
func (one said) rest(now time.Time, first bool) object {
	rest := object{}
	if ours := messagesOf(fromBot, event.Content{Part: one.part}, now); len(ours) == 1 {
		rest["message"] = residue(one.message, ours[0])
		kept, _ := rest["message"].(object)
		if item, _ := kept["item"].(object); item["type"] != nil {
			kept["item"] = plain(one.message.Get("item"))
		}
	}
	if turn, ok := residue(one.turn, turnOf(fromBot, []any{}, now)).(object); ok && first {
		if delete(turn, "messages"); len(turn) > 0 {
			rest["turn"] = turn
		}
	}
	return rest
}

func (a agent) history(v codec.Value) {
	turns := v.Get("turns").Unwrap()
	if entries := historyOf(turns); *a.set.History && len(entries) > 0 {
		a.relay(event.TranscriptShared{Entries: entries}, "", object{"turns": residue(turns, turnsOf(entries))})
	}
}

// finish ends a turn: what was begun is closed, and the customer's words count as
// answered. A turn that was cut says why.
func (a agent) finish(whole bool, fault string) {
	held, to := a.Turn.Answer.Held, a.Turn.To
	if held != "" && whole {
		a.emit(event.ErrorReported{Code: "crash", Detail: held})
	} else if held != "" {
		a.append("", nil)
	}
	a.closeLast(whole)
	if !whole {
		a.emit(event.ErrorReported{Code: fault, Detail: "the answer was cut"})
	}
	a.emit(event.AnswerCompleted{To: to})
	a.over()
}

// closeLast closes the message that is written now with what is known of it.
func (a agent) closeLast(whole bool) {
	ans := &a.Turn.Answer
	if v, err := codec.Lenient(ans.Snapshot); err == nil {
		all := messagesIn(v)
		if len(all) > 0 && whole {
			a.final(all)
			return
		} else if !whole {
			ans.Text = wordsOf(all)
		}
	}
	if ans.streaming() {
		a.close(!whole || ans.Large)
	}
}
