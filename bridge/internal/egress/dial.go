package egress

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/breaker"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
	"github.com/footbridge/footbridge/bridge/internal/socket"
	"github.com/footbridge/footbridge/bridge/internal/ws"
)

// Dial makes one try to open a connection. It never retries: the engine does.
func (e *Egress) Dial(ctx context.Context, account, turn string, tokens map[string]string, d adapter.Dial) (engine.Link, engine.Attempt) {
	return e.dialled(ctx, account, turn, tokens, d, 0)
}

// longest is the most bytes of a frame of a feed. It is beyond what endpoints take: a
// frame that is too large for them is to be read and acknowledged, for a connection
// that ends over it would bring it again.
const longest = 4 << 20

// Line is Dial for a feed.
func (e *Egress) Line(ctx context.Context, account, turn string, d adapter.Dial) (engine.Link, engine.Attempt) {
	return e.dialled(ctx, account, turn, nil, d, longest)
}

// dialled makes and counts one try. most bounds the messages heard, 0 as usual.
func (e *Egress) dialled(ctx context.Context, account, turn string, tokens map[string]string, d adapter.Dial, most int) (engine.Link, engine.Attempt) {
	start := time.Now()
	link, got, outcome := e.dial(ctx, account, turn, tokens, d, most)
	if e.o.Called != nil {
		e.o.Called(account, outcome, time.Since(start))
	}
	return link, got
}

func (e *Egress) dial(ctx context.Context, account, turn string, tokens map[string]string, d adapter.Dial, most int) (engine.Link, engine.Attempt, string) {
	refused := func(reason string) (engine.Link, engine.Attempt, string) {
		return nil, engine.Attempt{Reason: reason}, reason
	}
	known, ok := (*e.accounts.Load())[account]
	if !ok || known.Unready != "" {
		return refused(adapter.ReasonNotAllowed)
	}
	known.Secrets = withTokens(known.Secrets, tokens)
	target, header, protocols, err := e.handshake(known.Account, turn, d)
	if err != nil {
		e.o.Logger.Warn("dial refused", "account", account, "mend", notAllowed)
		return refused(adapter.ReasonNotAllowed)
	}
	var got opened
	host, _ := hostOf(target)
	guard := e.o.Breakers.Get(BreakerName(account, host))
	err = guard.Do(ctx, func(ctx context.Context) breaker.Outcome {
		conn, err := open(ctx, known.dialler, target, header, ws.Options{Protocols: protocols, MaxMessage: most}, d)
		var fault *ws.HandshakeError
		outcome := weighDial(ctx, err, &fault)
		got.put(conn, fault)
		failed := engine.Attempt{Reason: adapter.ReasonRefused}
		if fault != nil && fault.Status != 0 {
			failed = engine.Attempt{Status: fault.Status}
		}
		return blamed(guard, outcome, failed)
	})
	conn, fault := got.take()
	switch {
	case errors.Is(err, breaker.ErrOpen):
		return refused(adapter.ReasonBreakerOpen)
	case conn != nil && err == nil:
		return socket.New(conn, e.fill(account), known.keep), engine.Attempt{}, "opened"
	case fault != nil && errors.Is(fault, errAddress):
		e.o.Logger.Warn("dial refused", "account", account, "host", host, "error", errAddress)
		return refused(adapter.ReasonNotAllowed)
	case conn != nil: // it stood as the breaker gave it up
		conn.Close(ws.CodeNormal, "too late")
		return refused(adapter.ReasonTimeout)
	case fault != nil && fault.Status != 0:
		return nil, engine.Attempt{Status: fault.Status, RetryAfter: retryAfter(fault.Header)}, fmt.Sprintf("%dxx", fault.Status/100)
	}
	return refused(adapter.ReasonRefused)
}

// keep is what may be kept of what the account's vendor sends.
func (a Account) keep(data []byte) []byte {
	return pointer.Keep(data, a.Mask, func(s string) string { return credential.Redact(s, slices.Collect(maps.Values(a.Secrets))...) })
}

// opened is what a dial came to. The breaker may have given it up by then: what
// comes later is closed.
type opened struct {
	mu    sync.Mutex
	over  bool
	conn  ws.Messages
	fault *ws.HandshakeError
}

func (o *opened) put(conn ws.Messages, fault *ws.HandshakeError) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over && conn != nil {
		conn.Close(ws.CodeNormal, "too late")
		return
	}
	o.conn, o.fault = conn, fault
}

func (o *opened) take() (ws.Messages, *ws.HandshakeError) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	return o.conn, o.fault
}

// weighDial says what a dial means for the breaker, as weigh does of a call.
func weighDial(ctx context.Context, err error, fault **ws.HandshakeError) breaker.Outcome {
	errors.As(err, fault)
	switch {
	case err == nil:
		return breaker.Success
	case errors.Is(ctx.Err(), context.Canceled), errors.Is(err, errAddress):
		return breaker.Neutral
	case *fault != nil && (*fault).Status > 0 && (*fault).Status < 500:
		return breaker.Success
	}
	return breaker.Failure
}

// withTokens adds the tokens captured for a leg to the account's secrets.
func withTokens(secrets map[string]credential.Secret, tokens map[string]string) map[string]credential.Secret {
	if len(tokens) == 0 {
		return secrets
	}
	all := maps.Clone(secrets)
	if all == nil {
		all = map[string]credential.Secret{}
	}
	for name, token := range tokens {
		all[name] = credential.NewSecret(token)
	}
	return all
}

// handshake is a dial with the secrets in their places.
func (e *Egress) handshake(a Account, turn string, d adapter.Dial) (target string, header http.Header, protocols []string, err error) {
	if target, err = e.target(a, turn, d.URL, "ws", "wss"); err != nil {
		return "", nil, nil, err
	}
	req := &http.Request{Header: http.Header{}}
	if err := e.headers(req, a, turn, d.Header); err != nil {
		return "", nil, nil, err
	}
	for _, p := range d.Protocols {
		if p, err = e.o.Placeholders.Replace(p, turn, a.Secrets); err != nil {
			return "", nil, nil, fmt.Errorf("protocol of a dial: %w", err)
		}
		protocols = append(protocols, p)
	}
	return target, req.Header, protocols, nil
}

func open(ctx context.Context, dialer *dialler, target string, header http.Header, options ws.Options, d adapter.Dial) (ws.Messages, error) {
	options.TLS = dialer.TLS()
	if d.Transport == adapter.TransportSocketIO {
		conn, err := ws.DialSocketIO(ctx, dialer, target, header, ws.SocketIOOptions{Options: options, Event: d.Event})
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
	conn, err := ws.Dial(ctx, dialer, target, header, options)
	if err != nil {
		return nil, err
	}
	return conn.Messages(), nil
}

// fill puts an account's secrets, as they are when a message leaves, and the
// leg's tokens into it.
func (e *Egress) fill(account string) socket.Fill {
	return func(m engine.Message) ([]byte, error) {
		secrets := withTokens((*e.accounts.Load())[account].Secrets, m.Tokens)
		data, err := e.o.Placeholders.ReplaceEscaped(string(m.Data), m.Turn, secrets, credential.EscapeJSON)
		if err != nil {
			e.o.Logger.Warn("message refused", "account", account, "mend", notAllowed)
		}
		return []byte(data), err
	}
}
