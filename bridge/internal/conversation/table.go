package conversation

import "github.com/footbridge/footbridge/bridge/event"

// outcomes has one handler a phase, in the order of Phases.
type outcomes [7]handler

// row says what follows from a kind of input of some sources. An empty kind is
// every kind no row before it names.
type row struct {
	kind event.Kind
	from source
	then outcomes
}

// always is an outcome that no phase but the end changes.
func always(h handler) outcomes { return outcomes{h, h, h, h, h, h, over} }

// evermore is an outcome the end does not change either.
func evermore(h handler) outcomes { return outcomes{h, h, h, h, h, h, h} }

// waiting is an outcome of the waiting phases; otherwise is the one of the others.
func waiting(h, otherwise handler) outcomes {
	return outcomes{otherwise, h, h, h, otherwise, otherwise, over}
}

//nolint:gochecknoglobals // never written.
var (
	over        = refuse(RefusedEnded)
	notOwner    = refuse(RefusedNotOwner)
	taken       = refuse(RefusedTaken)
	noOffer     = refuse(RefusedNoOffer)
	openAlready = refuse(RefusedOpen)
	wrongRole   = refuse(RefusedRole)
	wrongState  = refuse(RefusedState)
	detached    = refuse(RefusedDetached)
)

// outcome finds what follows from an input; there is always one.
func outcome(s State, in Input) handler {
	phase := phaseIndex(s.Phase)
	if in.Body == nil {
		if then, ok := timers[in.Timer]; ok {
			return then[phase]
		}
		return wrongState
	}
	from, kind := sourceOf(s, in), in.Body.Kind()
	for i := range table {
		r := &table[i]
		if r.from&from != 0 && (r.kind == kind || r.kind == "") {
			return r.then[phase]
		}
	}
	return wrongRole
}

// phaseIndex is the column of a phase; one this program does not know is over.
func phaseIndex(p Phase) int {
	phases := Phases()
	for i, phase := range phases {
		if phase == p {
			return i
		}
	}
	return len(phases) - 1
}

// timers are the outcomes of deadlines.
//
//nolint:gochecknoglobals // a table that is never written.
var timers = map[TimerName]outcomes{
	TimerWaiting:         waiting(due(waitedTooLong), wrongState),
	TimerAgentSilence:    {wrongState, wrongState, wrongState, wrongState, due(agentSilent), wrongState, over},
	TimerCustomerSilence: {wrongState, wrongState, wrongState, wrongState, due(customerSilent), wrongState, over},
	TimerTotal:           {due(expired), wrongState, wrongState, wrongState, wrongState, wrongState, over},
}

