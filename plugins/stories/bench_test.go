//go:build measure

package stories

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// far is both vendors' far ends, as light as they can be: a live-agent server
// that notes when each text arrives, and an AI Studio that takes replies.
type far struct {
	mu       sync.Mutex
	arrived  map[string]time.Time
	sessions map[string]string // phone to the session the bridge made
	texts    atomic.Int64
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	now := time.Now()
	var in struct {
		SessionID string `json:"sessionId"`
		Text      string `json:"text"`
		History   struct {
			Parameters []struct {
				Name  string `json:"name"`
				Value any    `json:"value"`
			} `json:"parameters"`
		} `json:"history"`
	}
	_ = json.Unmarshal(body, &in)
	f.mu.Lock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/start"):
		for _, p := range in.History.Parameters {
			if p.Name == "caller" {
				f.sessions[fmt.Sprint(p.Value)] = in.SessionID
			}
		}
	case strings.HasPrefix(in.Text, "closed ") || strings.HasPrefix(in.Text, "open "):
		f.arrived[in.Text] = now
		f.texts.Add(1)
	}
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// load is a bridge between two vendors under load.
type load struct {
	*rig
	far  *far
	http *http.Client
	sent sync.Map // text to the time it was sent
	acks []time.Duration
	mu   sync.Mutex
}

// TestMeasureTwoVendors measures a hand-off between two vendors: texts from AI Studio to a live-agent
// server, every one journaled and synced before its 2xx, through two turns and a
// call. It asserts nothing about time.
func TestMeasureTwoVendors(t *testing.T) {
	const sessions = 64
	l := newLoad(t, sessions)
	closed := l.closed(sessions, 100)
	t.Logf("closed loop, %d conversations: %.0f texts/s end to end, one event each", sessions, closed)
	for _, rate := range []int{100, 300} {
		ack, end := l.open(sessions, rate, 8*time.Second, fmt.Sprint(rate))
		t.Logf("open loop, %d texts/s: acknowledged p50 %v p99 %v; at the other vendor p50 %v p99 %v",
			rate, quantile(ack, 50), quantile(ack, 99), quantile(end, 50), quantile(end, 99))
	}
}

func newLoad(t *testing.T, sessions int, env ...string) *load {
	t.Helper()
	f := &far{arrived: map[string]time.Time{}, sessions: map[string]string{}}
	desk := serve(t, f)
	l := &load{far: f, http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	l.rig = newRig(t, setting{extra: account("front", routing, "virtual_agent", at(desk)) + account("bench", liveServer, "live_agent", at(desk)) + route("", "front", "bench"),
		env: append(env, "FOOTBRIDGE_SERVER__ACCOUNT_RATE=0")}) // what is measured is how much it can take
	for i := range sessions {
		l.post("/in/front/start", fmt.Sprintf(`{"sessionId":"b-%d","history":{"transcription":[{"User":"hi"}],"parameters":[{"name":"caller","value":"%d"}]}}`, i, i))
	}
	for i := range sessions {
		l.eventually("a session at the live-agent server", func() bool { return l.session(i) != "" })
		req, _ := http.NewRequest("POST", "http://"+l.public+"/in/bench/live-agent/outbound/"+l.session(i), strings.NewReader(`{"message_type":"text","text":"hello"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Vgai-Key", deskKey)
		resp, err := l.http.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("accept: %v %v", resp, err)
		}
		_ = resp.Body.Close()
	}
	return l
}

func (l *load) session(i int) string {
	l.far.mu.Lock()
	defer l.far.mu.Unlock()
	return l.far.sessions[fmt.Sprint(i)]
}

func (l *load) post(path, body string) time.Duration {
	start := time.Now()
	resp, err := l.http.Post("http://"+l.public+path, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		l.t.Errorf("post: %v", err)
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		l.t.Errorf("%s: status %d", path, resp.StatusCode)
	}
	return time.Since(start)
}

func (l *load) text(session int, text string) {
	l.sent.Store(text, time.Now())
	took := l.post("/in/front/inbound", fmt.Sprintf(`{"sessionId":"b-%d","text":%q,"type":"text"}`, session, text))
	l.mu.Lock()
	l.acks = append(l.acks, took)
	l.mu.Unlock()
}

// closed sends as fast as acknowledgements come, and gives texts a second until
// the last one is at the other vendor.
func (l *load) closed(sessions, each int) float64 {
	before := l.far.texts.Load()
	start := time.Now()
	var all sync.WaitGroup
	for s := range sessions {
		all.Go(func() {
			for n := range each {
				l.text(s, fmt.Sprintf("closed %d %d", s, n))
			}
		})
	}
	all.Wait()
	l.eventually("every text at the other vendor", func() bool { return l.far.texts.Load()-before == int64(sessions*each) })
	return float64(sessions*each) / time.Since(start).Seconds()
}

// open sends at a steady rate whatever the answers, so that a slow answer delays
// no later one. Its texts are of a name of their own.
func (l *load) open(sessions, rate int, lasts time.Duration, name string) (acks, ends []time.Duration) {
	l.mu.Lock()
	l.acks = nil
	l.mu.Unlock()
	before := l.far.texts.Load()
	ctx, cancel := context.WithTimeout(context.Background(), lasts)
	defer cancel()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	var all sync.WaitGroup
	sent := 0
	for ctx.Err() == nil {
		<-tick.C
		n := sent
		sent++
		all.Go(func() { l.text(n%sessions, fmt.Sprintf("open %s %d", name, n)) })
	}
	all.Wait()
	l.eventually("every text at the other vendor", func() bool { return l.far.texts.Load()-before == int64(sent) })
	l.far.mu.Lock()
	defer l.far.mu.Unlock()
	for n := range sent {
		text := fmt.Sprintf("open %s %d", name, n)
		at, _ := l.sent.Load(text)
		ends = append(ends, l.far.arrived[text].Sub(at.(time.Time)))
	}
	return l.acks, ends
}

func quantile(d []time.Duration, percent int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(len(d)-1, len(d)*percent/100)].Round(10 * time.Microsecond)
}
