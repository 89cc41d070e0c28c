// Package vonagesim simulates both ends of Vonage AI Studio's Live Agent Routing
// and of its HTTP agents on real sockets: Studio is AI Studio itself with an HTTP
// agent, Desk a live-agent server that was built for it, Widget a client of an
// HTTP agent.
//
// The frames are those of the vendor's pages "Live Agent Routing", "Websockets
// connections for Live agent Routing" and "Working with HTTP agents" and, where
// they say less than the wire, of the public programs named beside each frame. A
// simulator records every attempt it sees and can be told to fail as networks
// and vendors do: refuse, hang, or act and then lose the answer.
package vonagesim

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// keyHeader carries the API key. Page "Live Agent Routing", Outbound Transfer,
// Headers; the warning box below Stop Connection EP requires it there too.
const keyHeader = "X-Vgai-Key"

const bodyLimit = 1 << 20

// Record is one attempt a simulator saw, in the order they were answered.
type Record struct {
	Time     time.Time `json:"time"`
	Endpoint string    `json:"endpoint"`
	Session  string    `json:"session,omitempty"`
	// Header is the request's, a secret's value replaced by [key].
	Header http.Header `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"`
	// Status is the answer's; 0 when the answer was dropped.
	Status int `json:"status"`
	// Committed says the attempt had its effect, whatever was answered; Repeat
	// that it was recognised by its idempotency key and had none again.
	Committed bool   `json:"committed,omitempty"`
	Repeat    bool   `json:"repeat,omitempty"`
	Key       string `json:"key,omitempty"`
	Message   string `json:"message,omitempty"`
	// Shown is what the reader saw of it: the text, or the address of a file.
	Shown string `json:"shown,omitempty"`
}

// Where a Fault loses the answer.
const (
	DropBefore = "before" // nothing is done and nothing answered
	DropAfter  = "after"  // it is done, but the answer is lost
)

// Fault is what a simulator does instead of its duty to the next Times requests
// at Endpoint; an empty Endpoint is any, and Times below 0 is until Heal.
type Fault struct {
	Endpoint string        `json:"endpoint,omitempty"`
	Times    int           `json:"times"`
	Latency  time.Duration `json:"latency,omitempty"`
	// Status is answered, without effect unless Commit is set.
	Status int    `json:"status,omitempty"`
	Commit bool   `json:"commit,omitempty"`
	Drop   string `json:"drop,omitempty"`
	// RetryAfter is sent with Status, in seconds.
	RetryAfter int `json:"retry_after,omitempty"`
}

// faults are what is still to go wrong, first in first out.
type faults struct {
	mu   sync.Mutex
	list []Fault
}

func (f *faults) add(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault.Times == 0 {
		fault.Times = 1
	}
	f.list = append(f.list, fault)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

// take is the fault for one request; the zero Fault when all is well.
func (f *faults) take(endpoint string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.list {
		fault := f.list[i]
		if fault.Endpoint != "" && fault.Endpoint != endpoint {
			continue
		}
		if f.list[i].Times--; f.list[i].Times == 0 {
			f.list = slices.Delete(f.list, i, i+1)
		}
		return fault
	}
	return Fault{}
}

// wait lets the fault's latency pass, or the caller give up.
func (f Fault) wait(ctx context.Context) {
	if f.Latency <= 0 {
		return
	}
	timer := time.NewTimer(f.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// drop cuts the connection without an answer; a connection that cannot be cut
// answers 502.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	conn.Close()
}

// attempt reads a request into a record.
func attempt(r *http.Request, endpoint, session string) (Record, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	header := maps.Clone(r.Header)
	for _, name := range []string{keyHeader, "Authorization"} {
		if header.Get(name) != "" {
			header.Set(name, "[key]")
		}
	}
	return Record{Time: time.Now().UTC(), Endpoint: endpoint, Session: session, Header: header, Body: string(body)}, err
}

func keyMatches(r *http.Request, key string) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get(keyHeader)), []byte(key)) == 1
}

// nestError is the error body AI Studio sends: numeric statusCode is read by
// every version of nexmo-se/ai-studio-whatsapp-agent.
func nestError(status int, message string) map[string]any {
	return map[string]any{"statusCode": status, "message": message, "error": http.StatusText(status)}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The reader may be gone; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// Answer is what the bridge said to a request of a simulator.
type Answer struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// caller sends requests to the bridge.
type caller struct {
	client *http.Client
	base   string
	header http.Header
}

// post sends JSON to the bridge; path may carry a query. A transport failure is
// an error, any answer is not.
func (c caller) post(ctx context.Context, path string, body any) (Answer, error) {
	data, raw := body.([]byte)
	if !raw {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return Answer{}, fmt.Errorf("write %s: %w", path, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(c.base, "/")+path, bytes.NewReader(data))
	if err != nil {
		return Answer{}, fmt.Errorf("call %s: %w", path, err)
	}
	maps.Copy(req.Header, c.header)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.client.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("call %s: %w", path, err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer to %s: %w", path, err)
	}
	if !json.Valid(out) {
		out = nil
	}
	return Answer{Status: res.StatusCode, Body: out}, nil
}

func clientOr(c *http.Client) *http.Client {
	if c != nil {
		return c
	}
	return &http.Client{Timeout: 15 * time.Second}
}
