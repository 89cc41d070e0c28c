package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// writeWithin bounds one write to a stream's reader.
const writeWithin = 10 * time.Second

// getEvents is the journal as server-sent events.
func (a *API) getEvents(w http.ResponseWriter, r *http.Request, p principal) error {
	s, err := a.streamOf(r, p)
	if err != nil {
		return err
	}
	gone, err := a.present(r, p)
	if err != nil {
		return err
	}
	defer gone()
	out := &sse{w: w, c: http.NewResponseController(w)}
	_ = out.c.SetReadDeadline(time.Time{})
	err = s.follow(r.Context(), out)
	var refused *Problem
	if !out.begun && errors.As(err, &refused) {
		return err
	}
	if err != nil && r.Context().Err() == nil && !errors.Is(err, errClosing) && !errors.Is(err, errOver) && !errors.Is(err, context.Canceled) {
		a.Logger.Info("event stream ended", "for", p.name, "error", err)
	}
	return nil
}

// sse writes server-sent events.
type sse struct {
	w     http.ResponseWriter
	c     *http.ResponseController
	begun bool
}

func (s *sse) event(position int64, e event.Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if position == 0 {
		return s.write(fmt.Sprintf("data: %s\n\n", data))
	}
	return s.write(fmt.Sprintf("id: %d\ndata: %s\n\n", position, data))
}

// beat moves the reader's position without an event.
func (s *sse) beat(position int64) error { return s.write(fmt.Sprintf(": beat\nid: %d\n\n", position)) }

func (s *sse) write(text string) error {
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", "text/event-stream")
		s.w.Header().Set("X-Accel-Buffering", "no")
		text = "retry: 2000\n\n" + text
	}
	_ = s.c.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.c.Flush()
}
