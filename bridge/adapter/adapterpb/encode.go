package adapterpb

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// EncodeTurn writes a turn as the plugin is sent it. Byte slices are shared, not
// copied: t must not be changed until the turn is over. It fails on names that
// are not UTF-8, times outside 1678 to 2261, and events that have no JSON; such a
// turn fails the same way however often it is tried.
func EncodeTurn(t adapter.Turn) (*Turn, error) {
	now, err := encodeTime(t.Now)
	if err != nil {
		return nil, fmt.Errorf("encode turn: now: %w", err)
	}
	account, err := EncodeAccount(t.Account)
	if err != nil {
		return nil, fmt.Errorf("encode turn: %w", err)
	}
	m := &Turn{Id: t.ID, Account: account, Key: t.Key, Conversation: t.Conversation, Now: now,
		State: t.State, StateVersion: int64(t.StateVersion), Placeholders: t.Placeholders}
	if err := allText("turn", t.ID, t.Key, t.Conversation); err != nil {
		return nil, fmt.Errorf("encode turn: %w", err)
	}
	if err := textMap("placeholders", t.Placeholders); err != nil {
		return nil, fmt.Errorf("encode turn: %w", err)
	}
	if err := encodeInput(m, t.Input); err != nil {
		return nil, fmt.Errorf("encode turn: %w", err)
	}
	return m, nil
}

// EncodeAccount writes an account. It fails on names that are not UTF-8.
func EncodeAccount(a adapter.Account) (*Account, error) {
	m := &Account{Name: a.Name, Role: string(a.Role), Settings: a.Settings,
		Credentials: a.Credentials, PublicUrl: a.PublicURL}
	err := allText("account", append([]string{m.Name, m.Role, m.PublicUrl}, m.Credentials...)...)
	return m, err
}

// EncodeOutcome writes an outcome as the plugin answers it. Byte slices are
// shared, not copied. It fails as EncodeTurn does.
func EncodeOutcome(o adapter.Outcome) (*Outcome, error) {
	m := &Outcome{State: o.State, StateVersion: int64(o.StateVersion),
		Error: Text(o.Err), Unsupported: o.Unsupported}
	if len(o.Effects) > 0 {
		m.Effects = make([]*Effect, len(o.Effects))
	}
	for what, n := range o.Unknown {
		if m.Unknown == nil {
			m.Unknown = make(map[string]int64, len(o.Unknown))
		}
		m.Unknown[Text(what)] = int64(n)
	}
	for i, e := range o.Effects {
		var err error
		if m.Effects[i], err = encodeEffect(e); err != nil {
			return nil, fmt.Errorf("encode effect %d: %w", i+1, err)
		}
	}
	return m, nil
}

func encodeInput(m *Turn, in adapter.Input) error {
	var err error
	switch in := in.(type) {
	case adapter.Request:
		m.Input, err = encodeRequest(in)
	case adapter.Deliver:
		m.Input, err = encodeDeliver(in)
	case adapter.Result:
		m.Input, err = encodeResult(in)
	case adapter.Fired:
		m.Input, err = &Turn_Fired{&Fired{Timer: in.Timer}}, allText("fired", in.Timer)
	case adapter.Expired:
		m.Input = &Turn_Expired{&Expired{Request: in.Request, Reason: in.Reason}}
		err = allText("expired", in.Request, in.Reason)
	case adapter.Reconcile:
		var since int64
		since, err = encodeTime(in.Since)
		m.Input = &Turn_Reconcile{&Reconcile{Since: since}}
	case adapter.Check:
		m.Input, err = &Turn_Check{&Check{Id: in.ID, Create: in.Create}}, allText("check", in.ID)
	default:
		err = encodeConnectionInput(m, in)
	}
	return err
}

func encodeRequest(r adapter.Request) (*Turn_Request, error) {
	by, err := encodeTime(r.ReplyBy)
	if err != nil {
		return nil, fmt.Errorf("request: reply by: %w", err)
	}
	m := &Request{Id: r.ID, Endpoint: r.Endpoint, Method: r.Method, Path: []byte(r.Path),
		Query: encodeValues(r.Query), Header: encodeValues(r.Header), Body: r.Body, ReplyBy: by}
	return &Turn_Request{m}, allText("request", r.ID, r.Endpoint, r.Method)
}

func encodeDeliver(d adapter.Deliver) (*Turn_Deliver, error) {
	if d.Event.Body == nil {
		return nil, errors.New("deliver: event has no body")
	}
	data, err := json.Marshal(d.Event)
	if err != nil {
		return nil, fmt.Errorf("deliver: %w", err)
	}
	return &Turn_Deliver{&Deliver{Event: data, MaybeDuplicate: d.MaybeDuplicate}}, nil
}

func encodeResult(r adapter.Result) (*Turn_Result, error) {
	m := &Result{Tag: r.Tag, Status: int64(r.Status), Header: encodeValues(r.Header),
		Body: r.Body, Reason: r.Reason, MaybeDuplicate: r.MaybeDuplicate}
	return &Turn_Result{m}, allText("result", r.Tag, r.Reason)
}

