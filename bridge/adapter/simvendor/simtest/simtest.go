// Package simtest is what tests of simulated vendors have in common: they call one,
// start it as the command does, and wait for what it tells.
package simtest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Until waits ten seconds for something to be so, and fails where it never is.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// Serve serves h until the test ends, at the address it gives.
func Serve(t testing.TB, h http.Handler) (address string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// Ask makes a call with headers, name and value by turns, and gives its status and what
// was answered; 0 where the connection ended without an answer.
func Ask(t testing.TB, method, address, body string, header ...string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s %s: %v", method, address, err)
	}
	return resp.StatusCode, string(data)
}

// Call is Ask for answers that are an object of JSON; others are empty.
func Call(t testing.TB, method, address, body string, header ...string) (status int, answer map[string]any) {
	t.Helper()
	status, text := Ask(t, method, address, body, header...)
	answer = map[string]any{}
	_ = json.Unmarshal([]byte(text), &answer)
	return status, answer
}

// Form writes a form with one file and other fields, name and value by turns.
func Form(t testing.TB, field, name, data string, fields ...string) (contentType, body string) {
	t.Helper()
	var out bytes.Buffer
	form := multipart.NewWriter(&out)
	part, err := form.CreateFormFile(field, name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(part, data)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = form.WriteField(fields[i], fields[i+1])
	}
	_ = form.Close()
	return form.FormDataContentType(), out.String()
}

// Simulate is how a simulator declares its flags and gives what makes it of them.
type Simulate func(*flag.FlagSet) func(context.Context, io.Writer) (http.Handler, error)

// Start makes a simulator of flags as the command does. What it tells can be read while
// it runs, which it does until the test ends.
func Start(t testing.TB, simulate Simulate, flags ...string) (address string, told *Told) {
	t.Helper()
	told = &Told{}
	h, err := begin(t, simulate, told, flags)
	if err != nil {
		t.Fatal(err)
	}
	return Serve(t, h), told
}

// Refused gives why a simulator is not made of flags.
func Refused(t testing.TB, simulate Simulate, flags ...string) (why string) {
	t.Helper()
	if _, err := begin(t, simulate, io.Discard, flags); err != nil {
		return err.Error()
	}
	return ""
}

func begin(t testing.TB, simulate Simulate, out io.Writer, flags []string) (http.Handler, error) {
	t.Helper()
	f := flag.NewFlagSet("simulate", flag.ContinueOnError)
	made := simulate(f)
	if err := f.Parse(flags); err != nil {
		t.Fatal(err)
	}
	return made(t.Context(), out)
}

// Told is what was written, safe for concurrent use.
type Told struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to it.
func (t *Told) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

// String is all of it.
func (t *Told) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
