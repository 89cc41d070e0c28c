package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// ends is the row that says where the audit trail begins and ends.
type ends struct {
	first, last int64
	before      []byte // the chain before the first record
	chain       []byte // of the last record, once opened
	proof       []byte
}

// trailStart is the chain before the very first record.
func trailStart() []byte { return digest([]byte("audit")) }

func (e ends) place() place {
	return place{"audit_ends", "trail", []string{decimal(e.first), decimal(e.last), hex.EncodeToString(e.before)}}
}

func (e ends) seal(key DataKey) []byte { return e.place().seal(key, e.chain) }

func auditPlace(position, at int64) place {
	return place{"audit", decimal(position), []string{decimal(at)}}
}

// auditLink is a record's link: a digest over the link before and the record.
func auditLink(before []byte, position, at int64, sealed []byte) []byte {
	b := appendField(appendField(nil, before), digest(sealed))
	return digest(appendField(appendField(b, decimal(position)), decimal(at)))
}

// openTrail gives the key of the audit trail, beginning the trail at first.
func openTrail(ctx context.Context, db *sql.DB, v *vault) (DataKey, error) {
	var wrapped []byte
	err := db.QueryRowContext(ctx, `SELECT wrapped FROM audit_ends`).Scan(&wrapped)
	if err == nil {
		key, err := v.unwrap(wrapped)
		if err != nil {
			return nil, fmt.Errorf("open audit trail: %w", place{"audit_ends", "trail", nil}.damaged("cannot be unwrapped with the master key"))
		}
		return key, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read audit trail: %w", err)
	}
	return beginTrail(ctx, db, v)
}

func beginTrail(ctx context.Context, db *sql.DB, v *vault) (DataKey, error) {
	var left bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM audit)`).Scan(&left); err != nil || left {
		return nil, errors.Join(err, place{"audit_ends", "trail", nil}.damaged("is missing"))
	}
	key, wrapped, err := v.make()
	if err != nil {
		return nil, fmt.Errorf("begin audit trail: %w", err)
	}
	e := ends{first: 1, before: trailStart(), chain: trailStart()}
	_, err = db.ExecContext(ctx, `INSERT INTO audit_ends (wrapped, first, before, last, proof) VALUES (?, ?, ?, ?, ?)`,
		wrapped, e.first, e.before, e.last, e.seal(key))
	if err != nil {
		return nil, fmt.Errorf("begin audit trail: %w", err)
	}
	return key, nil
}

// Record adds a record to the audit trail; its Position and Chain are given here,
// and its time where it has none. When it returns, the record is on disk.
func (j *Journal) Record(ctx context.Context, a journal.Audit) error {
	err := j.submit(ctx, func(b *batch) error { return b.record(j.trail, a) })
	if err != nil {
		return fmt.Errorf("record %s in the audit trail: %w", a.Action, err)
	}
	return nil
}

func (b *batch) record(key DataKey, a journal.Audit) error {
	e, err := readEnds(key, b.row(wAuditEnds))
	if err != nil {
		return err
	}
	if a.At.IsZero() {
		a.At = time.Now()
	}
	at := micros(a.At)
	e.last++
	a.Position, a.At, a.Chain = e.last, fromMicros(at), ""
	plain, err := json.Marshal(a)
	if err != nil {
		return err
	}
	sealed := auditPlace(e.last, at).seal(key, plain)
	e.chain = auditLink(e.chain, e.last, at, sealed)
	if err := b.do(wInsertAudit, e.last, at, sealed, e.chain); err != nil {
		return err
	}
	return b.do(wMoveAuditEnds, e.first, e.before, e.last, e.seal(key))
}

// readEnds reads where the trail begins and ends, and sees that its proof holds.
func readEnds(key DataKey, row *sql.Row) (e ends, err error) {
	if err := row.Scan(&e.first, &e.before, &e.last, &e.proof); err != nil {
		return e, err
	}
	e.chain, err = e.place().unseal(key, e.proof)
	return e, err
}

// AuditTrail lists records of the audit trail, the newest first: those before a
// position (0: from the newest), at most limit (0: 1000).
func (j *Journal) AuditTrail(ctx context.Context, before int64, limit int) (trail []journal.Audit, err error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	err = j.look(ctx, func(v *view) error {
		return v.each(rAuditBefore, func(scan func(...any) error) error {
			r, err := scanAudit(scan)
			if err != nil {
				return err
			}
			a, err := r.open(j.trail)
			trail = append(trail, a)
			return err
		}, before, atMost(limit))
	})
	if err != nil {
		return nil, fmt.Errorf("list audit trail: %w", err)
	}
	return trail, nil
}

// auditRow is a record as it lies there.
type auditRow struct {
	position, at  int64
	sealed, chain []byte
}

func scanAudit(scan func(...any) error) (r auditRow, err error) {
	err = scan(&r.position, &r.at, &r.sealed, &r.chain)
	return r, err
}

func (r auditRow) open(key DataKey) (a journal.Audit, err error) {
	plain, err := auditPlace(r.position, r.at).unseal(key, r.sealed)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(plain, &a); err != nil {
		return a, auditPlace(r.position, r.at).damaged("content cannot be read")
	}
	a.Chain = hex.EncodeToString(r.chain)
	return a, nil
}

// VerifyAudit checks the whole audit trail: that every record from the first to
// the last is there, in its place and as it was written. It returns what the trail
// begins and ends with, or an error around journal.ErrDamaged.
func (j *Journal) VerifyAudit(ctx context.Context) (journal.AuditEnds, error) {
	var e ends
	err := j.look(ctx, func(v *view) (err error) {
		if e, err = readEnds(j.trail, v.row(rAuditEnds)); err != nil {
			return err
		}
		return v.verifyTrail(j.trail, e)
	})
	if err != nil {
		return journal.AuditEnds{}, fmt.Errorf("verify audit trail: %w", err)
	}
	return journal.AuditEnds{First: e.first, Last: e.last, Chain: hex.EncodeToString(e.chain)}, nil
}

func (v *view) verifyTrail(key DataKey, e ends) error {
	next, chain := e.first, e.before
	err := v.each(rAudit, func(scan func(...any) error) error {
		r, err := scanAudit(scan)
		if err != nil {
			return err
		}
		of := auditPlace(r.position, r.at)
		if r.position != next || next > e.last {
			return of.damaged(fmt.Sprintf("stands where record %d belongs", next))
		}
		if next, chain = next+1, auditLink(chain, r.position, r.at, r.sealed); !bytes.Equal(chain, r.chain) {
			return of.damaged("does not fit the chain")
		}
		_, err = r.open(key)
		return err
	})
	switch {
	case err != nil:
		return err
	case next != e.last+1:
		return auditPlace(next, 0).damaged("is missing")
	case !bytes.Equal(chain, e.chain):
		return e.place().damaged("its last record does not end its chain")
	}
	return nil
}