// table is every kind × source × phase → outcome; the first row that fits
// counts. Columns: automated, requested, queued, offered, active, returning,
// ended.
//
//nolint:gochecknoglobals // a table that is never written.
var table = []row{
	// Who is not, or no longer, part of it.
	{event.KindWrapupCompleted, byGone, evermore(recordOnly)},
	{event.KindNoteCreated, byGone, evermore(record)},
	{event.KindSurveyAnswered, byDeparted, outcomes{detached, detached, detached, detached, detached, detached, rated}},
	{event.KindHandoffAccepted, byGone, outcomes{noOffer, noOffer, noOffer, noOffer, taken, noOffer, over}},
	{"", byGone | byDeparted, always(detached)},
	{"", byImpostor, always(wrongRole)},

	// Who is at the desk while nobody there has it: for a message that was left.
	{event.KindHandoffAccepted, byDesk, outcomes{takeUp, noOffer, noOffer, noOffer, taken, noOffer, over}},
	{event.KindWrapupCompleted, byDesk, evermore(leftDone)},
	{"", byDesk, always(noOffer)},

	// Words.
	{event.KindMessageCreated, byCustomer, always(customerSays)},
	{event.KindMessageCreated, byVirtual, always(virtualSays)},
	{event.KindMessageCreated, byOwner, always(ownerSays)},
	{event.KindMessageCreated, byCandidate, waiting(candidateSays, notOwner)},
	{event.KindMessageCreated, byPeople, outcomes{peopleSay, peopleSay, notOwner, notOwner, notOwner, notOwner, over}},
	{event.KindMessageCreated, byStranger, always(notOwner)},
	{event.KindMessageCreated, bySystem, always(record)},
	{event.KindMessageCreated, byAnyone, always(wrongRole)},
	{event.KindMessageLeft, byAnyone, always(wrongRole)},
	{event.KindMessagePartial, byVirtual, always(virtualSays)},
	{event.KindMessagePartial, byCustomer | byOwner | byCandidate, always(record)},
	{event.KindMessagePartial, byStranger | byPeople, always(notOwner)},
	{event.KindMessagePartial, byAnyone, always(wrongRole)},
	{event.KindSurveyOffered, byVirtual | byOwner | bySystem, always(record)},
	{event.KindSurveyOffered, byLive | byPeople, always(notOwner)},
	{event.KindSurveyOffered, byAnyone, always(wrongRole)},
	{event.KindSurveyAnswered, byCustomer, always(record)},
	{event.KindSurveyAnswered, byAnyone, always(wrongRole)},
	{event.KindCommandIssued, byCustomer, always(customerOrders)},
	{event.KindCommandIssued, byAnyone, always(wrongRole)},
	{event.KindAnswerCompleted, byCustomer | byObserver, always(wrongRole)},
	{event.KindTranscriptShared, byObserver, always(wrongRole)},
	{event.KindAnswerCompleted, byStranger | byPeople, always(recordOnly)},
	{event.KindTranscriptShared, byStranger | byPeople, always(recordOnly)},

	// Signals.
	{event.KindMessageRead, byOwner, always(agentReads)},
	{event.KindMessageRead, byStranger | byPeople, always(recordOnly)},
	{event.KindMessageDelivered, byStranger | byPeople, always(recordOnly)},
	{event.KindTypingStarted, byStranger | byPeople, always(recordOnly)},
	{event.KindTypingStopped, byStranger | byPeople, always(recordOnly)},
	{event.KindMessageRead, byObserver, always(wrongRole)},
	{event.KindMessageDelivered, byObserver, always(wrongRole)},
	{event.KindMessageFailed, byObserver, always(wrongRole)},
	{event.KindTypingStarted, byObserver, always(wrongRole)},
	{event.KindTypingStopped, byObserver, always(wrongRole)},
	{event.KindParticipantJoined, byObserver, always(wrongRole)},
	{event.KindParticipantLeft, byObserver, always(wrongRole)},
	{event.KindContextUpdated, byObserver, always(wrongRole)},
	{event.KindAvailabilityChanged, byObserver | byCustomer, always(wrongRole)},

	// Hand-off.
	{event.KindHandoffRequested, byVirtual | byCustomer | bySystem, outcomes{
		request, openAlready, openAlready, openAlready, openAlready, openAlready, over}},
	{event.KindHandoffRequested, byAnyone, always(wrongRole)},
	{event.KindHandoffQueued, byCandidate, waiting(queue, noOffer)},
	{event.KindHandoffQueued, byPeople, outcomes{queueOfOwn, queueOfOwn, noOffer, noOffer, noOffer, noOffer, over}},
	{event.KindHandoffQueued, byLive, always(noOffer)},
	{event.KindHandoffQueued, byAnyone, always(wrongRole)},
	{event.KindHandoffOffered, byCandidate, waiting(offer, noOffer)},
	{event.KindHandoffOffered, byLive, always(noOffer)},
	{event.KindHandoffOffered, byAnyone, always(wrongRole)},
	{event.KindHandoffAccepted, byCandidate, waiting(take, noOffer)},
	{event.KindHandoffAccepted, byPeople, outcomes{takeOwn, takeOwn, noOffer, noOffer, taken, noOffer, over}},
	{event.KindHandoffAccepted, byLive, outcomes{noOffer, noOffer, noOffer, noOffer, taken, noOffer, over}},
	{event.KindHandoffAccepted, byAnyone, always(wrongRole)},
	{event.KindHandoffDeclined, byCandidate, outcomes{noOffer, nextBackend, nextBackend, decline, noOffer, noOffer, over}},
	{event.KindHandoffDeclined, byLive, always(noOffer)},
	{event.KindHandoffDeclined, byAnyone, always(wrongRole)},
	{event.KindHandoffFailed, byCandidate, waiting(nextBackend, noOffer)},
	{event.KindHandoffFailed, byLive, always(noOffer)},
	{event.KindHandoffFailed, bySystem, waiting(nextBackend, wrongState)},
	{event.KindHandoffFailed, byAnyone, always(wrongRole)},
	{event.KindHandoffCancelled, byVirtual | byCustomer | bySystem, waiting(cancel, wrongState)},
	{event.KindHandoffCancelled, byOwner, waiting(cancelTransfer, wrongState)},
	{event.KindHandoffCancelled, byAnyone, always(wrongRole)},

	// Handback.
	{event.KindHandbackRequested, byOwner | bySystem, outcomes{
		wrongState, wrongState, wrongState, wrongState, handBack, wrongState, over}},
	{event.KindHandbackRequested, byLive | byPeople, always(notOwner)},
	{event.KindHandbackRequested, byAnyone, always(wrongRole)},
	{event.KindHandbackCompleted, byVirtual | byPeople | byOwner | bySystem, outcomes{
		wrongState, wrongState, wrongState, wrongState, ownPeopleDone, handedBack, over}},
	{event.KindHandbackCompleted, byAnyone, always(wrongRole)},
	{event.KindHandbackFailed, byVirtual | bySystem, outcomes{
		wrongState, wrongState, wrongState, wrongState, wrongState, handbackFailed, over}},
	{event.KindHandbackFailed, byAnyone, always(wrongRole)},

	// Transfer.
	{event.KindTransferRequested, byOwner, outcomes{
		wrongState, openAlready, openAlready, openAlready, transfer, wrongState, over}},
	{event.KindTransferRequested, bySystem, outcomes{
		wrongState, wrongState, loseInTransfer, loseInTransfer, transfer, wrongState, over}},
	{event.KindTransferRequested, byLive | byPeople, always(notOwner)},
	{event.KindTransferRequested, byAnyone, always(wrongRole)},
	{event.KindTransferCompleted, byOwner | byStranger | byPeople, outcomes{
		wrongState, wrongState, wrongState, wrongState, reassign, wrongState, over}},
	{event.KindTransferCompleted, byAnyone, always(wrongRole)},
	{event.KindTransferFailed, byLive | byPeople, always(recordOnly)},
	{event.KindTransferFailed, byAnyone, always(wrongRole)},

	// Beginning and end.
	{event.KindConversationStarted, byCustomer | byVirtual | bySystem, outcomes{
		record, wrongState, wrongState, wrongState, wrongState, wrongState, over}},
	{event.KindConversationStarted, byAnyone, always(wrongRole)},
	{event.KindConversationEnded, byVirtual | byCustomer | bySystem | byOwner, always(end)},
	{event.KindConversationEnded, byLive | byPeople, always(notOwner)},
	{event.KindConversationEnded, byAnyone, always(wrongRole)},

	// Among those who work on it.
	{event.KindWrapupCompleted, byLive | byPeople, always(recordOnly)},
	{event.KindWrapupCompleted, byAnyone, always(wrongRole)},
	{event.KindNoteCreated, byCustomer, always(wrongRole)},
	{event.KindInsightObserved, byCustomer | byLive | byPeople, always(wrongRole)},
	{event.KindInsightRequested, byCustomer | byVirtual | byPeople | byObserver, always(wrongRole)},

	// All that is left only has an audience, also what this program does not know.
	{"", byAnyone, always(record)},
}
