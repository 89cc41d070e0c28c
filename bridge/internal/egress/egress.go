// Package egress makes the calls adapters ask for. It is the only way out: an
// account's calls go to the hosts on its list and nowhere else, one dialler opens
// every connection and judges its address, redirects are not followed, and
// secrets are put in as the bytes leave.
package egress

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 1 << 20

// Account is what the way out must know of one account.
type Account struct {
	// Hosts are the only ones calls may go to, as "host" or "host:port".
	Hosts []string
	// Named are those of them that the operator wrote down, in allowed_hosts or in
	// the account's settings: only they may have an address that is not of the
	// internet at large.
	Named   []string
	Secrets map[string]credential.Secret
	// Mask lists JSON pointers of messages heard that are replaced before anybody
	// stores or sees them.
	Mask []string
	// FileLogins are what hosts are shown that files are fetched from.
	FileLogins []adapter.FileLogin
	// Unready refuses every call with this reason.
	Unready string
}

// Options are what an Egress is made of.
type Options struct {
	Breakers     *breaker.Set
	Placeholders *credential.Placeholders
	Network      Network
	Logger       *slog.Logger
	// Called is told of every try: the account, a short word for how it ended,
	// and how long it took. It may be nil.
	Called func(account, outcome string, took time.Duration)
	// Given opens the files adapters were given links to; nil where none are kept.
	Given Given
	// Transport replaces the network in tests; nil in production.
	Transport http.RoundTripper
}

// Egress makes calls. It is safe for concurrent use.
type Egress struct {
	o        Options
	accounts atomic.Pointer[map[string]outlet]
}

// outlet is one account's way out. No two share connections: what one may reach
// another may not.
type outlet struct {
	Account
	dialler *dialler
	// carrier makes one exchange: no redirect is followed, nor even read.
	carrier http.RoundTripper
}

