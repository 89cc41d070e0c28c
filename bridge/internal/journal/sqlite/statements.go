package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// write names a statement of the writer.
type write int

const (
	wBegin write = iota
	wCommit
	wRollback
	wSavepoint
	wRelease
	wUndo
	wCount
	wCheckpoint
	wHead
	wSealing
	wInsertConversation
	wUpdateConversation
	wAdvanceConversation
	wInsertKey
	wDeleteKey
	wDeleteRefs
	wDeleteDedups
	wDeleteIdempotents
	wDeleteReplies
	wDeleteDeadLetters
	wDeleteFrameBodies
	wDeleteFrames
	wEraseDeliveries
	wUpsertLeg
	wInsertLegKey
	wLegOfKey
	wMoveLegKey
	wDeleteLegKeys
	wInsertRef
	wInsertEvent
	wInsertBody
	wInsertDedup
	wFrameOfDedup
	wForgetDedups
	wExpireMarks
	wInsertMark
	wFrameOfMark
	wInsertFrame
	wInsertFrameBody
	wEndFrame
	wInsertReply
	wInsertDelivery
	wOutcomeOfDelivery
	wUpdateDelivery
	wInsertDeadLetter
	wReplayedDeadLetter
	wExpireIdempotents
	wInsertIdempotent
	wAuditEnds
	wInsertAudit
	wMoveAuditEnds
	wAuditChain
	wDropAudit
	wDropReply
	wDropFrameBody
	wDropFrame
	wDropLetter
	wLastPosition
	wDropDeliveries
	wDropLegs
	wDropBodies
	wDropEvents
	wDropConversation
	wEndErased
	wInsertDrained
	wDeleteDrained
	wInsertTurn
	wDeleteTurns
	wDropTurns
)

