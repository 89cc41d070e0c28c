// Package sqlite keeps the journal in one SQLite file, and is the only package
// that knows there is a database.
//
// One goroutine writes. Commits that wait together share one transaction, each
// in a savepoint of its own, and every caller is answered after the COMMIT that
// holds its change was synced to disk. A failed COMMIT is final: the disk can no
// longer be trusted, so the journal takes nothing more until it is opened anew.
// Reading happens beside writing, on connections of its own.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Options are what a journal reports to. The zero Options report to nobody.
type Options struct {
	// Logger is told of what an operator should know; nil is silence.
	Logger *slog.Logger
	// OnCommit is called by the writer after each transaction with the number of
	// changes it held and how long it took from BEGIN to the end of COMMIT. It
	// must be quick and must not call the journal.
	OnCommit func(n int, d time.Duration)
	// OnFatal is called once, in a goroutine of its own, when the disk failed. The
	// process is expected to end: the journal answers everything after with
	// journal.ErrClosed.
	OnFatal func(error)
	// Hook is called by the writer at "before_commit" and "after_commit", for
	// tests that end the process there.
	Hook func(point string)
}

// Journal is an open journal. Its methods are safe for concurrent use. After
// Close, or after the disk failed, they return journal.ErrClosed.
type Journal struct {
	vault   *vault
	trail   DataKey // of the audit trail
	lock    *folderLock
	path    string
	log     *slog.Logger
	writes  *sql.DB
	reads   *sql.DB
	readers []*sql.Stmt
	writer  *writer
	keeper  *keeper

	intake sync.RWMutex // held for reading while a request enters the queue
	closed atomic.Bool

	changes changes
}

// Open opens the journal in dir, making both if they are missing, and brings its
// schema up to this program's. It refuses a folder another process has open, a
// network file system, a journal of a newer program and a master key that is not
// the journal's. The context bounds opening only.
func Open[K DataKey](ctx context.Context, dir string, keys Sealer[K], o Options) (*Journal, error) {
	lock, err := openFolder(dir, o.logger())
	if err != nil {
		return nil, err
	}
	j := &Journal{vault: newVault(keys), lock: lock, path: filepath.Join(dir, fileName), log: o.logger()}
	j.changes.reset()
	if err := j.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal in %s: %w", dir, err), j.release())
	}
	return j, nil
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

func (j *Journal) start(ctx context.Context, o Options) (err error) {
	if j.writes, err = openPool(j.path, writerPragmas, 1); err != nil {
		return err
	}
	if err := checkDurable(ctx, j.writes); err != nil {
		return err
	}
	if err := migrate(ctx, j.writes, migrations()); err != nil {
		return err
	}
	if err := checkMaster(ctx, j.writes, j.vault); err != nil {
		return err
	}
	// A crash may have come between the end of a key and that of the log with it.
	if _, _, err := fold(j.writes.QueryRowContext(ctx, emptyingLog)); err != nil {
		return err
	}
	if j.trail, err = openTrail(ctx, j.writes, j.vault); err != nil {
		return err
	}
	if j.reads, err = openPool(j.path, readerPragmas, readers); err != nil {
		return err
	}
	if j.readers, err = prepareAll(ctx, j.reads, readSQL[:]); err != nil {
		return err
	}
	if j.writer, err = newWriter(ctx, j.writes, o, j.changes.announce); err != nil {
		return err
	}
	j.keeper = newKeeper(j.reads, j.writer)
	j.writer.wake = j.keeper.wake
	go j.writer.loop()
	go j.keeper.loop()
	return nil
}

// Close finishes what was taken in, folds the write-ahead log into the file and
// gives the folder up. Calls after the first do nothing.
func (j *Journal) Close() error {
	j.intake.Lock()
	was := j.closed.Swap(true)
	if !was {
		close(j.writer.queue)
	}
	j.intake.Unlock()
	if was {
		return nil
	}
	<-j.writer.finished
	j.keeper.stop()
	return j.release()
}

func (j *Journal) release() error {
	var errs []error
	for _, db := range []*sql.DB{j.reads, j.writes} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, j.lock.release())...)
}

// usable says whether the journal still answers.
func (j *Journal) usable() error {
	if j.closed.Load() {
		return journal.ErrClosed
	}
	return j.writer.failure()
}

// Changed is closed at the next commit that stores events. Take it before
// reading what is there, so that nothing is missed between.
func (j *Journal) Changed() <-chan struct{} { return j.changes.next() }

// changes tells everybody who waits that events were stored.
type changes struct {
	mu sync.Mutex
	ch chan struct{}
}

func (c *changes) reset() { c.ch = make(chan struct{}) }

func (c *changes) next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ch
}

func (c *changes) announce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.ch)
	c.reset()
}
