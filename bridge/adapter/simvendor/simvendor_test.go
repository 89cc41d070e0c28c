package simvendor_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

// shop is a vendor that keeps the words it is given.
type shop struct {
	simvendor.API
	mu   sync.Mutex
	kept []string
}

func (s *shop) words() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

func (s *shop) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/words/{kind}", s.Serve(func(c *simvendor.Call) simvendor.Answer {
		var files []string
		for _, f := range c.Files {
			files = append(files, fmt.Sprint(f.Field, " ", f.Name, " ", f.MIME, " ", string(f.Data)))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kept = append(s.kept, strings.TrimSpace(c.Text("text")+" "+strings.Join(files, " ")))
		again, _ := io.ReadAll(c.Body)
		c.Fields["kept"] = len(s.kept)
		return simvendor.Answer{Status: c.Number("status"), RetryAfter: c.Number("later"), Body: map[string]any{"text": c.Text("text"), "again": string(again)}}
	}))
	mux.HandleFunc("/socket", s.Serve(func(*simvendor.Call) simvendor.Answer {
		return simvendor.Answer{Instead: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }}
	}))
	mux.HandleFunc("GET /sim/records", simvendor.Shown(func() any { return map[string]any{"records": s.Records()} }))
	s.Control(mux)
	return mux
}

func open(t *testing.T) (*shop, string) {
	s := &shop{API: simvendor.API{Wrong: func(f simvendor.Fault) any { return map[string]any{"wrong": f.Error} }}}
	return s, simtest.Serve(t, s.Handler())
}

// TestCalls: a body is taken apart whatever it is, and what it comes to is recorded.
func TestCalls(t *testing.T) {
	s, address := open(t)
	form, body := simtest.Form(t, "source", "a.txt", "hello", "text", "with a file", "more", "x")
	bare, file := simtest.Form(t, "source", "b.txt", "alone")
	for _, c := range []struct {
		kind, body string
		status     int
		shown      string
	}{
		{"application/json", `{"text":"words","status":201}`, 201, `{"text":"words","status":201}`},
		{"", `{"text":7.5}`, 200, `{"text":7.5}`},
		{"application/json", `{"text":true,"later":3,"status":503}`, 503, `{"text":true,"later":3,"status":503}`},
		{"application/json", `null`, 200, `null`},
		{"application/json", `{"text":`, 200, `{"text":`},
		{"application/x-www-form-urlencoded", "text=a+b&status=202", 202, "text=a+b&status=202"},
		{form, body, 200, "form of more text"},
		{bare, file, 200, "form"},
		{"multipart/form-data; boundary=x", "nonsense", 200, "nonsense"},
	} {
		status, answer := simtest.Call(t, "POST", address+"/words/x?q=1", c.body, "Content-Type", c.kind)
		all := s.Records()
		if want := (simvendor.Record{Method: "POST", Path: "/words/x?q=1", Body: c.shown, Status: c.status}); status != c.status || all[len(all)-1] != want || answer["again"] != c.body {
			t.Errorf("%s: %d %v, recorded %+v", c.body, status, answer, all[len(all)-1])
		}
	}
	if want := []string{"words", "7.5", "true", "", "", "a b", "with a file source a.txt application/octet-stream hello", "source b.txt application/octet-stream alone", ""}; !slices.Equal(s.words(), want) {
		t.Errorf("kept %q", s.words())
	}
	resp, err := http.Post(address+"/words/x", "", strings.NewReader(`{"later":3}`))
	if err != nil || resp.Header.Get("Retry-After") != "3" || resp.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%v %v", resp, err)
	}
}

