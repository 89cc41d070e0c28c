package adapterpb

import (
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
)

func encodeConnectionInput(m *Turn, in adapter.Input) error {
	var err error
	switch in := in.(type) {
	case adapter.Opened:
		m.Input = &Turn_Opened{&Opened{Conn: in.Conn, Endpoint: in.Endpoint, Path: []byte(in.Path),
			Query: encodeValues(in.Query), Header: encodeValues(in.Header)}}
		err = allText("opened", in.Conn, in.Endpoint)
	case adapter.Frame:
		m.Input = &Turn_Frame{&Frame{Conn: in.Conn, Event: []byte(in.Event), Data: in.Data, Binary: in.Binary}}
		err = allText("frame", in.Conn)
	case adapter.Closed:
		m.Input = &Turn_Closed{&Closed{Conn: in.Conn, Code: int64(in.Code), Status: int64(in.Status), Reason: in.Reason}}
		err = allText("closed", in.Conn, in.Reason)
	case adapter.Sent:
		m.Input, err = &Turn_Sent{&Sent{Tag: in.Tag, Outcome: in.Outcome}}, allText("sent", in.Tag, in.Outcome)
	default:
		err = fmt.Errorf("input %T has no form in the protocol", in)
	}
	return err
}

func encodeConnectionEffect(e adapter.Effect) (*Effect, error) {
	switch e := e.(type) {
	case adapter.Dialing:
		d := e.Dial
		m := &Dial{Url: d.URL, Header: encodeValues(d.Header), Protocols: d.Protocols, Transport: d.Transport,
			Event: d.Event, GiveUp: int64(d.GiveUp), Binds: d.Binds}
		err := allText("dialing", append([]string{e.Conn, d.URL, d.Transport, d.Event}, d.Protocols...)...)
		return &Effect{Effect: &Effect_Dialing{&Dialing{Conn: e.Conn, Dial: m}}}, err
	case adapter.Sending:
		m := &Sending{Tag: e.Tag, Conn: e.Conn, Data: e.Data, Binary: e.Binary}
		return &Effect{Effect: &Effect_Sending{m}}, allText("sending", e.Tag, e.Conn)
	case adapter.Closing:
		m := &Closing{Conn: e.Conn, Code: int64(e.Code)}
		return &Effect{Effect: &Effect_Closing{m}}, allText("closing", e.Conn)
	case adapter.Minting:
		m := &Minting{Name: e.Name, Placeholder: e.Placeholder, Ttl: int64(e.TTL)}
		return &Effect{Effect: &Effect_Minting{m}}, allText("minting", e.Name, e.Placeholder)
	}
	return nil, fmt.Errorf("effect %T has no form in the protocol", e)
}

func decodeConnectionInput(m *Turn) (adapter.Input, error) {
	switch in := m.GetInput().(type) {
	case *Turn_Opened:
		o := in.Opened
		return adapter.Opened{Conn: o.GetConn(), Endpoint: o.GetEndpoint(), Path: string(o.GetPath()),
			Query: decodeValues(o.GetQuery()), Header: decodeValues(o.GetHeader())}, nil
	case *Turn_Frame:
		f := in.Frame
		return adapter.Frame{Conn: f.GetConn(), Event: string(f.GetEvent()), Data: f.GetData(), Binary: f.GetBinary()}, nil
	case *Turn_Closed:
		c := in.Closed
		return adapter.Closed{Conn: c.GetConn(), Code: int(c.GetCode()), Status: int(c.GetStatus()), Reason: c.GetReason()}, nil
	case *Turn_Sent:
		return adapter.Sent{Tag: in.Sent.GetTag(), Outcome: in.Sent.GetOutcome()}, nil
	}
	return nil, fmt.Errorf("input: %w", ErrUnknown)
}

func decodeConnectionEffect(m *Effect) (adapter.Effect, error) {
	switch e := m.GetEffect().(type) {
	case *Effect_Dialing:
		return adapter.Dialing{Conn: e.Dialing.GetConn(), Dial: decodeDial(e.Dialing.GetDial())}, nil
	case *Effect_Sending:
		m := e.Sending
		return adapter.Sending{Tag: m.GetTag(), Conn: m.GetConn(), Data: m.GetData(), Binary: m.GetBinary()}, nil
	case *Effect_Closing:
		return adapter.Closing{Conn: e.Closing.GetConn(), Code: int(e.Closing.GetCode())}, nil
	case *Effect_Minting:
		m := e.Minting
		return adapter.Minting{Name: m.GetName(), Placeholder: m.GetPlaceholder(), TTL: time.Duration(m.GetTtl())}, nil
	}
	return nil, fmt.Errorf("effect: %w", ErrUnknown)
}

func decodeDial(m *Dial) adapter.Dial {
	return adapter.Dial{URL: m.GetUrl(), Header: decodeValues(m.GetHeader()), Protocols: m.GetProtocols(),
		Transport: m.GetTransport(), Event: m.GetEvent(), GiveUp: time.Duration(m.GetGiveUp()), Binds: m.GetBinds()}
}
