// Package verify has an account prove itself before there is traffic: its adapter is
// given a Check, and its calls are made and answered until it reports. No engine and
// no journal are there; nothing of it is kept.
package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// ErrNoCheck says that the adapter does not know how to check an account.
var ErrNoCheck = errors.New("the adapter has no check of its own")

const (
	// checkID names the Check towards its adapter.
	checkID = "check"
	// within bounds a whole check.
	within = time.Minute
	// mostCalls bounds the calls of one check.
	mostCalls = 50
)

// Options are what a check is made with; all are required.
type Options struct {
	Turner engine.Turner
	Caller engine.Caller
	// Placeholders gives a turn its stand-ins for an account's credentials.
	Placeholders func(account, turn string) map[string]string
}

// Run has an account proved, and gives what its adapter found. With create the adapter
// may make at the vendor what is missing there, such as a webhook. The error says that
// there was no report: ErrNoCheck, an adapter that failed, or ctx.
func Run(ctx context.Context, o Options, account engine.Account, create bool) ([]adapter.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	c := &check{Options: o, account: account, inputs: []adapter.Input{adapter.Check{ID: checkID, Create: create}}}
	for len(c.inputs) > 0 && c.report == nil {
		if err := c.turn(ctx); err != nil {
			return nil, fmt.Errorf("check account %s: %w", account.Name, err)
		}
	}
	if c.report == nil {
		return nil, fmt.Errorf("check account %s: the adapter ended without a report", account.Name)
	}
	return c.report.Findings, nil
}

// check is one check on its way.
type check struct {
	Options
	account engine.Account
	inputs  []adapter.Input
	state   []byte
	version int
	turns   int
	calls   int
	report  *adapter.Report
}

// turn gives the adapter the next input and does what it asks for.
func (c *check) turn(ctx context.Context) error {
	in := c.inputs[0]
	c.inputs, c.turns = c.inputs[1:], c.turns+1
	id := fmt.Sprintf("verify/%s/%d/%d", c.account.Name, time.Now().UnixNano(), c.turns)
	out, err := c.Turner.Turn(ctx, c.account.Adapter, adapter.Turn{ID: id, Now: time.Now().UTC(), State: c.state, StateVersion: c.version,
		Account: adapter.Account{Name: c.account.Name, Role: c.account.Role, Settings: c.account.Settings,
			Credentials: c.account.Credentials, PublicURL: c.account.PublicURL},
		Placeholders: c.Placeholders(c.account.Name, id), Input: in})
	switch {
	case err != nil:
		return err
	case out.Err != "":
		return fmt.Errorf("the adapter failed: %s", out.Err)
	case out.Unsupported && c.turns == 1:
		return ErrNoCheck
	}
	c.state, c.version = out.State, out.StateVersion
	for _, effect := range out.Effects {
		if err := c.effect(ctx, id, effect); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *check) effect(ctx context.Context, turn string, effect adapter.Effect) error {
	switch x := effect.(type) {
	case adapter.Answer:
		if x.Request != checkID {
			return nil
		}
		c.report = &adapter.Report{}
		if err := json.Unmarshal(x.Reply.Body, c.report); err != nil {
			return fmt.Errorf("read the adapter's report: %w", err)
		}
		return nil
	case adapter.Calling:
		if c.calls++; c.calls > mostCalls {
			return fmt.Errorf("the adapter makes more than %d calls", mostCalls)
		}
		a := c.Caller.Call(ctx, c.account.Name, turn, nil, x.Call)
		c.inputs = append(c.inputs, adapter.Result{Tag: x.Tag, Status: a.Status, Header: a.Header, Body: a.Body, Reason: a.Reason})
		return nil
	}
	return fmt.Errorf("the adapter asks for something a check cannot do (%T): it may call and report", effect)
}
