package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// The names of counters; deliveries are counted under their outcome.
const (
	countPosition   = "position"
	countArrival    = "arrival"
	countDeliveries = "deliveries."
	countFramesGone = "frames.gone" // erased, or older than they are kept
	countEventsGone = "events.gone" // older than they are kept
	countRetained   = "retained"    // the last position of those
)

// batch is one transaction in the making. Only the writer has one.
type batch struct {
	stmts  []*sql.Stmt
	last   totals
	counts []count
	events bool
}

// count is a change of a counter.
type count struct {
	name string
	by   int64
}

func (b *batch) exec(s write, args ...any) (int64, error) {
	result, err := b.stmts[s].ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// do runs a statement whose count of rows does not matter.
func (b *batch) do(s write, args ...any) error {
	_, err := b.exec(s, args...)
	return err
}

func (b *batch) row(s write, args ...any) *sql.Row {
	return b.stmts[s].QueryRowContext(context.Background(), args...)
}

// applyAll makes every change in a savepoint of its own.
func (b *batch) applyAll(all []*request) ([]error, error) {
	errs := make([]error, len(all))
	for i, r := range all {
		own, err := b.apply(r)
		if err != nil {
			return nil, err
		}
		errs[i] = own
	}
	return errs, nil
}

// apply makes one change. The first error is the change's own and leaves the
// batch as it was before; the second means the batch is lost.
func (b *batch) apply(r *request) (own, lost error) {
	before := *b
	if _, err := b.exec(wSavepoint); err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	own = r.apply(b)
	if own == nil {
		_, err := b.exec(wRelease)
		return nil, err
	}
	if diskFailed(own) {
		return nil, own
	}
	b.last, b.counts, b.events = before.last, before.counts, before.events
	for _, s := range []write{wUndo, wRelease} {
		if _, err := b.exec(s); err != nil {
			return nil, fmt.Errorf("undo after %w: %w", own, err)
		}
	}
	return damagedPages(own), nil
}

func (b *batch) count(name string, by int64) { b.counts = append(b.counts, count{name, by}) }

func (b *batch) nextPosition() int64 {
	b.last.position++
	b.events = true
	b.count(countPosition, 1)
	return b.last.position
}

func (b *batch) nextArrival() int64 {
	b.last.arrival++
	b.count(countArrival, 1)
	return b.last.arrival
}

// storeCounts writes the sums of the batch's counts.
func (b *batch) storeCounts() error {
	sums := map[string]int64{}
	for _, c := range b.counts {
		sums[c.name] += c.by
	}
	for name, by := range sums {
		if err := b.do(wCount, name, by); err != nil {
			return fmt.Errorf("count %s: %w", name, err)
		}
	}
	return nil
}

// resultOf is the database's primary result code, 0 if err has none.
func resultOf(err error) int {
	var failed *driver.Error
	if !errors.As(err, &failed) {
		return 0
	}
	return failed.Code() & 0xff
}

// diskFailed says whether the error is of the disk and not of the change.
func diskFailed(err error) bool {
	switch resultOf(err) {
	case lib.SQLITE_IOERR, lib.SQLITE_FULL, lib.SQLITE_CANTOPEN, lib.SQLITE_READONLY:
		return true
	}
	return false
}

// ignoreNoTransaction drops the complaint that a failed statement has already
// rolled the transaction back.
func ignoreNoTransaction(err error) error {
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		return nil
	}
	return err
}
