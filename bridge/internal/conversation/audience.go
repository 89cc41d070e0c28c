package conversation

import "github.com/footbridge/footbridge/bridge/event"

// dest is whom a kind of event is for, as bits.
type dest uint16

const (
	toFront     dest = 1 << iota // the leg that leads to the customer
	toCustomer                   // the same, only when the author owns the conversation or is the bridge
	toOwner                      // the leg that owns the conversation
	toDesks                      // live-agent legs that have it, are shown it, or had it until the virtual agent is back
	toAgent                      // the live-agent leg that has it, once a hand-off is settled
	toVirtual                    // the virtual agent
	toCandidate                  // the leg that is asked now
	toAsker                      // who waits for the answer: requester and customer, or in a transfer the old owner
	toFormer                     // the live-agent leg that passes the conversation on
	toObservers
	toAll

	// toServing is whoever reads the customer's words now.
	toServing = toOwner | toCandidateShown
	// toCandidateShown is the candidate once its desk has the hand-off in a queue.
	toCandidateShown = dest(1 << 15)
	toNobody         = dest(0)
)

const anyRole event.Role = ""

// audiences is kind × actor → destinations; what an owner may do that another
// may not is in the destinations. A kind without a row is for the live agent.
//
//nolint:gochecknoglobals // a table that is never written.
var audiences = map[event.Kind]map[event.Role]dest{
	event.KindConversationStarted: {anyRole: toVirtual},
	event.KindConversationEnded:   {anyRole: toAll},
	event.KindContextUpdated: {event.RoleCustomer: toServing | toObservers, event.RoleVirtualAgent: toDesks | toObservers,
		event.RoleLiveAgent: toObservers, event.RoleSystem: toServing | toObservers},
	event.KindTranscriptShared: {event.RoleCustomer: toServing, event.RoleVirtualAgent: toCustomer | toDesks,
		event.RoleLiveAgent: toCustomer, event.RoleSystem: toCustomer},
	event.KindMessageCreated: {event.RoleCustomer: toServing | toObservers,
		event.RoleVirtualAgent: toCustomer | toDesks | toObservers,
		event.RoleLiveAgent:    toCustomer | toDesks | toObservers, event.RoleSystem: toCustomer},
	event.KindMessageLeft:      {anyRole: toNobody},
	event.KindMessagePartial:   speech(toServing, toCustomer),
	event.KindMessageDelivered: speech(toServing, toCustomer),
	event.KindMessageRead:      speech(toServing, toCustomer),
	event.KindMessageFailed: {event.RoleCustomer: toServing, event.RoleVirtualAgent: toCustomer,
		event.RoleLiveAgent: toCustomer, event.RoleSystem: toServing | toFront},
	event.KindAnswerCompleted:     speech(toNobody, toCustomer),
	event.KindTypingStarted:       speech(toServing, toCustomer),
	event.KindTypingStopped:       speech(toServing, toCustomer),
	event.KindParticipantJoined:   speech(toServing, toCustomer),
	event.KindParticipantLeft:     speech(toServing, toCustomer),
	event.KindAvailabilityChanged: {anyRole: toFront},
	event.KindHandoffRequested:    {anyRole: toCandidate | toObservers},
	event.KindHandoffQueued:       {anyRole: toAsker},
	event.KindHandoffOffered:      {anyRole: toAsker},
	event.KindHandoffAccepted:     {anyRole: toAsker | toObservers},
	event.KindHandoffDeclined:     {anyRole: toNobody},
	event.KindHandoffCancelled:    {anyRole: toCandidate | toAsker},
	event.KindHandoffFailed:       {anyRole: toNobody, event.RoleSystem: toAsker | toObservers},
	event.KindHandbackRequested:   {anyRole: toVirtual | toObservers, event.RoleSystem: toVirtual | toDesks | toObservers},
	event.KindHandbackCompleted:   {anyRole: toDesks | toFront | toObservers},
	event.KindHandbackFailed:      {anyRole: toDesks | toObservers},
	event.KindTransferRequested:   {anyRole: toVirtual | toObservers, event.RoleSystem: toVirtual | toDesks | toObservers},
	event.KindTransferCompleted:   {anyRole: toFormer | toFront | toVirtual | toObservers},
	event.KindTransferFailed:      {anyRole: toFormer},
	event.KindCommandIssued:       {event.RoleCustomer: toOwner},
	event.KindSurveyOffered:       speech(toNobody, toCustomer),
	event.KindSurveyAnswered:      {event.RoleCustomer: toOwner},
	event.KindWrapupCompleted:     {anyRole: toNobody},
	event.KindNoteCreated:         {anyRole: toDesks},
	event.KindErrorReported:       {anyRole: toDesks},
	event.KindExtension:           {anyRole: toAgent},
	event.KindInsightObserved:     {anyRole: toDesks},
	event.KindInsightRequested:    {anyRole: toObservers},
}

