package conversation

import (
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// Keys of the system texts that Facts.Text is asked for, beside the
// event.Failed constants, which are the texts for a hand-off that failed.
const (
	TextLeaveMessage = "leave_message"  // nobody is there; please leave a message
	TextSayAgain     = "say_again"      // please say your last words again, to the virtual agent
	TextAgentLost    = "agent_lost"     // the live agent is gone; another is sought
	TextAgentSilent  = "agent_silent"   // the live agent has not answered for too long
	TextCustomerGone = "customer_gone"  // the customer has not answered for too long
	TextPlace        = "queue_position" // the place in the queue, which stands for placeMark
)

// TextKeys lists every key Facts.Text may be asked for.
func TextKeys() []string {
	return []string{
		event.FailedNoAgents, event.FailedOutOfHours, event.FailedQueueFull, event.FailedTimedOut,
		event.FailedDeclined, event.FailedBackendDown, event.FailedRejected,
		TextLeaveMessage, TextSayAgain, TextAgentLost, TextAgentSilent, TextCustomerGone, TextPlace,
	}
}

// say gives the customer a system text, unless it is switched off.
func (m *move) say(key string) { m.sayWith(key, strings.NewReplacer()) }

func (m *move) sayWith(key string, marks *strings.Replacer) {
	if m.f.Text == nil {
		return
	}
	if text := m.f.Text(key); text != "" {
		m.tell(event.MessageCreated{Content: event.Plain(marks.Replace(text))}, toFront)
	}
}

// placeMark stands for the place in a queue.
const placeMark = "{position}"

// sayPlace gives the customer their place in the queue in words, where their
// platform shows none and the desk tells one.
func (m *move) sayPlace() {
	queued, _ := m.in.Body.(event.HandoffQueued)
	if front, ok := m.s.Front(); ok && front.PlaceInWords && queued.Position > 0 {
		m.sayWith(TextPlace, strings.NewReplacer(placeMark, strconv.Itoa(queued.Position)))
	}
}
