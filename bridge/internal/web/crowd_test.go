//go:build measure || screenshots

package web_test

import (
	"context"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// waits has a customer ask for a person, without a browser, and gives the
// conversation.
func waits(ctx context.Context, s *server, name string) string {
	who := event.Actor{Role: event.RoleCustomer, ID: "c-" + name, Name: name}
	id, err := s.engine.Open(ctx, engine.Opening{Account: "web", Customer: who, Language: "en"})
	s.must(err)
	_, err = s.engine.Do(ctx, engine.Command{Conversation: id, Role: event.RoleCustomer, Actor: who, Body: event.MessageCreated{Content: event.Plain("person please")}})
	s.must(err)
	return id
}
