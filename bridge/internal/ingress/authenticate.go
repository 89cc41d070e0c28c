package ingress

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

func (d *door) denied() *refusal {
	return &refusal{"unauthorized", orElse(d.endpoint.Unauthorized, problem(http.StatusUnauthorized, "not authorized"))}
}

// minted is how the Auth of an endpoint begins that wants a token of our own.
const minted = "minted:"

// authenticate checks who calls: by the credential the vendor sends, else by the
// account's own inbound credential, else only peers on this machine pass. A token
// of our own gives the key it is bound to. frame is a socket's first message,
// where there is one. Of a signed request only that is checked which shows without
// its body.
func (d *door) authenticate(r *http.Request, frame any) (bound string, no *refusal) {
	denied := d.denied()
	if name, ok := strings.CutPrefix(d.endpoint.Auth, minted); ok {
		key, err := d.i.o.Minter.Key(d.token(r, frame), d.account.Name, name, time.Now())
		if err != nil {
			return "", denied
		}
		return key, nil
	}
	checks := map[string]string{d.account.Inbound: "inbound"}
	if !d.signed {
		checks[authScheme(d.endpoint.Auth)] = authCredential(d.endpoint.Auth)
	}
	delete(checks, "")
	for scheme, name := range checks {
		if !slices.ContainsFunc(d.account.secrets(name), func(s credential.Secret) bool { return d.shows(r, frame, scheme, s) }) {
			return "", denied
		}
	}
	if d.signed {
		return "", d.early(r)
	}
	if len(checks) > 0 || d.account.AllowUnauthenticated || d.i.local(r) {
		return "", nil
	}
	return "", denied
}

// secrets are the credential of that name, and the one before it while it is
// exchanged. An empty one is none.
func (a Account) secrets(name string) []credential.Secret {
	const previous = "_previous"
	all := []credential.Secret{a.Secrets[name], a.Secrets[name+previous]}
	return slices.DeleteFunc(all, credential.Secret.IsZero)
}

// shows reports whether the caller shows the secret where the scheme says.
func (d *door) shows(r *http.Request, frame any, scheme string, secret credential.Secret) bool {
	where, inFrame := strings.CutPrefix(scheme, "frame:")
	if !inFrame {
		where, inFrame = strings.CutPrefix(scheme, "body:")
	}
	if inFrame {
		return secret.Matches(pointer.Text(frame, where))
	}
	return credential.Verify(r, scheme, secret)
}

// token is the token of our own the caller shows, at the first place that has
// one.
func (d *door) token(r *http.Request, frame any) string {
	for _, place := range d.endpoint.Tokens {
		kind, name, _ := strings.Cut(place, ":")
		token := ""
		switch kind {
		case "bearer":
			token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		case "query":
			token = r.URL.Query().Get(name)
		case "protocol":
			token, _, _ = strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ",")
		case "frame":
			token = pointer.Text(frame, name)
		}
		if token = strings.TrimSpace(token); token != "" {
			return token
		}
	}
	return ""
}

// authScheme is the "header:NAME" of "header:NAME=credential".
func authScheme(auth string) string {
	scheme, _, _ := strings.Cut(auth, "=")
	return scheme
}

func authCredential(auth string) string {
	_, name, _ := strings.Cut(auth, "=")
	return name
}
