package aisera

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// varsLimit bounds the session variables a leg keeps for its next frame, in
// bytes of JSON.
const varsLimit = 6 << 10

// client is what a leg remembers that is Aisera's chat client.
type client struct {
	Line     line        `json:"line,omitzero"`
	Customer event.Actor `json:"customer,omitzero"`
	Email    string      `json:"email,omitempty"`
	// Vars are the session variables the next frame takes along.
	Vars  map[string]json.RawMessage `json:"vars,omitempty"`
	Offer offer                      `json:"offer,omitzero"`
}

// know keeps who the customer is.
func (c *client) know(a event.Actor) {
	if a.Role != event.RoleCustomer {
		return
	}
	c.Customer = event.Actor{Role: event.RoleCustomer, ID: cmp.Or(clip(a.ID), c.Customer.ID), Name: cmp.Or(clip(a.Name), c.Customer.Name)}
}

// learn keeps facts for the next frame; it reports false, and keeps none of
// them, where there are too many.
func (c *client) learn(attributes map[string]string, e event.Event) bool {
	odd := kept(e).Get("data").Get("sessionVars")
	vars := make(map[string]json.RawMessage, len(c.Vars)+len(attributes))
	for name, value := range c.Vars {
		vars[name] = value
	}
	for name, value := range attributes {
		if name == emailAttribute && !odd.Get(name).Exists() {
			c.Email = clip(value)
			continue
		}
		data, err := codec.Encode(value)
		if v := odd.Get(name); v.Exists() && v.Text() == value {
			data = v.Raw()
		}
		if err == nil {
			vars[name] = data
		}
	}
	if data, err := codec.Encode(vars); err != nil || len(data) > varsLimit {
		return false
	}
	c.Vars = vars
	return true
}

// frame is a request: data, completed by what every request has and by what the
// event kept of the frame it came from. top are members beside data.
func (c *client) frame(tx *adapter.Tx, set settings, e event.Event, data, top fields) fields {
	c.know(e.Actor)
	before := kept(e)
	data["reqId"] = cmp.Or(scalar(before.Get("data").Get("reqId")), e.ID)
	data["sessionVars"] = c.vars()
	data.put("userFullName", c.Customer.Name)
	data.add(before.Get("data"))
	if len(e.Vendor[vendor]) == 0 {
		data.complete(top)
	}
	out := fields{credential: tx.Credential(credential), set.UserKey: c.userID(tx, set), "channelId": set.ChannelID, "data": data}
	out.put("userEmail", cmp.Or(c.Email, set.UserEmail))
	for name, value := range top {
		out[name] = value
	}
	if e.Actor.Role == event.RoleCustomer {
		out.add(before)
	}
	return out
}

// complete adds what the customer's own requests have that no event tells.
func (f fields) complete(top fields) {
	_, flow := f["followUpContext"]
	if _, typed := f["type"]; typed || len(top) > 0 {
		return
	}
	f["channelCapabilities"] = fields{"isFormSupported": true, "isPopupSupported": false}
	if !flow {
		f["isKL"] = false
	}
}

func (c *client) vars() map[string]json.RawMessage {
	if c.Vars == nil {
		return map[string]json.RawMessage{}
	}
	return c.Vars
}

func (c *client) userID(tx *adapter.Tx, set settings) string {
	if set.UserID == "customer" && c.Customer.ID != "" {
		return c.Customer.ID
	}
	return tx.Conversation()
}

// says is the data of a customer's message. It is nil for content without words.
func (c *client) says(e event.Event, part event.Part) fields {
	if form, ok := part.(event.FormResponse); ok {
		return fields{"text": "", "followUpData": fields{"formId": cmp.Or(form.Form, c.Offer.Form), "formFieldValues": c.answers(e, form)}}
	}
	text := codec.Plain(event.Content{Part: part})
	if text == "" {
		return nil
	}
	data := fields{"text": text}
	if !kept(e).Get("data").Get("followUpId").Exists() {
		data.put("followUpId", c.Offer.picked(text))
	}
	return data
}

func (c *client) answers(e event.Event, form event.FormResponse) fields {
	typed := kept(e).Get("data").Get("followUpData").Get("formFieldValues")
	values := fields{}
	for _, v := range form.Values {
		values[v.Name] = c.Offer.value(form.Form, v)
		if raw := typed.Get(v.Name); raw.Exists() && raw.Text() == v.Value {
			values[v.Name] = raw.Raw()
		}
	}
	return values
}

// orders are the data of the commands Aisera knows.
func orders() map[string]fields {
	flow := func(kind string) fields {
		return fields{"followUpId": followUpBack, "followUpContext": fields{"type": kind}}
	}
	return map[string]fields{
		"back": flow(contextBack), "start_over": flow(contextRestart), "reset": {"isReset": true},
		"history": {"needsSessionHistory": true}, "logout": {"text": logoutText},
	}
}

// The states of a line.
const (
	lineGone     = ""
	lineDialling = "dialling"
	lineOpen     = "open"
)

const (
	redial = "redial"
	// redialTries is how often a lost line is dialled again, unasked, before the
	// far side counts as gone.
	redialTries = 8
	// sendTries is how often one frame is tried on lines that break under it.
	sendTries = 3
)

