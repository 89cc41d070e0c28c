package slack

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The steps of what the customer says: words, or a file in three.
const (
	sayWords  = "words"
	sayPlace  = "place" // where the file is to be put
	sayPut    = "put"
	sayShare  = "share"
	saySought = "seek" // whether it is there, where Slack did not say
)

// sayTries is how often words are sent that Slack could not take just then.
const sayTries = 5

// saying is the customer's message on its way.
type saying struct {
	backend.Saying
	// Tries are those of the part under way, and Since is when the first was made, in
	// microseconds. Seek says that the thread is to be looked into before the next,
	// Cursor on which page.
	Tries  int    `json:"tries,omitempty"`
	Since  int64  `json:"since,omitempty"`
	Seek   bool   `json:"seek,omitempty"`
	Cursor string `json:"cursor,omitempty"`
	// File is the file, FileID Slack's id of it.
	File   *event.Media `json:"file,omitempty"`
	FileID string       `json:"file_id,omitempty"`
	// Name and Picture are the customer's, Instead the words for a file that is refused.
	Name    string `json:"name,omitempty"`
	Picture string `json:"picture,omitempty"`
	Instead string `json:"instead,omitempty"`
}

// says sends the customer's message. A file goes as a file where its size is known,
// for Slack wants to know it before, and what is said of it has room in the state.
func (d desk) says(e event.Event, c event.Content) {
	p := &d.s.Saying
	if p.Event != e.ID {
		*p = saying{Saying: backend.Saying{Event: e.ID}, Name: label(e.Actor), Picture: e.Actor.Avatar}
	}
	text, plain := wordsOf(c)
	file, isFile := c.Part.(event.Media)
	switch {
	case !d.Ready(&p.Saying, text):
	case isFile && file.URL != "" && file.Size > 0 && weight(text) < partLimit:
		p.File, p.Instead = &file, text
		d.sayPart(func() {
			query := url.Values{"filename": {cmp.Or(file.Name, "file")}, "length": {strconv.FormatInt(file.Size, 10)}}
			d.sayStep(sayPlace, d.get("files.getUploadURLExternal", query, d.Tx.Credential(botToken)))
		})
	default:
		d.SendPart(&p.Saying, pieces(text, textLimit), func(_, text string) { d.sayPart(func() { d.sayWords(text, plain) }) })
	}
}

// sayPart sends a part, or looks first whether Slack has it.
func (d desk) sayPart(send func()) {
	p := &d.s.Saying
	if p.Seek {
		d.saySeek("")
		return
	}
	if p.Tries == 0 {
		p.Since = d.Tx.Now().UnixMicro()
	}
	send()
}

func (d desk) saySeek(cursor string) {
	d.s.Saying.Seek, d.s.Saying.Cursor = true, cursor
	d.sayStep(saySought, d.seek(d.s.Saying.Since, cursor))
}

// sayStep makes the call of a step, of which each try has a tag of its own.
func (d desk) sayStep(step string, c adapter.Call) {
	d.Tx.Call(actSay+"/"+d.s.Saying.ID()+"/"+step+strconv.Itoa(d.s.Saying.Tries), c)
}

func (d desk) sayWords(text string, plain bool) {
	p := &d.s.Saying
	c, body := d.post(text, p.ID())
	d.readBack(&c, p.Since)
	if plain {
		body["mrkdwn"] = false
	}
	if d.inTheName(body, p.Name, p.Picture); !d.set.Customize {
		body["text"] = "*" + escape(p.Name) + ":* " + text
		delete(body, "mrkdwn")
	}
	c.Body = codec.Compose(body)
	d.sayStep(sayWords, c)
}

// inTheName shows somebody as the author of a message.
func (d desk) inTheName(body backend.Fields, name, picture string) {
	if !d.set.Customize {
		return
	}
	body["username"] = name
	if strings.HasPrefix(picture, "https://") {
		body["icon_url"] = picture
	}
}

