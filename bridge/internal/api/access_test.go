package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// matrix is who may use which route, written by hand: c customer, l live agent,
// s supervisor, o operator, - nobody needed.
var matrix = map[string]string{
	"GET /openapi.json":               "-",
	"POST /session":                   "-",
	"DELETE /session":                 "-",
	"GET /session/start":              "-",
	"GET /session/finish":             "-",
	"GET /me":                         "clso",
	"POST /tickets":                   "clso",
	"GET /chat":                       "-",
	"GET /conversations":              "lso",
	"POST /conversations":             "-",
	"GET /conversations/{id}":         "clso",
	"GET /conversations/{id}/events":  "clso",
	"POST /conversations/{id}/events": "clso",
	"GET /conversations/{id}/frames":  "so",
	"GET /conversations/{id}/trace":   "so",
	"GET /events":                     "clso",
	"GET /socket":                     "clso",
	"POST /media":                     "cl",
	"GET /media/{handle}":             "clso",
	"GET /agents":                     "lso",
	"GET /agents/{id}/state":          "lso",
	"PUT /agents/{id}/state":          "ls",
	"GET /desk":                       "lso",
	"GET /queues":                     "lso",
	"GET /availability":               "clso",
	"GET /accounts":                   "lso",
	"POST /accounts/{name}/drain":     "o",
	"POST /accounts/{name}/resume":    "o",
	"GET /adapters":                   "so",
	"GET /matrix":                     "so",
	"GET /dead-letters":               "so",
	"POST /dead-letters/{id}/replay":  "o",
	"POST /exports":                   "so",
	"POST /erasures":                  "so",
	"GET /audit":                      "o",
	"GET /audit/verification":         "o",
}

// described lists the routes openapi.json has.
func described(t *testing.T, b *bridge) []string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(b.ask("GET", "/openapi.json", "", "").is(200, "").Body, &doc); err != nil {
		t.Fatal(err)
	}
	var all []string
	for path, methods := range doc.Paths {
		for method := range methods {
			all = append(all, strings.ToUpper(method)+" "+strings.TrimPrefix(path, api.Base))
		}
	}
	slices.Sort(all)
	return all
}

// address is a path of a route that is answered at once.
func address(path string) string {
	path = strings.ReplaceAll(path, "{id}", "some")
	if path == "/events" || path == "/socket" {
		path += "?after=99999999" // refused after the roles are checked
	}
	return path
}

func TestEveryRouteForEveryRole(t *testing.T) {
	b := start(t)
	_, customer := b.open()
	tokens := map[string]string{"c": customer, "l": deskToken, "s": superToken, "o": operatorToken}
	routes := described(t, b)
	if len(routes) != len(matrix) {
		t.Errorf("described are %v, the matrix has %d", routes, len(matrix))
	}
	for _, route := range routes {
		may, ok := matrix[route]
		if !ok {
			t.Errorf("%s is not in the matrix", route)
			continue
		}
		method, path, _ := strings.Cut(route, " ")
		for role, token := range tokens {
			r := b.ask(method, address(path), token, "")
			refused := r.Status == 401 || r.Status == 403 && r.problem().Mend != "use a token that has the role"
			if allowed := may == "-" || strings.Contains(may, role); allowed == refused {
				t.Errorf("%s with role %s answers %d %s", route, role, r.Status, r.Body)
			}
		}
	}
}

func TestOpening(t *testing.T) {
	b := start(t)
	post := func(token, body string, more ...header) reply {
		return b.ask("POST", "/conversations", token, body, more...)
	}
	post("", `{"publishable_key":"pk_other"}`).is(401, "unauthorized")
	post("", `{}`).is(422, "invalid")
	post("", `{"account":"web"}`).is(401, "unauthorized")
	post("", `{"account":"open"}`).is(401, "unauthorized")
	post("", `{"account":"desk"}`).is(422, "invalid")
	post("", `{"account":"open"}`, header{"Origin": b.server.URL}).is(201, "")
	post("", `{"account":"web"}`, header{"Origin": b.server.URL}).is(401, "unauthorized")
	post("", `{"publishable_key":"`+key+`"}`, header{"Origin": "https://evil.example"}).is(403, "cross_origin")
	post("", `{"publishable_key":"`+key+`"}`, header{"Origin": "null"}).is(403, "cross_origin")
	post("", `{"publishable_key":"`+key+`"}`, header{"Origin": b.server.URL}).is(201, "")
	r := post("", `{"publishable_key":"`+key+`"}`, header{"Origin": site}).is(201, "")
	if r.Header.Get("Access-Control-Allow-Origin") != site {
		t.Error("the allowed site may not read the answer")
	}
	if r := post("", `{"publishable_key":"`+key+`"}`, header{"Origin": "https://evil.example"}); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another site may read the answer")
	}
	post("", `{"publishable_key":"`+key+`","customer":{"avatar":"javascript:x"}}`).is(422, "invalid")

	// A customer's token is good for its own conversation and opens no other.
	_, customers := b.open()
	post(customers, `{"account":"web"}`).is(401, "unauthorized")
	post(customers, `{"account":"open"}`).is(401, "unauthorized")

	// A program's word for who the customer is counts, a browser's does not.
	for token, want := range map[string]bool{"": false, customers: false, superToken: true} {
		body := `{"publishable_key":"` + key + `","customer":{"id":"c-7"}}`
		if token == superToken {
			body = `{"account":"web","customer":{"id":"c-7"}}`
		}
		id := decode[api.Opened](post(token, body).is(201, "")).Conversation
		got := decode[api.Conversation](b.ask("GET", "/conversations/"+id, superToken, "")).Customer.ID
		if (got == "c-7") != want {
			t.Errorf("opened with token %.5q the customer is %q", token, got)
		}
	}
}