// line is the socket of a leg that dials.
type line struct {
	State string `json:"state,omitempty"`
	// Number makes the connection's name, since one in use is not dialled again.
	Number int `json:"number,omitempty"`
	// For is the delivery, by its tag, that asked for the dial under way.
	For string `json:"for,omitempty"`
	// Expect says the far side has something to say yet.
	Expect bool `json:"expect,omitempty"`
	// Redials counts the dials since the far side was last heard.
	Redials int `json:"redials,omitempty"`
	// Resumed is the reqId of the frame that made the line known.
	Resumed string `json:"resumed,omitempty"`
	// Tried is the tag of the frame sent last, and Tries how often it failed.
	Tried string `json:"tried,omitempty"`
	Tries int    `json:"tries,omitempty"`
}

func (l *line) conn() string { return "chat-" + strconv.Itoa(l.Number) }

// ready reports whether the line stands. If not, it is dialled and the delivery
// comes again.
func (l *line) ready(tx *adapter.Tx, set settings, tag string) (bool, error) {
	switch l.State {
	case lineOpen:
		return true, nil
	case lineDialling:
		tx.Later()
		return false, nil
	}
	l.For = tag
	return false, l.dial(tx, set)
}

func (l *line) dial(tx *adapter.Tx, set settings) error {
	u, err := set.address()
	if err != nil {
		return err
	}
	l.Number++
	l.State = lineDialling
	if l.Redials > 0 {
		tx.Stop(redial)
	}
	tx.Dial(l.conn(), adapter.Dial{URL: u.String(), Transport: set.transport(), Event: set.event()})
	return nil
}

// send writes a frame for a delivery.
func (l *line) send(tx *adapter.Tx, tag string, f fields) error {
	if l.Tried != tag {
		l.Tried, l.Tries = tag, 0
	}
	return send(tx, tag, l.conn(), f)
}

// opened takes the line into use; it reports whether it is ours.
func (l *line) opened(tx *adapter.Tx, conn string) bool {
	if conn != l.conn() || l.State != lineDialling {
		return false
	}
	l.State = lineOpen
	if l.For != "" {
		tx.Later()
	}
	l.For = ""
	return true
}

// resume makes a line known that was dialled to listen: whose a connection is
// Aisera learns from its frames alone.
func (c *client) resume(tx *adapter.Tx, set settings) error {
	if set.Resume != resumeHistory {
		return nil
	}
	c.Line.Resumed = tx.NewID()
	return send(tx, "", c.Line.conn(), c.frame(tx, set, event.Event{ID: c.Line.Resumed}, fields{"needsSessionHistory": true}, nil))
}

// repeats reports whether an answer only repeats what was said before the line
// was lost.
func (c *client) repeats(a answer) bool {
	return c.Line.Resumed != "" && scalar(a.body.Get("reqId")) == c.Line.Resumed
}

// opened takes the line into use. One nobody waits for a delivery on is made
// known.
func (c *client) opened(tx *adapter.Tx, set settings, conn string) error {
	listening := c.Line.For == ""
	if !c.Line.opened(tx, conn) || !listening {
		return nil
	}
	return c.resume(tx, set)
}

// ended is how a line went: whether it was ours, for which delivery it was
// dialled in vain, and whether it stood.
type ended struct {
	ours, stood bool
	tag         string
}

func (l *line) closed(c adapter.Closed) ended {
	if c.Conn != l.conn() || l.State == lineGone {
		return ended{}
	}
	how := ended{ours: true, stood: l.State == lineOpen, tag: l.For}
	l.State, l.For = lineGone, ""
	return how
}

// listen dials a lost line again after a while; it reports false when that was
// tried often enough.
func (l *line) listen(tx *adapter.Tx) bool {
	if l.Redials >= redialTries {
		return false
	}
	tx.After(redial, min(time.Second<<l.Redials, time.Minute))
	l.Redials++
	return true
}

// heard notes that the far side lives.
func (l *line) heard() { l.Expect, l.Redials = false, 0 }

// sent ends a send; it reports whether the frame was written. One that was not
// is offered again, on a new line.
func (l *line) sent(tx *adapter.Tx, s adapter.Sent) bool {
	switch {
	case s.Outcome == adapter.SentWritten:
		l.Expect = true
		return true
	case s.Tag != l.Tried:
		return false
	}
	if l.Tries++; l.Tries >= sendTries {
		tx.Fail("the connection to Aisera breaks under it")
		return false
	}
	if s.Outcome == adapter.SentUnsent && l.State == lineOpen {
		tx.Close(l.conn(), closeNormal)
		l.State = lineGone
	}
	tx.Later()
	return false
}

// hangUp closes the line for good.
func (l *line) hangUp(tx *adapter.Tx) {
	if l.Redials > 0 {
		tx.Stop(redial)
	}
	if l.State != lineGone {
		tx.Close(l.conn(), closeNormal)
	}
	l.State, l.For, l.Expect = lineGone, "", false
}

// closeNormal is the WebSocket close code of an end that is meant (RFC 6455).
const closeNormal = 1000

// unreachable says why a dial came to nothing.
func unreachable(c adapter.Closed) string {
	switch c.Status {
	case 0:
		return "Aisera's socket cannot be reached: check host, path and transport"
	case 401, 403:
		return "Aisera's socket answers " + strconv.Itoa(c.Status) + ": check the account's token"
	}
	return "Aisera's socket answers " + strconv.Itoa(c.Status) + ": check path and transport"
}

// act is what a tag says its frame does.
func act(tag string) string {
	head, _, _ := strings.Cut(tag, "/")
	return head
}
