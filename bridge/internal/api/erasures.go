package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/media"
)

// erasing is how many conversations of one request are erased at a time.
const erasing = 8

// DataSubject says whose data is exported or erased: one conversation, or all of a
// customer's.
type DataSubject struct {
	Conversation string `json:"conversation,omitempty"`
	// Customer is the id the customer has at their account, Account that account;
	// without it the id counts at every account.
	Customer string `json:"customer,omitempty"`
	Account  string `json:"account,omitempty"`
	// Reason goes into the audit trail; it names no person.
	Reason string `json:"reason"`
}

// Erasure is what was erased.
type Erasure struct {
	// Erased are the conversations whose content is gone now; none where the
	// customer has none that could be read.
	Erased []string `json:"erased"`
}

func (s DataSubject) check() error {
	switch {
	case (s.Conversation == "") == (s.Customer == ""):
		return invalid("conversation", "give either a conversation or a customer")
	case len(s.Conversation) > maxName, len(s.Customer) > maxName, len(s.Account) > maxName:
		return invalid("customer", "give at most 200 bytes each")
	case s.Conversation != "" && s.Account != "":
		return invalid("account", "give it with a customer only")
	case strings.TrimSpace(s.Reason) == "", len(s.Reason) > journal.MostAuditReason:
		return invalid("reason", "say why in at most 200 bytes, without naming anybody")
	}
	return nil
}

// subject reads a request's subject and finds its conversations.
func (a *API) subject(w http.ResponseWriter, r *http.Request) (s DataSubject, ids []string, err error) {
	if err := readBody(w, r, &s); err != nil {
		return s, nil, err
	}
	if err := s.check(); err != nil {
		return s, nil, err
	}
	if s.Conversation != "" {
		_, err := a.Journal.Conversation(r.Context(), s.Conversation)
		return s, []string{s.Conversation}, err
	}
	ids, err = a.ofCustomer(r.Context(), s)
	return s, ids, err
}

// ofCustomer looks through all conversations, for what a customer is known by is
// sealed like everything else.
func (a *API) ofCustomer(ctx context.Context, s DataSubject) (ids []string, err error) {
	f := journal.Filter{Account: s.Account, Limit: maxLimit}
	for {
		rows, err := a.Journal.Conversations(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			f.Before = row.ID
			if a.show(row).Customer.ID == s.Customer {
				ids = append(ids, row.ID)
			}
		}
		if len(rows) < f.Limit {
			return ids, nil
		}
	}
}

func (a *API) postErasure(w http.ResponseWriter, r *http.Request, p principal) error {
	s, ids, err := a.subject(w, r)
	if err != nil {
		return err
	}
	if err := a.eraseAll(r.Context(), ids, journal.Audit{Who: p.name, Reason: s.Reason}); err != nil {
		return err
	}
	return answer(w, http.StatusOK, Erasure{Erased: append([]string{}, ids...)})
}

// eraseAll erases several at a time, as each may wait for its far sides. It goes
// on after one that fails.
func (a *API) eraseAll(ctx context.Context, ids []string, why journal.Audit) error {
	errs := make([]error, len(ids))
	var under sync.WaitGroup
	turn := make(chan struct{}, erasing)
	for i, id := range ids {
		turn <- struct{}{}
		under.Go(func() {
			defer func() { <-turn }()
			if errs[i] = a.Engine.Erase(ctx, id, why); errs[i] == nil {
				errs[i] = a.Files.Remove(id)
			}
		})
	}
	under.Wait()
	return errors.Join(append(errs, a.Journal.EmptyLog(ctx))...)
}

// Exported is one line of an export: JSON lines, of which the first is of type
// "export" and the last of type "end". Without that it was cut short.
type Exported struct {
	Type string `json:"type"`
	// Export tells who asked, Conversation begins one; what follows is its.
	Export       *Export       `json:"export,omitempty"`
	Conversation *Conversation `json:"conversation,omitempty"`
	Event        *event.Event  `json:"event,omitempty"`
	File         *ExportedFile `json:"file,omitempty"`
	Delivery     *Delivery     `json:"delivery,omitempty"`
	Frame        *Frame        `json:"frame,omitempty"`
}

// ExportedFile is a file of a conversation. What it holds is not in the export:
// the link, below the bridge's address, serves it for an hour.
type ExportedFile struct {
	// Blob is what the events know it by.
	Blob string `json:"blob"`
	media.Link
	// Missing says why it is not to be had, where it is not.
	Missing string `json:"missing,omitempty"`
}