func (o outlet) close() {
	if t, ok := o.carrier.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// New makes an Egress that knows no account yet.
func New(o Options) *Egress {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Egress{o: o}
	e.accounts.Store(&map[string]outlet{})
	return e
}

// Configure replaces the accounts. Calls under way end as they began.
func (e *Egress) Configure(accounts map[string]Account) {
	all := make(map[string]outlet, len(accounts))
	for name, a := range accounts {
		all[name] = e.outlet(a)
	}
	for _, old := range *e.accounts.Swap(&all) {
		old.close()
	}
}

func (e *Egress) outlet(a Account) outlet {
	d := &dialler{Network: e.o.Network, named: a.Named}
	carrier := e.o.Transport
	if carrier == nil {
		carrier = d.transport()
	}
	return outlet{Account: a, dialler: d, carrier: carrier}
}

// Close lets go of idle connections.
func (e *Egress) Close() {
	for _, o := range *e.accounts.Load() {
		o.close()
	}
}

// BreakerName is the name of the breaker of an account's calls to a host.
func BreakerName(account, host string) string { return account + " " + host }

// Call makes one try. It never retries: the engine does, after it has journaled
// the next try.
func (e *Egress) Call(ctx context.Context, account, turn string, tokens map[string]string, c adapter.Call) engine.Attempt {
	start := time.Now()
	a, outcome := e.call(ctx, account, turn, tokens, c)
	if e.o.Called != nil {
		e.o.Called(account, outcome, time.Since(start))
	}
	return a
}

// notAllowed is what the log says of what an adapter may not send. Its method,
// address and names may be made of people's words, so none of them is shown.
const notAllowed = "the adapter asked for something that is not well formed or that its account does not allow: see the account's settings and allowed_hosts"

func (e *Egress) call(ctx context.Context, account, turn string, tokens map[string]string, c adapter.Call) (engine.Attempt, string) {
	known, ok := (*e.accounts.Load())[account]
	if !ok || known.Unready != "" {
		return engine.Attempt{Reason: adapter.ReasonNotAllowed}, adapter.ReasonNotAllowed
	}
	known.Secrets = withTokens(known.Secrets, tokens)
	req, err := e.request(ctx, known.Account, turn, c)
	if err != nil {
		if !errors.Is(err, ErrNotKept) {
			e.o.Logger.Warn("call refused", "account", account, "mend", notAllowed)
		}
		return engine.Attempt{Reason: adapter.ReasonNotAllowed}, adapter.ReasonNotAllowed
	}
	defer req.Body.Close() //nolint:errcheck // it was only read.
	var got engine.Attempt
	var called atomic.Bool
	guard := e.o.Breakers.Get(BreakerName(account, req.URL.Host))
	err = guard.Do(ctx, func(ctx context.Context) breaker.Outcome {
		called.Store(true)
		got = e.send(ctx, account, known.carrier, req)
		return blamed(guard, weigh(ctx, got), got)
	})
	switch {
	case errors.Is(err, breaker.ErrOpen):
		return engine.Attempt{Reason: adapter.ReasonBreakerOpen}, adapter.ReasonBreakerOpen
	case err != nil && !called.Load():
		return engine.Attempt{Reason: adapter.ReasonTimeout}, adapter.ReasonTimeout
	case err != nil:
		// The call outlived its deadline: whatever it does now, nobody knows.
		guard.Blame(faults[adapter.ReasonUnknown])
		return engine.Attempt{Reason: adapter.ReasonUnknown}, adapter.ReasonUnknown
	case got.Reason != "":
		return got, got.Reason
	}
	return got, strconv.Itoa(got.Status/100) + "xx"
}

// weigh says what a try means for the breaker: the far side's own refusals are
// no failures of it.
func weigh(ctx context.Context, a engine.Attempt) breaker.Outcome {
	switch {
	case errors.Is(ctx.Err(), context.Canceled), a.Reason == adapter.ReasonNotAllowed:
		return breaker.Neutral
	case a.Reason == "" && a.Status < 500:
		return breaker.Success
	case a.Reason == adapter.ReasonTooLarge:
		return breaker.Success
	}
	return breaker.Failure
}

// faults are what went wrong with a try, for people.
//
//nolint:gochecknoglobals // a table that is never written.
var faults = map[string]string{adapter.ReasonUnknown: "no answer came", adapter.ReasonRefused: "no connection", adapter.ReasonTimeout: "not sent in time"}

// blamed notes at the breaker what a failure was.
func blamed(guard *breaker.Breaker, outcome breaker.Outcome, a engine.Attempt) breaker.Outcome {
	if outcome == breaker.Failure {
		guard.Blame(cmp.Or(faults[a.Reason], a.Reason, "answered "+strconv.Itoa(a.Status)))
	}
	return outcome
}

// request builds the request with the secrets in their places. A body is sent once,
// and never by the transport again: a repeat is the engine's to journal.
func (e *Egress) request(ctx context.Context, a Account, turn string, c adapter.Call) (*http.Request, error) {
	if !methods[c.Method] {
		return nil, fmt.Errorf("method %q of a call is not one of those adapters use", c.Method)
	}
	target, err := e.target(a, turn, c.URL, "http", "https")
	if err != nil {
		return nil, err
	}
	escape := credential.EscapeJSON
	if name, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err == nil && name == "application/x-www-form-urlencoded" {
		escape = url.QueryEscape
	}
	if len(c.Form) > 0 {
		escape = func(s string) string { return s }
	}
	req, err := http.NewRequest(c.Method, target, nil)
	if err != nil {
		return nil, errors.New("method or address of a call is not valid")
	}
	if err := e.headers(req, a, turn, c.Header); err != nil {
		return nil, err
	}
	sent, err := e.written(ctx, c, func(text string) (string, error) {
		return e.o.Placeholders.ReplaceEscaped(text, turn, a.Secrets, escape)
	})
	if err != nil {
		return nil, err
	}
	sent.carry(req)
	if sent.kind != "" && (len(c.Form) > 0 || req.Header.Get("Content-Type") == "") {
		req.Header.Set("Content-Type", sent.kind)
	}
	return req, nil
}

// methods are the ones a call may use.
//
//nolint:gochecknoglobals // a table that is never written.
var methods = map[string]bool{http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodPut: true,
	http.MethodPatch: true, http.MethodDelete: true}

// target is the address of a call with its secrets in place. They have no place
// in the host, which is looked at before.
func (e *Egress) target(a Account, turn, address, scheme, secure string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != scheme && u.Scheme != secure {
		return "", fmt.Errorf("address is not a whole %s or %s URL", scheme, secure)
	}
	if err := plausible(u.Hostname()); err != nil {
		return "", err
	}
	if u.User != nil {
		return "", errors.New("address names a user before its host")
	}
	if !allowed(a.Hosts, u) {
		return "", fmt.Errorf("host %s is not on the account's list; mend: name it in allowed_hosts or in the account's settings", u.Host)
	}
	whole, err := e.o.Placeholders.ReplaceEscaped(address, turn, a.Secrets, url.QueryEscape)
	if err != nil {
		return "", fmt.Errorf("address of a call: %w", err)
	}
	if after, err := url.Parse(whole); err != nil || after.Host != u.Host || after.Scheme != u.Scheme {
		return "", errors.New("address of a call has a credential where none may be")
	}
	return whole, nil
}

// hopByHop are the headers an adapter may not set: they belong to the
// connection, which is the bridge's.
//
//nolint:gochecknoglobals // a table that is never written.
var hopByHop = map[string]bool{"Host": true, "Connection": true, "Transfer-Encoding": true, "Content-Length": true,
	"Upgrade": true, "Te": true, "Trailer": true, "Keep-Alive": true, "Proxy-Authorization": true, "Proxy-Connection": true}

func (e *Egress) headers(req *http.Request, a Account, turn string, h http.Header) error {
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		if hopByHop[name] {
			return fmt.Errorf("header %s belongs to the connection", name)
		}
		for _, v := range values {
			v, err := e.o.Placeholders.Replace(v, turn, a.Secrets)
			if err != nil {
				return fmt.Errorf("header %s of a call: %w", name, err)
			}
			if !plain(name, v) {
				return fmt.Errorf("header %q of a call cannot be sent", name)
			}
			req.Header.Add(name, login(name, v))
		}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "footbridge")
	}
	return nil
}

