package adaptertest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// board is a small adapter of a desk whose messages are read from where it was, unless
// it is given a flaw.
type board struct{ flaw string }

type boardState struct {
	Open  bool   `json:"open,omitempty"`
	Read  int    `json:"read,omitempty"` // how many messages were
	Busy  bool   `json:"busy,omitempty"`
	Again bool   `json:"again,omitempty"`
	Taken bool   `json:"taken,omitempty"`
	Kept  string `json:"kept,omitempty"`
}

func (b board) definition() adapter.Definition {
	return adapter.Definition{Manifest: adapter.Manifest{Name: "board", StateVersion: 1, Roles: []event.Role{event.RoleLiveAgent}},
		Configure: func(adapter.Account) (adapter.Profile, error) {
			return adapter.Profile{Hosts: []string{"board.example"}, Reconcile: true, Levels: adapter.Levels{Push: adapter.PushCall}}, nil
		},
		Adapter: adapter.Func(b.handle)}
}

func (b board) handle(tx *adapter.Tx, s *boardState, in adapter.Input) error {
	switch in := in.(type) {
	case adapter.Deliver:
		b.deliver(tx, s, in.Event)
	case adapter.Request, adapter.Reconcile, adapter.Fired:
		b.look(tx, s)
	case adapter.Result:
		switch {
		case in.Tag == "open" && b.flaw != "asks nobody":
			s.Open = true
			tx.Emit(adapter.Emission{Body: event.HandoffQueued{}})
		case strings.HasPrefix(in.Tag, "read/"):
			b.read(tx, s, in)
		}
	}
	return nil
}

func (b board) deliver(tx *adapter.Tx, s *boardState, e event.Event) {
	switch body := e.Body.(type) {
	case event.HandoffRequested:
		said := ""
		for _, one := range body.Transcript {
			said += codec.Plain(one.Content)
		}
		if b.flaw == "keeps what was said" {
			s.Kept = said
		}
		if b.flaw == "shows no transcript" {
			said = ""
		}
		b.call(tx, "open", http.MethodPost, said)
	case event.MessageCreated:
		if b.flaw == "puts words off for ever" {
			tx.Later()
			return
		}
		b.call(tx, "say/"+e.ID, http.MethodPost, codec.Plain(body.Content))
	}
}

func (b board) call(tx *adapter.Tx, tag, method, body string) {
	tx.Call(tag, adapter.Call{Method: method, URL: "https://board.example/" + tag, Body: []byte(body)})
}

func (b board) look(tx *adapter.Tx, s *boardState) {
	switch {
	case !s.Open && b.flaw != "reads on after the end":
	case s.Busy && b.flaw != "reads twice at once":
		s.Again = b.flaw != "drops a hint"
	default:
		s.Busy, s.Again = true, false
		b.call(tx, fmt.Sprintf("read/%d/%d", s.Read, tx.Now().Nanosecond()), http.MethodGet, "")
	}
}

func (b board) read(tx *adapter.Tx, s *boardState, r adapter.Result) {
	s.Busy = false
	if !r.OK() {
		if b.flaw != "does not read again" {
			tx.After("again", time.Second)
		}
		return
	}
	v, err := codec.Lenient(r.Body)
	if err != nil {
		return
	}
	list := v.Get("list").Items()
	if b.flaw == "backwards" {
		slices.Reverse(list)
	}
	s.Read += len(list)
	for _, m := range list {
		b.message(tx, s, m)
	}
	if b.flaw == "tells again" {
		s.Read -= min(1, len(list))
	}
	more := v.Get("more").Text() == "true"
	switch {
	case v.Get("closed").Text() == "true" && (!more || b.flaw == "ends before the last page"):
		s.Open = false
		tx.Emit(adapter.Emission{Body: event.HandbackRequested{}})
		if b.flaw == "ends twice" {
			tx.Emit(adapter.Emission{Body: event.HandoffFailed{}})
		}
	case more && b.flaw != "reads one page", s.Again, b.flaw == "reads for ever":
		b.look(tx, s)
	}
}

func (b board) message(tx *adapter.Tx, s *boardState, m codec.Value) {
	who := event.Actor{Role: event.RoleLiveAgent, Name: m.Get("by").Text()}
	switch kind := m.Get("kind").Text(); {
	case kind == "note" || kind == "ours" && b.flaw == "notes its own":
		tx.Emit(adapter.Emission{Actor: who, Body: event.NoteCreated{Text: "n"}})
	case kind == "person", kind == "program" && b.flaw == "tells a program's":
		if b.flaw == "tells no names" {
			who.Name = ""
		}
		if b.flaw == "remembers all" {
			s.Kept += strings.Repeat(m.Get("text").Text(), 50)
		}
		if !s.Taken && b.flaw != "accepts nothing" || b.flaw == "accepts each" {
			tx.Emit(adapter.Emission{Actor: who, Body: event.HandoffAccepted{}})
		}
		s.Taken = true
		tx.Emit(adapter.Emission{Actor: who, Body: event.MessageCreated{Content: event.Plain(m.Get("text").Text())}})
	}
}

