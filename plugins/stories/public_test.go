package stories

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestPublicSide: what is for whoever runs the bridge is not on the public listener,
// and nothing is made of the name a caller says it came for.
func TestPublicSide(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	p.serve()
	p.until("/metrics")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(path, host string) (*http.Response, string) {
		r, err := http.NewRequest(http.MethodGet, "http://"+p.public+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("X-Forwarded-Host", host)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp, string(body)
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/api/v1/metrics", "/in/metrics", "/..%2fmetrics", "//metrics"} {
		if resp, body := ask(path, p.public); resp.StatusCode/100 == 2 || strings.Contains(body, "goroutine") || strings.Contains(body, "footbridge_") {
			t.Errorf("%s answers %d: %s", path, resp.StatusCode, tail(body, 200))
		}
	}
	for _, path := range []string{"/", "/chat", "/desk", "/console", "/desk/", "//chat", "/api/v1/openapi.json", "/api/v1/me", "/api/v1/session/start?next=//evil.example", "/in/web/x"} {
		resp, body := ask(path, "evil.example")
		said := body
		for name, values := range resp.Header {
			said += name + ": " + strings.Join(values, " ")
		}
		if strings.Contains(said, "evil.example") {
			t.Errorf("%s answers %d with the name it was called by: %v", path, resp.StatusCode, resp.Header)
		}
	}
}
