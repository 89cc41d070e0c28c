package zendesksim

import (
	"crypto/subtle"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

type (
	call   = simvendor.Call
	answer = simvendor.Answer
)

func textField(of map[string]any, name string) string {
	text, _ := of[name].(string)
	return text
}

func object(of map[string]any, name string) map[string]any {
	o, _ := of[name].(map[string]any)
	return o
}

// serve has a call answered with the lock held.
func (s *Server) serve(do func(*call) answer) http.HandlerFunc {
	return s.Serve(func(c *call) answer {
		switch id, key, given := c.BasicAuth(); {
		case !given || !same(id, s.options.KeyID) || !same(key, s.options.KeySecret):
			return wrong(http.StatusUnauthorized, "unauthorized")
		case c.PathValue("app") != s.options.AppID:
			return wrong(http.StatusNotFound, "app_not_found")
		case len(c.Files) == 0 && len(c.Data) > jsonLimit, len(c.Data) > fileLimit:
			return wrong(http.StatusRequestEntityTooLarge, "request_entity_too_large")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return do(c)
	})
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func ok(body any) answer      { return answer{Body: body} }
func created(body any) answer { return answer{Status: http.StatusCreated, Body: body} }

// wrong is an error. openapi.yaml: Errors.
func wrong(status int, code string) answer {
	return answer{Status: status, Body: map[string]any{"errors": []map[string]any{{"code": code, "title": "It went wrong"}}}}
}
