package ingress

import (
	"bytes"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// A frame that is cut off has its secrets where no pointer leads: they are taken
// out by what they are, the account's own and the token whoever sends it showed.
func TestSecretsOfABrokenFrameAreNotKept(t *testing.T) {
	b := &book{}
	e := adapter.Endpoint{Path: "/ws", Key: "token", Auth: "minted:door", Tokens: []string{"query:token"}}
	address, minter := hall(t, b, e, func(a *Account) { a.Secrets["key"] = credential.NewSecret("key of the account") })
	token := minter.Mint("web", "door", "leg-7", time.Now(), time.Hour)
	c := visitor(t, address+"/ws?token="+token, nil)
	say(t, c, `{"token":"`+token+`","text":"one"`)
	say(t, c, `key=key+of+the+account&text=two`)
	until(t, "two frames", func() bool { f, _ := b.heard(); return len(f) == 2 })
	if frames, _ := b.heard(); !slices.Equal(frames, []string{`leg-7 {"token":"[secret]","text":"one"`, `leg-7 key=[secret]&text=two`}) {
		t.Errorf("kept are %q", frames)
	}
}

// So it is with a body that is not JSON, such as a form.
func TestSecretsOfARawBodyAreNotKept(t *testing.T) {
	e := endpoint()
	e.Raw, e.Key, e.Dedup = true, "query:chat", ""
	for body, want := range map[string]string{
		`token=key+of+the+account&text=hello`:            `token=[secret]&text=hello`,
		`{"token":"key of the account","text":"hello"}`:  `{"text":"hello","token":"[masked]"}`,
		`{"token":"key of the account","text":"hello"`:   `{"token":"[secret]","text":"hello"`,
		`{"note":"the weather is fine","text":"hello" }`: `{"note":"the weather is fine","text":"hello" }`,
	} {
		b := &book{}
		at := openDoors(t, b, Account{Name: "studio", Endpoints: []adapter.Endpoint{e}, AllowUnauthenticated: true, Mask: []string{"/token"},
			Secrets: map[string]credential.Secret{"key": credential.NewSecret("key of the account")}})
		if resp := post(t, at+"/in/studio/inbound?chat=c-1", body); resp.StatusCode != 200 {
			t.Fatalf("%s: answered %d", body, resp.StatusCode)
		}
		if got := string(b.stored()[0].Request.Body); got != want {
			t.Errorf("kept is %s, want %s", got, want)
		}
	}
}

func TestKeep(t *testing.T) {
	d := &door{account: Account{Mask: []string{"/token"}, Secrets: map[string]credential.Secret{"key": credential.NewSecret("s3cret-of-ours"), "none": {}}}}
	for given, want := range map[string]string{
		`{"token":"s3cret-of-ours","a":1}`:    `{"a":1,"token":"[masked]"}`,
		`[{"token":"s3cret-of-ours"}]`:        `[{"token":"[masked]"}]`,
		`{"token":"s3cret-of-ours"`:           `{"token":"[secret]"`,
		`{"token":"s3cret-of-ours"} and more`: `{"token":"[secret]"} and more`,
		`token=s3cret-of-ours&text=hello`:     `token=[secret]&text=hello`,
		`token=q%22uoted%2Fone`:               `token=[secret]`,
		`"{\"token\":\"q\\\"uoted/one\"}"`:    `"{\"token\":\"[masked]\"}"`,
		`"{\"token\":\"s3cret-of-ours\""`:     `"{\"token\":\"[secret]\""`,
		``:                                    ``,
		"\x00\xffs3cret-of-ours\x01":          "\x00\xff[secret]\x01",
		base64.StdEncoding.EncodeToString([]byte("s3cret-of-ours")): credential.Mask,
		`{"id":"s3cret-of-ours"}`:                                   `{"id":"s3cret-of-ours"}`, // a credential may be an id the adapter needs
		`hello`:                                                     `hello`,
	} {
		if got := string(d.keep([]byte(given), credential.NewSecret(`q"uoted/one`))); got != want {
			t.Errorf("of %q is kept %q, want %q", given, got, want)
		}
	}
}

// Wherever a frame is cut off, its secret is not in what is kept of it.
func TestKeepOfWhatWasCutOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[ -~]{8,40}`).Draw(t, "secret")
		frame := `{"user":"ada","token":"` + credential.EscapeJSON(secret) + `","text":"hello"}`
		cut := []byte(frame[:rapid.IntRange(0, len(frame)).Draw(t, "bytes")])
		before := bytes.Clone(cut)
		if got := (&door{account: Account{Mask: []string{"/token"}}}).keep(cut, credential.NewSecret(secret)); bytes.Contains(got, []byte(credential.EscapeJSON(secret))) {
			t.Fatalf("kept is %q", got)
		}
		if !bytes.Equal(cut, before) {
			t.Fatal("what was sent is changed")
		}
	})
}