func TestPreflight(t *testing.T) {
	b := start(t)
	ask := header{"Origin": site, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
	r := b.ask(http.MethodOptions, "/conversations", "", "", ask).is(204, "")
	if !strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Authorization") || r.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("preflight answers %v", r.Header)
	}
	ask["Origin"] = "https://evil.example"
	if r := b.ask(http.MethodOptions, "/conversations", "", "", ask); r.Header.Get("Access-Control-Allow-Origin") != "" || r.Status == 204 {
		t.Errorf("preflight of another site answers %d %v", r.Status, r.Header)
	}
}

func TestSignIn(t *testing.T) {
	b := start(t)
	b.ask("POST", "/session", "", `{"token":"wrong"}`).is(401, "unauthorized")
	b.ask("POST", "/session", "", `{"token":""}`).is(401, "unauthorized")
	b.ask("POST", "/session", "", `{"token":"`+samToken+`"}`, header{"Sec-Fetch-Site": "cross-site"}).is(403, "cross_origin")
	r := b.ask("POST", "/session", "", `{"token":"`+samToken+`"}`, header{"Sec-Fetch-Site": "same-origin"}).is(200, "")
	cookies := (&http.Response{Header: r.Header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != "footbridge" || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Secure {
		t.Fatalf("cookies are %v", cookies)
	}
	if strings.Contains(cookies[0].Value, samToken) {
		t.Error("the cookie holds the token")
	}
	signedIn := header{"Cookie": cookies[0].Name + "=" + cookies[0].Value}
	b.ask("GET", "/me", "", "", signedIn).is(200, "")
	state := `{"state":"available"}`
	b.ask("PUT", "/agents/sam/state", "", state, signedIn, header{"Sec-Fetch-Site": "same-origin"}).is(200, "")
	b.ask("PUT", "/agents/sam/state", "", state, signedIn, header{"Sec-Fetch-Site": "cross-site"}).is(403, "cross_origin")
	b.ask("PUT", "/agents/sam/state", "", state, signedIn, header{"Origin": "https://evil.example"}).is(403, "cross_origin")
	b.ask("PUT", "/agents/sam/state", "", state, signedIn, header{"Origin": site}).is(403, "cross_origin")
	b.ask("PUT", "/agents/sam/state", samToken, state, header{"Origin": "https://evil.example"}).is(200, "")
	b.ask("GET", "/socket", "", "", signedIn).is(403, "cross_origin")
	b.ask("GET", "/socket", "", "", signedIn, header{"Origin": "https://evil.example"}).is(403, "cross_origin")
	b.ask("GET", "/me", "", "", header{"Cookie": "footbridge=" + cookies[0].Value[:len(cookies[0].Value)-2] + "zz"}).is(401, "unauthorized")

	// Signing out takes the cookie back; a changed secret ends every sign-in.
	out := b.ask("DELETE", "/session", "", "", signedIn).is(204, "")
	if c := (&http.Response{Header: out.Header}).Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("signing out sets %v", c)
	}
	s := setup()
	s.Tokens[0].Secret = credential.NewSecret("another")
	b.api.Configure(s)
	b.ask("GET", "/me", "", "", signedIn).is(401, "unauthorized")
	b.ask("GET", "/me", samToken, "").is(401, "unauthorized")
	b.ask("GET", "/me", "another", "").is(200, "")
}

func TestCookieIsBoundToTLSBehindAPublicAddress(t *testing.T) {
	b := start(t)
	s := setup()
	s.PublicURL = "https://chat.example.com"
	b.api.Configure(s)
	r, _ := http.NewRequestWithContext(t.Context(), "POST", b.server.URL+api.Base+"/session", strings.NewReader(`{"token":"`+samToken+`"}`))
	r.Host = "chat.example.com"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "https://chat.example.com")
	answer, err := b.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if c := answer.Cookies(); len(c) != 1 || c[0].Name != "__Host-footbridge" || !c[0].Secure || c[0].Path != "/" || c[0].Domain != "" {
		t.Errorf("cookies are %v", c)
	}
}

func TestSecretsStayOut(t *testing.T) {
	b := start(t)
	_, customer := b.open()
	for _, path := range []string{"/me", "/accounts", "/openapi.json", "/agents", "/conversations"} {
		body := string(b.ask("GET", path, operatorToken, "").Body)
		for _, secret := range []string{samToken, deskToken, superToken, operatorToken, customer, key} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows a secret", path)
			}
		}
	}
}
