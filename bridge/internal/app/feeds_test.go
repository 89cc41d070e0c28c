package app

import (
	"context"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/feed"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// listens is an adapter whose vendor is listened to.
type listens struct{ credential string }

func (l listens) Configure(context.Context, string, adapter.Account) (adapter.Profile, error) {
	return adapter.Profile{Hosts: []string{"api.example"}, Endpoints: []adapter.Endpoint{{Name: "events", Answer: adapter.AnswerAck, Key: "body:/id"}},
		Feeds: []adapter.Feed{{Name: "socket", URL: "wss://api.example", Credential: l.credential, Kind: "/type", Endpoints: map[string]string{"event": "events"}}}}, nil
}

// TestListeningAccounts: an account that could speak and not hear is unconfigured, and
// listens to nobody; one that may be told by nobody else has no open door.
func TestListeningAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		credential string
		env        map[string]string
		unready    string
	}{
		"set":              {"secret", map[string]string{"NEW": "n", "OLD": "o"}, ""},
		"wants none":       {"", map[string]string{"NEW": "n", "OLD": "o"}, ""},
		"not set":          {"secret", map[string]string{"OLD": "o"}, "credential secret is not set (env:NEW)"},
		"not configured":   {"app_token", map[string]string{"NEW": "n", "OLD": "o"}, "credential app_token is not set (feed socket listens with it)"},
		"another is unset": {"app_token", map[string]string{"NEW": "n"}, "credential secret_previous is not set (env:OLD)"},
	} {
		toml := strings.Replace(signedToml, `role = "customer"`, "role = \"customer\"\nallow_unauthenticated = true\nallowed_hosts = [\"line.example\"]", 1)
		conf, _, err := config.Parse("footbridge.toml", []byte(toml), nil)
		if err != nil {
			t.Fatal(err)
		}
		lookup := func(name string) (string, bool) { value, ok := c.env[name]; return value, ok }
		p, err := planner{conf: conf, plugins: listens{c.credential}, env: lookup, down: map[string]error{}}.plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := p.setup.Accounts["vendor"].Unready; got != c.unready || (got == "") != (len(p.warnings) == 0) {
			t.Errorf("%s: unready %q, warnings %q", name, got, p.warnings)
		}
		var held []feed.Account
		for _, a := range p.feeds {
			if len(a.Feeds) > 0 {
				held = append(held, a)
			}
		}
		if len(held) > 0 != (c.unready == "") || len(held) == 1 && !reflect.DeepEqual(held[0].Hosts, []string{"api.example", "line.example"}) {
			t.Errorf("%s: listens to %+v", name, held)
		}
	}
}

// TestFeedsAreShown: how feeds stand is what the API tells, what is counted, and what
// the doctor finds out from that.
func TestFeedsAreShown(t *testing.T) {
	metrics, health := observe.NewMetrics(), observe.NewHealth(credential.NewRedactor())
	health.Set("engine", nil)
	since := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	a := &App{metrics: metrics, feeds: feed.New(feed.Options{})}
	metrics.FeedUp.WithLabelValues("gone", "socket").Set(1)
	a.lookFeeds()
	metrics.FeedUp.WithLabelValues("desk", "socket").Set(1)
	metrics.FeedUp.WithLabelValues("other", "socket").Set(0)
	server := httptest.NewServer(observe.AdminHandler(metrics, health, func(context.Context) {}))
	defer server.Close()
	c := &config.Config{Admin: config.Admin{Listen: server.Listener.Addr().String()}}
	live := findLive(t.Context(), c)
	if live == nil || !reflect.DeepEqual(live.feeds, map[string]bool{"desk/socket": true, "other/socket": false}) {
		t.Fatalf("the bridge says %+v", live)
	}
	d := &doctor{Diagnosis: &Diagnosis{}, App: &App{conf: c}, live: live}
	for _, account := range []string{"desk", "other", "new"} {
		d.feed(account, "socket")
	}
	if f := d.Findings; f[0].State != FindingGood || !strings.Contains(f[0].What, "stands") || f[1].State != FindingFault || f[1].Mend == "" || f[2].State != FindingGood || strings.Contains(f[2].What, "stands") {
		t.Errorf("found is %+v", f)
	}
	rows := feedsOf("desk", []feed.State{{Account: "desk", Feed: "socket", Since: since, Reason: "it answered 401"}, {Account: "other", Feed: "socket", Up: true}})
	if want := []api.Listening{{Name: "socket", Since: since, Reason: "it answered 401"}}; !reflect.DeepEqual(rows, want) {
		t.Errorf("shown is %+v", rows)
	}
}
