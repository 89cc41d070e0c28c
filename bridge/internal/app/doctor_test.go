package app

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/observe"
)

// What a bridge that runs says of itself reaches the diagnosis: what is not well,
// and the breakers that are not closed.
func TestDoctorAsksTheRunningBridge(t *testing.T) {
	metrics, health := observe.NewMetrics(), observe.NewHealth(credential.NewRedactor())
	health.Set("journal", errors.New("disk full"))
	health.Set("engine", nil)
	for name, state := range map[string]string{`account a host "x"`: "open", "plugin b": "half_open", "plugin c": "closed"} {
		metrics.SetBreaker(name, state)
	}
	metrics.AccountDrained.WithLabelValues("studio").Set(1)
	metrics.AccountDrained.WithLabelValues("web").Set(0)
	server := httptest.NewServer(observe.AdminHandler(metrics, health, func(context.Context) {}))
	defer server.Close()
	c := &config.Config{Admin: config.Admin{Listen: server.Listener.Addr().String()}}
	d := &doctor{Diagnosis: &Diagnosis{}, App: &App{conf: c}, live: findLive(t.Context(), c)}
	if d.live == nil || d.live.Ready || len(d.live.open) != 2 {
		t.Fatalf("the bridge says %+v", d.live)
	}
	d.running(t.Context())
	var all []string
	for _, f := range d.Findings {
		all = append(all, f.State+" "+f.What)
	}
	slices.Sort(all)
	if got := strings.Join(all, "; "); !strings.HasPrefix(got, "fault journal: disk full; warning account studio is drained: it takes nothing new; warning the breaker of account a") || !strings.Contains(got, "plugin b") || len(all) != 4 {
		t.Errorf("found is %s", got)
	}
	server.Close()
	if findLive(t.Context(), c) != nil {
		t.Error("a bridge that is gone runs")
	}
}
