package ws

import "time"

// pulse calls silent when no beat came for a time. Its methods are for one goroutine.
type pulse struct {
	every time.Duration
	due   time.Time
	timer *time.Timer
	left  time.Duration // of a pulse that is held
}

func newPulse(every time.Duration, silent func(after time.Duration)) *pulse {
	return &pulse{every: every, due: time.Now().Add(every), timer: time.AfterFunc(every, func() { silent(every) })}
}

// beat starts the time anew.
func (p *pulse) beat() {
	p.due = time.Now().Add(p.every)
	p.timer.Reset(p.every)
}

// hold stops the time while nobody reads, until resume.
func (p *pulse) hold() {
	p.left = time.Until(p.due)
	p.timer.Stop()
}

func (p *pulse) resume() {
	p.due = time.Now().Add(p.left)
	p.timer.Reset(p.left)
}

func (p *pulse) stop() { p.timer.Stop() }
