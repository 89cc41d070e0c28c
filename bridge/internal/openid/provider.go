package openid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	maxDocument = 1 << 20
	maxCode     = 4 << 10
	// freshFor is how long what a provider says of itself, and its keys, are
	// believed without asking again.
	freshFor = time.Hour
)

// metadata is what the provider says of itself.
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Keys          string `json:"jwks_uri"`
	// NamesIssuer says that every answer names the issuer (RFC 9207).
	NamesIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

// metadata reads the discovery document, once an hour. One that names another
// issuer is somebody else's.
func (p *Provider) metadata(ctx context.Context) (*metadata, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.about != nil && time.Since(p.read) < freshFor {
		return p.about, nil
	}
	m := &metadata{}
	if err := p.get(ctx, strings.TrimSuffix(p.o.Issuer, "/")+"/.well-known/openid-configuration", m); err != nil {
		return nil, err
	}
	if m.Issuer != p.o.Issuer {
		return nil, fmt.Errorf("provider %s names itself %.100q; mend: write issuer in [auth.oidc] exactly as the provider does", p.o.Issuer, m.Issuer)
	}
	for _, address := range []string{m.Authorization, m.Token, m.Keys} {
		if !p.guarded(address) {
			return nil, fmt.Errorf("provider %s has an endpoint that is not https: %.100q", p.o.Issuer, address)
		}
	}
	p.about, p.read = m, time.Now()
	return m, nil
}

// guarded tells whether an endpoint is reached over TLS. On this machine it need
// not be, where the issuer is there too.
func (p *Provider) guarded(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && local(u) && strings.HasPrefix(p.o.Issuer, "http:")
}

func local(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (p *Provider) get(ctx context.Context, address string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("ask the provider: %w", err)
	}
	status, data, err := p.do(r)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("it answers %d", status)
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("ask the provider at %s: %w", address, err)
	}
	return nil
}

func (p *Provider) do(r *http.Request) (int, []byte, error) {
	r.Header.Set("Accept", "application/json")
	resp, err := p.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err == nil && len(data) > maxDocument {
		err = errors.New("the answer is too large")
	}
	return resp.StatusCode, data, err
}

// exchange gives the code for the token that says who it is.
func (p *Provider) exchange(ctx context.Context, about *metadata, code, verifier string) (string, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.o.Callback}, "code_verifier": {verifier}}
	if p.o.Secret.IsZero() {
		form.Set("client_id", p.o.ClientID)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, about.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("exchange the code: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !p.o.Secret.IsZero() { // RFC 6749 section 2.3.1 wants both encoded
		r.SetBasicAuth(url.QueryEscape(p.o.ClientID), url.QueryEscape(p.o.Secret.Reveal()))
	}
	status, data, err := p.do(r)
	if err != nil {
		return "", fmt.Errorf("exchange the code: %w", err)
	}
	if status >= http.StatusBadRequest && status < http.StatusInternalServerError {
		return "", refused("the provider does not take the code (%d)", status)
	}
	var said struct {
		Token string `json:"id_token"`
	}
	if err := json.Unmarshal(data, &said); err != nil || status != http.StatusOK {
		return "", fmt.Errorf("exchange the code: the provider answers %d, and no tokens", status)
	}
	return said.Token, nil
}
