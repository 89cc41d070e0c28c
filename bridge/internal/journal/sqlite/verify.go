package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

const (
	// verifyPage is how many rows are verified at a time.
	verifyPage = 500
	// mostDamages is how many damages a scrub lists before it stops looking.
	mostDamages = 100
)

// Verify reads all that is stored of a conversation and checks it: the chain of
// its events from the first to the last, and that all content fits its digest and
// its seal. Of an erased conversation it checks what is left. It returns nil, or
// an error around journal.ErrDamaged that names the row.
func (j *Journal) Verify(ctx context.Context, conversation string) error {
	err := j.look(ctx, func(v *view) error { return v.verify(conversation) })
	if err != nil {
		return fmt.Errorf("verify conversation %s: %w", conversation, err)
	}
	return nil
}

func (v *view) verify(conversation string) error {
	key, err := v.key(conversation)
	if err != nil && !errors.Is(err, journal.ErrErased) {
		return err
	}
	if err := v.verifyEvents(conversation, key); err != nil {
		return err
	}
	if err := v.verifyFrames(conversation, key); err != nil {
		return err
	}
	if key == nil {
		return nil
	}
	return v.verifyRest(conversation)
}

// verifyEvents checks the chain, and the content too where there is a key.
func (v *view) verifyEvents(conversation string, key DataKey) error {
	for after := int64(0); ; {
		rows, err := v.chained(conversation, after, verifyPage)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if key == nil {
				continue
			}
			if _, err := row.open(key); err != nil {
				return err
			}
		}
		if len(rows) < verifyPage {
			return nil
		}
		after = rows[len(rows)-1].seq
	}
}

func (v *view) verifyFrames(conversation string, key DataKey) error {
	for after := ""; ; {
		seen := 0
		err := v.each(rFrames, func(scan func(...any) error) error {
			f, err := scanFrame(scan)
			seen, after = seen+1, f.ID
			if err == nil && key != nil {
				_, err = framePlace(f.ID).unseal(key, f.sealed)
			}
			return err
		}, conversation, after, verifyPage)
		if err != nil || seen < verifyPage {
			return err
		}
	}
}

// verifyRest opens everything else that is sealed.
func (v *view) verifyRest(conversation string) error {
	if _, err := v.load(conversation); err != nil {
		return err
	}
	if _, err := v.listed(v.row(rListed, conversation).Scan); err != nil {
		return err
	}
	if _, err := v.letters(rDeadLettersOf, conversation); err != nil {
		return err
	}
	if _, err := v.turns(rAllTurns, conversation); err != nil {
		return err
	}
	return v.each(rRepliesOf, func(scan func(...any) error) error {
		_, err := v.reply(scan)
		return err
	}, conversation)
}

// Scrub verifies the file itself, the audit trail and every conversation, beside normal
// work. It returns nil, or all damages it found, up to a hundred; each is an
// error around journal.ErrDamaged.
func (j *Journal) Scrub(ctx context.Context) error {
	var damages []error
	note := func(err error) error {
		if errors.Is(err, journal.ErrDamaged) {
			damages = append(damages, err)
			return nil
		}
		return err
	}
	if err := note(j.look(ctx, (*view).verifyFile)); err != nil {
		return fmt.Errorf("scrub journal: %w", err)
	}
	if _, err := j.VerifyAudit(ctx); note(err) != nil {
		return fmt.Errorf("scrub journal: %w", err)
	}
	err := j.eachConversation(ctx, func(conversation string) error {
		if len(damages) >= mostDamages {
			return errEnough
		}
		return note(j.Verify(ctx, conversation))
	})
	if err = note(err); err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("scrub journal: %w", err)
	}
	return errors.Join(damages...)
}

var errEnough = errors.New("enough damages")

func (j *Journal) eachConversation(ctx context.Context, do func(string) error) error {
	for after := ""; ; {
		var ids []string
		err := j.look(ctx, func(v *view) error {
			return v.each(rConversationIDs, func(scan func(...any) error) error {
				var id string
				err := scan(&id)
				ids = append(ids, id)
				return err
			}, after, verifyPage)
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := do(id); err != nil {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}

// verifyFile checks the file's pages, the ties between its tables, and that no
// event and no frame has gone without a trace.
func (v *view) verifyFile() error {
	for _, check := range []func() error{v.verifyPages, v.verifyTies} {
		if err := check(); err != nil {
			return err
		}
	}
	for _, s := range []read{rEventCounts, rFrameCounts} {
		var found, given int64
		if err := v.row(s).Scan(&found, &given); err != nil {
			return err
		}
		if found != given {
			return filePlace().damaged(fmt.Sprintf("holds %d events or frames where %d were stored", found, given))
		}
	}
	return nil
}

func filePlace() place { return place{"journal", fileName, nil} }

func (v *view) verifyPages() error {
	var found string
	if err := v.tx.QueryRowContext(v.ctx, `PRAGMA quick_check(1)`).Scan(&found); err != nil {
		return damagedPages(err)
	}
	if found != "ok" {
		return filePlace().damaged("its pages are broken")
	}
	return nil
}

func (v *view) verifyTies() error {
	rows, err := v.tx.QueryContext(v.ctx, `SELECT DISTINCT "table", parent FROM pragma_foreign_key_check`)
	if err != nil {
		return err
	}
	return eachOf(rows, func(scan func(...any) error) error {
		var table, parent string
		if err := scan(&table, &parent); err != nil {
			return err
		}
		return filePlace().damaged(fmt.Sprintf("rows of %s have lost theirs in %s", table, parent))
	})
}
