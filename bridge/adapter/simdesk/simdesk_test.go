package simdesk_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
)

// shop is a desk with one conversation, which keeps what it was told to do.
func shop(did *[]simdesk.Order) simdesk.Desk {
	keep := func(o simdesk.Order) error {
		*did = append(*did, o)
		return nil
	}
	return simdesk.Desk{Title: "Shop", People: []simdesk.Person{{ID: "7", Name: "Sam"}},
		Conversations: func() []simdesk.Conversation {
			return []simdesk.Conversation{{ID: "1", Customer: "Ada", Status: "open", Lines: []simdesk.Line{{Kind: simdesk.Customer, Author: "Ada", Text: "<b>okapi</b>"}}}}
		},
		Acts: []simdesk.Act{{Name: simdesk.Reply, Label: "Reply", Words: true, Files: true, Do: keep},
			{Name: simdesk.Resolve, Label: "Resolve", Do: func(simdesk.Order) error { return errors.New("it is resolved already") }}}}
}

func ask(t *testing.T, method, address, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data), resp.Header
}

func TestPage(t *testing.T) {
	var did []simdesk.Order
	server := httptest.NewServer(simdesk.Over(http.NotFoundHandler(), shop(&did)))
	defer server.Close()
	for path, part := range map[string]string{"/": "<h1", "/simdesk/page.js": "'use strict'", "/simdesk/page.css": "color-scheme",
		"/simdesk/desk": `"label":"Reply"`, "/simdesk/conversations": `"customer":"Ada"`} {
		status, body, header := ask(t, "GET", server.URL+path, "")
		if status != http.StatusOK || !strings.Contains(body, part) || !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'") {
			t.Errorf("%s: %d %v %.80s", path, status, header, body)
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, "style=") || strings.Contains(body, "onclick=\"") {
			t.Errorf("%s has what its policy forbids", path)
		}
	}
	if status, _, _ := ask(t, "GET", server.URL+"/elsewhere", ""); status != http.StatusNotFound {
		t.Errorf("elsewhere: %d", status)
	}
}

func TestActs(t *testing.T) {
	var did []simdesk.Order
	server := httptest.NewServer(simdesk.Over(http.NotFoundHandler(), shop(&did)))
	defer server.Close()
	for _, c := range []struct {
		name, body string
		header     []string
		status     int
		part       string
	}{
		{"reply", `{"conversation":"1","person":"7","text":"hello"}`, nil, http.StatusNoContent, ""},
		{"reply", `{"conversation":"1","person":"7","file":{"name":"a.txt","mime":"text/plain","data":"aGk="}}`, nil, http.StatusNoContent, ""},
		{"reply", `{"conversation":"1","person":"7"}`, nil, http.StatusConflict, "Reply: write something first"},
		{"resolve", `{"conversation":"1","person":"7"}`, nil, http.StatusConflict, "it is resolved already"},
		{"resolve", `{"file":{"name":"a.txt"}}`, nil, http.StatusConflict, "no file goes with it"},
		{"dance", `{}`, nil, http.StatusConflict, `Shop has no act \"dance\"`},
		{"reply", `no JSON`, nil, http.StatusConflict, "invalid character"},
		{"reply", `{"conversation":"1","person":"7","text":"another site's"}`, []string{"Origin", "https://evil.example"}, http.StatusForbidden, ""},
		{"reply", `{"conversation":"1","person":"7","text":"another site's"}`, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden, ""},
	} {
		status, body, _ := ask(t, "POST", server.URL+"/simdesk/acts/"+c.name, c.body, c.header...)
		if status != c.status || !strings.Contains(body, c.part) {
			t.Errorf("%s %s: %d %s", c.name, c.body, status, body)
		}
	}
	got, _ := json.Marshal(did)
	if want := `[{"conversation":"1","person":"7","text":"hello","file":{"name":"","mime":""}},{"conversation":"1","person":"7","text":"","file":{"name":"a.txt","mime":"text/plain","data":"aGk="}}]`; string(got) != want {
		t.Errorf("it did %s", got)
	}
}
