package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"

	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

const requestID = "X-Request-ID"

// Problem is what every refusal answers with, as application/problem+json.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Code is for programs, Mend says what to do about it.
	Code string `json:"code"`
	// Field is the field of the request that is at fault, where one is.
	Field     string `json:"field,omitempty"`
	Mend      string `json:"mend"`
	RequestID string `json:"request_id"`
}

// Error gives the code and the mend.
func (p *Problem) Error() string { return p.Code + ": " + p.Mend }

// The codes. They are part of the contract: added to, never changed.
const (
	codeMalformed    = "malformed"
	codeUnauthorized = "unauthorized"
	codeForbidden    = "forbidden"
	codeRole         = "role"
	codeAgent        = "agent_mismatch"
	codeOrigin       = "cross_origin"
	codeNotFound     = "not_found"
	codeMethod       = "method_not_allowed"
	codeKeyReused    = "idempotency_key_reused"
	codeReplayed     = "already_replayed"
	codeGone         = "position_gone"
	codeErased       = "erased"
	codeTooLarge     = "too_large"
	codeMediaType    = "unsupported_media_type"
	codeInvalid      = "invalid"
	codeKind         = "kind_unknown"
	codeInternal     = "internal"
	codeDamaged      = "damaged"
	codeBusy         = "busy"
	codeClosing      = "closing"
	codeDrained      = "drained"
	codeTimeout      = "timeout"
	codeFile         = "file_refused"
	codeGuessing     = "too_many_attempts"
	codeUploads      = "too_many_uploads"
)

// problems is every code with its status, title and mend.
//
//nolint:gochecknoglobals // a table that is never written.
var problems = map[string]struct {
	status      int
	title, mend string
}{
	codeMalformed:    {http.StatusBadRequest, "The body cannot be read.", "send one JSON object in UTF-8, without duplicate names, at most 64 levels deep"},
	codeUnauthorized: {http.StatusUnauthorized, "Nobody is signed in.", "send Authorization: Bearer TOKEN with a token of [[api.tokens]] or the one given with the conversation, or sign in"},
	codeForbidden:    {http.StatusForbidden, "This is not for the token's roles.", "use a token that has the role"},
	codeRole:         {http.StatusForbidden, "This role may not say this.", "use a token of the role the event belongs to"},
	codeAgent:        {http.StatusForbidden, "The token belongs to another agent.", "leave actor.id out, or use that agent's own token"},
	codeOrigin:       {http.StatusForbidden, "The request comes from another site.", "send it from a page of the bridge itself, use a bearer token, add the site to the account's allowed_origins, or set [server] public_url to the address browsers use"},
	codeNotFound:     {http.StatusNotFound, "There is no such thing.", "check the address and the id"},
	codeMethod:       {http.StatusMethodNotAllowed, "The address does not know this method.", ""},
	codeKeyReused:    {http.StatusConflict, "The Idempotency-Key was used for another request.", "use a new key for a new request"},
	codeReplayed:     {http.StatusConflict, "The dead letter was replayed before.", "if it failed again, replay the dead letter that came of it"},
	codeGone:         {http.StatusGone, "The position is not there any more.", "read the lists again and go on without after"},
	codeErased:       {http.StatusGone, "The content was erased.", "nothing can bring it back"},
	codeTooLarge:     {http.StatusRequestEntityTooLarge, "The body is too large.", "send at most 256 KiB"},
	codeMediaType:    {http.StatusUnsupportedMediaType, "The body is not JSON.", "send Content-Type: application/json"},
	codeInvalid:      {http.StatusUnprocessableEntity, "A field is not as it should be.", ""},
	codeKind:         {http.StatusUnprocessableEntity, "Nobody may say an event of this kind.", "see the kinds in openapi.json"},
	codeGuessing:     {http.StatusTooManyRequests, "Too many wrong tokens came from this address.", "wait a minute, and use a token of [[api.tokens]]"},
	codeUploads:      {http.StatusTooManyRequests, "Too many files came in one minute.", "wait a minute; [media] max_uploads says how many are taken"},
	codeInternal:     {http.StatusInternalServerError, "Something went wrong here.", "look for the request id in the log"},
	codeDamaged:      {http.StatusInternalServerError, "The stored data is damaged.", "restore the journal from its backup"},
	codeBusy:         {http.StatusServiceUnavailable, "There is too much to do.", "try again in a second"},
	codeClosing:      {http.StatusServiceUnavailable, "The bridge is shutting down.", "try again in a second"},
	codeDrained:      {http.StatusServiceUnavailable, "Nothing new is taken here now.", "try again later; an operator lets it be taken again with footbridge accounts resume"},
	codeFile:         {http.StatusUnprocessableEntity, "The file is not taken.", "send a file that [media] allows"},
	codeTimeout:      {http.StatusGatewayTimeout, "The conversation did not answer in time.", "send it again with the same Idempotency-Key"},

	conversation.RefusedEnded:    {http.StatusConflict, "The conversation has ended.", "open a new one"},
	conversation.RefusedNotOwner: {http.StatusConflict, "Only the owner speaks to the customer.", "accept the hand-off first"},
	conversation.RefusedTaken:    {http.StatusConflict, "Another live agent was first.", "take another conversation"},
	conversation.RefusedNoOffer:  {http.StatusConflict, "No hand-off is open here.", "wait until the conversation is in a queue"},
	conversation.RefusedOpen:     {http.StatusConflict, "A hand-off is under way already.", "cancel it first, or wait for its end"},
	conversation.RefusedState:    {http.StatusConflict, "There is nothing for this to act on now.", "read the conversation's state again"},
	conversation.RefusedDetached: {http.StatusConflict, "The conversation is no longer with this desk.", "only a note or a wrap-up can still be given"},
}

