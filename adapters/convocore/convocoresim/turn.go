package convocoresim

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// The bounds of a connection.
const (
	firstWithin = 10 * time.Second
	writeWithin = 10 * time.Second
	heldMost    = time.Minute
)

// reply is what the agent does in a turn.
type reply struct {
	frames   []frame
	messages []Message
	// before and after the first frame the turn waits for Release; drop breaks the
	// connection after it. bare sends metadata with sources alone, crash none.
	before, after, drop, bare, crash bool
}

// scripts are what the agent does by a word of the prompt; the first that is in
// it counts.
//
//nolint:gochecknoglobals // a table that is never written.
var scripts = []struct {
	word string
	play func(Object) reply
}{
	{"human", handsOff}, {"choices", offers}, {"form", asks}, {"snapshot", shows}, {"crash", crashes},
	{"pause", func(o Object) reply { r := echoes(o); r.before = true; return r }},
	{"stall", func(o Object) reply { r := echoes(o); r.after = true; return r }},
	{"drop", func(o Object) reply { r := echoes(o); r.drop = true; return r }},
	{"bare", func(o Object) reply { r := echoes(o); r.bare = true; return r }},
	{"", echoes},
}

// says is an answer of words.
func says(said string) reply {
	return reply{frames: chunks(said), messages: []Message{text("bot", said)}}
}

func echoes(o Object) reply { return says("You said: " + o.Prompt) }

// handsOff asks for people: action request_handoff (spec; the payload is a note).
func handsOff(Object) reply {
	r := says("I will ask my colleagues.")
	r.frames = append(r.frames, frame{"type": "action", "action": frame{"type": "request_handoff", "payload": "the customer asked for people"}})
	return r
}

// offers shows buttons (spec, item choice); without the UI engine, words.
func offers(o Object) reply {
	if o.DisableUIEngine {
		return says("Which one? Coffee or tea")
	}
	button := func(name, message string) any {
		return frame{"name": name, "request": frame{"type": "text", "payload": frame{"message": message}}}
	}
	m := []Message{text("bot", "Which one?"), {From: "bot", Type: "choice", TS: time.Now().Unix(), Item: Item{"choice",
		map[string]any{"buttons": []any{button("Coffee", "I choose coffee"), button("Tea", "I choose tea")}}}}}
	return reply{frames: snapshots(m...), messages: m}
}

// asks shows a form (spec, item form); without the UI engine, words.
func asks(o Object) reply {
	if o.DisableUIEngine {
		return says("What is your name?")
	}
	m := []Message{{From: "bot", Type: "form", TS: time.Now().Unix(), Item: Item{"form", map[string]any{"title": "You",
		"fields": []any{frame{"id": "name", "label": "Name", "type": "text", "required": true}}, "onSubmit": frame{"type": "submit_form"}}}}}
	return reply{frames: snapshots(m...), messages: m}
}

// shows answers in snapshots that replace each other (spec, ui_engine true).
func shows(o Object) reply {
	said := "You said: " + o.Prompt
	half, whole := snapshots(text("bot", said[:len(said)/2])), snapshots(text("bot", said))
	whole[0]["chunkIndex"] = 1
	return reply{frames: append(half, whole...), messages: []Message{text("bot", said)}}
}

// crashes tells of a fault as the service does (log): a chunk like any other.
func crashes(Object) reply {
	return reply{frames: []frame{chunk("TypeError: Cannot read properties of undefined (reading 'ID')", 0, false)}, crash: true}
}

// play is what the agent does with an object. While people have the conversation
// it says nothing: what the service does then is not documented.
func (s *Server) play(k *conversation, o Object) reply {
	prompt := strings.ToLower(strings.TrimSpace(o.Prompt))
	switch {
	case o.AgentID == "" || o.ConvoID == "" || o.Bucket == "": // required (spec)
		return crashes(o)
	case prompt == "start":
		return says(s.o.Greeting)
	case strings.HasPrefix(prompt, "@") || k.state() == "human-chatting":
		return reply{}
	}
	for _, script := range scripts {
		if strings.Contains(prompt, script.word) {
			return script.play(o)
		}
	}
	return reply{}
}

