package api_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// faulty is a journal in which something does not work.
type faulty struct {
	api.Journal
	deliveries, log, trail, record error
	frames                         []journal.Frame
}

func (f *faulty) Deliveries(ctx context.Context, id string) ([]journal.Delivery, error) {
	if f.deliveries != nil {
		return nil, f.deliveries
	}
	return f.Journal.Deliveries(ctx, id)
}

func (f *faulty) Frames(_ context.Context, _, after string, _ int) ([]journal.Frame, error) {
	if after != "" {
		return nil, nil
	}
	return f.frames, nil
}

func (f *faulty) EmptyLog(ctx context.Context) error {
	return errors.Join(f.Journal.EmptyLog(ctx), f.log)
}

func (f *faulty) VerifyAudit(ctx context.Context) (journal.AuditEnds, error) {
	if f.trail != nil {
		return journal.AuditEnds{}, f.trail
	}
	return f.Journal.VerifyAudit(ctx)
}

func (f *faulty) Record(ctx context.Context, a journal.Audit) error {
	if f.record != nil {
		return f.record
	}
	return f.Journal.Record(ctx, a)
}

// over is the same bridge with an API over another journal; it gives its log.
func (b *bridge) over(f *faulty) (*bridge, *bytes.Buffer) {
	b.t.Helper()
	f.Journal = b.journal
	var log bytes.Buffer
	o := b.api.Options
	o.Journal, o.Logger = f, slog.New(slog.NewTextHandler(&log, nil))
	o.Redact = func(s string) string { return strings.ReplaceAll(s, "s3cret", "[secret]") }
	other := api.New(o)
	b.t.Cleanup(other.Close)
	server := httptest.NewServer(other)
	b.t.Cleanup(server.Close)
	c := *b
	c.api, c.server = other, server
	return &c, &log
}

func TestAnExportThatIsCutShort(t *testing.T) {
	b := start(t)
	id, token := b.openFor("c-1")
	b.say(id, token, message("hello"))
	subject := `{"conversation":"` + id + `","reason":"request 7"}`
	c, log := b.over(&faulty{deliveries: errors.New("a fault")})
	text := string(c.ask("POST", "/exports", superToken, subject).is(200, "").Body)
	if strings.Contains(text, `"end"`) || !strings.Contains(text, `"hello"`) {
		t.Errorf("the export is %s", text)
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "export cut short") {
		t.Errorf("the log is %s", log)
	}
	c, _ = b.over(&faulty{record: journal.ErrClosed}) // who asked cannot be recorded
	if text := string(c.ask("POST", "/exports", superToken, subject).is(503, "closing").Body); strings.Contains(text, "hello") {
		t.Errorf("exported without a record: %s", text)
	}
}

// An export has the frames without their headers and without secrets, and who asked
// and why is in the audit trail.
func TestAnExportHasFramesAndIsRecorded(t *testing.T) {
	b := start(t)
	id, _ := b.openFor("c-1")
	sent := func(id, body string) journal.Frame {
		data := encodeAll(t, map[string]any{"request": adapter.Request{Method: "POST", Path: "/in/s3cret", Query: map[string][]string{"s3cret": {"a s3cret"}},
			Header: http.Header{"X-Key": {"not to be shown"}}, Body: []byte(body)}})
		return journal.Frame{ID: id, Conversation: id, Data: data}
	}
	c, _ := b.over(&faulty{frames: []journal.Frame{sent("f-1", `{"text":"my s3cret"}`), sent("f-2", `text=my+s3cret`)}})
	got := c.export(`{"conversation":"` + id + `","reason":"request 7"}`)["frame"]
	if len(got) != 2 || string(got[0].Frame.Body) != `{"text":"my [secret]"}` || got[1].Frame.Text != "text=my+[secret]" || got[0].Frame.Query.Get("[secret]") != "a [secret]" {
		t.Errorf("exported are %s", encodeAll(t, got))
	}
	if text := string(encodeAll(t, got)); strings.Contains(text, "s3cret") || strings.Contains(text, "not to be shown") {
		t.Errorf("exported are %s", text)
	}
	if a := decode[api.AuditList](b.ask("GET", "/audit", operatorToken, "").is(200, "")).Audit; len(a) != 1 || a[0].Reason != "request 7" || a[0].Subject != id {
		t.Errorf("the audit trail is %+v", a)
	}
	if got := b.export(`{"customer":"c-1","account":"elsewhere","reason":"request 7"}`); len(got["conversation"]) != 0 {
		t.Errorf("of a customer of another account exported is %+v", got)
	}
}

// While somebody reads for long the key is gone and not yet out of the log.
func TestAnErasureWhileSomebodyReads(t *testing.T) {
	b := start(t)
	id, _ := b.openFor("c-1")
	c, _ := b.over(&faulty{log: journal.ErrReading})
	c.ask("POST", "/erasures", operatorToken, `{"conversation":"`+id+`","reason":"request 7"}`).is(503, "busy")
	b.ask("GET", "/conversations/"+id+"/events", operatorToken, "").is(410, "erased")
}

func TestAnAuditTrailThatIsDamaged(t *testing.T) {
	b := start(t)
	c, _ := b.over(&faulty{trail: journal.ErrDamaged})
	c.ask("GET", "/audit/verification", operatorToken, "").is(500, "damaged")
	b.ask("GET", "/audit", superToken, "").is(403, "forbidden")
	b.ask("GET", "/audit?after=-1", operatorToken, "").is(422, "invalid")
	id, _ := b.openFor("c-1")
	b.export(`{"conversation":"` + id + `","reason":"request 7"}`)
	if page := decode[api.AuditList](b.ask("GET", "/audit?limit=1", operatorToken, "").is(200, "")); len(page.Audit) != 1 || page.Next != nil {
		t.Errorf("after the first record comes %v", page.Next)
	}
}

// A refusal names a field of ours, and never what else a caller wrote in its place.
func TestAProblemNamesNoWords(t *testing.T) {
	b := start(t)
	id, token := b.open()
	for body, field := range map[string]string{
		`{"conversation":"a","reason":"x","more":1}`:                            "more",
		`{"conversation":"a","reason":"x","call Ada now":1}`:                    "",
		`{"conversation":"a","reason":"x","ada@okapi.example":1}`:               "",
		`{"conversation":"a","reason":"x","` + strings.Repeat("o", 33) + `":1}`: "",
	} {
		r := b.ask("POST", "/erasures", operatorToken, body).is(http.StatusUnprocessableEntity, "invalid")
		if p := r.problem(); p.Field != field {
			t.Errorf("%s: field %q", body, p.Field)
		}
		if text := string(r.Body); strings.Contains(text, "Ada") || strings.Contains(text, "okapi") || strings.Contains(text, "oooo") {
			t.Errorf("%s is answered %s", body, text)
		}
	}
	r := b.ask("POST", "/conversations/"+id+"/events", token, `{"kind":"message.created","body":{"content":{"type":"text","text":"x","call Ada":"okapi"}}}`)
	if text := string(r.Body); r.Status == 422 && (strings.Contains(text, "Ada") || strings.Contains(text, "okapi")) {
		t.Errorf("answered %s", text)
	}
}
