package adaptertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// ExampleAccount is an account of the role with the settings the manifest gives
// as examples and defaults and every credential the role has, for an adapter
// that does without an operator's. It is named after the adapter.
func ExampleAccount(m adapter.Manifest, role event.Role) adapter.Account {
	m.Roles = []event.Role{role}
	a := accountsOf(m)[0]
	a.Name = m.Name
	return a
}

// Open begins the leg as the vendor begins one: with the smallest good request at
// each endpoint that opens legs, and a connection to each socket. It reports false
// where no endpoint opens legs. What the vendor is answered does not leave.
func (r *Rehearsal) Open() (bool, error) {
	opens := false
	for _, e := range r.leg.profile.Endpoints {
		opener := e.Unknown == adapter.UnknownOpen
		if !opener && e.Transport == "" {
			continue
		}
		opens = opens || opener
		if err := r.open(e); err != nil {
			return opens, fmt.Errorf("open at %s: %w", e.Name, err)
		}
	}
	r.begun = r.begun || opens
	return opens, nil
}

func (r *Rehearsal) open(e adapter.Endpoint) error {
	body := []byte(strings.ReplaceAll(bodyWithKey(e), "{key}", r.leg.key))
	if e.Transport == "" {
		in := r.request(e, "", body)
		r.openings = append(r.openings, in.ID)
		_, err := r.play(in)
		return err
	}
	if _, err := r.connect(e, ""); err != nil || !strings.HasPrefix(e.Key, "frame:") {
		return err
	}
	_, err := r.play(adapter.Frame{Conn: servedConn(e), Data: body})
	return err
}

// Connect brings the leg to where frames of the vendor come over a connection
// the adapter dials. The error says that it dials none.
func (r *Rehearsal) Connect() error {
	_, err := r.dialled()
	return err
}

// dialled gives the connection frames of the vendor come over, after the leg has
// begun and the customer has said something, as every such connection needs.
func (r *Rehearsal) dialled() (string, error) {
	if _, err := r.Begin(); err != nil {
		return "", err
	}
	if len(r.ours()) == 0 {
		words := event.Event{Actor: event.Actor{Role: event.RoleCustomer}, Body: event.MessageCreated{Content: event.Plain("hello")}}
		if _, _, err := r.Deliver(words); err != nil {
			return "", err
		}
	}
	if all := r.ours(); len(all) > 0 {
		return all[0], nil
	}
	return "", errors.New("the account serves no endpoint of this name and dials no connection")
}

// ours lists the connections the adapter dialled.
func (r *Rehearsal) ours() []string {
	return slices.DeleteFunc(r.leg.stands(), func(conn string) bool { return strings.HasPrefix(conn, servedConn(adapter.Endpoint{})) })
}

// patience is how often a delivery is offered before the far side ends the
// connections it may wait for.
const patience = 8

// hungUp ends the connections the adapter dialled, as a far side that takes one
// turn a connection does.
func (r *Rehearsal) hungUp() []event.Event {
	var all []event.Event
	for _, conn := range r.ours() {
		events, err := r.play(adapter.Closed{Conn: conn, Code: 1000, Reason: adapter.ClosedByPeer})
		if all = append(all, events...); err != nil {
			return all
		}
	}
	return all
}

// Begin makes the delivery a leg that the bridge opens begins with, once: the
// conversation for a virtual agent and a customer, the hand-off for live agents.
func (r *Rehearsal) Begin() ([]Departure, error) {
	body := event.Body(event.ConversationStarted{Customer: event.Actor{Role: event.RoleCustomer}})
	if r.leg.account.Role == event.RoleLiveAgent {
		body = event.HandoffRequested{}
	}
	if r.begun {
		return nil, nil
	}
	_, left, err := r.Deliver(event.Event{Actor: event.Actor{Role: event.RoleSystem}, Body: body})
	return left, err
}
