package scripted

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// The texts of an account that sets none.
const (
	defaultName        = "Virtual agent"
	defaultGreeting    = "Hello! I am a virtual agent. What can I do for you?"
	defaultChoice      = "Talk to a person"
	defaultFallback    = "Sorry, I did not understand. Please say it in other words."
	defaultHandoffText = "I am connecting you with a colleague."
	defaultReason      = "customer asked for a person"
	defaultSummary     = "The customer wrote: " + askedMark
	defaultFailed      = "I am still here. Can I help you with something else?"
	defaultWelcomeBack = "You are talking to the virtual agent again. What else can I do for you?"
)

// askedMark stands for the customer's questions in a summary.
const askedMark = "{asked}"

// failedOther is the key of the text for reasons that have none of their own.
const failedOther = "other"

// keywordLimit is the longest keyword; state may hold one.
const keywordLimit = 60

// settings are an account's script, with the defaults filled in.
type settings struct {
	Name        string            `json:"name"`
	Greeting    string            `json:"greeting"`
	Choices     []string          `json:"choices"`
	Answers     []answer          `json:"answers"`
	Fallback    string            `json:"fallback"`
	Handoff     handoff           `json:"handoff"`
	Failed      map[string]string `json:"failed"`
	WelcomeBack string            `json:"welcome_back"`
}

// answer is what is said when a customer's words hold one of the keywords.
type answer struct {
	Keywords []string `json:"keywords"`
	Text     string   `json:"text"`
	Choices  []string `json:"choices"`
}

// handoff is when and how a live agent is asked for.
type handoff struct {
	Keywords   []string          `json:"keywords"`
	Text       string            `json:"text"`
	Reason     string            `json:"reason"`
	Summary    string            `json:"summary"`
	Queue      string            `json:"queue"`
	Skills     []string          `json:"skills"`
	Attributes map[string]string `json:"attributes"`
}

// unset is a script before its keys are read: texts have their defaults, lists
// get theirs from fill, as reading a list over another would mix the two.
func unset() settings {
	return settings{Name: defaultName, Greeting: defaultGreeting, Fallback: defaultFallback, WelcomeBack: defaultWelcomeBack,
		Failed:  map[string]string{failedOther: defaultFailed},
		Handoff: handoff{Text: defaultHandoffText, Reason: defaultReason, Summary: defaultSummary}}
}

func (s *settings) fill() {
	if s.Handoff.Keywords == nil {
		s.Handoff.Keywords = []string{"agent", "human", "person"}
	}
	if _, person := s.find(defaultChoice); s.Choices == nil && person {
		s.Choices = []string{defaultChoice}
	}
}

func settingsOf(tx *adapter.Tx) (settings, error) {
	s := unset()
	err := tx.Settings(&s)
	s.fill()
	return s, err
}

// check refuses a script that cannot do what it says.
func (s *settings) check() error {
	if err := checkKeywords("handoff.keywords", s.Handoff.Keywords); err != nil {
		return err
	}
	if err := s.checkChoices("choices", s.Choices); err != nil {
		return err
	}
	for i, a := range s.Answers {
		at := fmt.Sprintf("answers[%d]", i)
		if len(a.Keywords) == 0 {
			return fmt.Errorf("setting %s.keywords is empty: list the words it answers", at)
		}
		if a.Text == "" {
			return fmt.Errorf("setting %s.text is empty: write the answer", at)
		}
		if err := checkKeywords(at+".keywords", a.Keywords); err != nil {
			return err
		}
		if err := s.checkChoices(at+".choices", a.Choices); err != nil {
			return err
		}
	}
	return s.checkFailed()
}

func checkKeywords(at string, keywords []string) error {
	for _, k := range keywords {
		if len(words(k)) == 0 {
			return fmt.Errorf("setting %s has %q: write at least one word", at, k)
		}
		if codec.Length(k) > keywordLimit {
			return fmt.Errorf("setting %s has %q: use at most %d characters", at, k, keywordLimit)
		}
	}
	return nil
}

// checkChoices refuses a choice that would only reach the fallback.
func (s *settings) checkChoices(at string, labels []string) error {
	for _, label := range labels {
		if found, person := s.find(label); found == nil && !person {
			return fmt.Errorf("setting %s has %q, which no keyword fits: add it to the keywords of an answer or of handoff", at, label)
		}
	}
	return nil
}

func (s *settings) checkFailed() error {
	known := []string{event.FailedNoAgents, event.FailedOutOfHours, event.FailedQueueFull, event.FailedTimedOut,
		event.FailedDeclined, event.FailedBackendDown, event.FailedRejected, failedOther}
	for _, reason := range slices.Sorted(maps.Keys(s.Failed)) {
		if !slices.Contains(known, reason) {
			return fmt.Errorf("setting failed has %q: use one of %s", reason, strings.Join(known, ", "))
		}
	}
	return nil
}

// failed is the text for a reason.
func (s *settings) failed(reason string) string {
	if text, ok := s.Failed[reason]; ok {
		return text
	}
	return s.Failed[failedOther]
}
