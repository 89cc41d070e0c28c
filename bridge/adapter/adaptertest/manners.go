package adaptertest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// endings are what ends a hand-off when an adapter says it.
func ending(k event.Kind) bool {
	return k == event.KindHandoffFailed || k == event.KindHandoffCancelled || k == event.KindHandbackCompleted
}

// handoff follows the hand-offs of one leg, whoever speaks of them. One that has
// ended is not taken up without being asked for again; but a far side with people
// of its own may send them unasked.
type handoff struct{ open, ended, own bool }

func (h *handoff) note(k event.Kind) error {
	switch {
	case k == event.KindHandoffRequested, k == event.KindHandoffAccepted && h.own && h.ended:
		*h = handoff{open: true, own: h.own}
	case h.ended && (ending(k) || k == event.KindHandoffAccepted):
		return fmt.Errorf("%s: the hand-off had ended", k)
	case ending(k):
		h.ended = true
	}
	return nil
}

// singleEnded lets calls fail and requests expire at random; the deliveries are
// those the bridge would make, so that every ending is the adapter's own.
func singleEnded(b *bench) error {
	for range 60 {
		l, h := b.leg(), &handoff{own: b.ownPeople()}
		if err := b.beginning(l, h); err != nil {
			return err
		}
		for range 30 {
			in := b.step(l, func(k event.Kind) bool {
				return k == event.KindMessageCreated || (k == event.KindHandbackRequested && h.open && !h.ended)
			})
			out := l.turn(in)
			if err := h.follow(out); err != nil {
				return fmt.Errorf("%s: %w", describe(in), err)
			}
		}
	}
	return nil
}

func (b *bench) ownPeople() bool {
	return slices.Contains(b.options.OwnPeople, b.account.Name) || slices.Contains(b.options.OwnPeople, "*")
}

// beginning opens a leg whose first calls end at random.
func (b *bench) beginning(l *leg, h *handoff) error {
	if l.account.Role != event.RoleLiveAgent {
		return nil // a request at an endpoint, or its own words, ask for people
	}
	d := adapter.Deliver{Event: b.events(event.KindHandoffRequested, "")[0]}
	if err := h.note(event.KindHandoffRequested); err != nil {
		return err
	}
	return h.follow(l.turn(d))
}

func (h *handoff) follow(out adapter.Outcome) error {
	for _, effect := range out.Effects {
		if e, ok := effect.(adapter.Emission); ok && e.Body != nil {
			if err := h.note(e.Body.Kind()); err != nil {
				return err
			}
		}
	}
	return nil
}

// answering makes every request that waits for a reply, then the news that may
// answer it.
func answering(b *bench) error {
	news := []event.Kind{event.KindHandoffQueued, event.KindHandoffAccepted, event.KindHandoffFailed, event.KindHandoffCancelled}
	for _, e := range b.profile.Endpoints {
		if e.Answer != adapter.AnswerReply {
			continue
		}
		for i := range b.samples(b.leg(), e) {
			for _, kind := range news {
				if err := b.answered(e, i, kind); err != nil {
					return fmt.Errorf("request %d at %s, then %s: %w", i+1, e.Name, kind, err)
				}
			}
		}
		if err := b.answersAll(e); err != nil {
			return fmt.Errorf("request at %s: %w", e.Name, err)
		}
	}
	return nil
}

func (b *bench) answered(e adapter.Endpoint, sample int, news event.Kind) error {
	l := b.leg()
	if e.Unknown != adapter.UnknownOpen {
		if err := b.open(l); err != nil {
			return err
		}
	}
	r := b.samples(l, e)[sample]
	if out := l.turn(r); out.Err != "" {
		return errors.New(out.Err)
	}
	if l.held[r.ID] {
		if err := l.serve(adapter.Deliver{Event: b.events(news, "")[0]}, answered(http.StatusOK)); err != nil {
			return err
		}
	}
	if l.answers[r.ID] == 0 {
		return errors.New("no answer")
	}
	again := b.samples(l, e)[sample]
	if out := l.turn(again); out.Err != "" || (l.answers[again.ID] == 0 && !l.held[again.ID]) {
		return fmt.Errorf("the same again is neither answered nor held %s", out.Err)
	}
	return l.fault()
}

