package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	// keepEvery is how long the log is left to grow before it is folded in.
	keepEvery = 250 * time.Millisecond
	// crowdedPages is the size of log at which the writer itself folds it in:
	// without writing between, nothing keeps it from starting over.
	crowdedPages = 16384
)

// keeper folds the write-ahead log into the file, off the writer's path.
type keeper struct {
	db       *sql.DB
	writer   *writer
	dirty    chan struct{}
	stopping chan struct{}
	finished chan struct{}
}

func newKeeper(db *sql.DB, w *writer) *keeper {
	return &keeper{db: db, writer: w, dirty: make(chan struct{}, 1),
		stopping: make(chan struct{}), finished: make(chan struct{})}
}

// wake tells the keeper that the log grew.
func (k *keeper) wake() {
	select {
	case k.dirty <- struct{}{}:
	default:
	}
}

func (k *keeper) stop() {
	close(k.stopping)
	<-k.finished
}

func (k *keeper) loop() {
	defer close(k.finished)
	pause := time.NewTimer(keepEvery)
	defer pause.Stop()
	for {
		select {
		case <-k.stopping:
			return
		case <-pause.C:
		}
		select {
		case <-k.stopping:
			return
		case <-k.dirty:
			k.fold()
		}
		pause.Reset(keepEvery)
	}
}

func (k *keeper) fold() {
	if k.writer.failure() != nil {
		return
	}
	_, pages, err := fold(k.db.QueryRowContext(context.Background(), writeSQL[wCheckpoint]))
	if err != nil {
		k.writer.judge(err) //nolint:errcheck // what is not the disk's is tried again.
		return
	}
	if pages > crowdedPages {
		k.writer.crowded.Store(true)
	}
}

// checkpoint folds the log in while nobody writes, after which the next commit
// starts it over.
func (w *writer) checkpoint() {
	if w.failure() != nil {
		return
	}
	b := &batch{stmts: w.stmts}
	if _, _, err := fold(b.row(wCheckpoint)); err != nil {
		w.judge(err) //nolint:errcheck // what is not the disk's is tried again.
	}
}

// fold reads the answer of a checkpoint: whether somebody was in its way, and the
// pages the log holds.
func fold(answer *sql.Row) (busy bool, pages int64, err error) {
	var folded int64
	if err := answer.Scan(&busy, &pages, &folded); err != nil {
		return false, 0, fmt.Errorf("checkpoint: %w", err)
	}
	return busy, pages, nil
}
