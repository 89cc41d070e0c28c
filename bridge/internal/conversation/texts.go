package conversation

import "github.com/footbridge/footbridge/bridge/event"

// Keys of the system texts that Facts.Text is asked for, beside the
// event.Failed constants, which are the texts for a hand-off that failed.
const (
	TextLeaveMessage = "leave_message" // nobody is there; please leave a message
	TextSayAgain     = "say_again"     // please say your last words again, to the virtual agent
	TextAgentLost    = "agent_lost"    // the live agent is gone; another is sought
	TextAgentSilent  = "agent_silent"  // the live agent has not answered for too long
	TextCustomerGone = "customer_gone" // the customer has not answered for too long
)

// TextKeys lists every key Facts.Text may be asked for.
func TextKeys() []string {
	return []string{
		event.FailedNoAgents, event.FailedOutOfHours, event.FailedQueueFull, event.FailedTimedOut,
		event.FailedDeclined, event.FailedBackendDown, event.FailedRejected,
		TextLeaveMessage, TextSayAgain, TextAgentLost, TextAgentSilent, TextCustomerGone,
	}
}

// say gives the customer a system text, unless it is switched off.
func (m *move) say(key string) {
	if m.f.Text == nil {
		return
	}
	if text := m.f.Text(key); text != "" {
		m.tell(event.MessageCreated{Content: event.Plain(text)}, toFront)
	}
}
