package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/ingress"
)

// ledger is an engine that counts what passes the doors.
type ledger struct {
	mu    sync.Mutex
	taken []string
}

func (l *ledger) Accept(_ context.Context, a engine.Arrival) (engine.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = append(l.taken, a.Account+"/"+a.Key)
	return engine.Receipt{Frame: "f"}, nil
}

func (l *ledger) Await(context.Context, engine.Receipt) (adapter.Reply, bool) {
	return adapter.Reply{Status: 200}, true
}

func (l *ledger) Written(engine.Receipt, bool) {}

func (l *ledger) Connect(ctx context.Context, a engine.Arrival, link engine.Link) error {
	_, err := l.Accept(ctx, a)
	go link.Run(func(string, []byte, bool) {})
	return err
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.taken)
}

// shown is what a caller shows at a door.
type shown string

const (
	right   shown = "right"
	none    shown = "none"
	wrong   shown = "wrong"
	expired shown = "expired" // or what was right before it was exchanged
	foreign shown = "foreign" // another account's
)

// secretOf is the value of a credential as somebody has it. A long one: some are
// keys.
func secretOf(what shown, name string) string {
	return fmt.Sprintf("the %s secret %s of these accounts", what, name)
}

// visit is one call at one door.
type visit struct {
	base    string
	e       adapter.Endpoint
	inbound string
	what    shown
	minter  *credential.Minter
	away    bool // from another machine

	header   http.Header
	query    []string
	protocol []string
	doc      map[string]any
}

// put writes a value at a JSON pointer.
func (v *visit) put(pointer, value string) {
	at, parts := v.doc, strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for _, p := range parts[:len(parts)-1] {
		next, ok := at[p].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[p] = next
		}
		at = next
	}
	at[parts[len(parts)-1]] = value
}

// show puts a value where a scheme says.
func (v *visit) show(scheme, value string) {
	kind, name, _ := strings.Cut(scheme, ":")
	switch kind {
	case "header":
		v.header.Set(name, value)
	case "query":
		v.query = append(v.query, name+"="+strings.ReplaceAll(value, " ", "+"))
	case "bearer":
		v.header.Set("Authorization", "Bearer "+value)
	case "protocol":
		v.protocol = []string{value}
	case "frame", "body":
		v.put(name, value)
	}
}

// build fills the request: the key where the endpoint wants it, then what is shown.
func (v *visit) build() {
	v.header, v.doc = http.Header{"Content-Type": {"application/json"}}, map[string]any{}
	if v.away {
		v.header.Set("X-Forwarded-For", "127.0.0.1") // whoever forwards is not trusted, so it is not from here
	}
	first, _, _ := strings.Cut(v.e.Key, ",")
	if kind, _, _ := strings.Cut(first, ":"); kind != "path" && kind != "token" {
		v.show(first, "k")
	}
	if v.inbound != "" && v.what != none {
		v.show(v.inbound, secretOf(v.what, "inbound"))
	}
	scheme, name, _ := strings.Cut(v.e.Auth, "=")
	minted, isMinted := strings.CutPrefix(v.e.Auth, "minted:")
	switch {
	case v.what == none || scheme == "" || strings.HasPrefix(scheme, "signature:"):
	case isMinted:
		v.show(v.e.Tokens[0], v.token(minted))
	default:
		v.show(scheme, secretOf(v.what, name))
	}
}

func (v *visit) token(name string) string {
	account, ttl := "mine", time.Hour
	switch v.what {
	case foreign:
		account = "theirs"
	case expired:
		ttl = -time.Second
	case wrong:
		return credential.NewMinter([]byte("another key")).Mint(account, name, "k", time.Now(), ttl)
	}
	return v.minter.Mint(account, name, "k", time.Now().Add(-time.Minute), ttl+time.Minute)
}

