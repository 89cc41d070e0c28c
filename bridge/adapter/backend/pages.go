package backend

import (
	"cmp"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// How much is read: the messages, or before them what became of the conversation.
const (
	LookMessages = 1
	LookWhole    = 2
)

const (
	// knownMost is how many messages are known one by one: more than most desks' pages
	// have, so that one that was stored late is still found in the next read.
	knownMost = 40
	// pagesMost is how many pages one read asks for, back and forward: past it, it tells
	// what there is.
	pagesMost = 1000
	// marksMost is how many pages a read goes back, so that what it keeps of them has
	// room; past that it tells what there is.
	marksMost = 400
)

// Seen is a message there as it is remembered: by the desk's own id of it, and when it
// was made, in any unit that grows, 0 where that is not told. Of the same time is later
// which has the greater id.
type Seen struct {
	ID string `json:"id,omitempty"`
	At int64  `json:"at,omitempty"`
}

func (a Seen) after(b Seen) bool { return a.At > b.At || a.At == b.At && a.ID > b.ID }

// Reading is what is known of the messages there, and the read under way. One runs at a
// time; what asks for one meanwhile is answered by another after it, so that nothing told
// is left unread. An adapter's own embeds it.
type Reading struct {
	// Known are the newest messages read, in order; none up to Low is news. Only what a
	// page held may be known: a page with one of them leaves no gap.
	Low   Seen   `json:"low,omitzero"`
	Known []Seen `json:"known,omitempty"`
	// Level is what is read, 0 while nothing is, and Again what is to be read after.
	Level int `json:"level,omitempty"`
	Again int `json:"again,omitempty"`
	// Resolved is what the conversation's own read said of its end.
	Resolved bool `json:"resolved,omitempty"`
	// At is the page under way, as Reads.Page was asked for it, and Marks those to be
	// read after it. Follows says that the page before it was told.
	At      string   `json:"at,omitempty"`
	Pages   int      `json:"pages,omitempty"` // asked for in this read
	Marks   []string `json:"marks,omitempty"`
	Follows bool     `json:"follows,omitempty"`
}

// Knows reports whether a message is no news.
func (r *Reading) Knows(one Seen) bool {
	return one.At != 0 && !one.after(r.Low) || slices.ContainsFunc(r.Known, func(k Seen) bool { return k.ID == one.ID })
}

// Know notes a message that is news.
func (r *Reading) Know(one Seen) {
	i := len(r.Known)
	for i > 0 && one.At != 0 && r.Known[i-1].after(one) {
		i--
	}
	r.Known = slices.Insert(r.Known, i, one)
	if len(r.Known) > knownMost {
		if r.Known[0].after(r.Low) {
			r.Low = r.Known[0]
		}
		r.Known = r.Known[1:]
	}
}

// over ends the read under way, and gives the level of the next one, 0 for none.
func (r *Reading) over() (again int) {
	again = r.Again
	r.Level, r.Again, r.At, r.Pages, r.Marks, r.Follows = 0, 0, "", 0, nil, false
	return again
}

// Reads are how a desk is read. Whole and Page ask for one call each, whose answer the
// adapter gives to Desk.Came.
type Reads struct {
	// Whole asks what became of the conversation; Desk.ReadFrom goes on with its
	// messages. It is nil where they say all there is.
	Whole func()
	// Page asks for a page of the messages. At is a word of the adapter's own for it, as
	// it gave it to a Page, and "" the first one: the newest messages, or, of a desk
	// that gives the old ones first, those after what is known.
	Page func(at string)
	// Tell says what a message says, if anything. It is called once for each, in order.
	Tell func(Message)
	// Done is called when a read has brought all there is: none was asked for meanwhile,
	// of what came after a page had left. It may be nil.
	Done func()
}

// Message is one of a page.
type Message struct {
	Seen
	Value codec.Value
}

// Page is what a call of Reads.Page has brought.
type Page struct {
	// Messages are all of the page, as Messages gives them.
	Messages []Message
	// Older is the page before, "" where this one has the beginning. It has to hold the
	// oldest message of this one, too, so that one which has moved meanwhile is seen to
	// leave a gap; where pages cannot do that Joins says that this page has none to the
	// one told before it (Reading.Follows).
	Older string
	Joins bool
	// Newer is the page after, for a read that goes forward from what is known.
	Newer string
}

// Messages are those of a list that have an id, the oldest first, as far as it is told
// when they were made; without that they stay where they are.
func Messages(list []codec.Value, seen func(codec.Value) Seen) []Message {
	var all []Message
	for _, v := range list {
		if one := seen(v); one.ID != "" {
			all = append(all, Message{one, v})
		}
	}
	slices.SortStableFunc(all, func(a, b Message) int {
		if a.At == 0 || b.At == 0 {
			return 0
		}
		return cmp.Compare(a.At, b.At)
	})
	return all
}

// Read makes a call of a read, which is given up where the next one brings as much. Its
// tag bears the hand-off after what the adapter calls it: an answer that comes when the
// next hand-off has begun says nothing of that.
func (d Desk) Read(tag string, c adapter.Call) {
	c.GiveUp = ReadLimit
	d.Tx.Call(tag+"/"+d.Course.Handoff, c)
}

// ReadTag is the tag a call of this hand-off's reads was made with; false for another's.
func (d Desk) ReadTag(r adapter.Result) (tag string, ours bool) {
	return strings.CutSuffix(r.Tag, "/"+d.Course.Handoff)
}

// Look reads what is new, now or after the read under way.
func (d Desk) Look(level int) {
	r := d.Reading
	switch {
	case d.Course.Phase != Open:
	case r.Level != 0:
		r.Again = max(r.Again, level)
	default:
		r.Level, r.Resolved = level, false
		if level == LookWhole && d.Reads.Whole != nil {
			d.Reads.Whole()
			return
		}
		d.ReadFrom("")
	}
}

// ReadFrom begins with the messages, or begins anew, at a page: "" is the first.
func (d Desk) ReadFrom(at string) {
	d.Reading.Marks = nil
	d.page(at, false)
}

func (d Desk) page(at string, follows bool) {
	d.Reading.At, d.Reading.Follows = at, follows
	d.Reading.Pages++
	d.Reads.Page(at)
}

// Came reports whether the read under way goes on with what a call of it has brought: it
// is still wanted, and good, which is for the adapter to say. Otherwise it is over: gone
// says that the conversation is no longer there, which is its end; what a read that failed
// would have brought, a later one brings.
func (d Desk) Came(r adapter.Result, gone, good bool) bool {
	switch {
	case d.Reading.Level == 0:
		return false
	case gone:
		d.Resolved()
		return false
	case !good:
		d.Stopped(r)
		return false
	}
	return true
}

// Stopped ends a read that failed. Another comes soon where one was asked for meanwhile,
// after a while otherwise, and none by itself where it was refused, for that would be, too.
func (d Desk) Stopped(r adapter.Result) {
	wait := lookAgain
	if d.Reading.over() != 0 {
		wait = lookSoon
	}
	if !r.Refused() {
		d.Tx.After(TimerLook, wait)
	}
}

// Page goes on when a page has come: back until one holds a message that is known, and
// from there forward, so that what is new is told whole, in order and once. At the end it
// says what became of the conversation, or reads again what was asked for meanwhile.
func (d Desk) Page(p Page) {
	r := d.Reading
	joins := p.Joins || slices.ContainsFunc(p.Messages, func(m Message) bool { return r.Knows(m.Seen) })
	if !joins && p.Older != "" && p.Older != r.At && len(r.Marks) < marksMost && r.Pages < pagesMost {
		r.Marks = append(r.Marks, r.At)
		d.page(p.Older, false)
		return
	}
	for _, m := range p.Messages {
		if !r.Knows(m.Seen) {
			r.Know(m.Seen)
			d.Reads.Tell(m)
		}
	}
	switch n := len(r.Marks) - 1; {
	case p.Newer != "" && p.Newer != r.At:
		d.page(p.Newer, true)
	case n >= 0:
		next := r.Marks[n]
		r.Marks = r.Marks[:n]
		d.page(next, true)
	default:
		d.finished()
	}
}

func (d Desk) finished() {
	again := d.Reading.over()
	if d.Reading.Resolved {
		d.Resolved()
	}
	switch {
	case again != 0:
		d.Look(again) // which does nothing where the end has come
	case d.Reads.Done != nil:
		d.Reads.Done()
	}
}
