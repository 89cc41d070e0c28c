package slack

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// openLimit is how long it is tried to begin a thread: longer than elsewhere, for calls
// wait for their place in the channel. backLimit is how long it is tried to put into a
// thread that is there what goes with a hand-off, which people know of by then, and to
// read it back.
const (
	openLimit = 30 * time.Second
	backLimit = 10 * time.Minute
)

// write is a call of a method that changes something.
func (d desk) write(method string, body backend.Fields) adapter.Call {
	c := backend.JSON(http.MethodPost, d.set.BaseURL+"/"+method, body)
	c.Header.Set("Authorization", "Bearer "+d.Tx.Credential(botToken))
	return c
}

// read is a call of a method that changes nothing, with the token that reads.
func (d desk) read(method string, query url.Values) adapter.Call {
	return d.get(method, query, cmp.Or(d.Tx.Credential(userToken), d.Tx.Credential(botToken)))
}

func (d desk) get(method string, query url.Values, token string) adapter.Call {
	return adapter.Call{Method: http.MethodGet, URL: d.set.BaseURL + "/" + method + "?" + query.Encode(), Repeat: adapter.RepeatKeyed, GiveUp: backend.ReadLimit,
		Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// post is a message in the channel, in its thread once there is one. Slack takes about
// one a second in a channel, whosever thread it is in.
func (d desk) post(text string, id string) (adapter.Call, backend.Fields) {
	body := backend.Fields{"channel": d.s.Channel, "text": text, "unfurl_links": false, "unfurl_media": false}
	body.Put("thread_ts", d.s.Chat)
	if id != "" {
		body["metadata"] = backend.Fields{"event_type": metadataType, "event_payload": backend.Fields{"id": id}}
	}
	c := d.write("chat.postMessage", body)
	c.Repeat, c.Lane = adapter.RepeatMarked, d.s.Channel
	return c, body
}

// seek is a page of what was put into the thread since a time, in microseconds: where
// nobody knows whether a call put something there, it is looked for.
func (d desk) seek(since int64, cursor string) adapter.Call {
	query := url.Values{"channel": {d.s.Channel}, "ts": {d.s.Chat}, "oldest": {stamp(since - findBack)}, "limit": {"200"}, "include_all_metadata": {"true"}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	c := d.read("conversations.replies", query)
	c.GiveUp = backLimit
	return c
}

// readBack has the bridge itself look for what a call put into the thread.
func (d desk) readBack(c *adapter.Call, since int64) {
	look := d.seek(since, "")
	c.Repeat, c.Readback = adapter.RepeatReadback, &look
}

// sought is the answer to a call, or what was read in place of one that nobody knows of:
// reads says so.
func sought(r adapter.Result) (told adapter.Result, reads bool) {
	if reads = r.Reason == adapter.ReasonUnknown && r.Status == http.StatusOK; reads {
		r.Reason = ""
	}
	return r, reads
}

// isThere looks on a page of the thread for a message of our id, or with a file of
// Slack's; next is the page to look at where it is not on this one.
func isThere(page codec.Value, cursor, id, file string) (ts, next string) {
	for _, m := range page.Get("messages").Items() {
		shared := slices.ContainsFunc(m.Get("files").Items(), func(f codec.Value) bool { return file != "" && f.Get("id").Text() == file })
		if shared || idOf(m) == id {
			return m.Get("ts").Text(), ""
		}
	}
	return "", nextPage(page, cursor)
}

// metadataType names our ids among the metadata of messages.
const metadataType = "footbridge"

// idOf is our id of a message, or "".
func idOf(message codec.Value) string {
	meta := message.Get("metadata")
	if meta.Get("event_type").Text() != metadataType {
		return ""
	}
	return meta.Get("event_payload").Get("id").Text()
}

// answerOf reads an answer, and gives it the status Slack means: it answers 200 to all
// but too many calls, and says in the body whether it is good. fault is the error's
// name, or what became of the call.
func answerOf(r adapter.Result) (told adapter.Result, v codec.Value, fault string) {
	v, err := codec.Lenient(r.Body)
	switch {
	case !r.OK():
		return r, v, cmp.Or(v.Get("error").Text(), r.Fault(""))
	case err != nil || !v.IsObject():
		r.Status, fault = http.StatusBadGateway, "another answer than Slack's own"
	case !yes(v.Get("ok")):
		fault = cmp.Or(v.Get("error").Text(), "an error without a name")
		r.Status = meant(fault)
	}
	return r, v, fault
}

// meant is the status of an error under 200. Where Slack itself failed the call may
// have done what it was to do.
func meant(fault string) int {
	switch fault {
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org":
		return http.StatusServiceUnavailable
	case "ratelimited", "rate_limited":
		return http.StatusTooManyRequests
	}
	return http.StatusBadRequest
}

// passing reports whether a fault may be gone when the call is made again.
func passing(r adapter.Result) bool {
	return r.Reason != "" && r.Reason != adapter.ReasonNotAllowed || r.Status >= http.StatusInternalServerError || r.Status == http.StatusTooManyRequests
}

// nextPage is what gives the page after this one, or "".
func nextPage(v codec.Value, this string) string {
	next := v.Get("response_metadata").Get("next_cursor").Text()
	if next == this || len(next) >= 1000 {
		return ""
	}
	return next
}

// yes reads a truth.
func yes(v codec.Value) bool { return strings.EqualFold(v.Text(), "true") }

// instant is a timestamp in microseconds, or 0: it names a message, and orders those
// of a channel.
func instant(ts string) int64 {
	whole, part, _ := strings.Cut(strings.TrimSpace(ts), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds <= 0 || seconds > math.MaxInt64/2_000_000 {
		return 0
	}
	micros, err := strconv.ParseInt((part + "000000")[:6], 10, 64)
	if err != nil || micros < 0 {
		return 0
	}
	return seconds*1_000_000 + micros
}

// stamp is a timestamp again.
func stamp(at int64) string {
	micros := strconv.FormatInt(at%1_000_000, 10)
	return strconv.FormatInt(at/1_000_000, 10) + "." + strings.Repeat("0", 6-len(micros)) + micros
}

// isPerson reports whether a person wrote a message. Programs, ours among them, have a
// bot_id or app_id, ours at least our own user where a file's has neither; all else
// Slack says itself.
func (d desk) isPerson(m codec.Value) bool {
	user := m.Get("user").Text()
	return user != "" && user != "USLACKBOT" && user != d.s.Self && m.Get("bot_id").Text() == "" && m.Get("app_id").Text() == "" && !m.Get("bot_profile").Exists() &&
		!yes(m.Get("hidden")) && slices.Contains([]string{"", "file_share", "thread_broadcast"}, strings.ToLower(m.Get("subtype").Text()))
}

// actorOf is a person as the customer is to know them: by the name they chose.
func actorOf(id string, user codec.Value) event.Actor {
	a, profile := event.Actor{Role: event.RoleLiveAgent, ID: id}, user.Get("profile")
	for _, v := range []codec.Value{profile.Get("display_name"), profile.Get("real_name"), user.Get("real_name"), user.Get("name")} {
		a.Name = cmp.Or(a.Name, strings.TrimSpace(v.Text()))
	}
	a.Name, _ = codec.Cut(a.Name, nameLimit)
	if image := profile.Get("image_72").Text(); strings.HasPrefix(image, "https://") && len(image) < 300 {
		a.Avatar = image
	}
	return a
}

// nameLimit is the longest name that is kept or shown.
const nameLimit = 80
