package host

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// The words of State.Status.
const (
	statusStarting    = "starting"
	statusRunning     = "running"
	statusRestarting  = "restarting"
	statusQuarantined = "quarantined"
	statusStopped     = "stopped"
)

// missesAllowed is how many health checks in a row may go unanswered.
const missesAllowed = 3

// supervisor keeps one adapter running.
type supervisor struct {
	host     *Host
	name     string
	log      *slog.Logger
	program  program
	link     atomic.Pointer[link] // nil while it is not running
	ctx      context.Context      // ends with the host
	cancel   context.CancelFunc
	done     chan struct{} // closed when run has returned
	failures []time.Time   // of runs that answered nothing, within the quarantine's window
	delay    time.Duration // before the next restart

	mu       sync.Mutex
	state    State
	manifest adapter.Manifest
	lastErr  error
}

func newSupervisor(h *Host, name string, p program) *supervisor {
	s := &supervisor{host: h, name: name, log: h.log.With("adapter", name), program: p, done: make(chan struct{}),
		delay: h.o.BackoffMin,
		state: State{Adapter: name, Status: statusStarting, Since: time.Now(), Path: p.path, Checksum: p.checksum}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// run starts the plugin again and again until the host closes. The result of the
// first start goes to first.
func (s *supervisor) run(first chan<- error) {
	defer close(s.done)
	defer s.note(statusStopped)
	for n := 0; s.ctx.Err() == nil; n++ {
		l, err := s.launch()
		if err == nil {
			s.up(l, n > 0)
		}
		if n == 0 {
			first <- err
		}
		if err == nil {
			err = s.tend(l)
		}
		if s.ctx.Err() == nil {
			s.rest(s.down(err))
		}
	}
}

func (s *supervisor) launch() (*link, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.host.o.StartTimeout)
	defer cancel()
	proc, err := s.host.handshake(ctx, s.program, s.log)
	if err != nil {
		return nil, fmt.Errorf("the plugin did not start: %w", err)
	}
	l, err := connect(ctx, proc, s.name)
	if err != nil {
		proc.kill()
		proc.gone(endGrace)
		proc.remove()
		return nil, fmt.Errorf("the plugin did not start: %w", err)
	}
	return l, nil
}

func (s *supervisor) up(l *link, again bool) {
	s.mu.Lock()
	s.manifest, s.state.Version, s.state.Sandbox = l.manifest, l.manifest.Version, s.host.sandbox.describe(s.program)
	if again {
		s.state.Restarts++
	}
	s.mu.Unlock()
	if again {
		s.host.o.OnRestart(s.name)
	}
	s.note(statusRunning)
	s.link.Store(l)
	s.log.Info("plugin runs", "version", l.manifest.Version, "pid", l.proc.pid, "sandbox", s.host.sandbox.describe(s.program))
	s.host.o.OnState(s.name, statusRunning)
}

// tend watches a running plugin until it fails or the host closes, and leaves
// nothing of it.
func (s *supervisor) tend(l *link) error {
	began := time.Now()
	check := time.NewTicker(s.host.o.healthEvery)
	defer check.Stop()
	for misses := 0; ; {
		select {
		case <-l.dead:
			s.link.Store(nil)
			l.release()
			if l.worked() || time.Since(began) >= s.host.o.BackoffMax {
				s.delay, s.failures = s.host.o.BackoffMin, nil
			}
			return l.why()
		case <-s.ctx.Done():
			s.link.Store(nil)
			l.close()
			return nil
		case now := <-check.C:
			if l.healthy(s.ctx, now.Add(-s.host.o.healthEvery), s.host.o.healthWithin) {
				misses = 0
			} else if misses++; misses == missesAllowed {
				l.fail(fmt.Errorf("%w: %d health checks went unanswered", ErrTimeout, misses))
			}
		}
	}
}

// down counts a failure and gives how long to wait.
func (s *supervisor) down(err error) time.Duration {
	now, q := time.Now(), s.host.o.Quarantine
	recent := s.failures[:0]
	for _, at := range s.failures {
		if now.Sub(at) < q.Within {
			recent = append(recent, at)
		}
	}
	s.failures = append(recent, now)
	s.mu.Lock()
	s.lastErr, s.state.LastError = err, err.Error()
	s.mu.Unlock()
	if len(s.failures) >= q.Failures {
		s.failures, s.delay = nil, s.host.o.BackoffMin
		s.note(statusQuarantined)
		s.log.Error("plugin quarantined", "reason", err, "failures", q.Failures, "for", q.For)
		s.host.o.OnState(s.name, statusQuarantined)
		return q.For
	}
	wait := min(s.delay+rand.N(s.delay/4+1), s.host.o.BackoffMax)
	s.delay = min(2*s.delay, s.host.o.BackoffMax)
	s.note(statusRestarting)
	s.log.Warn("plugin failed", "reason", err, "restart_in", wait)
	s.host.o.OnState(s.name, statusRestarting)
	return wait
}

func (s *supervisor) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

func (s *supervisor) note(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Status, s.state.Since = status, time.Now()
}

// why says as an error that the plugin is not running.
func (s *supervisor) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sentinel := ErrDown
	if s.state.Status == statusQuarantined {
		sentinel = ErrQuarantined
	}
	if s.lastErr == nil {
		return sentinel
	}
	// The reason is told, not wrapped: what an earlier call met is not what this
	// one met.
	return fmt.Errorf("%w: %s", sentinel, s.lastErr.Error())
}

// described gives the manifest of a plugin that has run.
func (s *supervisor) described() (adapter.Manifest, error) {
	s.mu.Lock()
	known := s.manifest.Name != ""
	m := s.manifest
	s.mu.Unlock()
	if !known {
		return m, s.why()
	}
	return m, nil
}

func (s *supervisor) snapshot() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}