// answersAll sends what has no meaning: an error or an answer, never silence.
func (b *bench) answersAll(e adapter.Endpoint) error {
	for _, body := range []string{`{}`, `[]`, `null`, `"x"`, `{"unexpected":true}`} {
		l, err := b.opened()
		if err != nil {
			return err
		}
		r := b.request(l, e, body)
		out := l.turn(r)
		if out.Err == "" && l.answers[r.ID] == 0 && !l.held[r.ID] {
			return fmt.Errorf("body %s is neither answered nor held", body)
		}
		if err := l.fault(); err != nil {
			return err
		}
	}
	return nil
}

func (l *leg) fault() error {
	if len(l.faults) == 0 {
		return nil
	}
	return errors.New(l.faults[0])
}

func discreet(b *bench) error {
	secrets := make([]string, 0, len(b.account.Credentials))
	for _, name := range b.account.Credentials {
		secrets = append(secrets, fmt.Sprintf(canary, name))
	}
	return b.walk(b.turner, 20, 40, func(l *leg, _ adapter.Input, out adapter.Outcome) error {
		for _, secret := range secrets {
			if strings.Contains(string(l.state), secret) || strings.Contains(out.Err, secret) {
				return errors.New("the placeholder of a credential is in the state or an error")
			}
			for _, effect := range out.Effects {
				if leak := leaks(effect, secret); leak != "" {
					return fmt.Errorf("the placeholder of a credential is in %s", leak)
				}
			}
		}
		return nil
	})
}

// leaks looks everywhere but in the parts of a call a secret may be in.
func leaks(effect adapter.Effect, secret string) string {
	if c, ok := effect.(adapter.Calling); ok {
		effect = adapter.Calling{Tag: c.Tag, Call: adapter.Call{Method: c.Call.Method}}
	}
	switch e := effect.(type) {
	case adapter.Dialing:
		effect = adapter.Dialing{Conn: e.Conn}
	case adapter.Sending:
		effect = adapter.Sending{Tag: e.Tag, Conn: e.Conn}
	}
	if a, ok := effect.(adapter.Answer); ok && strings.Contains(string(a.Reply.Body), secret) {
		return renderEffect(effect)
	}
	if text := renderEffect(effect); strings.Contains(text, secret) {
		return text
	}
	return ""
}

// tolerant sends what a newer vendor or a newer bridge may send.
func tolerant(b *bench) error {
	for _, begin := range []func() (*leg, error){func() (*leg, error) { return b.leg(), nil }, b.opened} {
		l, err := begin()
		if err != nil {
			return err
		}
		for _, in := range b.newer(l) {
			if out := l.turn(in); out.Err != "" {
				return fmt.Errorf("%s: %s", describe(in), out.Err)
			}
		}
	}
	return nil
}

func (b *bench) newer(l *leg) []adapter.Input {
	inputs := []adapter.Input{
		adapter.Deliver{Event: b.event(specimen{"future.happened", "customer", `{"x":1}`})},
		adapter.Deliver{Event: b.event(specimen{"message.created", "customer", `{"content":{"type":"hologram"},"mood":"good"}`})},
		adapter.Deliver{Event: b.event(specimen{"message.created", "live_agent", `{"content":{"type":"hologram"}}`})},
		adapter.Deliver{Event: b.event(specimen{"message.created", "supervisor", `{"content":{"type":"text","text":"x"}}`})},
		adapter.Result{Tag: "of another version", Status: 200}, adapter.Fired{Timer: "of another version"},
		adapter.Expired{Request: "of another version", Reason: "of another kind"},
	}
	for _, e := range b.profile.Endpoints {
		for _, good := range b.samples(l, e) {
			body := string(good.Body)
			if !strings.HasPrefix(body, "{") || body == "{}" {
				continue
			}
			good.Body = []byte(`{"future":{"deep":[1,null,{"x":"y"}]},"flag":true,` + strings.TrimPrefix(body, "{"))
			inputs = append(inputs, b.arrive(l, e, good)...)
		}
	}
	return inputs
}