// sign signs the finished body.
func (v *visit) sign(body []byte) {
	name, signed := strings.CutPrefix(v.e.Auth, "signature:")
	if !signed || v.what == none {
		return
	}
	at, key := time.Now(), secretOf(v.what, name)
	if v.what == expired {
		at, key = at.Add(-time.Hour), secretOf(right, name)
	}
	mac := hmac.New(sha256.New, []byte(key))
	if v.e.Signature.Token() {
		text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." +
			base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"aud":"us","exp":%d}`, at.Unix()+60))
		mac.Write([]byte(text))
		v.header.Set(v.e.Signature.Header, "Bearer "+text+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
		return
	}
	s, stamp := v.e.Signature, strconv.FormatInt(at.Unix(), 10)
	mac.Write([]byte(strings.NewReplacer("{time}", stamp, "{body}", string(body)).Replace(s.Over)))
	encode := map[string]func([]byte) string{"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString}[s.Encoding]
	if s.TimeHeader != "" {
		v.header.Set(s.TimeHeader, stamp)
	}
	v.header.Set(s.Header, s.Prefix+encode(mac.Sum(nil)))
}

// ages reports whether what an endpoint is shown is good for a time only.
func ages(e adapter.Endpoint) bool {
	s := e.Signature
	return s == (adapter.Signature{}) || s.Token() || s.TimeHeader != ""
}

// address is the endpoint's, with the key in place of what varies.
func (v *visit) address() string {
	path := v.e.Path
	for {
		before, rest, open := strings.Cut(path, "{")
		_, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			break
		}
		path = before + "k" + after
	}
	if v.e.Transport == adapter.TransportSocketIO {
		v.query = append(v.query, "EIO=4", "transport=websocket")
	}
	return v.base + "/in/mine" + path + "?" + strings.Join(v.query, "&")
}

// posted is the body as its vendor posts it: by itself, in a list, in a form.
func (v *visit) posted(t *testing.T) []byte {
	t.Helper()
	doc := any(v.doc)
	if v.e.Batch != "" {
		doc = map[string]any{strings.TrimPrefix(v.e.Batch, "/"): []any{doc}}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if v.e.Form != "" {
		v.header.Set("Content-Type", "application/x-www-form-urlencoded")
		return []byte(url.Values{v.e.Form: {string(body)}}.Encode())
	}
	return body
}

// call makes the visit and says how it was answered: a status, or the close code
// of a socket, 0 for one that stays open.
func (v *visit) call(t *testing.T, l *ledger) int {
	t.Helper()
	v.build()
	body := v.posted(t)
	if v.e.Transport != "" {
		return v.dial(t, l, body)
	}
	v.sign(body)
	req, err := http.NewRequestWithContext(t.Context(), v.e.Method, v.address(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = v.header
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func (v *visit) dial(t *testing.T, l *ledger, body []byte) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	v.header.Del("Content-Type")
	before := l.count()
	c, resp, err := websocket.Dial(ctx, v.address(), &websocket.DialOptions{HTTPHeader: v.header, Subprotocols: v.protocol})
	if err != nil {
		if resp == nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	defer func() { _ = c.CloseNow() }()
	first := []string{string(body)}
	if v.e.Transport == adapter.TransportSocketIO {
		first = []string{"40", fmt.Sprintf("42[%q,%s]", v.e.Event, body)}
	}
	for _, text := range first {
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			break // it may be closed already
		}
	}
	ended := make(chan int, 1)
	go func() {
		for {
			if _, _, err := c.Read(ctx); err != nil {
				ended <- int(websocket.CloseStatus(err))
				return
			}
		}
	}()
	for {
		select {
		case code := <-ended:
			return code
		case <-time.After(5 * time.Millisecond):
			if l.count() > before {
				return 0
			}
		}
	}
}

// door is one account to walk, by what it serves.
type door struct {
	name    string
	profile adapter.Profile
}

// shapes are ways to authenticate that no adapter here may have yet.
func shapes() []door {
	base := adapter.Endpoint{Name: "e", Method: http.MethodPost, Path: "/e/{id}", Answer: adapter.AnswerAck, Key: "body:/id", Unknown: adapter.UnknownOpen}
	with := func(name string, change func(*adapter.Endpoint)) door {
		e := base
		change(&e)
		return door{"shape " + name, adapter.Profile{Endpoints: []adapter.Endpoint{e}}}
	}
	signature := adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "S", Encoding: "hex", Over: "{time}.{body}", TimeHeader: "T"}
	token := adapter.Signature{Algorithm: adapter.SignedJWTHS256, Header: "Authorization", Prefix: "Bearer ", Audience: "us"}
	return []door{
		with("nothing", func(*adapter.Endpoint) {}),
		with("header", func(e *adapter.Endpoint) { e.Auth = "header:X-Key=key" }),
		with("query", func(e *adapter.Endpoint) { e.Auth = "query:key=key" }),
		with("bearer", func(e *adapter.Endpoint) { e.Auth = "bearer=key" }),
		with("body", func(e *adapter.Endpoint) { e.Auth = "body:/secret/key=key" }),
		with("signature", func(e *adapter.Endpoint) { e.Auth, e.Signature, e.Dedup = "signature:key", signature, "signature" }),
		with("signed form", func(e *adapter.Endpoint) {
			e.Auth, e.Signature, e.Dedup, e.Form = "signature:key", signature, "signature", "payload"
		}),
		with("list", func(e *adapter.Endpoint) { e.Auth, e.Batch, e.Dedup = "header:X-Key=key", "/events", "body:/id" }),
		with("token", func(e *adapter.Endpoint) { e.Auth, e.Signature, e.Key = "signature:key", token, "path:id" }),
		with("minted", func(e *adapter.Endpoint) { e.Auth, e.Tokens, e.Key = "minted:t", []string{"bearer"}, "token" }),
		with("minted in query", func(e *adapter.Endpoint) { e.Auth, e.Tokens, e.Key = "minted:t", []string{"query:t"}, "path:id" }),
		with("socket by header", func(e *adapter.Endpoint) {
			e.Method, e.Transport, e.Auth = http.MethodGet, adapter.TransportWebSocket, "header:X-Key=key"
			e.Key = "frame:/id"
		}),
		with("socket by protocol", func(e *adapter.Endpoint) {
			e.Method, e.Transport, e.Auth, e.Tokens, e.Key = http.MethodGet, adapter.TransportWebSocket, "minted:t", []string{"protocol"}, "token"
		}),
		with("socket of anybody", func(e *adapter.Endpoint) {
			e.Method, e.Transport, e.Key = http.MethodGet, adapter.TransportWebSocket, "connection"
		}),
	}
}

// installed are the accounts of every adapter there is, in each role and with the
// settings its laws are tried with.
func installed(t *testing.T) []door {
	t.Helper()
	var all []door
	for _, name := range adapterFolders(t) {
		w, m := startPlugin(t, name)
		o, err := adaptertest.ReadOptions(filepath.Join(repository, "adapters", name, "testdata", "laws.json"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, role := range m.Roles {
			if len(o.Accounts) == 0 {
				all = append(all, door{name + " " + string(role), fitted(t, w, adaptertest.ExampleAccount(m, role))})
			}
		}
		for n, a := range o.Accounts {
			all = append(all, door{fmt.Sprintf("%s %s %d", name, a.Role, n), fitted(t, w, a)})
		}
	}
	return all
}

func fitted(t *testing.T, w overWire, a adapter.Account) adapter.Profile {
	t.Helper()
	p, err := w.configure(a)
	if err != nil {
		t.Fatalf("%s: %v", a.Name, err)
	}
	return p
}

// TestEveryDoor walks every endpoint of every adapter in every role, and every way
// there is to authenticate: who shows nothing, the wrong thing, what was right once
// or what is right elsewhere is answered as a stranger, and nothing is stored.
func TestEveryDoor(t *testing.T) {
	t.Parallel()
	walked := 0
	for _, d := range append(shapes(), installed(t)...) {
		for _, e := range d.profile.Endpoints {
			for _, inbound := range []string{"", "header:X-Inbound", "query:inbound"} {
				if e.Auth != "" && inbound != "" && e.Auth == "header:X-Inbound" {
					continue
				}
				walked++
				t.Run(fmt.Sprintf("%s %s %s", d.name, e.Name, inbound), func(t *testing.T) { walk(t, e, inbound) })
			}
		}
	}
	if walked < 60 {
		t.Errorf("%d doors", walked)
	}
}

// walk tries one endpoint with everything that can be shown.
func walk(t *testing.T, e adapter.Endpoint, inbound string) {
	l, minter := &ledger{}, credential.NewMinter([]byte("key"))
	secrets := func(what shown) map[string]credential.Secret {
		all := map[string]credential.Secret{"inbound": credential.NewSecret(secretOf(what, "inbound"))}
		for _, auth := range []string{strings.TrimPrefix(e.Auth, "signature:"), e.Auth[strings.LastIndexByte(e.Auth, '=')+1:]} {
			all[auth] = credential.NewSecret(secretOf(what, auth))
		}
		return all
	}
	i := ingress.New(ingress.Options{Engine: l, Sockets: l, Minter: minter})
	configure := func(open bool) {
		i.Configure([]ingress.Account{
			{Name: "mine", Endpoints: []adapter.Endpoint{e}, Secrets: secrets(right), Inbound: inbound, AllowUnauthenticated: open},
			{Name: "theirs", Endpoints: []adapter.Endpoint{e}, Secrets: secrets(foreign), Inbound: inbound}})
	}
	s := httptest.NewServer(i)
	defer s.Close()
	guarded := e.Auth != "" || inbound != ""
	for _, open := range []bool{false, true} {
		configure(open)
		for _, away := range []bool{false, true} {
			for _, what := range []shown{none, wrong, expired, foreign, right} {
				if what == expired && !ages(e) {
					continue
				}
				passes := what == right || !guarded
				if !guarded {
					passes = open || !away
				}
				passes = passes && e.Path != "" // nobody has a way to what only a feed leads to
				before := l.count()
				v := &visit{base: s.URL, e: e, inbound: inbound, what: what, minter: minter, away: away}
				got := v.call(t, l)
				stored := l.count() - before
				if passes && (stored != 1 || got != 0 && got/100 != 2) || !passes && (stored != 0 || !slices.Contains(strangers(e), got)) {
					t.Errorf("open %v, away %v, %s: answered %d, %d stored", open, away, what, got, stored)
				}
			}
		}
	}
}

// strangers are the answers a stranger may get: the declared one or 401, a socket
// that says first whose it is the close code. Where only a feed leads there is no door.
func strangers(e adapter.Endpoint) []int {
	const unauthorized, noStatus = 4401, 1005
	if e.Path == "" {
		return []int{http.StatusNotFound}
	}
	all := []int{http.StatusUnauthorized}
	if e.Unauthorized.Status != 0 {
		all[0] = e.Unauthorized.Status
	}
	if e.Transport != "" {
		all = append(all, unauthorized)
	}
	if e.Transport == adapter.TransportSocketIO {
		all = append(all, noStatus)
	}
	return all
}
