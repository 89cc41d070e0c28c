package journal

import "time"

// Bounds say before when things are too old to be kept; a zero time keeps
// everything of its kind.
type Bounds struct {
	// Raw is of the frames that were dealt with, and of what turns were.
	Raw time.Time
	// Conversations is of conversations that have ended, by their last change.
	Conversations time.Time
	DeadLetters   time.Time
	Audit         time.Time
}

// Removed is how much was too old.
type Removed struct{ Frames, Turns, Conversations, DeadLetters, Audit int64 }

// Any tells whether there was anything.
func (r Removed) Any() bool { return r != Removed{} }
