package egress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Fetch begins to read a file an account's vendor points to; the caller closes
// the body and bounds its size and time. Beyond the account's hosts, where
// listedOnly allows them, it reads over https on its usual port only, and with a
// proxy not at all: there nobody but the list says what is reached. No secret goes
// along but to the hosts of the account's FileLogins, and no redirect is followed.
func (e *Egress) Fetch(ctx context.Context, account, address string, listedOnly bool) (io.ReadCloser, http.Header, error) {
	known, ok := (*e.accounts.Load())[account]
	if !ok || known.Unready != "" {
		return nil, nil, errors.New("fetch a file: the account makes no calls now")
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || plausible(u.Hostname()) != nil {
		return nil, nil, errors.New("fetch a file: address is not a plain http or https URL")
	}
	if !allowed(known.Hosts, u) && (listedOnly || e.o.Network.Proxy != nil || u.Scheme != "https" || u.Port() != "" && u.Port() != "443") {
		return nil, nil, fmt.Errorf("fetch a file: host %s is not on the account's list; mend: name it in allowed_hosts", u.Host)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, errors.New("fetch a file: address is not valid")
	}
	req.Header.Set("User-Agent", "footbridge")
	req.Header.Set("Accept-Encoding", "identity")
	known.logIn(req, u)
	resp, err := known.carrier.RoundTrip(req)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch a file from %s: %w", u.Host, err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "" {
		_ = resp.Body.Close()
		return nil, nil, fmt.Errorf("fetch a file from %s: it answered %d", u.Host, resp.StatusCode)
	}
	return resp.Body, resp.Header, nil
}

// logIn shows a host of the account's FileLogins the credential it asks for. One that
// is named but not among the account's hosts is shown nothing, nor is anybody in the
// clear but where the operator wrote the host down.
func (a Account) logIn(req *http.Request, u *url.URL) {
	for _, login := range a.FileLogins {
		secret := a.Secrets[login.Credential]
		if !allowed([]string{login.Host}, u) || !allowed(a.Hosts, u) || secret.IsZero() || u.Scheme != "https" && !allowed(a.Named, u) {
			continue
		}
		req.Header.Set(cmp.Or(login.Header, "Authorization"), login.Prefix+secret.Reveal())
	}
}
