package chatwootsim

import (
	"crypto/subtle"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

type (
	call   = simvendor.Call
	answer = simvendor.Answer
)

// serve has a call answered with the lock held.
func (s *Server) serve(allowed func(*call) bool, do func(*call) answer) http.HandlerFunc {
	return s.Serve(func(c *call) answer {
		if !allowed(c) {
			return answer{Status: http.StatusUnauthorized, Body: map[string]any{"error": "Invalid Access Token"}}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return do(c)
	})
}

// anybody may call the public API: its address is hard to guess.
func anybody(*call) bool { return true }

// keyed says that the caller shows the access token.
// app/controllers/concerns/access_token_auth_helper.rb.
func (s *Server) keyed(c *call) bool {
	return subtle.ConstantTimeCompare([]byte(c.Header.Get("Api_access_token")), []byte(s.options.Token)) == 1
}

func ok(body any) answer { return answer{Body: body} }

func missing() answer {
	return answer{Status: http.StatusNotFound, Body: map[string]any{"error": "Resource could not be found"}}
}

// attachments are the files of a form.
func attachments(c *call) (all []Attachment) {
	for _, f := range c.Files {
		all = append(all, Attachment{Name: f.Name, MIME: f.MIME, Data: f.Data})
	}
	return all
}