// Export heads an export.
type Export struct {
	By            string    `json:"by"`
	At            time.Time `json:"at"`
	Reason        string    `json:"reason"`
	Conversations []string  `json:"conversations"`
}

// Delivery is how one event ended at one leg.
type Delivery struct {
	Event          string    `json:"event"`
	Leg            string    `json:"leg"`
	Outcome        string    `json:"outcome"`
	Reason         string    `json:"reason,omitempty"`
	MaybeDuplicate bool      `json:"maybe_duplicate,omitempty"`
	At             time.Time `json:"at"`
}

// postExport writes all there is of the subject. Each conversation is in the audit
// trail before its first line is written.
func (a *API) postExport(w http.ResponseWriter, r *http.Request, p principal) error {
	s, ids, err := a.subject(w, r)
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := a.Journal.Record(r.Context(), journal.Audit{Who: p.name, Action: journal.AuditExported, Subject: id, Reason: s.Reason})
		if err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	head := Export{By: p.name, At: time.Now().UTC(), Reason: s.Reason, Conversations: append([]string{}, ids...)}
	err = out.Encode(Exported{Type: "export", Export: &head})
	for _, id := range ids {
		err = errors.Join(err, a.export(r.Context(), out, id))
	}
	if err == nil {
		err = out.Encode(Exported{Type: "end"})
	}
	if err != nil && r.Context().Err() == nil {
		a.Logger.Error("export cut short", "request_id", w.Header().Get(requestID), "error", err)
	}
	return nil
}

// export writes one conversation; of an erased one there is nothing but that.
func (a *API) export(ctx context.Context, out *json.Encoder, id string) error {
	row, err := a.Journal.Conversation(ctx, id)
	if err != nil {
		return err
	}
	shown := a.show(row)
	err = out.Encode(Exported{Type: "conversation", Conversation: &shown})
	if err != nil || shown.Erased {
		return err
	}
	for _, part := range []func(context.Context, *json.Encoder, string) error{a.exportEvents, a.exportFiles, a.exportDeliveries, a.exportFrames} {
		if err := part(ctx, out, id); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) exportEvents(ctx context.Context, out *json.Encoder, id string) error {
	for after := int64(0); ; {
		events, err := a.Journal.Events(ctx, id, after, maxLimit)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			after = e.Seq
			if err := out.Encode(Exported{Type: "event", Event: &e}); err != nil {
				return err
			}
		}
	}
}

func (a *API) exportFiles(ctx context.Context, out *json.Encoder, id string) error {
	handles, err := a.Files.Handles(id)
	if err != nil {
		return err
	}
	for _, handle := range handles {
		f := ExportedFile{Blob: handle}
		if f.Link, err = a.Files.LinkTo(ctx, handle); err != nil {
			if f.Missing = missing(err); f.Missing == "" {
				return fmt.Errorf("file %s: %w", handle, err)
			}
		}
		if err := out.Encode(Exported{Type: "file", File: &f}); err != nil {
			return err
		}
	}
	return nil
}

// missing is why a file is not to be had that was told of; "" says that the error is
// of something else.
func missing(err error) string {
	var no *media.Refusal
	switch {
	case errors.As(err, &no):
		return no.Reason
	case errors.Is(err, media.ErrNotFound):
		return "it has not been fetched"
	case errors.Is(err, journal.ErrDamaged):
		return "it is damaged"
	}
	return ""
}

func (a *API) exportDeliveries(ctx context.Context, out *json.Encoder, id string) error {
	deliveries, err := a.Journal.Deliveries(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		shown := Delivery{Event: d.Event, Leg: d.Leg, Outcome: d.Outcome, Reason: d.Reason, MaybeDuplicate: d.MaybeDuplicate, At: d.At.UTC()}
		if err := out.Encode(Exported{Type: "delivery", Delivery: &shown}); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) exportFrames(ctx context.Context, out *json.Encoder, id string) error {
	for after := ""; ; {
		frames, err := a.Journal.Frames(ctx, id, after, maxLimit)
		if err != nil || len(frames) == 0 {
			return err
		}
		for _, f := range frames {
			after = f.ID
			shown := a.showFrame(f)
			if err := out.Encode(Exported{Type: "frame", Frame: &shown}); err != nil {
				return err
			}
		}
	}
}
