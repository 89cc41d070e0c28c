package slacksim

import (
	"cmp"
	"crypto/subtle"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

type (
	call   = simvendor.Call
	answer = simvendor.Answer
)

// serve has a call answered with the lock held, for who shows the token. Whatever goes
// wrong but too many calls, the status is 200. Arguments come in a form or JSON, and in
// the query. docs.slack.dev/apis/web-api.
func (s *Server) serve(token string, do func(*call) answer) http.HandlerFunc {
	answered := s.Serve(func(c *call) answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		for name, values := range c.URL.Query() {
			if c.Fields[name] == nil {
				c.Fields[name] = values[0]
			}
		}
		if !bears(c.Request, token) {
			return refused("invalid_auth")
		}
		return do(c)
	})
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-OAuth-Scopes", strings.Join(s.options.Scopes, ","))
		answered(w, r)
	}
}

// bears says that the caller shows the token.
func bears(r *http.Request, token string) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) == 1
}

// Record is one call of a method that was made.
type Record struct {
	Method string `json:"method"`
	Body   string `json:"body"`
	Status int    `json:"status"`
}

// Records are the calls that were made, in the order they were answered; the Body of
// one without a body is its query.
func (s *Server) Records() []Record {
	var all []Record
	for _, r := range s.API.Records() {
		at, err := url.Parse(r.Path)
		if err == nil {
			all = append(all, Record{path.Base(at.Path), cmp.Or(r.Body, at.RawQuery), r.Status})
		}
	}
	return all
}
