package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/app"
)

// remote is the native API of a running bridge.
type remote struct {
	base, token string
	client      *http.Client
}

// The limits of a call.
const (
	remoteTimeout = 30 * time.Second
	remoteAnswer  = 64 << 20
)

// dial finds the bridge and a token that has one of the roles.
func dial(c *cobra.Command, roles ...string) (*remote, error) {
	address, _ := c.Flags().GetString("url")
	if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return nil, usageError{fmt.Errorf("--url %q is no address; mend: write such as http://127.0.0.1:8080", address)}
	}
	base, token, err := app.Access(options(c), address, roles...)
	if err != nil {
		return nil, err
	}
	return &remote{base: base + "/api/v1", token: token, client: &http.Client{Timeout: remoteTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func remoteFlags(c *cobra.Command) {
	c.PersistentFlags().String("url", "", "address of the bridge; else the configuration's")
}

// refused is a problem the API answered with.
type refused struct{ api.Problem }

// Error says what the API said, for people.
func (r *refused) Error() string {
	text := r.Title + " (" + r.Code
	if r.Field != "" {
		text += ", field " + r.Field
	}
	text += ")"
	if r.Mend != "" {
		text += "; mend: " + r.Mend
	}
	return text
}

// call makes one request and reads the answer into the value. What the API
// refuses is a *refused.
func (r *remote) call(ctx context.Context, method, path string, query url.Values, into any) error {
	address := r.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return fmt.Errorf("call %s: %w", path, err)
	}
	resp, err := r.ask(r.client, req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, remoteAnswer))
	if err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	if json.Unmarshal(body, into) != nil {
		return r.refusal(resp, body)
	}
	return nil
}

// ask makes a request and gives a good answer, for the caller to read and close.
func (r *remote) ask(client *http.Client, req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reach the bridge: %w; mend: start it, or give its address with --url", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, remoteAnswer))
	return nil, r.refusal(resp, body)
}

// refusal is what an answer that is no good one says.
func (r *remote) refusal(resp *http.Response, body []byte) error {
	var no refused
	if json.Unmarshal(body, &no) == nil && no.Code != "" {
		return &no
	}
	return fmt.Errorf("%s answered %s, which is no answer of a bridge; mend: check --url", r.base, resp.Status)
}

// page is one page of a list; which list it is the path says.
type page struct {
	Accounts      []json.RawMessage `json:"accounts"`
	Conversations []json.RawMessage `json:"conversations"`
	Events        []json.RawMessage `json:"events"`
	DeadLetters   []json.RawMessage `json:"dead_letters"`
	Audit         []json.RawMessage `json:"audit"`
	Turns         []json.RawMessage `json:"turns"`
	Next          *string           `json:"next"`
}

// pageSize is how much is asked for at once.
const pageSize = 200

// list calls visit for up to most items of a list, 0 for all, until it errs.
func (r *remote) list(ctx context.Context, path string, query url.Values, most int, visit func(json.RawMessage) error) error {
	if query == nil {
		query = url.Values{}
	}
	for seen := 0; ; {
		size := pageSize
		if most > 0 {
			size = min(size, most-seen)
		}
		query.Set("limit", fmt.Sprint(size))
		var p page
		if err := r.call(ctx, http.MethodGet, path, query, &p); err != nil {
			return err
		}
		for _, items := range [][]json.RawMessage{p.Accounts, p.Conversations, p.Events, p.DeadLetters, p.Audit, p.Turns} {
			for _, item := range items {
				seen++
				if err := visit(item); err != nil {
					return err
				}
			}
		}
		if p.Next == nil || most > 0 && seen >= most {
			return nil
		}
		query.Set("after", *p.Next)
	}
}

//nolint:gochecknoglobals // never written.
var idForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

// checkID refuses what can be no id before it becomes part of an address.
func checkID(id string) error {
	if !idForm.MatchString(id) {
		return usageError{fmt.Errorf("%q is no id; mend: take one from the list", id)}
	}
	return nil
}

// isRefused reports whether the API refused with that code.
func isRefused(err error, code string) bool {
	var no *refused
	return errors.As(err, &no) && no.Code == code
}
