package app

import (
	"fmt"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/feed"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
)

// listening makes an account unready that lacks the credential of a feed: it would
// speak and never hear.
func (p *plan) listening(a *engine.Account, secrets map[string]credential.Secret) {
	for _, f := range a.Profile.Feeds {
		if _, set := secrets[f.Credential]; a.Unready == "" && f.Credential != "" && !set {
			a.Unready = fmt.Sprintf("credential %s is not set (feed %s listens with it)", f.Credential, f.Name)
			p.warnings = append(p.warnings, fmt.Sprintf("account %s is unconfigured: %s; its calls are refused until it is set", a.Name, a.Unready))
		}
	}
}

// openFeeds makes what holds the feeds. It holds none before it runs.
func (a *App) openFeeds(placeholders *credential.Placeholders) {
	a.feeds = feed.New(feed.Options{Intake: intake{a.ingress}, Out: a.egress, Placeholder: placeholders.Token, Reached: a.engine.Reached,
		Reopened: func(account, name string) { a.metrics.FeedReopened.WithLabelValues(account, name).Inc() }, Refused: a.refused, Logger: a.log})
}

// intake is the doors, as feeds have them.
type intake struct{ doors *ingress.Ingress }

func (i intake) Heard(account, endpoint string, body []byte) feed.Heard {
	if h := i.doors.Heard(account, endpoint, body); h != nil {
		return h
	}
	return nil
}

// feedsOf are the feeds of an account, as the API has them.
func feedsOf(account string, all []feed.State) []api.Listening {
	var out []api.Listening
	for _, s := range all {
		if s.Account == account {
			out = append(out, api.Listening{Name: s.Feed, Up: s.Up, Since: s.Since, Reason: s.Reason})
		}
	}
	return out
}

// lookFeeds sets the gauges of the feeds.
func (a *App) lookFeeds() {
	a.metrics.FeedUp.Reset()
	for _, s := range a.feeds.States() {
		up := 0.0
		if s.Up {
			up = 1
		}
		a.metrics.FeedUp.WithLabelValues(s.Account, s.Feed).Set(up)
	}
}
