package engine

import (
	"cmp"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// defaultReadback bounds the tries of a read that looks for an outcome.
const defaultReadback = time.Minute

// look has a call's outcome, which is not known, be looked for from now on. What is
// journaled is the next try, as of any call: until then a restart finds it unknown too.
func (c *convo) look(l *leg, tag string, k *call) {
	k.Reading, l.dirty = true, true
	k.GiveUp = now().Add(cmp.Or(max(k.Call.Readback.GiveUp, 0), defaultReadback))
	if k.Call.Binds {
		c.binds(l, tag, k.GiveUp)
	}
}

// request is what leaves in a try of the call: itself, or the read that looks for its
// outcome.
func (k *call) request() adapter.Call {
	if k.Reading {
		return *k.Call.Readback
	}
	return k.Call
}

// outcome is what the last try says of the call: of a read that came to nothing, nothing.
func (k *call) outcome(a Attempt) Attempt {
	if k.Reading && (a.Reason != "" || judge(a) != verdictFinal) {
		return Attempt{Reason: adapter.ReasonUnknown}
	}
	return a
}
