package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/credential"
)

// token is one of [[api.tokens]] with its secret.
type token struct {
	config.Token
	secret credential.Secret
	// made says the secret was generated here, so that the person who starts the
	// program must be told it.
	made bool
}

// openTokens resolves the API's tokens; one that is not set is made and kept in
// the journal's folder.
func (a *App) openTokens(context.Context) error {
	tokens, err := a.resolveTokens(a.conf)
	if err != nil {
		return err
	}
	a.tokens = tokens
	for _, t := range tokens {
		a.redactor.Add(t.secret)
	}
	return nil
}

func (a *App) resolveTokens(c *config.Config) ([]token, error) {
	var tokens []token
	for i, t := range c.API.Tokens {
		secret, err := credential.Resolve(string(t.Token), a.env)
		made := false
		if errors.Is(err, credential.ErrUnset) {
			secret, err = keptToken(c.Journal.Dir, t.Name)
			made = true
		}
		if err != nil {
			return nil, &config.Error{Problems: []config.Problem{c.Problem(fmt.Sprintf("api.tokens[%d].token", i), err.Error(), "")}}
		}
		tokens = append(tokens, token{Token: t, secret: secret, made: made})
	}
	return tokens, nil
}

// SignIn is how people sign in with one token of [[api.tokens]].
type SignIn struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
	Agent string   `json:"agent,omitempty"`
	// Token is where the token is set; the file it is kept in where it was made.
	Token string `json:"token"`
	// Links open the pages the roles are good for. A token that was made is part of
	// them: whoever has such a link is signed in.
	Links []string `json:"links"`
}

// SignIns lists the tokens of the configuration, or those named, and makes the ones
// that are not set as the start would. It fails for a name there is not, and where a
// token would have to be made in a folder that is another account's.
func SignIns(o Options, names ...string) ([]SignIn, error) {
	a := &App{o: o}
	conf, _, err := config.Load(o.Config, o.Environ)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		if conf.API.Tokens, err = named(conf.API.Tokens, names); err != nil {
			return nil, err
		}
	}
	tokens, err := a.resolveTokens(conf)
	if err != nil {
		return nil, err
	}
	out := make([]SignIn, len(tokens))
	for i, t := range tokens {
		out[i] = SignIn{Name: t.Name, Roles: t.Roles, Agent: t.Agent, Token: string(t.Token.Token), Links: []string{}}
		if t.made {
			out[i].Token = tokenFile(conf.Journal.Dir, t.Name)
		}
		for _, page := range opens(t.Roles) {
			out[i].Links = append(out[i].Links, t.link(baseURL(conf, conf.Server.Listen), page, t.made))
		}
	}
	return out, nil
}

// named gives the tokens of those names.
func named(all []config.Token, names []string) (some []config.Token, err error) {
	var known []string
	for _, t := range all {
		if known = append(known, t.Name); slices.Contains(names, t.Name) {
			some = append(some, t)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("no token is named %s; mend: add it under [[api.tokens]], or use one of: %s", name, strings.Join(known, ", "))
		}
	}
	return some, nil
}

// link is the address of a page, with the token where that is to be told.
func (t token) link(base, page string, reveal bool) string {
	link := base + "/" + page
	if reveal {
		link += "#token=" + t.secret.Reveal()
	}
	return link
}

func tokenFile(dir, name string) string { return filepath.Join(dir, "token-"+name) }

// readToken reads the token made for a name; it is the zero Secret where none
// was.
func readToken(dir, name string) (credential.Secret, error) {
	kept, err := os.ReadFile(tokenFile(dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return credential.Secret{}, fmt.Errorf("read the token kept for %s: %w", name, err)
	}
	if text := strings.TrimSpace(string(kept)); text != "" {
		return credential.NewSecret(text), nil
	}
	return credential.Secret{}, nil
}

// keptToken reads the token made for a name, or makes it.
func keptToken(dir, name string) (credential.Secret, error) {
	kept, err := readToken(dir, name)
	if err != nil || !kept.IsZero() {
		return kept, err
	}
	if err := ownFolder(dir); err != nil {
		return credential.Secret{}, fmt.Errorf("keep the token of %s: %w", name, err)
	}
	raw := make([]byte, 24)
	if _, err := rand.Read(raw); err != nil {
		return credential.Secret{}, fmt.Errorf("make a token: %w", err)
	}
	value := base64.RawURLEncoding.EncodeToString(raw)
	if err := os.WriteFile(tokenFile(dir, name), []byte(value+"\n"), 0o600); err != nil {
		return credential.Secret{}, fmt.Errorf("keep the token of %s: %w", name, err)
	}
	return credential.NewSecret(value), nil
}

// ownFolder makes the journal's folder where there is none. In another account's a
// file of ours could not be read by the bridge.
func ownFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() && info.Mode()&os.ModeSticky == 0 {
		return fmt.Errorf("the folder %s belongs to account number %d; mend: run this as that account", dir, owner.Uid)
	}
	return nil
}
