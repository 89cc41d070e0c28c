package backend_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// A message is news once, until so many newer ones are known that none of its time is;
// what has no time is known by its id as long as there is room for it.
func TestNews(t *testing.T) {
	var r backend.Reading
	one := func(id string, at int64) backend.Seen { return backend.Seen{ID: id, At: at} }
	news := func(m backend.Seen, want bool) {
		t.Helper()
		if r.Knows(m) == want {
			t.Errorf("%+v: news is %v; low %+v", m, !want, r.Low)
		}
	}
	news(one("b", 10), true)
	r.Know(one("b", 10))
	news(one("b", 10), false)
	news(one("b", 0), false) // known by the id alone
	news(one("a", 10), true) // of the same time, and another
	news(one("c", 9), true)  // stored late
	r.Know(one("a", 10))
	r.Know(one("c", 9))
	for at := range int64(38) {
		r.Know(one("n"+strconv.FormatInt(at, 10), 20+at))
	}
	if r.Low != one("c", 9) || len(r.Known) != 40 || r.Known[0] != one("a", 10) || r.Known[1] != one("b", 10) {
		t.Errorf("low %+v, known %+v", r.Low, r.Known)
	}
	news(one("late", 9), true) // later than c, by its id
	news(one("b", 9), false)
	news(one("c", 9), false)
	news(one("early", 8), false)
	news(one("b", 10), false)
	r.Know(one("timeless", 0))
	news(one("timeless", 0), false)
	news(one("other", 0), true)
	if r.Low != one("a", 10) || r.Known[39] != one("timeless", 0) {
		t.Errorf("low %+v, the last %+v", r.Low, r.Known[39])
	}
	for at := range int64(40) {
		r.Know(one("z"+strconv.FormatInt(at, 10), 100+at))
	}
	if r.Low != one("n37", 57) || r.Known[0] != one("z0", 100) {
		t.Errorf("low %+v, the first %+v", r.Low, r.Known[0]) // what has no time leaves the mark where it is
	}
}

// Whatever order messages come in, each that is not older than all that are known one by
// one is news exactly once.
func TestNewsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r backend.Reading
		told := map[backend.Seen]bool{}
		for range rapid.IntRange(1, 200).Draw(t, "how many") {
			m := backend.Seen{ID: rapid.StringMatching("[a-d]{2}").Draw(t, "id"), At: rapid.Int64Range(1, 40).Draw(t, "at")}
			m.ID += strconv.FormatInt(m.At, 10) // an id has one time
			oldest := backend.Seen{}
			if len(r.Known) == 40 {
				oldest = r.Known[0]
			}
			old := m.At < oldest.At || m.At == oldest.At && m.ID < oldest.ID
			if news := !r.Knows(m); news == told[m] && !old || news && told[m] {
				t.Fatalf("%+v is news: %v, and was told: %v", m, news, told[m])
			}
			if !r.Knows(m) {
				r.Know(m)
				told[m] = true
			}
			if len(r.Known) > 40 || !r.Knows(m) {
				t.Fatalf("%d are known, %+v among them: %v", len(r.Known), m, r.Knows(m))
			}
		}
	})
}