// fault makes a problem of a code.
func fault(code string) *Problem {
	row, ok := problems[code]
	if !ok {
		code = codeInternal
		row = problems[code]
	}
	return &Problem{Type: "urn:footbridge:problem:" + code, Title: row.title, Status: row.status, Code: code, Mend: row.mend}
}

// invalid is a field that is not as it should be.
func invalid(field, mend string) *Problem {
	p := fault(codeInvalid)
	p.Field, p.Mend = field, mend
	return p
}

func (p *Problem) at(field string) *Problem { p.Field = field; return p }

func (p *Problem) mending(mend string) *Problem { p.Mend = mend; return p }

// mapped are the errors of others that callers can do something about.
//
//nolint:gochecknoglobals // a table that is never written.
var mapped = []struct {
	err  error
	code string
}{
	{journal.ErrNotFound, codeNotFound},
	{journal.ErrErased, codeErased},
	{journal.ErrDamaged, codeDamaged},
	{journal.ErrRepeated, codeKeyReused},
	{journal.ErrClosed, codeClosing},
	{journal.ErrReading, codeBusy},
	{engine.ErrKeyReused, codeKeyReused},
	{engine.ErrReplayed, codeReplayed},
	{engine.ErrBusy, codeBusy},
	{engine.ErrClosed, codeClosing},
	{engine.ErrDrained, codeDrained},
	{context.DeadlineExceeded, codeTimeout},
}

// problemOf gives any error its problem.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		shown := *p
		if !fieldName.MatchString(p.Field) {
			shown.Field = "" // whatever it is, it is no name of ours
		}
		return &shown
	}
	var refusal *engine.Refusal
	if errors.As(err, &refusal) {
		return fault(refusal.Reason)
	}
	for _, m := range mapped {
		if errors.Is(err, m.err) {
			return fault(m.code)
		}
	}
	return fault(codeInternal)
}

// fieldName is the form of all names of fields here.
//
//nolint:gochecknoglobals // never written.
var fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}([.][A-Za-z0-9_]{1,32}){0,8}$`)

// levels are of the refusals that are no fault: an operator's own wish, and too
// much to do. What else goes wrong here is an error.
//
//nolint:gochecknoglobals // a table that is never written.
var levels = map[string]slog.Level{codeDrained: slog.LevelInfo, codeClosing: slog.LevelInfo, codeBusy: slog.LevelWarn}

// refuse answers with the problem of an error. Faults of our own are logged.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := *problemOf(err)
	p.RequestID = w.Header().Get(requestID)
	if r.Context().Err() != nil {
		return
	}
	if p.Status >= http.StatusInternalServerError {
		level, listed := levels[p.Code]
		if !listed {
			level = slog.LevelError
		}
		a.Logger.Log(r.Context(), level, "request failed", "method", r.Method, "path", r.URL.Path, "code", p.Code, "request_id", p.RequestID, "error", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="footbridge"`)
	case http.StatusTooManyRequests:
		h.Set("Retry-After", "60")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(int(engine.RetryAfter().Seconds())))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// answer writes a JSON answer.
func answer(w http.ResponseWriter, status int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
	return nil
}