// desk is the board itself.
func (b board) desk(page int) adaptertest.Desk {
	type object = map[string]any
	var list []object
	closed := false
	store := func(kind, by, text string) []adapter.Input {
		list = append(list, object{"kind": kind, "by": by, "text": text})
		return []adapter.Input{adapter.Request{Endpoint: "hook", Body: []byte(`{}`)}}
	}
	return adaptertest.Desk{Reads: "read/", Accepts: true,
		Writes: func(name, text string) []adapter.Input { return store("person", name, text) },
		Else: map[string]func() []adapter.Input{
			"a note":           func() []adapter.Input { return store("note", "Sam", "n") },
			"a program writes": func() []adapter.Input { return store("program", "Robot", "beep") }},
		Ends: func() []adapter.Input { closed = true; return nil },
		Answer: func(c adapter.Calling) (any, []adapter.Input) {
			var from int
			if n, _ := fmt.Sscanf(c.Tag, "read/%d", &from); n == 0 {
				return object{}, store("ours", "Footbridge", "x")
			}
			to := min(from+page, len(list))
			return object{"list": list[from:to], "more": to < len(list), "closed": closed}, nil
		}}
}

func examine(b board) map[string]error {
	out := map[string]error{}
	for _, v := range adaptertest.ExamineDesk(b.definition(), adapter.Account{Name: "board", Role: event.RoleLiveAgent}, b.desk) {
		out[v.Law] = v.Err
	}
	return out
}

func TestTheBoardKeepsTheLawsOfDesks(t *testing.T) {
	if n := len(examine(board{})); n != 2 {
		t.Errorf("%d verdicts", n)
	}
	adaptertest.DeskLaws(t, board{}.definition(), adapter.Account{}, board{}.desk)
}

// TestBrokenBoardsAreFound proves that each half of the laws can fail, and says why.
func TestBrokenBoardsAreFound(t *testing.T) {
	for flaw, c := range map[string]struct{ law, want string }{
		"drops a hint":              {"faithful", "it is quiet, hints of"},
		"does not read again":       {"faithful", "it is quiet, hints of"},
		"reads one page":            {"faithful", "it is quiet, hints of"},
		"reads twice at once":       {"faithful", "two reads are open"},
		"reads on after the end":    {"faithful", "handback.requested"},
		"reads for ever":            {"faithful", "it never ends reading"},
		"backwards":                 {"faithful", "comes next"},
		"tells again":               {"faithful", "comes next"},
		"tells a program's":         {"faithful", `told "beep by Robot"`},
		"tells no names":            {"faithful", `told "w0 by "`},
		"notes its own":             {"faithful", `told note.created by "Footbridge"`},
		"ends before the last page": {"faithful", "told handback.requested"},
		"ends twice":                {"faithful", "2 ends"},
		"accepts each":              {"faithful", "2 accepts"},
		"accepts nothing":           {"faithful", "0 accepts"},
		"remembers all":             {"faithful", "more than 16384"},
		"asks nobody":               {"roomy", "given the conversation 0 times"},
		"keeps what was said":       {"roomy", "more than 57344"},
		"shows no transcript":       {"roomy", "not shown the hand-off"},
		"puts words off for ever":   {"roomy", "is put off for ever"},
	} {
		if err := examine(board{flaw})[c.law]; err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s wants %q, got %.300v", flaw, c.law, c.want, err)
		}
	}
}

// TestTheShortestPlayIsShown: of what happened before a fault, what it does without is
// left out.
func TestTheShortestPlayIsShown(t *testing.T) {
	err := examine(board{"drops a hint"})["faithful"]
	if _, moves, found := strings.Cut(fmt.Sprint(err), ", after: "); !found || strings.Count(moves, ";") > 8 {
		t.Errorf("%v", err)
	}
}

func TestDesksThatCannotBeTried(t *testing.T) {
	b := board{}
	d := b.definition()
	verdicts := adaptertest.ExamineDesk(d, adapter.Account{}, func(page int) adaptertest.Desk { return adaptertest.Desk{Answer: b.desk(page).Answer} })
	if len(verdicts) != 1 || verdicts[0].Law != "roomy" || verdicts[0].Err != nil {
		t.Errorf("without a list: %+v", verdicts)
	}
	d.Configure = nil
	for _, v := range adaptertest.ExamineDesk(d, adapter.Account{}, b.desk) {
		if v.Err == nil || !strings.Contains(v.Err.Error(), "has no Configure") {
			t.Errorf("%s: %v", v.Law, v.Err)
		}
	}
}