// Messages are put in order by when they were made, and left where they are without.
func TestMessages(t *testing.T) {
	v, err := codec.Lenient([]byte(`[{"id":"c","at":3},{"at":1},{"id":"b","at":2},{"id":"x"},{"id":"a","at":2}]`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range backend.Messages(v.Items(), seen) {
		got = append(got, fmt.Sprint(m.ID, m.At, m.Value.Get("id").Text()))
	}
	if want := []string{"b2b", "c3c", "x0x", "a2a"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// walk is a leg of plain's with a read under way.
type walk struct {
	state []byte
	asked []string // the pages
	told  []string
	ends  int
	looks int // timers
}

func newWalk(reading string) *walk {
	return &walk{state: fmt.Appendf(nil, `{"phase":"open","handoff":"h","chat":"7","taken":true,"look":{%s}}`, reading)}
}

func (w *walk) turn(in adapter.Input) error {
	out := adapter.Run(definition(), adapter.Turn{ID: "t", Key: "c", Conversation: "c", State: w.state, StateVersion: 1,
		Account: adapter.Account{Name: "desk", Role: event.RoleLiveAgent, Credentials: []string{"key"}}, Placeholders: map[string]string{"key": "k"}, Input: in})
	if w.state = out.State; out.Err != "" || len(w.state) > 16<<10 {
		return fmt.Errorf("%T: %s, a state of %d bytes", in, out.Err, len(w.state))
	}
	for _, effect := range out.Effects {
		switch x := effect.(type) {
		case adapter.Calling:
			if u, err := url.Parse(x.Call.URL); err == nil && x.Tag == "read" {
				w.asked = append(w.asked, u.Query().Get("at"))
			}
		case adapter.Emission:
			switch body := x.Body.(type) {
			case event.MessageCreated:
				text, _ := body.Content.Part.(event.Text)
				w.told = append(w.told, text.Text)
			case event.HandbackRequested:
				w.ends++
			}
		case adapter.Timer:
			w.looks++
		}
	}
	return nil
}

// page is an answer with messages, each a number that is its id, time and text.
func page(rest string, numbers ...int) adapter.Result {
	var list []string
	for _, n := range numbers {
		list = append(list, fmt.Sprintf(`{"id":"%d","at":%d,"text":"%d"}`, n, n, n))
	}
	return adapter.Result{Tag: "read", Status: 200, Body: fmt.Appendf(nil, `{"list":[%s]%s}`, strings.Join(list, ","), rest)}
}

func deliver(body event.Body) adapter.Input {
	return adapter.Deliver{Event: event.Event{ID: "e", Body: body}}
}

// Page by page: what is asked for and what is told, by hand.
func TestPages(t *testing.T) {
	for name, c := range map[string]struct {
		reading string
		in      []adapter.Input
		asked   string
		told    string
		ends    int
	}{
		"nothing is new":      {`"known":[{"id":"11","at":11}]`, []adapter.Input{page(`,"older":"11"`, 11)}, "|", "", 0},
		"all there is is new": {``, []adapter.Input{page(``, 12, 11)}, "|", "11 12", 0},
		"back, and forward": {`"low":{"id":"10","at":10}`,
			[]adapter.Input{page(`,"older":"c"`, 15, 16), page(`,"older":"b"`, 13, 14, 15), page(`,"older":"a"`, 10, 11, 12, 13), page(`,"older":"b"`, 13, 14, 15), page(`,"older":"c"`, 15, 16)},
			"| c| b| c| |", "11 12 13 14 15 16", 0},
		"the newest has moved": {`"low":{"id":"10","at":10}`,
			[]adapter.Input{page(`,"older":"b"`, 13, 14), page(`,"older":"a"`, 10, 11, 12, 13), page(`,"older":"d"`, 17, 18), page(`,"older":"b"`, 13, 14, 15, 16, 17), page(`,"older":"d"`, 17, 18)},
			"| b| | d| |", "11 12 13 14 15 16 17 18", 0},
		"pages that only join": {`"low":{"id":"10","at":10}`,
			[]adapter.Input{page(`,"older":"2","joins":true`, 13, 14), page(`,"older":"3"`, 10, 11, 12), page(`,"older":"2","joins":true`, 13, 14)}, "| 2| |", "11 12 13 14", 0},
		"pages that do not join any more": {`"low":{"id":"10","at":10}`,
			[]adapter.Input{page(`,"older":"2"`, 12, 13), page(``, 10, 11), page(`,"older":"2","joins":false`, 14, 15), page(`,"older":"3","joins":true`, 12, 13),
				page(`,"joins":true`, 10, 11), page(`,"older":"3","joins":true`, 12, 13), page(`,"older":"2","joins":true`, 14, 15)},
			"| 2| | 2| 3| 2| |", "11 12 13 14 15", 0},
		"the page before is the same":        {``, []adapter.Input{page(`,"older":"b"`, 12, 13), page(`,"older":"b"`, 12), page(`,"older":"b"`, 12, 13)}, "| b| |", "12 13", 0},
		"forward":                            {`"low":{"id":"10","at":10}`, []adapter.Input{page(`,"newer":"x"`, 11, 12), page(`,"newer":"y"`, 13), page(`,"newer":"y"`, 14)}, "| x| y|", "11 12 13 14", 0},
		"a read that is asked for meanwhile": {``, []adapter.Input{adapter.Reconcile{}, page(``, 11), page(``, 11, 12)}, "| |", "11 12", 0},
		"the end after the words":            {``, []adapter.Input{adapter.Reconcile{}, page(`,"closed":true`, 11), page(``, 11, 12)}, "|", "11", 1},
		"given back twice":                   {``, []adapter.Input{page(`,"closed":true`, 11), deliver(event.HandbackFailed{}), adapter.Reconcile{}, page(``, 11, 12)}, "| |", "11 12", 1},
		"over meanwhile":                     {``, []adapter.Input{adapter.Reconcile{}, deliver(event.HandoffCancelled{}), page(``, 11)}, "|", "", 0},
		"too large":                          {`"low":{"id":"10","at":10}`, []adapter.Input{page(`,"older":"b"`, 13, 14), adapter.Result{Tag: "read", Reason: adapter.ReasonTooLarge}, page(``, 10, 11)}, "| b| small|", "11", 0},
		"deleted":                            {``, []adapter.Input{adapter.Result{Tag: "read", Status: 404}}, "|", "", 1},
		"one that failed brings nothing of its pages": {`"low":{"id":"10","at":10}`,
			[]adapter.Input{page(`,"older":"b"`, 13, 14), adapter.Result{Tag: "read", Reason: adapter.ReasonUnknown}, adapter.Reconcile{}, page(`,"older":"b"`, 10, 11, 12)}, "| b| |", "11 12", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWalk(c.reading)
			for _, in := range append([]adapter.Input{adapter.Reconcile{}}, c.in...) {
				if err := w.turn(in); err != nil {
					t.Fatal(err)
				}
			}
			if asked := strings.Join(w.asked, "| ") + "|"; asked != c.asked || strings.Join(w.told, " ") != c.told || w.ends != c.ends {
				t.Errorf("asked for %q, want %q; told %q, want %q; %d ends", asked, c.asked, w.told, c.told, w.ends)
			}
		})
	}
}

// A desk without an end is read back as far as what is kept of it has room, and then told.
// What is kept is let go of with the read.
func TestPagesWithoutEnd(t *testing.T) {
	back := func(w *walk, pages int) error {
		err := w.turn(adapter.Reconcile{})
		for n := 1; err == nil && n <= pages && len(w.told) == 0; n++ {
			err = w.turn(page(fmt.Sprintf(`,"older":"%024d"`, n), 2*n, 2*n+1))
		}
		return err
	}
	w := newWalk(`"low":{"id":"1","at":1}`)
	if err := back(w, 1000); err != nil || len(w.asked) != 402 || w.asked[401] != w.asked[399] {
		t.Errorf("%d pages asked for, %v", len(w.asked), err)
	}
	w = newWalk(`"low":{"id":"1","at":1}`)
	if err := back(w, 100); err != nil || w.turn(adapter.Result{Tag: "read", Reason: adapter.ReasonUnknown}) != nil || len(w.state) > 1000 {
		t.Errorf("%v, and a state of %d bytes", err, len(w.state))
	}
}

// TestPagesThatNeverJoin: two pages of which each says that there is a gap to the other
// are read some of the time and not for ever, and then what they hold is told.
func TestPagesThatNeverJoin(t *testing.T) {
	w := newWalk(`"low":{"id":"1","at":1}`)
	if err := w.turn(adapter.Reconcile{}); err != nil {
		t.Fatal(err)
	}
	for n := 0; len(w.told) == 0 && n < 5000; n++ {
		answer := page("", 1)
		if w.asked[len(w.asked)-1] == "" {
			answer = page(`,"older":"2"`, 3)
		}
		if err := w.turn(answer); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(w.told, []string{"3"}) || len(w.asked) < 100 || len(w.asked) > 2000 {
		t.Errorf("told %q after %d pages", w.told, len(w.asked))
	}
}

// desk is what a vendor has of one conversation, and how it gives it away: before a
// message, by numbers, or forward.
type desk struct {
	walk
	way     string
	size    int
	written []string
	total   int // when the last page was made
	open    int // calls under way
}

func (b *desk) answer(closed bool) adapter.Result {
	at, n := b.asked[len(b.asked)-1], len(b.written)
	number, _ := strconv.Atoi(at)
	from, to, rest := 0, n, ""
	switch b.way {
	case "before":
		if at != "" {
			to = number
		}
		if from = max(to-b.size, 0); from > 0 {
			rest = fmt.Sprintf(`,"older":"%d"`, from+1)
		}
	case "numbers":
		number = max(number, 1)
		to = max(n-(number-1)*b.size, 0)
		if from = max(to-b.size, 0); from > 0 {
			rest = fmt.Sprintf(`,"older":"%d"`, number+1)
		}
		rest += fmt.Sprintf(`,"joins":%v`, b.total == n)
		b.total = n
	case "forward":
		from = number
		if to = min(from+b.size, n); to < n {
			rest = fmt.Sprintf(`,"newer":"%d"`, to)
		}
	}
	var list []any
	for i := from; i < to; i++ {
		list = append(list, map[string]any{"id": fmt.Sprintf("m%05d", i), "at": 1 + i/3, "text": b.written[i]})
	}
	data, err := json.Marshal(list)
	if err != nil {
		return adapter.Result{}
	}
	return adapter.Result{Tag: "read", Status: 200, Body: fmt.Appendf(nil, `{"list":%s,"closed":%v%s}`, data, closed, rest)}
}

func (b *desk) does(t *rapid.T, in adapter.Input) {
	t.Helper()
	before := len(b.asked)
	if err := b.turn(in); err != nil {
		t.Fatal(err)
	}
	if b.open += len(b.asked) - before; b.open > 1 {
		t.Fatalf("%d reads at once", b.open)
	}
}

// settle answers what is open, and what comes of it.
func (b *desk) settle(t *rapid.T, closed bool) {
	for n := 0; b.open > 0; n++ {
		if n > 2000 {
			t.Fatal("it never ends reading")
		}
		b.open--
		b.does(t, b.answer(closed))
	}
}

// Whichever way a desk gives its pages, and however reads fail and pages move meanwhile,
// each message is told once and in order, and the end after them.
func TestOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &desk{walk: *newWalk(""), way: rapid.SampledFrom([]string{"before", "numbers", "forward"}).Draw(t, "way"), size: rapid.IntRange(8, 30).Draw(t, "size")}
		t.Repeat(map[string]func(*rapid.T){
			"people write": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 1, 2, 25, 60}).Draw(t, "how many") {
					b.written = append(b.written, strconv.Itoa(len(b.written)))
				}
			},
			"a hint comes": func(t *rapid.T) {
				b.does(t, adapter.Request{ID: "r", Endpoint: "hook", Body: []byte(`{"chat":"c","level":1}`)})
			},
			"a call ends": func(t *rapid.T) {
				if b.open > 0 {
					b.open--
					if rapid.IntRange(0, 5).Draw(t, "fails") > 0 {
						b.does(t, b.answer(false))
						return
					}
					timers := b.looks
					if b.does(t, adapter.Result{Tag: "read", Reason: adapter.ReasonUnknown}); b.looks != timers+1 {
						t.Fatal("a read that failed is not made up for")
					}
				}
			},
			"": func(t *rapid.T) {
				if n := len(b.told); n > len(b.written) || !slices.Equal(b.told, b.written[:n]) {
					t.Fatalf("told %d of %d, not in order: %v", n, len(b.written), b.told[max(0, n-5):])
				}
			},
		})
		b.settle(t, false)
		b.does(t, adapter.Reconcile{})
		b.settle(t, true)
		if !slices.Equal(b.told, b.written) || b.ends != 1 {
			t.Fatalf("told %d of %d, and %d ends", len(b.told), len(b.written), b.ends)
		}
	})
}