// ServeHTTP takes one connection: one object, its answer, close 1000 (spec).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(w, r) {
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	l := &line{conn: conn, cancelled: make(chan struct{}), gone: make(chan struct{})}
	ctx, stop := context.WithTimeout(context.Background(), firstWithin)
	_, data, err := conn.Read(ctx)
	stop()
	if err != nil {
		_ = conn.CloseNow()
		return
	}
	go l.listen()
	defer func() { <-l.gone }()
	var o Object
	if json.Unmarshal(data, &o) != nil || o.ConvoID == "" {
		l.send(crashes(o).frames[0])
		l.end()
		return
	}
	s.take(l, o)
}

// take answers an object when the turn before it has ended. One whose mid is
// known gets the answer it had, and is not said again.
func (s *Server) take(l *line, o Object) {
	s.mu.Lock()
	k := s.of(o.ConvoID)
	k.agent = o.AgentID
	k.objects = append(k.objects, o)
	s.mu.Unlock()
	k.busy <- struct{}{}
	s.mu.Lock()
	frames, again := k.answers[o.mid()]
	r, release := s.play(k, o), k.release
	asks := o.Prompt == ""
	if asks && o.AgentID != "" { // node agents send what was said before (spec)
		frames, again = []frame{{"type": "sync_chat_history", "turns": k.turns}}, true
	}
	s.mu.Unlock()
	if again && (asks || o.mid() != "") {
		l.send(frames...)
		<-k.busy
		l.end()
		return
	}
	s.run(l, k, o, r, release)
}

// run plays a turn. It goes on when the client has gone: its answer is kept.
func (s *Server) run(l *line, k *conversation, o Object, r reply, release chan struct{}) {
	hold := func(held bool) bool { return !held || l.wait(release) }
	sent := 0
	if hold(r.before) && !r.crash {
		l.send(frame{"type": "debug", "chunk": "agent begins"}, frame{"type": "turn_patch"}) // log: turn_patch, of unknown use
	}
	for i, f := range r.frames {
		if l.isCancelled() {
			break
		}
		l.send(f)
		sent++
		if i == 0 && r.drop {
			l.drop()
		}
		if i == 0 && !hold(r.after) {
			break
		}
	}
	if sent < len(r.frames) { // cancelled (spec, @cancel): what was said stands
		r.messages = nil
		if said := spoken(r.frames[:sent]); said != "" {
			r.messages = []Message{text("bot", said)}
		}
	}
	last := s.keep(k, o, &r)
	l.send(last...)
	<-k.busy
	l.end()
	s.tellTurn(o, r)
}

// spoken is what was said by pieces.
func spoken(frames []frame) string {
	said := ""
	for _, f := range frames {
		if piece, ok := f["chunk"].(string); ok && f["ui_engine"] == false {
			said += piece
		}
	}
	return said
}

// keep writes a turn into the history, and gives its last frames.
func (s *Server) keep(k *conversation, o Object, r *reply) []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := len(k.turns)
	if !strings.HasPrefix(o.Prompt, "@") && o.Prompt != "start" {
		k.turns = append(k.turns, Turn{From: "human", TS: time.Now().Unix(), Messages: []Message{text("human", o.Prompt)}})
	}
	if len(r.messages) > 0 {
		k.turns = append(k.turns, Turn{From: "bot", TS: time.Now().Unix(), Messages: r.messages})
	}
	var last []frame
	if !r.crash {
		last = []frame{{"type": "turn_commit"}, {"type": "metadata", "metadata": s.summary(k, from, r.bare)}}
	}
	if mid := o.mid(); mid != "" {
		k.answers[mid] = append(append([]frame{}, r.frames...), last...)
	}
	return last
}

// summary is metadata's content: the final text in turns (spec); in 2024 sources
// alone (widget), which are names or objects.
func (s *Server) summary(k *conversation, from int, bare bool) frame {
	if bare {
		return frame{"sources": []any{"handbook"}}
	}
	if s.o.AllTurns {
		from = 0
	}
	return frame{"sources": []any{}, "turns": append([]Turn{}, k.turns[from:]...), "inputTokens": 12, "outputTokens": 7, "llmUsed": "simulated"}
}
