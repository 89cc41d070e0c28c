package observe

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/footbridge/footbridge/bridge/internal/credential"
)

func TestMain(m *testing.M) {
	if os.Getenv(unwatched) != "" {
		crashUnwatched()
	}
	goleak.VerifyTestMain(m)
}

func get(t *testing.T, h http.Handler, method, path string) (int, http.Header, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), string(body)
}

func TestAdmin(t *testing.T) {
	health := NewHealth(plain{})
	health.Set("journal", nil)
	metrics := NewMetrics()
	admin := AdminHandler(metrics, health, func(context.Context) { metrics.Unaccounted.Inc() })
	for _, c := range []struct {
		method, path string
		code         int
		body         string
	}{
		{"GET", "/healthz", 200, "ok"},
		{"HEAD", "/healthz", 200, ""},
		{"GET", "/readyz", 200, `{"ready":true,"components":{"journal":"ok"}}`},
		{"GET", "/metrics", 200, "footbridge_unaccounted 1"},
		{"GET", "/metrics", 200, "go_goroutines"},
		{"GET", "/debug/pprof/", 200, "goroutine"},
		{"GET", "/debug/pprof/heap?debug=1", 200, "heap profile"},
		{"GET", "/debug/pprof/cmdline", 200, ""},
		{"POST", "/debug/pprof/symbol", 200, ""},
		{"POST", "/readyz", 405, ""},
		{"GET", "/", 404, ""},
	} {
		code, header, body := get(t, admin, c.method, c.path)
		if code != c.code || !strings.Contains(body, c.body) || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %v %.200q", c.method, c.path, code, header, body)
		}
	}
}

func TestReady(t *testing.T) {
	redactor := credential.NewRedactor()
	redactor.Add(credential.NewSecret("canary-secret"))
	health := NewHealth(redactor)
	admin := AdminHandler(NewMetrics(), health, func(context.Context) {})
	step := func(want int, components map[string]string) {
		t.Helper()
		code, header, body := get(t, admin, http.MethodGet, "/readyz")
		var answer struct {
			Ready      bool
			Components map[string]string
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || header.Get("Content-Type") != "application/json" {
			t.Fatal(err, body, header)
		}
		if code != want || answer.Ready != (want == 200) || !maps.Equal(answer.Components, components) {
			t.Errorf("%d %s", code, body)
		}
		if ready, texts := health.Ready(); ready != answer.Ready || !maps.Equal(texts, components) {
			t.Errorf("%t %v", ready, texts)
		}
		if code, _, _ := get(t, admin, http.MethodGet, "/healthz"); code != 200 {
			t.Errorf("alive, but %d", code)
		}
	}
	step(503, map[string]string{})
	health.Set("journal", errors.New("open canary-secret\n: ok"))
	step(503, map[string]string{"journal": `open [secret]\u000a: ok`})
	health.Set("listener", nil)
	step(503, map[string]string{"journal": `open [secret]\u000a: ok`, "listener": "ok"})
	health.Set("journal", nil)
	step(200, map[string]string{"journal": "ok", "listener": "ok"})
	health.Set("journal", errors.New("ok"))
	step(503, map[string]string{"journal": "ok", "listener": "ok"})
}

func TestHealthIsForManyGoroutines(t *testing.T) {
	health := NewHealth(plain{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				health.Set("journal", nil)
				if ready, _ := health.Ready(); !ready {
					t.Error("not ready")
				}
			}
		})
	}
	wg.Wait()
}

// metricLine reads the name and the labels of a metric from its description.
var metricLine = regexp.MustCompile(`fqName: "(footbridge_[a-z_]+)".*variableLabels: \{([a-z,]*)\}`)

func TestMetricsAreNamedAndLabelledFromClosedSets(t *testing.T) {
	m := NewMetrics()
	want := map[string]string{
		"frames_received_total": "account,endpoint", "frames_duplicate_total": "account", "frames_conflict_total": "account", "frames_refused_total": "account,reason",
		"events_committed_total": "kind", "deliveries_total": "account,outcome", "maybe_duplicates_total": "account",
		"calls_total": "account,outcome", "call_seconds": "account", "turns_total": "adapter,outcome", "turn_seconds": "adapter",
		"dead_letters_total": "account", "breaker_state": "name", "plugin_restarts_total": "adapter", "plugin_quarantined": "adapter",
		"conversations": "phase", "queue_waiting": "queue", "left_messages": "", "too_old_total": "what", "log_dropped_total": "", "commits_total": "", "commit_seconds": "", "degraded_total": "account,what",
		"reconciles_total": "account", "unknown_fields_total": "account,what", "unaccounted": "", "account_drained": "account", "feed_up": "account,feed", "feed_reconnects_total": "account,feed", "api_requests_total": "route,status",
	}
	got := map[string]string{}
	fields := reflect.ValueOf(m).Elem()
	for i := range fields.NumField() {
		if !fields.Type().Field(i).IsExported() {
			continue
		}
		metric := fields.Field(i).Interface().(prometheus.Collector)
		descs := make(chan *prometheus.Desc, 1)
		metric.Describe(descs)
		parts := metricLine.FindStringSubmatch((<-descs).String())
		if parts == nil {
			t.Fatalf("field %s has no name of ours", fields.Type().Field(i).Name)
		}
		got[strings.TrimPrefix(parts[1], "footbridge_")] = parts[2]
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestMetricsAreServedAndLint(t *testing.T) {
	m := NewMetrics()
	m.FramesReceived.WithLabelValues("studio", "inbound").Inc()
	m.CallSeconds.WithLabelValues("studio").Observe(.02)
	m.Commits.Inc()
	m.CommitSeconds.Observe(.0002)
	m.CountReplaced(func() uint64 { return 3 })
	for state, value := range map[string]float64{"closed": 0, "half_open": 1, "open": 2, "something new": 2} {
		m.SetBreaker("a", state)
		if got := testutil.ToFloat64(m.BreakerState.WithLabelValues("a")); got != value {
			t.Errorf("%s: %v", state, got)
		}
	}
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Error(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "footbridge_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	_, _, body := get(t, m.Handler(func(context.Context) {}), http.MethodGet, "/metrics")
	for _, line := range []string{
		`footbridge_frames_received_total{account="studio",endpoint="inbound"} 1`,
		`footbridge_call_seconds_count{account="studio"} 1`,
		`footbridge_breakers_replaced_total 3`,
		`footbridge_commits_total 1`,
		`footbridge_commit_seconds_bucket{le="0.00025"} 1`,
		`footbridge_breaker_state{name="a"} `,
	} {
		if !strings.Contains(body, line) {
			t.Errorf("not served: %s", line)
		}
	}
	NewMetrics() // a second set does not collide with the first
}
