package observe

import (
	"context"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics holds every metric of the program, on a registry of its own. All fields may be used from many goroutines. The
// names of labels stand behind each field, in the order WithLabelValues takes them; their values come from closed sets or
// from the configuration, never from the far side and never from a person's words.
type Metrics struct {
	FramesReceived    *prometheus.CounterVec   // raw frames stored: account, endpoint
	FramesDuplicate   *prometheus.CounterVec   // frames that had come before: account
	FramesConflict    *prometheus.CounterVec   // of these, with another body: account
	FramesRefused     *prometheus.CounterVec   // frames refused before they were stored: account, reason
	EventsCommitted   *prometheus.CounterVec   // events in the journal: kind
	Deliveries        *prometheus.CounterVec   // deliveries settled: account, outcome
	MaybeDuplicates   *prometheus.CounterVec   // sent again after an unknown outcome: account
	Calls             *prometheus.CounterVec   // HTTP calls to a far side, each attempt: account, outcome
	CallSeconds       *prometheus.HistogramVec // how long an attempt took: account
	Turns             *prometheus.CounterVec   // calls of an adapter: adapter, outcome
	TurnSeconds       *prometheus.HistogramVec // how long a turn took in the plugin: adapter
	DeadLetters       *prometheus.CounterVec   // inputs put aside after their turns failed: account
	BreakerState      *prometheus.GaugeVec     // 0 closed, 1 half-open, 2 open; set by SetBreaker: name
	PluginRestarts    *prometheus.CounterVec   // plugin processes started again: adapter
	PluginQuarantined *prometheus.GaugeVec     // 1 while a plugin is not started any more: adapter
	Conversations     *prometheus.GaugeVec     // conversations that have not ended: phase
	LeftMessages      prometheus.Gauge         // messages customers left that nobody has dealt with
	QueueWaiting      *prometheus.GaugeVec     // conversations waiting for a person: queue
	Commits           prometheus.Counter       // transactions of the journal
	CommitSeconds     prometheus.Histogram     // how long one took, with its sync
	Degraded          *prometheus.CounterVec   // content a far side could not carry whole: account, what
	Reconciles        *prometheus.CounterVec   // turns in which an adapter reads back what its vendor may have told unheard: account
	UnknownFields     *prometheus.CounterVec   // what of a vendor's frames the adapter does not know, a frame, field, value or type: account, what
	Unaccounted       prometheus.Gauge         // conversations with something that has neither an outcome nor work under way: always 0
	AccountDrained    *prometheus.GaugeVec     // 1 while an account takes nothing new: account
	FeedUp            *prometheus.GaugeVec     // 1 while a feed stands on which a vendor speaks: account, feed
	FeedReopened      *prometheus.CounterVec   // connections of a feed after its first: account, feed
	APIRequests       *prometheus.CounterVec   // requests to the native API: route, status
	LogDropped        prometheus.Counter       // lines of the log that could not be cleaned, and were not written
	TooOld            *prometheus.CounterVec   // dropped because they were older than they are kept: what

	registry *prometheus.Registry
}

// Upper bounds of histogram buckets, in seconds.
//
//nolint:gochecknoglobals // tables that are never written.
var (
	callBuckets   = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	turnBuckets   = [...]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5}
	commitBuckets = [...]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, .5, 2.5}
)

