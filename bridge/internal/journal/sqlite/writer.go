package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// gathered is the most changes one transaction takes together.
const gathered = 256

// request is one change that waits for the writer.
type request struct {
	// apply makes the change within a batch. It may run twice, when the first
	// batch it was in failed.
	apply func(*batch) error
	done  chan error
	// taken is set by the writer when it takes the request, or by the caller when
	// it gives up waiting; the first of the two wins.
	taken atomic.Bool
}

// submit hands a change to the writer and waits until it is on disk. A context
// that ends takes the change back only while nobody has begun with it.
func (j *Journal) submit(ctx context.Context, apply func(*batch) error) error {
	r := &request{apply: apply, done: make(chan error, 1)}
	if err := j.enqueue(ctx, r); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
	}
	if r.taken.CompareAndSwap(false, true) {
		return ctx.Err()
	}
	return <-r.done
}

func (j *Journal) enqueue(ctx context.Context, r *request) error {
	j.intake.RLock()
	defer j.intake.RUnlock()
	if err := j.usable(); err != nil {
		return err
	}
	select {
	case j.writer.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writer is the one goroutine that writes.
type writer struct {
	queue    chan *request
	finished chan struct{}
	conn     *sql.Conn
	stmts    []*sql.Stmt
	last     totals
	o        Options
	stored   func() // called after a commit that stored events
	wake     func() // called after every commit
	crowded  atomic.Bool
	failed   atomic.Pointer[error]
}

// totals are the last numbers given.
type totals struct{ position, arrival int64 }

func newWriter(ctx context.Context, db *sql.DB, o Options, stored func()) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{queue: make(chan *request, gathered), finished: make(chan struct{}), conn: conn, o: o, stored: stored}
	if w.stmts, err = prepareAll(ctx, conn, writeSQL[:]); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	for name, into := range map[string]*int64{countPosition: &w.last.position, countArrival: &w.last.arrival} {
		err := conn.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = ?`, name).Scan(into)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, errors.Join(fmt.Errorf("read counter %s: %w", name, err), conn.Close())
		}
	}
	return w, nil
}

// failure is why the journal takes nothing more, or nil.
func (w *writer) failure() error {
	if err := w.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (w *writer) loop() {
	defer close(w.finished)
	for first := range w.queue {
		w.run(w.gather(first))
		w.wake()
		if w.crowded.CompareAndSwap(true, false) {
			w.checkpoint()
		}
	}
	for _, s := range w.stmts {
		s.Close() //nolint:errcheck,gosec // the connection goes with them.
	}
	w.conn.Close() //nolint:errcheck,gosec // goes back to its pool, which is closed next.
}

// gather takes what waits beside first, up to one transaction's worth.
func (w *writer) gather(first *request) []*request {
	all := take(nil, first)
	for len(all) < gathered {
		select {
		case r, open := <-w.queue:
			if !open {
				return all
			}
			all = take(all, r)
		default:
			return all
		}
	}
	return all
}

func take(all []*request, r *request) []*request {
	if r.taken.CompareAndSwap(false, true) {
		return append(all, r)
	}
	return all
}

// run stores the requests together. If that fails as a whole, each is stored by
// itself, so that only the one at fault is refused.
func (w *writer) run(all []*request) {
	if len(all) == 0 {
		return
	}
	errs, err := w.attempt(all)
	if err != nil && len(all) > 1 && w.failure() == nil {
		for _, r := range all {
			w.run([]*request{r})
		}
		return
	}
	for i, r := range all {
		if err != nil {
			r.done <- err
			continue
		}
		r.done <- errs[i]
	}
}

// attempt is one transaction. It gives each request's own outcome, or the error
// that befell all of them.
func (w *writer) attempt(all []*request) ([]error, error) {
	if err := w.failure(); err != nil {
		return nil, err
	}
	began := time.Now()
	b := &batch{stmts: w.stmts, last: w.last}
	if _, err := b.exec(wBegin); err != nil {
		return nil, w.judge(fmt.Errorf("begin: %w", err))
	}
	errs, err := b.applyAll(all)
	if err == nil {
		err = b.storeCounts()
	}
	if err != nil {
		_, undone := b.exec(wRollback)
		return nil, w.judge(errors.Join(err, ignoreNoTransaction(undone)))
	}
	if err := w.commit(b); err != nil {
		return nil, err
	}
	w.report(b, len(all), time.Since(began))
	return errs, nil
}

// commit makes the batch durable. Whatever goes wrong here is final.
func (w *writer) commit(b *batch) error {
	w.hook("before_commit")
	if _, err := b.exec(wCommit); err != nil {
		b.exec(wRollback) //nolint:errcheck,gosec // gives up the locks; nothing is written after this.
		return w.fail(fmt.Errorf("commit: %w", err))
	}
	w.hook("after_commit")
	w.last = b.last
	return nil
}

func (w *writer) report(b *batch, n int, took time.Duration) {
	if b.events {
		w.stored()
	}
	if w.o.OnCommit != nil {
		w.o.OnCommit(n, took)
	}
}

func (w *writer) hook(point string) {
	if w.o.Hook != nil {
		w.o.Hook(point)
	}
}

// judge ends the journal if the error is of the disk, and passes it on.
func (w *writer) judge(err error) error {
	if diskFailed(err) {
		return w.fail(err)
	}
	return err
}

// fail ends the journal for good.
func (w *writer) fail(cause error) error {
	err := fmt.Errorf("journal disk failed, start again once it is sound (%w): %w", cause, journal.ErrClosed)
	if w.failed.CompareAndSwap(nil, &err) {
		w.o.logger().Error("journal disk failed", "error", cause)
		if w.o.OnFatal != nil {
			go w.o.OnFatal(err)
		}
	}
	return err
}
