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

// openLimit bounds a step of a hand-off: longer than elsewhere, for calls wait for
// their place in the channel.
const openLimit = 30 * time.Second

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
	if id != "" && d.s.Chat != "" {
		d.readBack(&c)
	}
	return c, body
}

// readBack has the thread read where nobody knows whether a call put something there.
func (d desk) readBack(c *adapter.Call) {
	since := stamp(d.Tx.Now().UnixMicro() - findBack)
	look := d.read("conversations.replies", url.Values{"channel": {d.s.Channel}, "ts": {d.s.Chat}, "oldest": {since}, "limit": {"200"}, "include_all_metadata": {"true"}})
	look.GiveUp = backLimit
	c.Repeat, c.Readback = adapter.RepeatReadback, &look
}

// backLimit is how long it is tried to read a thread back.
const backLimit = 10 * time.Minute

// isThere looks into what was read back for a message of our id, or with a file of
// Slack's; looked says that there was something to look into.
func isThere(r adapter.Result, id, file string) (ts string, looked bool) {
	v, err := codec.Lenient(r.Body)
	if r.Reason != adapter.ReasonUnknown || r.Status != http.StatusOK || err != nil || !yes(v.Get("ok")) {
		return "", false
	}
	for _, m := range v.Get("messages").Items() {
		shared := slices.ContainsFunc(m.Get("files").Items(), func(f codec.Value) bool { return file != "" && f.Get("id").Text() == file })
		if shared || idOf(m) == id {
			return m.Get("ts").Text(), true
		}
	}
	return "", true
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

// unsure reports whether a call may have done what it was to do.
func unsure(r adapter.Result) bool {
	return r.Reason == adapter.ReasonUnknown || r.Reason == adapter.ReasonTooLarge || r.Reason == "" && (r.Status >= http.StatusInternalServerError || r.OK())
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
