package adapterpb

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// ErrUnknown says a turn has no input, or an outcome an effect, that this program
// knows: the other side is newer. A plugin answers such a turn as unsupported;
// the bridge refuses such an outcome.
var ErrUnknown = errors.New("not known to this version")

// DecodeTurn reads a turn in the plugin. Byte slices are shared with m. The error
// is ErrUnknown when the input is one this program does not know.
func DecodeTurn(m *Turn) (adapter.Turn, error) {
	in, err := decodeInput(m)
	if err != nil {
		return adapter.Turn{}, fmt.Errorf("decode turn: %w", err)
	}
	return adapter.Turn{ID: m.GetId(), Account: DecodeAccount(m.GetAccount()), Key: m.GetKey(),
		Conversation: m.GetConversation(), Now: decodeTime(m.GetNow()), State: m.GetState(),
		StateVersion: int(m.GetStateVersion()), Placeholders: m.GetPlaceholders(), Input: in}, nil
}

// DecodeAccount reads an account; a nil one is the zero Account.
func DecodeAccount(m *Account) adapter.Account {
	return adapter.Account{Name: m.GetName(), Role: event.Role(m.GetRole()), Settings: m.GetSettings(),
		Credentials: m.GetCredentials(), PublicURL: m.GetPublicUrl()}
}

// DecodeOutcome reads an outcome in the bridge. Byte slices are shared with m.
// It checks what the plugin says for form: JSON is JSON, every effect is known.
func DecodeOutcome(m *Outcome) (adapter.Outcome, error) {
	if m == nil {
		return adapter.Outcome{}, errors.New("decode outcome: there is none")
	}
	o := adapter.Outcome{State: m.GetState(), StateVersion: int(m.GetStateVersion()),
		Err: m.GetError(), Unsupported: m.GetUnsupported()}
	if len(m.GetEffects()) > 0 {
		o.Effects = make([]adapter.Effect, len(m.GetEffects()))
	}
	for what, n := range m.GetUnknown() {
		if o.Unknown == nil {
			o.Unknown = make(map[string]int, len(m.GetUnknown()))
		}
		o.Unknown[what] = int(n)
	}
	for i, e := range m.GetEffects() {
		var err error
		if o.Effects[i], err = decodeEffect(e); err != nil {
			return adapter.Outcome{}, fmt.Errorf("decode effect %d: %w", i+1, err)
		}
	}
	return o, nil
}

func decodeInput(m *Turn) (adapter.Input, error) {
	switch in := m.GetInput().(type) {
	case *Turn_Request:
		r := in.Request
		return adapter.Request{ID: r.GetId(), Endpoint: r.GetEndpoint(), Method: r.GetMethod(), Path: string(r.GetPath()),
			Query: decodeValues(r.GetQuery()), Header: decodeValues(r.GetHeader()), Body: r.GetBody(),
			ReplyBy: decodeTime(r.GetReplyBy())}, nil
	case *Turn_Deliver:
		var e event.Event
		if err := json.Unmarshal(in.Deliver.GetEvent(), &e); err != nil {
			return nil, fmt.Errorf("deliver: %w", err)
		}
		return adapter.Deliver{Event: e, MaybeDuplicate: in.Deliver.GetMaybeDuplicate()}, nil
	case *Turn_Result:
		r := in.Result
		return adapter.Result{Tag: r.GetTag(), Status: int(r.GetStatus()), Header: decodeValues(r.GetHeader()),
			Body: r.GetBody(), Reason: r.GetReason(), MaybeDuplicate: r.GetMaybeDuplicate()}, nil
	case *Turn_Fired:
		return adapter.Fired{Timer: in.Fired.GetTimer()}, nil
	case *Turn_Expired:
		return adapter.Expired{Request: in.Expired.GetRequest(), Reason: in.Expired.GetReason()}, nil
	case *Turn_Check:
		return adapter.Check{ID: in.Check.GetId(), Create: in.Check.GetCreate()}, nil
	case *Turn_Reconcile:
		return adapter.Reconcile{Since: decodeTime(in.Reconcile.GetSince())}, nil
	}
	return decodeConnectionInput(m)
}

