package egress

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
)

// TestTokenIsSignedAsItLeaves: what an adapter claims leaves signed with the account's
// credential, in a body and in a header, and the adapter's own call holds no secret.
func TestTokenIsSignedAsItLeaves(t *testing.T) {
	var body struct{ JWT string }
	var bearer string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(data, &body); err != nil {
			t.Error(err)
		}
		bearer = r.Header.Get("Authorization")
	}))
	defer s.Close()
	w := openWay(t, breaker.Options{}, host(t, s))
	claims := map[string]any{"name": "Ada <&>", "exp": 1790000000}
	asks := adapter.Func(func(tx *adapter.Tx, _ *struct{}, _ adapter.Input) error {
		token := tx.Token("key", claims)
		tx.Call("c", adapter.Call{Method: "POST", URL: s.URL, Body: []byte(`{"jwt":"` + token + `"}`), Header: http.Header{"Authorization": {"Bearer " + token}}})
		if none := tx.Token("other", claims) + tx.Token("key", map[string]any{"f": func() {}}); none != "" {
			t.Errorf("a token of nothing: %q", none)
		}
		return nil
	})
	out := adapter.Run(adapter.Definition{Adapter: asks}, adapter.Turn{ID: "t", Placeholders: map[string]string{"key": w.placeholders.Token("t", "key")}, Input: adapter.Fired{}})
	call := out.Effects[0].(adapter.Calling).Call
	if got := w.Call(t.Context(), "a", "t", nil, call); got.Status != http.StatusOK || strings.Contains(string(call.Body), secret) {
		t.Fatalf("%+v of %s", got, call.Body)
	}
	parts := strings.Split(body.JWT, ".")
	if len(parts) != 3 || bearer != "Bearer "+body.JWT {
		t.Fatalf("token %q, header %q", body.JWT, bearer)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) != parts[2] {
		t.Error("the signature is not of the credential")
	}
	for i, want := range []string{`{"alg":"HS256","typ":"JWT"}`, `{"exp":1790000000,"name":"Ada \u003c\u0026\u003e"}`} {
		if got, err := base64.RawURLEncoding.DecodeString(parts[i]); err != nil || string(got) != want {
			t.Errorf("part %d is %s (%v)", i, got, err)
		}
	}
}
