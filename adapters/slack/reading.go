package slack

import (
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
	// pageSize is how many messages a read asks for.
	pageSize = 100
	// notesMost is how many notes are remembered: all that are known one by one, and
	// those that were told of and could not be read yet.
	notesMost = 100
)

// reading is what is known of the messages in the thread, and the read under way.
type reading struct {
	backend.Reading
	// Edited is when the newest edit that is known was made.
	Edited int64 `json:"edited,omitempty"`
	// Notes are those of the newest messages that are notes, or once were: what was for
	// other people stays theirs, whatever is edited.
	Notes []int64 `json:"notes,omitempty"`
	// From is what the read under way begins behind; Waits says that somebody on its page
	// is asked about.
	From  string `json:"from,omitempty"`
	Waits bool   `json:"waits,omitempty"`
	// Refused says that it was reported that the thread may not be read.
	Refused bool `json:"refused,omitempty"`
}

// look reads what is new, now or after the read under way.
func (d desk) look() { d.Look(backend.LookMessages) }

// page asks for the messages behind what is known, or for a later page of them.
func (d desk) page(cursor string) {
	r := &d.s.Reading
	r.Waits = false
	if cursor == "" {
		r.From = r.Low.ID
	}
	query := url.Values{"channel": {d.s.Channel}, "ts": {d.s.Chat}, "oldest": {r.From}, "limit": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	d.Tx.Call(readThread+"/"+d.s.Handoff, d.read("conversations.replies", query))
}

// readResult goes on when a page has come. What a read that failed would have brought,
// a later one brings. That it was refused is said once, until one works again, and keeps
// no conversation from its end.
func (d desk) readResult(r adapter.Result) {
	p := &d.s.Reading
	if p.Level == 0 || d.s.Phase != backend.Open {
		return
	}
	told, v, fault := answerOf(r)
	if fault == "" {
		p.Refused = false
		d.messages(v)
		return
	}
	d.Stopped(told)
	if passing(told) {
		d.Tx.After(backend.TimerLook, lookAgain)
		return
	}
	if !p.Refused {
		p.Refused = true
		d.Report("not_read", "Slack: "+fault+"; footbridge accounts verify says what is missing")
	}
	d.end()
}

// messages tells what is new on a page, from old to new, once all who wrote it are
// known by name. What was written after the end is no news yet.
func (d desk) messages(v codec.Value) {
	r := &d.s.Reading
	list := backend.Messages(v.Get("messages").Items(), seenOf)
	for _, m := range list {
		if d.isPerson(m.Value) && !d.introducedAll(m) {
			r.Waits = true
			return
		}
	}
	d.edits(list)
	end := d.until(d.s.Chat)
	list = slices.DeleteFunc(list, func(m backend.Message) bool { return m.At > end })
	d.Page(backend.Page{Messages: list, Newer: nextPage(v, r.At)})
}

// seenOf is what is remembered of a message: its timestamp names it.
func seenOf(m codec.Value) backend.Seen { return seenAt(m.Get("ts").Text()) }

func seenAt(ts string) backend.Seen {
	at := instant(ts)
	if at == 0 {
		return backend.Seen{}
	}
	return backend.Seen{ID: stamp(at), At: at}
}

func editedAt(m codec.Value) int64 { return instant(m.Get("edited").Get("ts").Text()) }

// edits tells the new words of messages that were told before, where they were edited
// since.
func (d desk) edits(page []backend.Message) {
	r := &d.s.Reading
	newest := r.Edited
	for _, m := range page {
		if when := editedAt(m.Value); when > r.Edited && when <= d.until(d.s.Chat) && m.At > r.Low.At && r.Knows(m.Seen) && d.isPerson(m.Value) {
			newest = max(newest, when)
			if text, private := d.noted(m.Value); d.set.Edits == editsTell && !private {
				d.words(m.Value, m.ID+"/"+stamp(when), event.Text{Text: d.set.EditedText + d.markdown(text), Format: event.FormatMarkdown})
			}
		}
	}
	r.Edited = newest
}

// noted is what a message says, without the mark of a note, and whether it is one or was.
func (d desk) noted(m codec.Value) (text string, private bool) {
	r, at := &d.s.Reading, instant(m.Get("ts").Text())
	text, private = d.private(m.Get("text").Text())
	was := slices.Contains(r.Notes, at)
	if private && !was {
		r.Notes = slices.DeleteFunc(append(r.Notes, at), func(at int64) bool { return at <= r.Low.At })
		r.Notes = r.Notes[max(len(r.Notes)-notesMost, 0):]
	}
	return text, private || was
}

// message tells what a message says, where a person wrote it.
func (d desk) message(m backend.Message) {
	if !d.isPerson(m.Value) {
		return
	}
	d.s.Reading.Edited = max(d.s.Reading.Edited, editedAt(m.Value))
	if text, private := d.noted(m.Value); private {
		d.Notes(d.person(m.Value.Get("user").Text()), m.ID, d.markdown(text))
		return
	}
	d.words(m.Value, m.ID, d.parts(m.Value)...)
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
		d.noted(m)
		d.noted(v.Get("previous_message"))
		d.look()
	case v.Get("subtype").Text() != "message_changed":
		d.over(thread)
	}
}

// over tells whoever writes or presses too late that it is over, once; while nobody has
// taken back what was handed back, when somebody has.
func (d desk) over(thread string) {
	if d.s.Phase == backend.Returning && thread == d.s.Chat {
		d.TooLate()
		return
	}
	here := d.s.Phase == backend.Open || d.s.Phase == backend.Setting && d.s.Chat != ""
	gone := d.s.Phase == backend.Gone || here && thread != d.s.Chat
	if gone && thread != "" && d.s.Over != thread && (thread != d.s.Chat || !d.s.Told) {
		d.s.Over = thread
		d.line("over/"+thread, thread, d.Ways.AbsentText)
	}
}