//nolint:gochecknoglobals // a table that is never written.
var writeSQL = [...]string{
	wBegin:      `BEGIN IMMEDIATE`,
	wCommit:     `COMMIT`,
	wRollback:   `ROLLBACK`,
	wSavepoint:  `SAVEPOINT one`,
	wRelease:    `RELEASE one`,
	wUndo:       `ROLLBACK TO one`,
	wCheckpoint: `PRAGMA wal_checkpoint(PASSIVE)`,
	wCount: `INSERT INTO counters (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value`,
	wHead: `SELECT c.version, c.seq, c.chain, c.state, k.conversation IS NOT NULL
		FROM conversations c LEFT JOIN keys k ON k.conversation = c.id WHERE c.id = ?`,
	wSealing: `SELECT EXISTS (SELECT 1 FROM keys WHERE conversation = ?)`,
	wInsertConversation: `INSERT INTO conversations (version, updated, seq, chain, wake, owner, route, queue, agent,
		left_since, sealed, summary, state, id, created) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	wUpdateConversation: `UPDATE conversations SET version = version + 1, updated = ?, seq = ?, chain = ?, wake = ?,
		owner = ?, route = ?, queue = ?, agent = ?, left_since = ?, sealed = ?, summary = ?, state = ? WHERE id = ?`,
	wAdvanceConversation: `UPDATE conversations SET version = version + 1, updated = ?, seq = ?, chain = ?, wake = ?,
		owner = ?, route = ?, queue = ?, agent = ?, left_since = ?, sealed = ?, summary = ? WHERE id = ?`,
	wInsertKey:         `INSERT INTO keys (conversation, wrapped) VALUES (?, ?)`,
	wDeleteKey:         `DELETE FROM keys WHERE conversation = ?`,
	wDeleteRefs:        `DELETE FROM refs WHERE leg IN (SELECT id FROM legs WHERE conversation = ?)`,
	wDeleteDedups:      `DELETE FROM dedups WHERE leg IN (SELECT id FROM legs WHERE conversation = ?)`,
	wDeleteIdempotents: `DELETE FROM idempotents WHERE event IN (SELECT id FROM events WHERE conversation = ?)`,
	wDeleteReplies:     `DELETE FROM replies WHERE conversation = ?`,
	wDeleteDeadLetters: `DELETE FROM dead_letters WHERE conversation = ?`,
	wDeleteFrameBodies: `DELETE FROM frame_bodies WHERE arrival IN (SELECT arrival FROM frames WHERE conversation = ?)`,
	wDeleteFrames:      `DELETE FROM frames WHERE conversation = ?`,
	wEraseDeliveries:   `UPDATE deliveries SET reason = '' WHERE conversation = ?`,
	wUpsertLeg: `INSERT INTO legs (id, conversation, account, role, sealed) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, role = excluded.role, sealed = excluded.sealed
		WHERE legs.conversation = excluded.conversation`,
	wInsertLegKey:  `INSERT INTO leg_keys (account, key, leg) VALUES (?, ?, ?) ON CONFLICT (account, key) DO NOTHING`,
	wLegOfKey:      `SELECT leg FROM leg_keys WHERE account = ? AND key = ?`,
	wMoveLegKey:    `UPDATE leg_keys SET leg = ? WHERE account = ? AND key = ?`,
	wDeleteLegKeys: `DELETE FROM leg_keys WHERE leg IN (SELECT id FROM legs WHERE conversation = ?)`,
	wInsertRef:     `INSERT INTO refs (leg, ref, kind, event) VALUES (?, ?, ?, ?) ON CONFLICT (leg, ref, kind) DO NOTHING`,
	wInsertEvent: `INSERT INTO events (position, id, conversation, seq, kind, time, role, digest, chain)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	wInsertBody: `INSERT INTO bodies (position, sealed) VALUES (?, ?)`,
	wInsertDedup: `INSERT INTO dedups (leg, endpoint, dedup, account, lasts, conversation, frame)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (leg, endpoint, dedup, account) DO NOTHING`,
	wFrameOfDedup: `SELECT frame FROM dedups WHERE leg = ? AND endpoint = ? AND dedup = ? AND account = ?`,
	wExpireMarks:  `DELETE FROM marks WHERE until <= ?`,
	wInsertMark: `INSERT INTO marks (account, endpoint, mark, frame, until) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, endpoint, mark) DO NOTHING`,
	wFrameOfMark:  `SELECT frame FROM marks WHERE account = ? AND endpoint = ? AND mark = ?`,
	wForgetDedups: `DELETE FROM dedups WHERE leg = ? AND lasts = ?`,
	wInsertFrame: `INSERT INTO frames (arrival, id, conversation, leg, account, endpoint, received, reply_by,
		dedup, dedup_while, outcome, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	wInsertFrameBody:   `INSERT INTO frame_bodies (arrival, sealed) VALUES (?, ?)`,
	wEndFrame:          `UPDATE frames SET outcome = ? WHERE conversation = ? AND id = ?`,
	wInsertReply:       `INSERT INTO replies (frame, conversation, sealed) VALUES (?, ?, ?) ON CONFLICT (frame) DO NOTHING`,
	wInsertDelivery:    `INSERT INTO deliveries (outcome, reason, maybe_duplicate, at, conversation, event, leg) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, event, leg) DO NOTHING`,
	wOutcomeOfDelivery: `SELECT outcome FROM deliveries WHERE conversation = ? AND event = ? AND leg = ?`,
	wUpdateDelivery: `UPDATE deliveries SET outcome = ?, reason = ?, maybe_duplicate = ?, at = ?
		WHERE conversation = ? AND event = ? AND leg = ?`,
	wInsertDeadLetter: `INSERT INTO dead_letters (id, conversation, leg, account, adapter, version, frame, at, replayed,
		reason, input) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	wReplayedDeadLetter: `UPDATE dead_letters SET replayed = ? WHERE id = ? AND replayed = 0`,
	wExpireIdempotents:  `DELETE FROM idempotents WHERE expires < ?`,
	wInsertIdempotent: `INSERT INTO idempotents (token, key, digest, event, expires) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (token, key) DO NOTHING`,
	wAuditEnds:     auditEnds,
	wInsertAudit:   `INSERT INTO audit (position, at, sealed, chain) VALUES (?, ?, ?, ?)`,
	wMoveAuditEnds: `UPDATE audit_ends SET first = ?, before = ?, last = ?, proof = ?`,
	wAuditChain:    `SELECT chain FROM audit WHERE position = ?`,
	wDropAudit:     `DELETE FROM audit WHERE position <= ?`,
	wDropReply:     `DELETE FROM replies WHERE frame = (SELECT id FROM frames WHERE arrival = ?)`,
	wDropFrameBody: `DELETE FROM frame_bodies WHERE arrival = ?`,
	wDropFrame:     `DELETE FROM frames WHERE arrival = ?`,
	wDropLetter:    `DELETE FROM dead_letters WHERE id = ?`,
	wLastPosition: `SELECT COALESCE(MAX(position), 0), COALESCE((SELECT value FROM counters WHERE name = 'retained'), 0)
		FROM events WHERE conversation = ?`,
	wDropDeliveries:   `DELETE FROM deliveries WHERE conversation = ?`,
	wDropLegs:         `DELETE FROM legs WHERE conversation = ?`,
	wDropBodies:       `DELETE FROM bodies WHERE position IN (SELECT position FROM events WHERE conversation = ?)`,
	wDropEvents:       `DELETE FROM events WHERE conversation = ?`,
	wDropConversation: `DELETE FROM conversations WHERE id = ?`,
	wInsertDrained:    `INSERT INTO drained (account) VALUES (?) ON CONFLICT (account) DO NOTHING`,
	wDeleteDrained:    `DELETE FROM drained WHERE account = ?`,
	wInsertTurn:       `INSERT INTO turns (conversation, number, at, leg, sealed) VALUES (?, ?, ?, ?, ?)`,
	wDeleteTurns:      `DELETE FROM turns WHERE conversation = ?`,
	wDropTurns:        `DELETE FROM turns WHERE at <= ?`,
	wEndErased: `UPDATE conversations SET state = '` + journal.StateEnded + `', wake = 0, left_since = 0
		WHERE id = ? AND (state <> '` + journal.StateEnded + `' OR left_since > 0)`,
}

