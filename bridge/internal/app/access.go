package app

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// tokenVariable is the environment variable that holds a token for commands.
const tokenVariable = "FOOTBRIDGE_TOKEN"

// Access finds how a command reaches the running bridge: the address, which is
// url where that is set, and a token that has one of the roles. The token is
// FOOTBRIDGE_TOKEN's, else one of the configuration's that this account may read.
func Access(o Options, url string, roles ...string) (address, token string, err error) {
	a := &App{o: o}
	token, _ = a.env(tokenVariable)
	if url != "" && token != "" {
		return strings.TrimRight(url, "/"), token, nil
	}
	conf, _, err := config.Load(o.Config, o.Environ)
	if err != nil {
		return "", "", err
	}
	if url == "" {
		url = nearURL(conf)
	}
	if token == "" {
		if token, err = a.readableToken(conf, roles); err != nil {
			return "", "", err
		}
	}
	return strings.TrimRight(url, "/"), token, nil
}

// nearURL is where a program on this machine reaches the bridge. A certificate
// is made out to the public name.
func nearURL(c *config.Config) string {
	host, port, err := net.SplitHostPort(c.Server.Listen)
	if c.Server.TLS.Enabled() || err != nil {
		return baseURL(c, c.Server.Listen)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func (a *App) readableToken(c *config.Config, roles []string) (string, error) {
	for _, t := range c.API.Tokens {
		if !slices.ContainsFunc(t.Roles, func(role string) bool { return slices.Contains(roles, role) }) {
			continue
		}
		secret, err := credential.Resolve(string(t.Token), a.env)
		if errors.Is(err, credential.ErrUnset) {
			secret, err = readToken(c.Journal.Dir, t.Name)
		}
		if err != nil {
			return "", err
		}
		if !secret.IsZero() {
			return secret.Reveal(), nil
		}
	}
	return "", fmt.Errorf("no token to show the bridge; mend: set %s to a token of [[api.tokens]] with the role %s",
		tokenVariable, strings.Join(roles, " or "))
}
