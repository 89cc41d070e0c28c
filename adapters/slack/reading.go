package slack

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// readThread is what tags of reads of the thread begin with.
const readThread = "read"

const (
	// knownMost is how many messages are known one by one, so that one that shows
	// late or was edited is still found in the next read.
	knownMost = 40
	// pageSize is how many messages a read asks for.
	pageSize = 100
)

// reading is what is known of the messages in the thread, and the read under way.
// Messages are named by their timestamps.
type reading struct {
	backend.Look
	// Known are the newest messages read, in order; none up to Low is news.
	Low   int64   `json:"low,omitempty"`
	Known []int64 `json:"known,omitempty"`
	// Edited is when the newest edit that is known was made.
	Edited int64 `json:"edited,omitempty"`
	// From is what the read under way begins behind, Cursor its page; Waits says that
	// somebody on it is asked about.
	From   int64  `json:"from,omitempty"`
	Cursor string `json:"cursor,omitempty"`
	Waits  bool   `json:"waits,omitempty"`
}

// knows reports whether a message is no news.
func (r *reading) knows(at int64) bool {
	_, found := slices.BinarySearch(r.Known, at)
	return found || at <= r.Low
}

// know notes a message.
func (r *reading) know(at int64) {
	i, found := slices.BinarySearch(r.Known, at)
	if found || at <= r.Low {
		return
	}
	r.Known = slices.Insert(r.Known, i, at)
	if len(r.Known) > knownMost {
		r.Low, r.Known = r.Known[0], r.Known[1:]
	}
}

// look reads what is new, now or after the read under way.
func (d desk) look() {
	if r := &d.s.Reading; d.Look(&r.Look, backend.LookMessages) {
		r.Cursor, r.From = "", r.Low
		d.page()
	}
}

func (d desk) page() {
	r := &d.s.Reading
	query := url.Values{"channel": {d.s.Channel}, "ts": {d.s.Chat}, "oldest": {stamp(cmp.Or(r.From, r.Low))}, "limit": {strconv.Itoa(pageSize)}}
	if r.Cursor != "" {
		query.Set("cursor", r.Cursor)
	}
	d.Tx.Call(readThread+"/"+d.s.Handoff, d.read("conversations.replies", query))
}

// readResult goes on when a page has come. What a read that failed would have brought,
// a later one brings; but no refusal keeps a conversation from its end.
func (d desk) readResult(r adapter.Result) {
	p := &d.s.Reading
	if p.Level == 0 || d.s.Phase != backend.Open {
		return
	}
	told, v, fault := answerOf(r)
	if fault == "" {
		d.messages(v)
		return
	}
	d.Stopped(&p.Look, told)
	if passing(told) {
		d.Tx.After(backend.TimerLook, lookAgain)
		return
	}
	d.Report("not_read", "Slack: "+fault+"; footbridge accounts verify says what is missing")
	d.end()
}

// messages tells what is new on a page, from old to new, once all who wrote it are
// known by name.
func (d desk) messages(v codec.Value) {
	r := &d.s.Reading
	page := slices.Clone(v.Get("messages").Items())
	slices.SortStableFunc(page, func(a, b codec.Value) int { return cmp.Compare(at(a), at(b)) })
	for _, one := range page {
		if d.isPerson(one) && at(one) != 0 && !d.introducedAll(one) {
			r.Waits = true
			return
		}
	}
	d.edits(page)
	for _, one := range page {
		d.message(one)
	}
	if next := nextPage(v, r.Cursor); next != "" {
		r.Cursor = next
		d.page()
		return
	}
	again := d.Finished(&r.Look)
	switch {
	case d.s.Ending != nil:
		d.end()
	case again != 0:
		d.look()
	}
}

func at(m codec.Value) int64 { return instant(m.Get("ts").Text()) }

func editedAt(m codec.Value) int64 { return instant(m.Get("edited").Get("ts").Text()) }

// edits tells the new words of messages that were told before, where they were edited
// since.
func (d desk) edits(page []codec.Value) {
	r := &d.s.Reading
	newest := r.Edited
	for _, one := range page {
		if when := editedAt(one); when > r.Edited && when <= d.until(d.s.Chat) && r.knows(at(one)) && d.isPerson(one) {
			newest = max(newest, when)
			if _, private := d.private(one.Get("text").Text()); d.set.Edits == editsTell && !private {
				text := d.set.EditedText + d.markdown(one.Get("text").Text())
				d.words(one, stamp(at(one))+"/"+stamp(when), event.Text{Text: text, Format: event.FormatMarkdown})
			}
		}
	}
	r.Edited = newest
}

// message tells what a message says, once, where a person wrote it before the end.
func (d desk) message(m codec.Value) {
	r, when := &d.s.Reading, at(m)
	if when == 0 || r.knows(when) || when > d.until(d.s.Chat) {
		return
	}
	r.know(when)
	if !d.isPerson(m) {
		return
	}
	r.Edited = max(r.Edited, editedAt(m))
	if text, private := d.private(m.Get("text").Text()); private {
		d.Notes(d.person(m.Get("user").Text()), stamp(when), d.markdown(text))
		return
	}
	d.words(m, stamp(when), d.parts(m)...)
}

// words are somebody's for the customer. Who writes first has the conversation.
func (d desk) words(m codec.Value, ref string, parts ...event.Part) {
	who := d.person(m.Get("user").Text())
	if !d.s.Taken && len(parts) > 0 {
		d.take(who)
	}
	d.Says(who, ref, parts)
}

// request is what Slack tells: that somebody wrote, or pressed a button.
func (d desk) request(in adapter.Request) error {
	v, err := codec.Lenient(in.Body)
	if err != nil {
		return adapter.ErrUnsupported
	}
	switch in.Endpoint {
	case endpointEvents:
		d.hint(v.Get("event"))
	case endpointActions:
		return d.pressed(v)
	default:
		return adapter.ErrUnsupported
	}
	return nil
}

// hint is a message there is, or was changed. What it says is read.
func (d desk) hint(v codec.Value) {
	m := v
	if strings.EqualFold(v.Get("subtype").Text(), "message_changed") {
		m = v.Get("message")
	}
	thread := m.Get("thread_ts").Text()
	switch {
	case !strings.EqualFold(v.Get("type").Text(), "message"), v.Get("channel").Text() != d.s.Channel, !d.isPerson(m):
	case d.s.Phase == backend.Open && thread == d.s.Chat:
		d.look()
	case v.Get("subtype").Text() != "message_changed":
		d.over(thread)
	}
}

// over tells whoever writes or presses too late that it is over, once.
func (d desk) over(thread string) {
	here := d.s.Phase == backend.Open || d.s.Phase == backend.Setting && d.s.Chat != ""
	gone := d.s.Phase == backend.Gone || here && thread != d.s.Chat
	if gone && thread != "" && d.s.Over != thread {
		d.s.Over = thread
		d.line("over/"+thread, thread, d.Ways.AbsentText)
	}
}