// read names a statement of the readers.
type read int

const (
	rKey read = iota
	rConversationExists
	rLegOfKey
	rConversation
	rLegs
	rPending
	rFrames
	rFrame
	rWakes
	rEarliest
	rHead
	rEventsOf
	rEvent
	rFeed
	rPosition
	rListed
	rDeliveries
	rDeadLetters
	rDeadLetter
	rDeadLettersOf
	rRef
	rReply
	rRepliesOf
	rIdempotent
	rMark
	rStates
	rCounters
	rPendingCount
	rDeadCount
	rLeftCount
	rConversationIDs
	rEventCounts
	rFrameCounts
	rAuditEnds
	rAudit
	rAuditBefore
	rOldFrames
	rOldLetters
	rOldConversations
	rOldAudit
	rDrained
	rBacklog
	rTurns
	rAllTurns
	rOldTurns
)

const (
	listedColumns = `SELECT c.id, c.version, c.created, c.updated, c.state, c.owner, c.route, c.queue, c.agent, c.left_since,
		c.summary
		FROM conversations c`
	eventColumns = `SELECT e.position, e.id, e.conversation, e.seq, e.kind, e.time, e.role, e.digest, e.chain,
		b.sealed, p.chain FROM events e LEFT JOIN bodies b ON b.position = e.position
		LEFT JOIN events p ON p.conversation = e.conversation AND p.seq = e.seq - 1`
	frameColumns = `SELECT f.id, f.conversation, f.leg, f.account, f.endpoint, f.received, f.reply_by, f.dedup,
		f.dedup_while, f.outcome, f.digest, b.sealed FROM frames f LEFT JOIN frame_bodies b ON b.arrival = f.arrival`
	letterColumns = `SELECT id, conversation, leg, account, adapter, version, frame, at, replayed, reason, input
		FROM dead_letters`
	turnColumns  = `SELECT number, at, leg, sealed FROM turns WHERE conversation = ?`
	auditEnds    = `SELECT first, before, last, proof FROM audit_ends`
	auditColumns = `SELECT position, at, sealed, chain FROM audit`
)

