package ingress

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

const signingKey = "the vendor's secret"

// signedEndpoint is signed over time and body.
func signedEndpoint() adapter.Endpoint {
	e := endpoint()
	e.Auth, e.Dedup, e.DedupWhile, e.Unknown = "signature:secret", "signature", adapter.DedupForever, adapter.UnknownOpen
	e.Signature = adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "X-Signature", Prefix: "v0=", Encoding: "hex", Over: "v0:{time}:{body}", TimeHeader: "X-Time"}
	return e
}

func signer(e adapter.Endpoint) Account {
	return Account{Name: "studio", Endpoints: []adapter.Endpoint{e}, Secrets: map[string]credential.Secret{"secret": credential.NewSecret(signingKey)}}
}

func signedAs(key, body string, at time.Time) []string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(m, "v0:%s:%s", stamp, body)
	return []string{"X-Time", stamp, "X-Signature", "v0=" + hex.EncodeToString(m.Sum(nil))}
}

// Nothing is stored that is not signed, and every refusal is the same.
func TestSigned(t *testing.T) {
	other := signer(signedEndpoint())
	other.Name, other.Secrets = "other", map[string]credential.Secret{"secret": credential.NewSecret("another account's secret")}
	keyless := signer(signedEndpoint())
	keyless.Name, keyless.Secrets = "keyless", nil
	broken := signer(signedEndpoint())
	broken.Name, broken.Endpoints[0].Signature.KeyEncoding = "broken", "base64"
	open := signer(signedEndpoint())
	open.Name, open.Secrets, open.AllowUnauthenticated = "open", nil, true
	b := &book{}
	s := openDoors(t, b, signer(signedEndpoint()), other, keyless, broken, open)
	now, good := time.Now(), good
	bodies := map[string]bool{}
	for name, c := range map[string]struct {
		account, body string
		header        []string
	}{
		"nothing":             {"studio", good, nil},
		"no signature":        {"studio", good, signedAs(signingKey, good, now)[:2]},
		"no time":             {"studio", good, signedAs(signingKey, good, now)[2:]},
		"wrong key":           {"studio", good, signedAs("wrong", good, now)},
		"another account's":   {"studio", good, signedAs("another account's secret", good, now)},
		"at another account":  {"other", good, signedAs(signingKey, good, now)},
		"expired":             {"studio", good, signedAs(signingKey, good, now.Add(-301*time.Second))},
		"from the future":     {"studio", good, signedAs(signingKey, good, now.Add(302*time.Second))},
		"body with a newline": {"studio", good + "\n", signedAs(signingKey, good, now)},
		"not JSON":            {"studio", "not even JSON", signedAs("wrong", "not even JSON", now)},
		"no key configured":   {"keyless", good, signedAs(signingKey, good, now)},
		"signed with nothing": {"keyless", good, signedAs("", good, now)},
		"no usable key":       {"broken", good, signedAs(signingKey, good, now)},
		"open to all":         {"open", good, nil},
	} {
		resp := post(t, s+"/in/"+c.account+"/inbound", c.body, c.header...)
		bodies[text(t, resp)] = true
		if resp.StatusCode != 401 || len(b.stored()) != 0 {
			t.Errorf("%s: answered %d, %d stored", name, resp.StatusCode, len(b.stored()))
		}
	}
	if len(bodies) != 1 {
		t.Errorf("refusals differ: %v", bodies)
	}
	resp := post(t, s+"/in/studio/inbound", good, signedAs(signingKey, good, now)...)
	got := b.stored()
	if resp.StatusCode != 200 || len(got) != 1 || got[0].Key != "s-1" || !strings.HasPrefix(got[0].Dedup, "signature:") {
		t.Fatalf("a signed request answered %d, stored %+v", resp.StatusCode, got)
	}
	if got[0].Request.Header.Get("X-Signature") != "" || got[0].Request.Header.Get("X-Time") == "" {
		t.Errorf("stored with %v", got[0].Request.Header)
	}
}

// What is signed and cannot be read is a fault of the vendor's, and told as one.
func TestSignedAndUnreadable(t *testing.T) {
	b := &book{}
	s := openDoors(t, b, signer(signedEndpoint()))
	for body, status := range map[string]int{"": 400, "null": 400, `{"session":{"id":"a"},"session":{"id":"b"}}`: 400, `{"session":{}}`: 400, strings.Repeat("x", 5000): 413} {
		if resp := post(t, s+"/in/studio/inbound", body, signedAs(signingKey, body, time.Now())...); resp.StatusCode != status || len(b.stored()) != 0 {
			t.Errorf("%.40s answered %d", body, resp.StatusCode)
		}
	}
	header := append(signedAs(signingKey, good, time.Now()), "Content-Type", "text/plain")
	if resp := post(t, s+"/in/studio/inbound", good, header...); resp.StatusCode != 415 {
		t.Errorf("text answered %d", resp.StatusCode)
	}
}