// TestFaults: each goes wrong as often as it is to, the first that fits first, and what
// is said of it before it was done or after.
func TestFaults(t *testing.T) {
	s, address := open(t)
	do := func(kind string) string {
		status, answer := simtest.Ask(t, "POST", address+"/words/"+kind, fmt.Sprintf(`{"text":%q}`, kind))
		return strings.TrimSpace(fmt.Sprint(status, " ", answer))
	}
	was := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	good := func(kind string) string {
		return fmt.Sprintf(`200 {"again":"{\"text\":\"%s\"}","text":"%s"}`, kind, kind)
	}
	s.Fail(simvendor.Fault{Path: "/b", Status: 503, Times: 2})
	s.Fail(simvendor.Fault{Method: "a", Error: "named"})
	s.Fail(simvendor.Fault{Method: "GET", Status: 500, Times: -1})
	s.Fail(simvendor.Fault{Path: "/d", Drop: simvendor.DropBefore, Status: 500})
	s.Fail(simvendor.Fault{Path: "/d", Drop: simvendor.DropAfter})
	was("in turn", []string{do("a"), do("a"), do("b"), do("b"), do("b"), do("d")}, []string{`200 {"wrong":"named"}`, good("a"), `503 {"wrong":""}`, `503 {"wrong":""}`, good("b"), "0"})
	was("dropped before", s.words(), []string{"a", "b"})
	was("dropped after", append([]string{do("d")}, s.words()...), []string{"0", "a", "b", "d"})
	s.Fail(simvendor.Fault{Path: "/e", Drop: simvendor.DropAfter, Error: "named"})
	was("done, and said to have failed", append([]string{do("e")}, s.words()...), []string{`200 {"wrong":"named"}`, "a", "b", "d", "e"})
	s.Fail(simvendor.Fault{Status: 429, RetryAfter: 7, Times: -1})
	for range 3 {
		resp, err := http.Get(address + "/words/x")
		if err != nil || resp.StatusCode != 500 {
			t.Errorf("always: %v %v", resp, err)
		}
	}
	resp, err := http.Post(address+"/words/x", "", nil)
	if err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "7" {
		t.Errorf("busy: %v %v", resp, err)
	}
	s.Heal()
	began := time.Now()
	s.Fail(simvendor.Fault{Latency: 50 * time.Millisecond})
	if got := do("late"); got != good("late") || time.Since(began) < 50*time.Millisecond {
		t.Errorf("late: %s", got)
	}
	s.Fail(simvendor.Fault{Drop: simvendor.DropAfter, Latency: 2 * time.Second})
	heard := make(chan string)
	go func() { heard <- do("unheard") }()
	for !slices.Contains(s.words(), "unheard") {
		select {
		case <-heard:
			t.Fatal("it is not done while nobody hears of it")
		case <-time.After(time.Millisecond):
		}
	}
	<-heard
	last := s.Records()[6:9]
	if len(s.Records()) != 14 || last[0].Status != 0 || last[1].Status != 200 || last[2].Status != 500 {
		t.Errorf("recorded %+v", s.Records())
	}
}

// TestInstead: what answers itself goes wrong as a call does.
func TestInstead(t *testing.T) {
	s, address := open(t)
	s.Fail(simvendor.Fault{Path: "/socket", Status: http.StatusServiceUnavailable})
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusTeapot} {
		if status, _ := simtest.Ask(t, "GET", address+"/socket", ""); status != want {
			t.Errorf("%d, want %d", status, want)
		}
	}
}

func TestTooMany(t *testing.T) {
	s, address := open(t)
	s.PerSecond, s.TooMany = 2, simvendor.Fault{Status: 429, Error: "slower"}
	s.Fail(simvendor.Fault{Status: 500, Times: -1})
	simtest.Until(t, "a third within a second", func() bool {
		_, answer := simtest.Ask(t, "POST", address+"/words/x", "")
		return strings.Contains(answer, "slower")
	})
	simtest.Until(t, "the next second", func() bool {
		status, _ := simtest.Ask(t, "POST", address+"/words/x", "")
		return status == 500
	})
}

// TestControl: faults are ordered in milliseconds, an order needs no body, and one that
// cannot be read says why.
func TestControl(t *testing.T) {
	_, address := open(t)
	for _, c := range []struct{ order, body, want string }{
		{"/sim/fault", `{"method":"x","error":"named","latency":40}`, "200 {}"},
		{"/sim/fault", `{"path":"/y","status":503,"times":-1,"retry_after":1}`, "200 {}"},
		{"/words/y", ``, `503 {"wrong":""}`},
		{"/sim/heal", ``, "200 {}"},
		{"/sim/fault", `{"method":"x","error":"named","latency":40}`, "200 {}"},
		{"/sim/fault", `nonsense`, `400 {"error":"invalid character 'o' in literal null (expecting 'u')"}`},
	} {
		status, answer := simtest.Ask(t, "POST", address+c.order, c.body)
		if got := strings.TrimSpace(fmt.Sprint(status, " ", answer)); got != c.want {
			t.Errorf("%s %s: %s", c.order, c.body, got)
		}
	}
	began := time.Now()
	if _, answer := simtest.Call(t, "POST", address+"/words/x", ""); answer["wrong"] != "named" || time.Since(began) < 40*time.Millisecond {
		t.Errorf("answered %v", answer)
	}
	if _, answer := simtest.Call(t, "GET", address+"/sim/records", ""); len(answer["records"].([]any)) != 2 {
		t.Errorf("records %v", answer)
	}
}

func TestSign(t *testing.T) {
	// RFC 4231, test case 2.
	if got := simvendor.Sign("Jefe", "what do ya want ", "for nothing?"); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Error(got)
	}
}
