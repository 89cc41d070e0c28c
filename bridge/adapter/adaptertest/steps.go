package adaptertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

type stepFunc func(p *player, words, input []string) (string, error)

//nolint:gochecknoglobals // a table that is never written.
var steps = map[string]stepFunc{
	"account":   stepAccount,
	"profile":   stepProfile,
	"leg":       stepLeg,
	"request":   stepRequest,
	"deliver":   stepDeliver,
	"result":    stepResult,
	"fired":     stepFired,
	"expired":   stepExpired,
	"reconcile": stepReconcile,
	"check":     stepCheck,
	"wait":      stepWait,
	"opened":    stepOpened,
	"frame":     stepFrame,
	"closed":    stepClosed,
	"sent":      stepSent,
}

func want(words []string, n int, usage string) error {
	if len(words) < n {
		return fmt.Errorf("write: %s", usage)
	}
	return nil
}

func stepAccount(p *player, words, input []string) (string, error) {
	if err := want(words, 2, "account NAME ROLE"); err != nil {
		return "", err
	}
	a := adapter.Account{Name: words[0], Role: event.Role(words[1]), PublicURL: "https://bridge.example/in/" + words[0]}
	for _, line := range input {
		name, value, _ := strings.Cut(line, " ")
		switch name {
		case "settings":
			a.Settings = json.RawMessage(value)
		case "credentials":
			a.Credentials = strings.Fields(value)
		case "public_url":
			a.PublicURL = value
		default:
			return "", fmt.Errorf("an account has settings, credentials and public_url, no %q", name)
		}
	}
	p.leg = newLeg(p.turner, a, "leg-1")
	p.leg.placeholder = "{credential:%s}"
	profile, err := fit(p.configure, a)
	if err != nil {
		return "error: " + oneLine(err.Error()), nil
	}
	p.leg.profile = profile
	return "ok", nil
}

func stepProfile(p *player, _, _ []string) (string, error) {
	return renderProfile(p.leg.profile), nil
}

func stepLeg(p *player, words, _ []string) (string, error) {
	if err := want(words, 1, "leg KEY"); err != nil {
		return "", err
	}
	old := p.leg
	p.leg = newLeg(old.turner, old.account, words[0])
	p.leg.placeholder, p.leg.profile = old.placeholder, old.profile
	return "ok", nil
}

func stepRequest(p *player, words, input []string) (string, error) {
	if err := want(words, 1, "request ENDPOINT [PATH]"); err != nil {
		return "", err
	}
	endpoint, ok := p.leg.endpoint(words[0])
	if !ok {
		return "", fmt.Errorf("the account serves no endpoint %q", words[0])
	}
	p.requests++
	r := p.leg.request(endpoint, fmt.Sprintf("r%d", p.requests), []byte(strings.Join(input, "\n")))
	if len(words) > 1 {
		r.Path = words[1]
	}
	return renderOutcome(p.leg.turn(r)), nil
}

func stepDeliver(p *player, words, input []string) (string, error) {
	const usage = "deliver KIND by ROLE [id=I] [name=N] [event=E] [ref=R] [maybe_duplicate]"
	if err := want(words, 3, usage); err != nil {
		return "", err
	}
	if words[1] != "by" {
		return "", fmt.Errorf("write: %s", usage)
	}
	p.events++
	d := adapter.Deliver{Event: event.Event{ID: fmt.Sprintf("e%d", p.events), Conversation: p.leg.conversation,
		Seq: int64(p.events), Time: p.leg.now, Actor: event.Actor{Role: event.Role(words[2])}}}
	if err := deliverOptions(&d, words[3:]); err != nil {
		return "", err
	}
	body, err := event.DecodeBody(event.Kind(words[0]), json.RawMessage(strings.Join(input, "\n")))
	if err != nil {
		return "", err
	}
	d.Event.Body = body
	return renderOutcome(p.leg.turn(d)), nil
}

func deliverOptions(d *adapter.Deliver, words []string) error {
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "id":
			d.Event.Actor.ID = value
		case "name":
			d.Event.Actor.Name = value
		case "event":
			d.Event.ID = value
		case "ref":
			d.Event.Ref = value
		case "maybe_duplicate":
			d.MaybeDuplicate = true
		default:
			return fmt.Errorf("%q is no option of deliver", w)
		}
	}
	return nil
}

func stepResult(p *player, words, input []string) (string, error) {
	if err := want(words, 2, "result TAG STATUS|REASON [HEADER=VALUE]"); err != nil {
		return "", err
	}
	r := adapter.Result{Tag: words[0], Header: http.Header{}, Body: []byte(strings.Join(input, "\n"))}
	status, err := strconv.Atoi(words[1])
	if err != nil {
		r.Reason = words[1]
	}
	r.Status = status
	for _, w := range words[2:] {
		name, value, header := strings.Cut(w, "=")
		if read, err := strconv.Atoi(w); !header && err == nil && r.Reason == adapter.ReasonUnknown {
			r.Status = read
			continue
		}
		r.Header.Add(name, value)
	}
	if !p.leg.open[r.Tag] {
		return "", fmt.Errorf("no call %q is open", r.Tag)
	}
	p.leg.finish(r.Tag)
	return renderOutcome(p.leg.turn(r)), nil
}

func stepFired(p *player, words, _ []string) (string, error) {
	if err := want(words, 1, "fired TIMER"); err != nil {
		return "", err
	}
	return renderOutcome(p.leg.turn(adapter.Fired{Timer: words[0]})), nil
}

func stepExpired(p *player, words, _ []string) (string, error) {
	if err := want(words, 2, "expired REQUEST REASON"); err != nil {
		return "", err
	}
	return renderOutcome(p.leg.turn(adapter.Expired{Request: words[0], Reason: words[1]})), nil
}

// stepReconcile asks for what happened in the last five minutes, or in the time
// named.
func stepReconcile(p *player, words, _ []string) (string, error) {
	back := 5 * time.Minute
	if len(words) > 0 {
		var err error
		if back, err = time.ParseDuration(words[0]); err != nil {
			return "", fmt.Errorf("write: reconcile [DURATION]: %w", err)
		}
	}
	return renderOutcome(p.leg.turn(adapter.Reconcile{Since: p.leg.now.Add(-back)})), nil
}

// stepCheck has the account proved, on a leg of its own with no key.
func stepCheck(p *player, words, _ []string) (string, error) {
	of := p.leg
	p.leg = newLeg(of.turner, of.account, "")
	p.leg.placeholder, p.leg.profile, p.leg.conversation = of.placeholder, of.profile, ""
	return renderOutcome(p.leg.turn(adapter.Check{ID: "check", Create: len(words) > 0 && words[0] == "create"})), nil
}

func stepWait(p *player, words, _ []string) (string, error) {
	if err := want(words, 1, "wait DURATION"); err != nil {
		return "", err
	}
	d, err := time.ParseDuration(words[0])
	p.leg.now = p.leg.now.Add(d)
	return "ok", err
}
