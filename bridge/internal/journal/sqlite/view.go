package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	lib "modernc.org/sqlite/lib"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// view reads one state of the journal, whatever is written meanwhile.
type view struct {
	ctx   context.Context //nolint:containedctx // a view lives within one call.
	tx    *sql.Tx
	stmts []*sql.Stmt
	vault *vault
	mark  int64 // of the vault, from before the view's moment
}

// look runs a reading in a view of its own.
func (j *Journal) look(ctx context.Context, see func(*view) error) error {
	if err := j.usable(); err != nil {
		return err
	}
	mark := j.vault.marked()
	tx, err := j.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return j.readError(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written.
	return j.readError(see(&view{ctx: ctx, tx: tx, stmts: j.readers, vault: j.vault, mark: mark}))
}

// readError turns the database's errors into the journal's.
func (j *Journal) readError(err error) error {
	if err == nil || !errors.Is(err, sql.ErrConnDone) && !errors.Is(err, sql.ErrNoRows) && !j.closed.Load() {
		return damagedPages(err)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return journal.ErrNotFound
	}
	return errors.Join(journal.ErrClosed, err)
}

// damagedPages marks an error as damage where the database found its own pages
// broken.
func damagedPages(err error) error {
	switch resultOf(err) {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("journal file: %w: %w", journal.ErrDamaged, err)
	}
	return err
}

func (v *view) row(s read, args ...any) *sql.Row {
	return v.tx.StmtContext(v.ctx, v.stmts[s]).QueryRowContext(v.ctx, args...)
}

// each calls row for every row found.
func (v *view) each(s read, row func(scan func(...any) error) error, args ...any) error {
	rows, err := v.tx.StmtContext(v.ctx, v.stmts[s]).QueryContext(v.ctx, args...)
	if err != nil {
		return err
	}
	return eachOf(rows, row)
}

func eachOf(rows *sql.Rows, row func(scan func(...any) error) error) error {
	defer rows.Close() //nolint:errcheck // rows.Err tells.
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// key is the data key of a conversation: journal.ErrErased if it was destroyed,
// journal.ErrNotFound if there is no such conversation.
func (v *view) key(conversation string) (DataKey, error) {
	key := v.vault.find(conversation)
	if key != nil {
		return key, nil
	}
	var wrapped []byte
	err := v.row(rKey, conversation).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, v.keyless(conversation)
	}
	if err != nil {
		return nil, err
	}
	if key, err = v.vault.unwrap(wrapped); err != nil {
		return nil, place{"keys", conversation, nil}.damaged("cannot be unwrapped with the master key")
	}
	v.vault.remember(conversation, key, v.mark)
	return key, nil
}

// keyless is why a conversation has no key.
func (v *view) keyless(conversation string) error {
	var there bool
	if err := v.row(rConversationExists, conversation).Scan(&there); err != nil {
		return err
	}
	if there {
		return fmt.Errorf("conversation %s: %w", conversation, journal.ErrErased)
	}
	return journal.ErrNotFound
}

// key is the data key of a conversation, mostly without asking the database.
func (j *Journal) key(ctx context.Context, conversation string) (key DataKey, err error) {
	if key = j.vault.find(conversation); key != nil {
		return key, nil
	}
	err = j.look(ctx, func(v *view) error {
		key, err = v.key(conversation)
		return err
	})
	return key, err
}