// speech is a row of what a customer does for those who answer, and what those
// who answer do for the customer.
func speech(customer, other dest) map[event.Role]dest {
	return map[event.Role]dest{event.RoleCustomer: customer, event.RoleVirtualAgent: other,
		event.RoleLiveAgent: other, event.RoleSystem: other}
}

// Audience lists the attached legs an event of the kind and author is for, in
// the order they joined, never the leg it came from; from is "" for the bridge
// itself. An observer's events are never for the customer.
//
// Decide has used it already for all it drafts; the engine calls it for
// transient events, which pass no Decide.
func Audience(kind event.Kind, actor event.Role, s State, from string) []string {
	row, known := audiences[kind]
	if !known {
		return s.resolve(toAgent, actor, from)
	}
	to, ok := row[actor]
	if !ok {
		to = row[anyRole]
	}
	if actor == event.RoleObserver {
		to &= toDesks | toAgent
	}
	return s.resolve(to, actor, from)
}

// resolve turns destinations into legs.
func (s State) resolve(to dest, actor event.Role, from string) []string {
	if to&toCustomer != 0 && s.speaks(actor, from) {
		to |= toFront
	}
	reach := s.reach()
	var legs []string
	for _, leg := range s.Legs {
		if !leg.Detached && leg.ID != from && (to&toAll != 0 || to&reach(leg) != 0) {
			legs = append(legs, leg.ID)
		}
	}
	return legs
}

// speaks reports whether words of the author on the leg reach the customer.
func (s State) speaks(actor event.Role, from string) bool {
	if from == "" || s.Owner.Leg != from {
		return from == "" && actor == event.RoleSystem
	}
	return actor == s.Owner.Role || actor == event.RoleSystem
}

// reach gives, for each leg, the destinations it answers to.
func (s State) reach() func(Leg) dest {
	front, _ := s.Front()
	va, _ := s.VirtualAgent()
	return func(leg Leg) dest {
		var d dest
		for _, is := range []struct {
			dest dest
			id   string
		}{
			{toFront, front.ID}, {toVirtual, va.ID}, {toOwner, s.Owner.Leg}, {toCandidate, s.Candidate},
			{toFormer, s.Former}, {toAsker, s.askedBy()}, {toAsker, s.askedFor(front.ID)},
			{toCandidateShown, s.shown()}, {toAgent, s.settled()},
		} {
			if leg.ID == is.id {
				d |= is.dest
			}
		}
		return d | s.trade(leg)
	}
}

// trade gives the destinations a leg answers to for what it is.
func (s State) trade(leg Leg) dest {
	switch {
	case leg.Role == event.RoleObserver:
		return toObservers
	case leg.Role != event.RoleLiveAgent:
		return toNobody
	case leg.ID == s.Owner.Leg, leg.ID == s.shown(), s.Phase == Returning && leg.ID == s.Former:
		return toDesks
	}
	return toNobody
}

// shown is the candidate once its desk has answered.
func (s State) shown() string {
	if s.Phase == Queued || s.Phase == Offered {
		return s.Candidate
	}
	return ""
}

// settled is the live-agent leg that has the conversation.
func (s State) settled() string {
	leg, _ := s.Leg(s.Owner.Leg)
	if s.Phase != Active || leg.Role != event.RoleLiveAgent {
		return ""
	}
	return leg.ID
}

// askedBy is the leg that waits for a desk's answer.
func (s State) askedBy() string {
	if s.Transferring && s.Owner.Leg != "" {
		return s.Former
	}
	return s.Requester
}

// askedFor is the customer's leg while they wait; in a transfer they are still
// with the old owner, if there is one.
func (s State) askedFor(front string) string {
	if s.Transferring && s.Owner.Leg != "" {
		return ""
	}
	return front
}