func decodeEffect(m *Effect) (adapter.Effect, error) {
	switch e := m.GetEffect().(type) {
	case *Effect_Emission:
		return decodeEmission(e.Emission)
	case *Effect_Answer:
		return adapter.Answer{Request: e.Answer.GetRequest(), Reply: decodeReply(e.Answer.GetReply())}, nil
	case *Effect_Holding:
		return adapter.Holding{Request: e.Holding.GetRequest()}, nil
	case *Effect_Calling:
		c := decodeCall(e.Calling.GetCall())
		if m := e.Calling.GetCall().GetReadback(); m != nil {
			read := decodeCall(m)
			c.Readback = &read
		}
		return adapter.Calling{Tag: e.Calling.GetTag(), Call: c}, nil
	case *Effect_Timer:
		return adapter.Timer{Name: e.Timer.GetName(), After: time.Duration(e.Timer.GetAfter())}, nil
	case *Effect_TimerStop:
		return adapter.TimerStop{Name: e.TimerStop.GetName()}, nil
	case *Effect_Binding:
		return adapter.Binding{Key: e.Binding.GetKey()}, nil
	case *Effect_Learned:
		return adapter.Learned{Event: e.Learned.GetEvent(), Ref: e.Learned.GetRef()}, nil
	case *Effect_Postponed:
		return adapter.Postponed{}, nil
	case *Effect_Failure:
		return adapter.Failure{Reason: e.Failure.GetReason()}, nil
	}
	return decodeConnectionEffect(m)
}

// kindForm is the form of all kinds, also of those a newer side will know.
//
//nolint:gochecknoglobals // never written.
var kindForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}([.][a-z0-9_]{1,32}){0,3}$`)

//nolint:gochecknoglobals // never written.
var roles = []event.Role{event.RoleCustomer, event.RoleVirtualAgent, event.RoleLiveAgent, event.RoleObserver, event.RoleSystem}

func decodeEmission(m *Emission) (adapter.Effect, error) {
	switch role := event.Role(m.GetActor().GetRole()); { // kinds and roles lie open in the journal
	case !kindForm.MatchString(m.GetKind()):
		return nil, errors.New("emission: its kind is not of the form noun.past")
	case role != "" && !slices.Contains(roles, role):
		return nil, errors.New("emission: its actor has a role that there is not")
	}
	if !utf8.Valid(m.GetBody()) { // a JSON decoder would put other characters there
		return nil, fmt.Errorf("emission %s: body is not UTF-8", m.GetKind())
	}
	body, err := event.DecodeBody(event.Kind(m.GetKind()), m.GetBody())
	if err != nil {
		return nil, fmt.Errorf("emission: %w", err)
	}
	if u, ok := body.(event.Unknown); ok && !json.Valid(u.JSON) {
		return nil, fmt.Errorf("emission %s: body is not JSON", m.GetKind())
	}
	e := adapter.Emission{Body: body, Ref: m.GetRef(), Echo: m.GetEcho()}
	if a := m.GetActor(); a != nil {
		e.Actor = event.Actor{Role: event.Role(a.GetRole()), ID: a.GetId(), Name: a.GetName(), Avatar: a.GetAvatar()}
	}
	if len(m.GetVendor()) > 0 {
		e.Vendor = make(map[string]json.RawMessage, len(m.GetVendor()))
	}
	for name, data := range m.GetVendor() {
		if !json.Valid(data) || !utf8.Valid(data) {
			return nil, fmt.Errorf("emission %s: vendor field %q is not JSON", m.GetKind(), name)
		}
		e.Vendor[name] = data
	}
	return e, nil
}

func decodeReply(m *Reply) adapter.Reply {
	return adapter.Reply{Status: int(m.GetStatus()), Header: decodeValues(m.GetHeader()), Body: m.GetBody()}
}

// decodeCall reads a call without the one it is read back by.
func decodeCall(m *Call) adapter.Call {
	var captures []adapter.Capture
	for _, c := range m.GetCapture() {
		captures = append(captures, adapter.Capture{Name: c.GetName(), Pointer: c.GetPointer()})
	}
	var form []adapter.FormField
	for _, f := range m.GetForm() {
		form = append(form, adapter.FormField{Name: f.GetName(), Value: string(f.GetValue()), File: f.GetFile(), Filename: f.GetFilename(), MIME: f.GetMime()})
	}
	return adapter.Call{Form: form, Upload: m.GetUpload(), Lane: m.GetLane(), Capture: captures, Method: m.GetMethod(), URL: m.GetUrl(), Header: decodeValues(m.GetHeader()), Body: m.GetBody(),
		Repeat: m.GetRepeat(), GiveUp: time.Duration(m.GetGiveUp()), Binds: m.GetBinds()}
}

// decodeValues reads headers or a query. A name given twice has the values of
// both, in order.
func decodeValues(list []*Values) map[string][]string {
	if len(list) == 0 {
		return nil
	}
	values := make(map[string][]string, len(list))
	for _, v := range list {
		name := string(v.GetName())
		for _, value := range v.GetValues() {
			values[name] = append(values[name], string(value))
		}
		if _, set := values[name]; !set {
			values[name] = nil
		}
	}
	return values
}

func decodeTime(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
