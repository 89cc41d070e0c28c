package breaker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// ErrExited is returned by Do when the call ended its goroutine (runtime.Goexit) instead of returning.
var ErrExited = errors.New("ended its goroutine")

// PanicError is returned by Do when the call panicked. Its text names the kind of the value only, since the value may
// hold what must not be logged.
type PanicError struct {
	Value any    // what the call panicked with
	Stack []byte // where
}

// Error tells that the call panicked, with the text of the runtime's own errors and the type of all other values.
func (e *PanicError) Error() string {
	if err, ok := e.Value.(runtime.Error); ok {
		return "panicked: " + err.Error()
	}
	return fmt.Sprintf("panicked with a %T", e.Value)
}

type result struct {
	outcome Outcome
	err     error
}

// run makes the call in its own goroutine, and stops waiting for it a quarter of the deadline after its context ended.
func run(ctx context.Context, deadline time.Duration, call func(context.Context) Outcome) (Outcome, error) {
	inner, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	done := make(chan result, 1)
	go guard(inner, call, done)
	select {
	case r := <-done:
		return judge(ctx, inner, r)
	case <-inner.Done():
	}
	grace := time.NewTimer(deadline / 4)
	defer grace.Stop()
	select {
	case r := <-done:
		return judge(ctx, inner, r)
	case <-grace.C:
		return abandoned(ctx)
	}
}

// guard makes the call and reports how it ended, whichever way that was.
func guard(ctx context.Context, call func(context.Context) Outcome, done chan<- result) {
	r := result{Failure, ErrExited}
	defer func() {
		if v := recover(); v != nil {
			r.err = &PanicError{v, debug.Stack()}
		}
		done <- r
	}()
	r = result{outcome: call(ctx)}
}

// judge corrects an outcome by what ended the context: running out of time is never neutral, and what follows the
// caller's own cancel says nothing bad about the far side.
func judge(outer, inner context.Context, r result) (Outcome, error) {
	cancelled := errors.Is(outer.Err(), context.Canceled)
	timedOut := errors.Is(inner.Err(), context.DeadlineExceeded)
	switch {
	case r.err != nil:
		return Failure, r.err
	case r.outcome == Neutral && timedOut && !cancelled:
		return Failure, nil
	case r.outcome == Failure && cancelled && !timedOut:
		return Neutral, nil
	}
	return r.outcome, nil
}

func abandoned(outer context.Context) (Outcome, error) {
	if err := outer.Err(); errors.Is(err, context.Canceled) {
		return Neutral, err
	}
	return Failure, context.DeadlineExceeded
}