// Both keys are good while one takes the other's place, for every way to show one.
func TestOldAndNewKey(t *testing.T) {
	both := map[string]credential.Secret{"secret": credential.NewSecret("new"), "secret_previous": credential.NewSecret("old"),
		"inbound": credential.NewSecret("new"), "inbound_previous": credential.NewSecret("old")}
	after := map[string]credential.Secret{"secret": credential.NewSecret("new"), "inbound": credential.NewSecret("new")}
	plain := endpoint()
	for _, c := range []struct {
		secrets map[string]credential.Secret
		key     string
		status  int
	}{{both, "new", 200}, {both, "old", 200}, {both, "", 401}, {after, "new", 200}, {after, "old", 401}} {
		s := openDoors(t, &book{}, Account{Name: "signed", Endpoints: []adapter.Endpoint{signedEndpoint()}, Secrets: c.secrets},
			Account{Name: "shown", Endpoints: []adapter.Endpoint{plain}, Secrets: c.secrets, Inbound: "header:X-Key"})
		if resp := post(t, s+"/in/signed/inbound", good, signedAs(c.key, good, time.Now())...); resp.StatusCode != c.status {
			t.Errorf("signed with %q answered %d, want %d", c.key, resp.StatusCode, c.status)
		}
		if resp := post(t, s+"/in/shown/inbound", good, "X-Key", c.key); resp.StatusCode != c.status {
			t.Errorf("shown %q answered %d, want %d", c.key, resp.StatusCode, c.status)
		}
	}
}

// A captured request goes to the engine under the mark of the first, which knows it
// by that; another request has another, and another account's is not ours.
func TestSignedTwice(t *testing.T) {
	b := &book{err: engine.ErrBusy}
	i := New(Options{Engine: b})
	account, twin := signer(signedEndpoint()), signer(signedEndpoint())
	twin.Name = "twin"
	i.Configure([]Account{account, twin})
	ask := func(header []string) int { return served(i, "/in/studio/inbound", good, header...).Code }
	now := time.Now()
	first := signedAs(signingKey, good, now)
	if got := ask(first); got != 503 {
		t.Fatalf("busy answered %d", got)
	}
	b.err = nil
	for range 2 {
		if got := ask(first); got != 200 {
			t.Fatalf("answered %d", got)
		}
	}
	ask(first)
	ask(signedAs(signingKey, good, now.Add(-time.Second)))
	served(i, "/in/twin/inbound", good, first...)
	all := b.stored()
	if len(all) != 5 || all[0].Dedup != all[2].Dedup || all[0].Dedup == all[3].Dedup || all[4].Account != "twin" {
		t.Fatalf("the engine was given %+v", all)
	}
	if all[0].Mark == "" || all[0].Mark != all[2].Mark || all[0].Mark == all[3].Mark || all[0].MarkFor != 10*time.Minute {
		t.Errorf("marks %q %q %q for %s", all[0].Mark, all[2].Mark, all[3].Mark, all[0].MarkFor)
	}
	b.err = fmt.Errorf("its conversation is gone: %w", engine.ErrUnknownKey)
	if got := ask(first); got != 200 {
		t.Errorf("a repetition nobody knows any more answered %d", got)
	}
}

// A vendor signs the address it calls: ours, as the configuration has it, and at a
// host of the account's own that one.
func TestSignedAddress(t *testing.T) {
	e := signedEndpoint()
	e.Key, e.Raw = "query:id", true
	e.Signature = adapter.Signature{Algorithm: adapter.SignedHMACSHA1, Header: "X-Signature", Encoding: "base64", Over: "{url}{form}"}
	a := signer(e)
	a.PublicURL, a.Hosts = "https://bridge.example:8443/in/studio", []string{"desk.example"}
	hidden := signer(e)
	hidden.Name, hidden.PublicURL = "hidden", "/in/hidden"
	i := New(Options{Engine: &book{}})
	i.Configure([]Account{a, hidden})
	for _, c := range []struct {
		signed, host, path string
		forwarded          string
		status             int
	}{
		{"https://bridge.example:8443/in/studio/inbound?b=2&id=1", "10.0.0.1:8080", "/in/studio/inbound?b=2&id=1", "", 200},
		{"https://bridge.example:8443/in/studio/inbound?b=2&id=1", "evil.example", "/in/studio/inbound?b=2&id=1", "evil.example", 200},
		{"https://evil.example/in/studio/inbound?b=2&id=1", "evil.example", "/in/studio/inbound?b=2&id=1", "evil.example", 401},
		{"https://bridge.example:8443/in/studio/inbound?id=1&b=2", "10.0.0.1:8080", "/in/studio/inbound?b=2&id=1", "", 401},
		{"https://bridge.example/in/studio/inbound?b=2&id=1", "10.0.0.1:8080", "/in/studio/inbound?b=2&id=1", "", 401},
		{"http://bridge.example:8443/in/studio/inbound?b=2&id=1", "10.0.0.1:8080", "/in/studio/inbound?b=2&id=1", "", 401},
		{"https://bridge.example:8443/in/studio/inbound?b=2&id=%31", "10.0.0.1:8080", "/in/studio/inbound?b=2&id=1", "", 401},
		{"https://bridge.example:8443/in/studio/inbound?b=2&id=%31", "10.0.0.1:8080", "/in/studio/inbound?b=2&id=%31", "", 200},
		{"https://desk.example/inbound?id=1", "desk.example", "/inbound?id=1", "", 200},
		{"https://desk.example/inbound?id=1", "desk.example", "/inbound?id=2", "", 401},
		{"/in/hidden/inbound?id=1", "10.0.0.1:8080", "/in/hidden/inbound?id=1", "", 401},
		{"http://10.0.0.1:8080/in/hidden/inbound?id=1", "10.0.0.1:8080", "/in/hidden/inbound?id=1", "", 401},
	} {
		m := hmac.New(sha1.New, []byte(signingKey))
		m.Write([]byte(c.signed + "A1B2"))
		r := request(c.path, "B=2&A=1", "X-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)), "X-Forwarded-Host", c.forwarded, "X-Forwarded-Proto", "https",
			"Content-Type", "application/x-www-form-urlencoded")
		r.Host = c.host
		if got := serve(i, r); got.Code != c.status {
			t.Errorf("%s at %s%s answered %d, want %d", c.signed, c.host, c.path, got.Code, c.status)
		}
	}
}