// login is a header as it leaves: "Basic NAME:PASSWORD" with both in base64 (RFC 7617),
// which an adapter cannot write of secrets it does not see. What is in base64 already has
// no colon.
func login(name, value string) string {
	pair, basic := strings.CutPrefix(value, "Basic ")
	if name != "Authorization" || !basic || !strings.Contains(pair, ":") {
		return value
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// plain reports whether a header can be sent: the name is a token, and the value
// has no control characters (RFC 9110).
func plain(name, value string) bool {
	token := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	})
	return token && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func hostOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("address cannot be parsed")
	}
	return u.Host, nil
}

func allowed(hosts []string, u *url.URL) bool {
	for _, h := range hosts {
		if strings.EqualFold(h, u.Host) || !strings.Contains(h, ":") && strings.EqualFold(h, u.Hostname()) && (u.Port() == "" || u.Port() == "443") {
			return true
		}
	}
	return false
}

// send makes the request and reads the answer whole.
func (e *Egress) send(ctx context.Context, account string, carrier http.RoundTripper, req *http.Request) engine.Attempt {
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	resp, err := carrier.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if errors.Is(err, errAddress) {
			e.o.Logger.Warn("call refused", "account", account, "host", req.URL.Host, "error", errAddress)
			return engine.Attempt{Reason: adapter.ReasonNotAllowed}
		}
		if connected.Load() {
			return engine.Attempt{Reason: adapter.ReasonUnknown}
		}
		return engine.Attempt{Reason: unsent(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return engine.Attempt{Reason: adapter.ReasonUnknown}
	case len(body) > maxAnswer:
		return engine.Attempt{Status: resp.StatusCode, Reason: adapter.ReasonTooLarge}
	}
	return engine.Attempt{Status: resp.StatusCode, Header: answerHeaders(resp.Header), Body: body, RetryAfter: retryAfter(resp.Header)}
}

func unsent(err error) string {
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return adapter.ReasonTimeout
	}
	return adapter.ReasonRefused
}

// answerHeaders drops what an adapter has no business with.
func answerHeaders(h http.Header) http.Header {
	h = h.Clone()
	h.Del("Set-Cookie")
	return h
}

// retryAfter reads the pause the far side asks for, in either of its forms.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return time.Duration(min(n, 24*3600)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
