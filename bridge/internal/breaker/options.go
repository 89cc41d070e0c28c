package breaker

import (
	"fmt"
	"time"
)

const (
	maxBucket   = 5 * time.Second
	maxFailures = 1000
	jitter      = 0.3 // of the open time, either way
)

// Options says when a set's breakers trip and for how long. A zero field takes its default.
type Options struct {
	Failures uint32        // failures in a row that trip it: 5, at most 1,000
	Interval time.Duration // how long a failure counts: 60 s; stretched so that Failures calls that all hang fit into it
	Open     time.Duration // first open time: 10 s, give or take 30 %; it doubles with each trip until a call succeeds
	MaxOpen  time.Duration // longest open time: 5 min, jitter included
	Deadline time.Duration // of one call: 10 s; must be under a third of Interval
}

func (o Options) withDefaults() Options {
	if o.Failures == 0 {
		o.Failures = 5
	}
	o.Interval = orDefault(o.Interval, time.Minute)
	o.Open = orDefault(o.Open, 10*time.Second)
	o.MaxOpen = orDefault(o.MaxOpen, max(5*time.Minute, 2*o.Open))
	o.Deadline = orDefault(o.Deadline, 10*time.Second)
	return o
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

func (o Options) validate() error {
	switch {
	case o.Failures > maxFailures:
		return fmt.Errorf("failures is %d: write at most %d", o.Failures, maxFailures)
	case min(o.Interval, o.Open, o.MaxOpen, o.Deadline) <= 0:
		return fmt.Errorf("a time is negative: write times above zero")
	case o.Deadline >= o.Interval/3:
		return fmt.Errorf("deadline %s is not under a third of the interval %s: shorten it or lengthen the interval", o.Deadline, o.Interval)
	case o.MaxOpen < o.Open:
		return fmt.Errorf("the longest open time %s is under the first one %s: raise it", o.MaxOpen, o.Open)
	}
	return nil
}

// window is how long a failure counts, and the steps it moves on by. Calls that all hang, one after the other, must add
// up: the library would else forget the first before the last has failed, and never trip.
func (o Options) window() (window, bucket time.Duration) {
	hung := time.Duration(o.Failures+1) * o.Deadline * 5 / 4
	window = max(o.Interval, hung)
	return window, max(1, min(maxBucket, window/12))
}

// openFor is the open time after so many trips without a success. The random number is from 0 up to 1.
func (o Options) openFor(trips uint, random float64) time.Duration {
	longest := float64(o.MaxOpen) / (1 + jitter)
	open := min(float64(o.Open), longest)
	for range trips {
		if open = min(2*open, longest); open == longest {
			break
		}
	}
	return max(1, time.Duration(open*(1-jitter+2*jitter*random)))
}

// overdue is how long a probe may be away.
func (o Options) overdue() time.Duration { return 2 * o.Deadline }
