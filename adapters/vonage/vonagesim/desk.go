package vonagesim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// DeskOptions are a Desk's.
type DeskOptions struct {
	// Key is the API key the Desk sends to outbound and disconnect.
	Key string
	// BridgeURL is what the Desk takes for AI Studio: in the bridge
	// https://host/in/ACCOUNT.
	BridgeURL string
	// Client is used towards the bridge; nil is one with a limit of 15 s.
	Client *http.Client
}

// Desk simulates a live-agent server built for AI Studio. It is as strict as the
// best-known of them, nexmo-se/ai-studio-whatsapp-agent, which dies on a start
// without SENDER_PHONE_NUMBER; the Desk answers 500. It is safe for concurrent
// use.
type Desk struct {
	bridge  caller
	faults  faults
	mu      sync.Mutex
	records []Record
}

// NewDesk makes a Desk.
func NewDesk(o DeskOptions) *Desk {
	return &Desk{bridge: caller{client: clientOr(o.Client), base: o.BridgeURL, header: http.Header{keyHeader: {o.Key}}}}
}

// Handler serves /start, /inbound and /status.
func (d *Desk) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /start", d.serve("start", checkStart))
	mux.HandleFunc("POST /inbound", d.serve("inbound", d.checkInbound))
	mux.HandleFunc("POST /status", d.serve("status", func(deskFrame) (string, string) { return "", "" }))
	return mux
}

// Fail plans a fault at "start", "inbound" or "status"; a hang is one with a
// Latency beyond what the caller waits.
func (d *Desk) Fail(f Fault) { d.faults.add(f) }

// Heal forgets every fault planned.
func (d *Desk) Heal() { d.faults.clear() }

// Records are all attempts so far.
func (d *Desk) Records() []Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.records)
}

// Sessions are those started, in order.
func (d *Desk) Sessions() []string {
	var sessions []string
	for _, r := range d.Records() {
		if r.Endpoint == "start" && r.Committed && !slices.Contains(sessions, r.Session) {
			sessions = append(sessions, r.Session)
		}
	}
	return sessions
}

// Shown is what the agent saw from a session's customer, in order.
func (d *Desk) Shown(session string) []string {
	var shown []string
	for _, r := range d.Records() {
		if r.Endpoint == "inbound" && r.Committed && r.Session == session {
			shown = append(shown, r.Shown)
		}
	}
	return shown
}

// Say sends the agent's words, as every public server does.
func (d *Desk) Say(ctx context.Context, session, text string) (Answer, error) {
	return d.outbound(ctx, session, map[string]string{"message_type": "text", "text": text})
}

// SayBare sends the agent's words as the page "Live Agent Routing" has them.
func (d *Desk) SayBare(ctx context.Context, session, text string) (Answer, error) {
	return d.outbound(ctx, session, map[string]string{"text": text})
}

// SayMedia sends a file: message_type and an object of that name.
func (d *Desk) SayMedia(ctx context.Context, session, kind, address, caption string) (Answer, error) {
	return d.outbound(ctx, session, map[string]any{"message_type": kind, kind: map[string]string{"url": address, "caption": caption}})
}

// Disconnect gives the conversation back.
func (d *Desk) Disconnect(ctx context.Context, session string) (Answer, error) {
	return d.bridge.post(ctx, "/live-agent/disconnect/"+url.PathEscape(session), struct{}{})
}

func (d *Desk) outbound(ctx context.Context, session string, body any) (Answer, error) {
	return d.bridge.post(ctx, "/live-agent/outbound/"+url.PathEscape(session), body)
}

// deskFrame is what a Desk reads of a start or an inbound.
type deskFrame struct {
	SessionID string `json:"sessionId"`
	Type      string `json:"type"`
	Text      string `json:"text"`
	History   struct {
		Transcription []map[string]string `json:"transcription"`
		Parameters    []Parameter         `json:"parameters"`
	} `json:"history"`
	Image, Video, Audio, File struct {
		URL string `json:"url"`
	}
}

// check is what a Desk shows its agent of a frame, or why it cannot take it.
type check func(f deskFrame) (shown, problem string)

func checkStart(f deskFrame) (shown, problem string) {
	for _, p := range f.History.Parameters {
		if phone, ok := p.Value.(string); p.Name == "SENDER_PHONE_NUMBER" && ok && phone != "" {
			return phone, ""
		}
	}
	return "", "Cannot read properties of undefined: SENDER_PHONE_NUMBER"
}

func (d *Desk) checkInbound(f deskFrame) (shown, problem string) {
	if !slices.Contains(d.Sessions(), f.SessionID) {
		return "", "unknown session"
	}
	media := map[string]string{"image": f.Image.URL, "video": f.Video.URL, "audio": f.Audio.URL, "file": f.File.URL}
	if address := media[f.Type]; address != "" {
		return address, ""
	}
	if f.Text == "" {
		return "", "no text"
	}
	return f.Text, ""
}

func (d *Desk) serve(endpoint string, look check) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec, err := attempt(r, endpoint, "")
		if err != nil {
			return
		}
		fault := d.faults.take(endpoint)
		fault.wait(r.Context())
		d.perform(&rec, fault, look)
		if rec.Status == 0 {
			drop(w)
			return
		}
		answer(w, rec.Status, map[string]string{"result": http.StatusText(rec.Status)})
	}
}

func (d *Desk) perform(rec *Record, fault Fault, look check) {
	var f deskFrame
	rec.Status = http.StatusOK
	err := json.Unmarshal([]byte(rec.Body), &f)
	rec.Session = f.SessionID
	shown, problem := look(f)
	switch {
	case fault.Drop == DropBefore || (fault.Status != 0 && !fault.Commit):
		rec.Status = fault.Status
	case err != nil || problem != "":
		rec.Status, rec.Message = http.StatusInternalServerError, fmt.Sprintf("%s %v", problem, err)
	default:
		rec.Committed, rec.Shown = true, shown
	}
	if fault.Commit && fault.Status != 0 {
		rec.Status = fault.Status
	}
	if fault.Drop != "" {
		rec.Status = 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.records = append(d.records, *rec)
}
