package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
