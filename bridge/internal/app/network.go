package app

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/egress"
)

// network is the way out as the configuration has it. What cannot be used is a
// *config.Error.
func network(c *config.Config, env func(string) (string, bool)) (egress.Network, error) {
	n := egress.Network{Private: c.Egress.Networks()}
	fault := func(key string, err error, mend string) error {
		return &config.Error{Problems: []config.Problem{c.Problem("egress."+key, "cannot be used: "+err.Error(), mend)}}
	}
	var err error
	if n.Roots, err = roots(c.Egress.CAFile); err != nil {
		return n, fault("ca_file", err, "name a PEM file with the certificates of the authorities")
	}
	if c.Egress.Proxy == "" {
		return n, nil
	}
	if n.Proxy, err = url.Parse(c.Egress.Proxy); err != nil {
		return n, fault("proxy", errors.New("no address"), "write such as http://proxy.example.com:3128")
	}
	if c.Egress.ProxyLogin != "" {
		if n.ProxyLogin, err = credential.Resolve(string(c.Egress.ProxyLogin), env); err != nil {
			return n, fault("proxy_login", err, "set it to user:password")
		}
	}
	return n, nil
}

// roots are the system's authorities and those of a file; nil where no file is
// named, which stands for the system's.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !bytes.Contains(data, []byte("BEGIN CERTIFICATE")) || !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}

// hostsIn are the hosts an operator wrote into an account's settings, as part of
// an address or alone.
func hostsIn(settings map[string]any) []string {
	var hosts []string
	for _, value := range settings {
		text, ok := value.(string)
		if !ok {
			continue
		}
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			text = u.Host
		}
		hosts = append(hosts, text)
	}
	return hosts
}
