package observe

import "sync"

const healthy = "ok"

// Health knows which parts of the core work. Only what the program cannot serve without belongs in it (journal,
// listeners, drain): a vendor that is down is shown elsewhere and never makes the program unready. It may be used from
// many goroutines.
type Health struct {
	redactor Redactor

	mu         sync.Mutex
	components map[string]component
}

type component struct {
	well bool
	text string
}

// NewHealth makes a Health without parts, which is not ready. The texts of errors pass the redactor, which must not be nil.
func NewHealth(r Redactor) *Health {
	return &Health{redactor: r, components: map[string]component{}}
}

// Set says how a part does: nil is well, an error is not. Set every part to an error at the start, and to nil when it is
// up, so that the program is not ready too early.
func (h *Health) Set(name string, err error) {
	c := component{true, healthy}
	if err != nil {
		c = component{false, cleanText(render(err), h.redactor)}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.components[name] = c
}

// Ready tells whether all parts are well, and gives "ok" or the error's text for each.
func (h *Health) Ready() (bool, map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ready := len(h.components) > 0
	texts := make(map[string]string, len(h.components))
	for name, c := range h.components {
		ready = ready && c.well
		texts[name] = c.text
	}
	return ready, texts
}
