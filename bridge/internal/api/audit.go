package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// Auditor keeps the audit trail.
type Auditor interface {
	Record(ctx context.Context, a journal.Audit) error
	// AuditTrail gives records before a position, the newest first.
	AuditTrail(ctx context.Context, before int64, limit int) ([]journal.Audit, error)
	// VerifyAudit gives what the trail begins and ends with if it is whole.
	VerifyAudit(ctx context.Context) (journal.AuditEnds, error)
}

// AuditList is one page of the audit trail, the newest first.
type AuditList struct {
	Audit []journal.Audit `json:"audit"`
	Next  *string         `json:"next"`
}

func (a *API) listAudit(w http.ResponseWriter, r *http.Request, _ principal) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	before, err := position(p.after)
	if err != nil {
		return err
	}
	trail, err := a.Journal.AuditTrail(r.Context(), before, p.limit)
	if err != nil {
		return err
	}
	out := AuditList{Audit: append([]journal.Audit{}, trail...)}
	if len(trail) > 0 {
		last := trail[len(trail)-1].Position
		out.Next = next(len(trail) == p.limit && last > 1, strconv.FormatInt(last, 10))
	}
	return answer(w, http.StatusOK, out)
}

func (a *API) verifyAudit(w http.ResponseWriter, r *http.Request, _ principal) error {
	ends, err := a.Journal.VerifyAudit(r.Context())
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, ends)
}