//nolint:gochecknoglobals // a table that is never written.
var readSQL = [...]string{
	rKey:                `SELECT wrapped FROM keys WHERE conversation = ?`,
	rConversationExists: `SELECT EXISTS (SELECT 1 FROM conversations WHERE id = ?)`,
	rLegOfKey: `SELECT l.id, l.conversation, l.account, l.role, l.sealed FROM leg_keys k
		JOIN legs l ON l.id = k.leg WHERE k.account = ? AND k.key = ?`,
	rConversation: `SELECT version, created, updated, wake, seq, sealed FROM conversations WHERE id = ?`,
	rLegs:         `SELECT id, conversation, account, role, sealed FROM legs WHERE conversation = ? ORDER BY id`,
	rFrame:        frameColumns + ` WHERE f.conversation = ? AND f.id = ?`,
	rPending:      frameColumns + ` WHERE f.conversation = ? AND f.outcome = '' ORDER BY f.id`,
	rFrames:       frameColumns + ` WHERE f.conversation = ? AND f.id > ? ORDER BY f.id LIMIT ?`,
	rWakes: `SELECT c.id, c.wake FROM conversations c WHERE c.wake > 0
		AND EXISTS (SELECT 1 FROM keys k WHERE k.conversation = c.id)`,
	rEarliest: `SELECT f.conversation, MIN(f.received) FROM frames f WHERE f.outcome = ''
		AND EXISTS (SELECT 1 FROM keys k WHERE k.conversation = f.conversation) GROUP BY f.conversation`,
	rHead:     `SELECT seq, chain FROM conversations WHERE id = ?`,
	rEventsOf: eventColumns + ` WHERE e.conversation = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`,
	rEvent:    eventColumns + ` WHERE e.id = ?`,
	rFeed:     eventColumns + ` WHERE e.position > ? ORDER BY e.position LIMIT ?`,
	rPosition: `SELECT COALESCE((SELECT value FROM counters WHERE name = 'position'), 0),
		COALESCE((SELECT value + 1 FROM counters WHERE name = 'retained'), (SELECT MIN(position) FROM events), 0)`,
	rListed: listedColumns + ` WHERE c.id = ?`,
	rDeliveries: `SELECT event, leg, outcome, reason, maybe_duplicate, at FROM deliveries
		WHERE conversation = ? ORDER BY at, event, leg`,
	rDeadLetters:   letterColumns + ` WHERE (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?`,
	rDeadLetter:    letterColumns + ` WHERE id = ?`,
	rDeadLettersOf: letterColumns + ` WHERE conversation = ? ORDER BY id`,
	rRef: `SELECT r.event FROM refs r LEFT JOIN events e ON e.id = r.event
		WHERE r.leg = ? AND r.ref = ? AND (? = '' OR r.kind = ?) ORDER BY e.position LIMIT 1`,
	rReply:           `SELECT frame, conversation, sealed FROM replies WHERE frame = ?`,
	rRepliesOf:       `SELECT frame, conversation, sealed FROM replies WHERE conversation = ?`,
	rMark:            `SELECT until FROM marks WHERE account = ? AND endpoint = ? AND mark = ?`,
	rIdempotent:      `SELECT digest, event, expires FROM idempotents WHERE token = ? AND key = ?`,
	rStates:          `SELECT state, COUNT(*) FROM conversations GROUP BY state`,
	rCounters:        `SELECT name, value FROM counters`,
	rPendingCount:    `SELECT COUNT(*) FROM frames WHERE outcome = ''`,
	rDeadCount:       `SELECT COUNT(*) FROM dead_letters WHERE replayed = 0`,
	rLeftCount:       `SELECT COUNT(*) FROM conversations WHERE left_since > 0`,
	rConversationIDs: `SELECT id FROM conversations WHERE id > ? ORDER BY id LIMIT ?`,
	rEventCounts: `SELECT COUNT(*), COALESCE((SELECT value FROM counters WHERE name = 'position'), 0)
		- COALESCE((SELECT value FROM counters WHERE name = 'events.gone'), 0) FROM events`,
	rFrameCounts: `SELECT COUNT(*), COALESCE((SELECT value FROM counters WHERE name = 'arrival'), 0)
		- COALESCE((SELECT value FROM counters WHERE name = 'frames.gone'), 0) FROM frames`,
	rAuditEnds:   auditEnds,
	rAudit:       auditColumns + ` ORDER BY position`,
	rAuditBefore: auditColumns + ` WHERE position < ? ORDER BY position DESC LIMIT ?`,
	rOldFrames:   `SELECT arrival FROM frames WHERE received < ? AND outcome <> '' ORDER BY received LIMIT ?`,
	rOldLetters:  `SELECT id FROM dead_letters WHERE at < ? ORDER BY at LIMIT ?`,
	rOldConversations: `SELECT id FROM conversations WHERE state = ? AND created < ? AND updated < ?
		ORDER BY created LIMIT ?`,
	rDrained:  `SELECT account FROM drained ORDER BY account`,
	rBacklog:  `SELECT account, COUNT(*) FROM frames WHERE outcome = '' GROUP BY account`,
	rTurns:    turnColumns + ` AND number > ? ORDER BY number LIMIT ?`,
	rAllTurns: turnColumns + ` ORDER BY number`,
	rOldTurns: `SELECT at FROM turns WHERE at < ? ORDER BY at LIMIT ?`,
	rOldAudit: `SELECT position FROM audit WHERE at < ? AND position - (SELECT first FROM audit_ends) < ? ORDER BY position`,
}

type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func prepareAll(ctx context.Context, on preparer, queries []string) ([]*sql.Stmt, error) {
	all := make([]*sql.Stmt, 0, len(queries))
	for _, query := range queries {
		s, err := on.PrepareContext(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("prepare %.40q: %w", query, err)
		}
		all = append(all, s)
	}
	return all, nil
}