// NewMetrics makes all metrics, and registers them beside those of the Go runtime and of the process.
func NewMetrics() *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	n := namer{r}
	return &Metrics{
		FramesReceived:    n.counter("frames_received_total", "Raw frames stored.", "account", "endpoint"),
		FramesConflict:    n.counter("frames_conflict_total", "Frames that had come before with another body.", "account"),
		FramesDuplicate:   n.counter("frames_duplicate_total", "Frames that had come before.", "account"),
		FramesRefused:     n.counter("frames_refused_total", "Frames refused before they were stored.", "account", "reason"),
		EventsCommitted:   n.counter("events_committed_total", "Events written to the journal.", "kind"),
		Deliveries:        n.counter("deliveries_total", "Deliveries settled.", "account", "outcome"),
		MaybeDuplicates:   n.counter("maybe_duplicates_total", "Sent again after an unknown outcome.", "account"),
		Calls:             n.counter("calls_total", "HTTP calls to a far side, each attempt.", "account", "outcome"),
		CallSeconds:       n.histogram("call_seconds", "Time of one attempt of a call.", callBuckets[:], "account"),
		Turns:             n.counter("turns_total", "Calls of an adapter.", "adapter", "outcome"),
		TurnSeconds:       n.histogram("turn_seconds", "Time of one turn in the plugin.", turnBuckets[:], "adapter"),
		DeadLetters:       n.counter("dead_letters_total", "Inputs put aside after their turns failed.", "account"),
		BreakerState:      n.gauge("breaker_state", "0 closed, 1 half-open, 2 open.", "name"),
		PluginRestarts:    n.counter("plugin_restarts_total", "Plugin processes started again.", "adapter"),
		PluginQuarantined: n.gauge("plugin_quarantined", "1 while a plugin is not started any more.", "adapter"),
		Conversations:     n.gauge("conversations", "Conversations that have not ended.", "phase"),
		LeftMessages:      n.gauge("left_messages", "Messages customers left for live agents that nobody has dealt with.").WithLabelValues(),
		QueueWaiting:      n.gauge("queue_waiting", "Conversations waiting for a person.", "queue"),
		Commits:           n.counter("commits_total", "Transactions of the journal.").WithLabelValues(),
		CommitSeconds:     n.histogram("commit_seconds", "Time of one journal transaction, with its sync.", commitBuckets[:]).WithLabelValues().(prometheus.Histogram),
		Degraded:          n.counter("degraded_total", "Content a far side could not carry whole.", "account", "what"),
		Reconciles:        n.counter("reconciles_total", "Turns in which a leg reads back what its vendor may have told unheard.", "account"),
		UnknownFields:     n.counter("unknown_fields_total", "Frames, fields, values and types in frames that the adapter does not know.", "account", "what"),
		Unaccounted:       n.gauge("unaccounted", "Conversations with something accepted that has neither an outcome nor work under way.").WithLabelValues(),
		AccountDrained:    n.gauge("account_drained", "1 while an account takes nothing new.", "account"),
		FeedUp:            n.gauge("feed_up", "1 while the connection stands on which a vendor speaks to an account.", "account", "feed"),
		FeedReopened:      n.counter("feed_reconnects_total", "Connections of a feed after its first.", "account", "feed"),
		APIRequests:       n.counter("api_requests_total", "Requests to the native API.", "route", "status"),
		LogDropped:        n.counter("log_dropped_total", "Lines of the log that could not be cleaned, and were not written.").WithLabelValues(),
		TooOld:            n.counter("too_old_total", "Dropped because it was older than it is kept.", "what"),
		registry:          r,
	}
}

// breakerValue is the gauge's value for a state of a breaker.
func breakerValue(state string) float64 {
	for value, name := range [...]string{"closed", "half_open", "open"} {
		if name == state {
			return float64(value)
		}
	}
	return 2 // an unknown state is not a healthy one
}

// SetBreaker records a breaker's state: closed, half_open or open.
func (m *Metrics) SetBreaker(name, state string) {
	m.BreakerState.WithLabelValues(name).Set(breakerValue(state))
}

// CountReplaced has count tell how many breakers were stuck half-open and were opened anew. It is called once.
func (m *Metrics) CountReplaced(count func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "footbridge", Name: "breakers_replaced_total",
		Help: "Breakers that were stuck half-open, and were opened anew: should stay 0."}, func() float64 { return float64(count()) }))
}

// Handler serves the metrics in the text format of Prometheus. look is called before each answer, one at a time, to set
// the gauges of what is counted only when somebody asks.
func (m *Metrics) Handler(look func(context.Context)) http.Handler {
	metrics := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		look(r.Context())
		metrics.ServeHTTP(w, r)
	})
}

// namer makes metrics with the program's prefix and registers them.
type namer struct{ registry *prometheus.Registry }

func (n namer) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "footbridge", Name: name, Help: help}, labels)
	n.registry.MustRegister(c)
	return c
}

func (n namer) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "footbridge", Name: name, Help: help}, labels)
	n.registry.MustRegister(g)
	return g
}

func (n namer) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "footbridge", Name: name, Help: help, Buckets: buckets}, labels)
	n.registry.MustRegister(h)
	return h
}
