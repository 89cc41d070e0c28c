package omiliasim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// The participants of a dialog ("participantType", USER or AGENT).
const (
	User  = "USER"
	Agent = "AGENT"
)

// answer is a frame that answers a command.
type answer struct {
	channel string
	payload any
}

// answers is what the backend says to a command: GET_DIALOG is answered on
// dialog_info, GET_BUSINESSFLOW_INSTANCES on business_flow (both assumptions), for
// the flow of "flow_instance_id" or for all; anything else is an error.
func (k *call) answers(c Command) []answer {
	switch c.Command {
	case "GET_DIALOG":
		return []answer{{"dialog_info", k.snapshot()}}
	case "GET_BUSINESSFLOW_INSTANCES":
		var found []answer
		id := ""
		_ = json.Unmarshal(c.Parameters["flow_instance_id"], &id)
		for _, f := range k.flows {
			if id == "" || f.ID == id {
				found = append(found, answer{"business_flow", f})
			}
		}
		if len(found) == 0 {
			return []answer{{"error_info", ErrorInfo{Message: "Unknown flow", MessageDetails: "no flow instance " + id}}}
		}
		return found
	}
	return []answer{{"error_info", ErrorInfo{Message: "Unknown command", MessageDetails: "no command " + c.Command}}}
}

// snapshot is the dialog as it stands: what is final, and what is being said.
func (k *call) snapshot() DialogInfo {
	d := DialogInfo{Utterances: []Utterance{}}
	for _, u := range k.dialog {
		switch {
		case u.IsFinal:
			d.Utterances = append(d.Utterances, u)
			d.LatestSeqID = u.SeqID
		case u.ParticipantType == Agent:
			d.AgentPartialUtterance = u.Utterance
		default:
			d.UserPartialUtterance = u.Utterance
		}
	}
	return d
}

// Speak lets a participant of a call say something to the end, and tells it. What
// nobody listens to is part of the dialog all the same.
func (s *Server) Speak(name, participant, text string) error {
	return s.Send(name, "dialog_info_diff", s.said(name, participant, text, true))
}

// Begin is Speak of what is not said to the end: the next Speak has its place.
func (s *Server) Begin(name, participant, text string) error {
	return s.Send(name, "dialog_info_diff", s.said(name, participant, text, false))
}

// Lose is Speak without the telling: the dialog goes on and the listener misses
// it, so that the next seqId jumps.
func (s *Server) Lose(name, participant, text string) { s.said(name, participant, text, true) }

// said adds to the dialog. seqId counts from 1 by one (an assumption).
func (s *Server) said(name, participant, text string, final bool) Utterance {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.of(name)
	if n := len(k.dialog); n > 0 && !k.dialog[n-1].IsFinal {
		k.dialog = k.dialog[:n-1]
	}
	now := time.Now().UnixMilli()
	u := Utterance{SeqID: int64(len(k.dialog) + 1), ParticipantType: participant, Utterance: text,
		StartTime: now - int64(len(strings.Fields(text)))*400, EndTime: now, IsFinal: final}
	k.dialog = append(k.dialog, u)
	return u
}

// Repeat tells all that was said to the end once more, as a backend may to a
// listener that comes again.
func (s *Server) Repeat(name string) error {
	s.mu.Lock()
	dialog := slices.Clone(s.of(name).dialog)
	s.mu.Unlock()
	for _, u := range dialog {
		if !u.IsFinal {
			continue
		}
		if err := s.Send(name, "dialog_info_diff", u); err != nil {
			return err
		}
	}
	return nil
}

// Flow begins a business flow, or brings it up to date, and tells it.
func (s *Server) Flow(name string, f Flow) error {
	s.mu.Lock()
	k := s.of(name)
	k.flows = append(slices.DeleteFunc(k.flows, func(known Flow) bool { return known.ID == f.ID }), f)
	s.mu.Unlock()
	return s.Send(name, "business_flow", f)
}