func encodeEffect(e adapter.Effect) (*Effect, error) {
	switch e := e.(type) {
	case adapter.Emission:
		m, err := encodeEmission(e)
		return &Effect{Effect: &Effect_Emission{m}}, err
	case adapter.Answer:
		m := &Answer{Request: e.Request, Reply: encodeReply(e.Reply)}
		return &Effect{Effect: &Effect_Answer{m}}, allText("answer", e.Request)
	case adapter.Holding:
		return &Effect{Effect: &Effect_Holding{&Holding{Request: e.Request}}}, allText("holding", e.Request)
	case adapter.Calling:
		m, err := encodeCalling(e)
		return &Effect{Effect: &Effect_Calling{m}}, err
	case adapter.Timer:
		m := &Timer{Name: e.Name, After: int64(e.After)}
		return &Effect{Effect: &Effect_Timer{m}}, allText("timer", e.Name)
	case adapter.TimerStop:
		return &Effect{Effect: &Effect_TimerStop{&TimerStop{Name: e.Name}}}, allText("timer stop", e.Name)
	case adapter.Binding:
		return &Effect{Effect: &Effect_Binding{&Binding{Key: e.Key}}}, allText("binding", e.Key)
	case adapter.Learned:
		m := &Learned{Event: e.Event, Ref: e.Ref}
		return &Effect{Effect: &Effect_Learned{m}}, allText("learned", e.Event, e.Ref)
	case adapter.Postponed:
		return &Effect{Effect: &Effect_Postponed{&Postponed{}}}, nil
	case adapter.Failure:
		m := &Failure{Reason: Text(e.Reason)}
		return &Effect{Effect: &Effect_Failure{m}}, nil
	}
	return encodeConnectionEffect(e)
}

func encodeEmission(e adapter.Emission) (*Emission, error) {
	if e.Body == nil {
		return nil, errors.New("emission has no body")
	}
	body, err := json.Marshal(e.Body)
	if err != nil {
		return nil, fmt.Errorf("emission %s: %w", e.Body.Kind(), err)
	}
	m := &Emission{Kind: string(e.Body.Kind()), Body: body, Actor: encodeActor(e.Actor), Ref: e.Ref, Echo: e.Echo}
	if len(e.Vendor) > 0 {
		m.Vendor = make(map[string][]byte, len(e.Vendor))
	}
	for name, data := range e.Vendor {
		if err := allText("emission vendor", name); err != nil {
			return nil, err
		}
		m.Vendor[name] = data
	}
	return m, allText("emission", m.Kind, m.Ref, m.Echo, m.Actor.GetRole(), m.Actor.GetId(),
		m.Actor.GetName(), m.Actor.GetAvatar())
}

func encodeActor(a event.Actor) *Actor {
	if a == (event.Actor{}) {
		return nil
	}
	return &Actor{Role: string(a.Role), Id: a.ID, Name: a.Name, Avatar: a.Avatar}
}

func encodeReply(r adapter.Reply) *Reply {
	return &Reply{Status: int64(r.Status), Header: encodeValues(r.Header), Body: r.Body}
}

func encodeCalling(c adapter.Calling) (*Calling, error) {
	m, err := encodeCall(c.Call)
	if err == nil && c.Call.Readback != nil {
		m.Readback, err = encodeCall(*c.Call.Readback)
	}
	if err != nil {
		return nil, err
	}
	return &Calling{Tag: c.Tag, Call: m}, allText("calling", c.Tag)
}

// encodeCall writes a call without the one it is read back by.
func encodeCall(c adapter.Call) (*Call, error) {
	m := &Call{Method: c.Method, Url: c.URL, Header: encodeValues(c.Header), Body: c.Body,
		Repeat: c.Repeat, GiveUp: int64(c.GiveUp), Binds: c.Binds, Upload: c.Upload, Lane: c.Lane}
	for _, f := range c.Form {
		m.Form = append(m.Form, &FormField{Name: f.Name, Value: []byte(f.Value), File: f.File, Filename: f.Filename, Mime: f.MIME})
		if err := allText("form", f.Name, f.File, f.Filename, f.MIME); err != nil {
			return nil, err
		}
	}
	for _, capture := range c.Capture {
		m.Capture = append(m.Capture, &Capture{Name: capture.Name, Pointer: capture.Pointer})
		if err := allText("capture", capture.Name, capture.Pointer); err != nil {
			return nil, err
		}
	}
	return m, allText("call", m.Method, m.Url, m.Repeat, m.Upload, m.Lane)
}

// encodeValues writes headers or a query, sorted by name, so that the same turn
// is the same bytes.
func encodeValues[M http.Header | url.Values](values M) []*Values {
	if len(values) == 0 {
		return nil
	}
	list := make([]*Values, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := &Values{Name: []byte(name), Values: make([][]byte, len(values[name]))}
		for i, value := range values[name] {
			v.Values[i] = []byte(value)
		}
		list = append(list, v)
	}
	return list
}

func encodeTime(t time.Time) (int64, error) {
	if t.IsZero() {
		return 0, nil
	}
	if y := t.Year(); y < 1678 || y > 2261 {
		return 0, fmt.Errorf("the year %d is out of range", y)
	}
	return t.UnixNano(), nil
}

// Text makes words for people fit for the wire: what is not UTF-8 is replaced.
func Text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func allText(where string, fields ...string) error {
	for _, f := range fields {
		if !utf8.ValidString(f) {
			return fmt.Errorf("%s: %.40q is not UTF-8", where, f)
		}
	}
	return nil
}

func textMap(where string, m map[string]string) error {
	for k, v := range m {
		if err := allText(where, k, v); err != nil {
			return err
		}
	}
	return nil
}
