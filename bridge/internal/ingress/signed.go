package ingress

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/signature"
)

// signedBy is how the Auth of an endpoint begins whose requests are signed.
const signedBy = "signature:"

// door makes the door of an endpoint. One whose key cannot be used stays shut: it
// answers as to a wrong signature.
func (i *Ingress) door(a Account, e adapter.Endpoint) *door {
	d := &door{i: i, account: a, endpoint: e}
	name, signed := strings.CutPrefix(e.Auth, signedBy)
	if d.signed = signed; !signed {
		return d
	}
	keys := a.secrets(name)
	if len(keys) == 0 {
		return d // the account is unconfigured, and shown so
	}
	var err error
	if d.verifier, err = signature.New(e.Signature, keys); err != nil {
		i.o.Logger.Error("endpoint takes nothing", "account", a.Name, "endpoint", e.Name, "error", err)
	}
	return d
}

// early turns away what shows without its body that it is not signed.
func (d *door) early(r *http.Request) *refusal {
	if d.verifier == nil || d.verifier.Early(r.Header, time.Now()) != nil {
		return d.denied()
	}
	return nil
}

// verify checks the signature of a request that is read, and gives its mark.
func (d *door) verify(f *fields) (string, *refusal) {
	mark, err := d.verifier.Verify(signature.Request{Method: f.r.Method, URL: d.calledURL(f.r), Header: f.r.Header, Body: f.body}, time.Now())
	if err != nil {
		return "", d.denied()
	}
	return mark, nil
}

// calledURL is the address as the vendor called it: what the configuration says of
// us, never what the request says, but for a host that is the account's own.
func (d *door) calledURL(r *http.Request) string {
	own, err := url.Parse(d.account.PublicURL)
	if err != nil || own.Host == "" {
		return ""
	}
	if path, below := strings.CutPrefix(r.RequestURI, "/in/"+d.account.Name); below {
		return d.account.PublicURL + path
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !slices.Contains(d.account.Hosts, host) {
		return ""
	}
	return own.Scheme + "://" + r.Host + r.RequestURI
}