// saidResult ends the customer's message, or goes on with it.
func (d desk) saidResult(step string, r adapter.Result) {
	p := &d.s.Saying
	step = strings.TrimRight(step, "0123456789")
	r, reads := sought(r)
	if reads {
		step, p.Seek, p.Cursor = saySought, true, ""
	}
	told, v, fault := answerOf(r)
	if step == sayPut && r.OK() {
		fault = "" // the file's host says more than "ok", or nothing
	}
	again := p.Tries < sayTries && d.s.Phase == backend.Open
	known := told.Reason == "" || told.Reason == adapter.ReasonTooLarge
	switch {
	case fault == "":
		d.sayNext(step, v)
	case again && known && told.MayHaveActed() && !p.Seek:
		p.Seek = true // Slack failed, and may have done it
		d.again()
	case again && known && passing(told):
		p.Tries++
		d.again()
	case p.Instead != "" && !p.Seek && r.Reason != adapter.ReasonCancelled && (step != sayShare || !told.MayHaveActed()) && d.s.Phase == backend.Open:
		text := p.Instead
		p.File, p.FileID, p.Instead = nil, "", ""
		d.sayWords(text, true)
	default:
		d.unsaid("Slack: " + fault)
	}
}

// saySeen goes on after a page of the thread: what is not there leaves again.
func (d desk) saySeen(page codec.Value) {
	p := &d.s.Saying
	there, next := isThere(page, p.Cursor, p.ID(), p.FileID)
	switch {
	case there != "":
		d.said(there)
	case next != "":
		d.saySeek(next)
	case p.Tries < sayTries && d.s.Phase == backend.Open:
		p.Tries++
		p.Seek, p.Cursor = false, ""
		d.again()
	default:
		d.unsaid("Slack took the message several times, and does not have it")
	}
}

// said ends a part that is at Slack as ref, and with the last the message.
func (d desk) said(ref string) {
	p := &d.s.Saying
	if p.More {
		p.More, p.Part, p.Tries, p.Seek, p.Cursor = false, p.Part+1, 0, false, ""
		return
	}
	d.Tx.Known(p.Event, ref)
	*p = saying{}
}

// unsaid ends the message with a part that is not there.
func (d desk) unsaid(fault string) {
	p := &d.s.Saying
	if p.More {
		p.More, p.Fault = false, fault
		return
	}
	*p = saying{}
	d.Tx.Fail(fault)
}

// again has the customer's message offered once more, after a while.
func (d desk) again() {
	d.s.Saying.More = false
	d.Tx.After(backend.TimerLook, lookAgain)
	d.Tx.Later()
}

// sayNext goes on after a step that was good.
func (d desk) sayNext(step string, v codec.Value) {
	p := &d.s.Saying
	switch step {
	case sayPlace:
		p.FileID = v.Get("file_id").Text()
		c := adapter.Call{Method: http.MethodPost, URL: v.Get("upload_url").Text(), Upload: p.File.URL, Repeat: adapter.RepeatKeyed}
		d.sayStep(sayPut, c)
	case sayPut:
		body := backend.Fields{"files": []backend.Fields{{"id": p.FileID, "title": cmp.Or(p.File.Name, "file")}}, "channel_id": d.s.Channel, "thread_ts": d.s.Chat}
		caption := escape(p.File.Caption)
		if d.inTheName(body, p.Name, p.Picture); !d.set.Customize {
			caption = strings.TrimSpace("*" + escape(p.Name) + ":* " + caption)
		}
		body.Put("initial_comment", caption)
		c := d.write("files.completeUploadExternal", body)
		c.Lane = d.s.Channel
		d.readBack(&c, p.Since)
		d.sayStep(sayShare, c)
	case saySought:
		d.saySeen(v)
	default:
		d.said(cmp.Or(v.Get("ts").Text(), p.FileID))
	}
}
