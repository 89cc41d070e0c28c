// Package adaptertest is what an author of an adapter tests with.
//
// Scripts runs text files that show what an adapter does, input by input. Laws
// tries what no script would: random inputs, failing calls, thousands of events.
// Both drive an adapter as the bridge does, one turn at a time.
//
// A script is a text file of steps. A step is a line that says what comes in,
// with the input's own lines below it; then a line of four dashes; then the
// effects the adapter recorded, up to an empty line. Run the tests with -update
// to have the effects written:
//
//	account studio virtual_agent
//	settings {"region":"eu"}
//	credentials key
//	----
//	ok
//
//	request start
//	{"sessionId":"s-1"}
//	----
//	emit handoff.requested by virtual_agent
//	  {}
//	hold r1
//
//	deliver handoff.accepted by live_agent id=sam
//	----
//	reply r1 200
//	  {}
//
// The steps are:
//
//	account NAME ROLE             fits the adapter to an account; below it settings,
//	                              credentials, public_url. The profile's faults are
//	                              its effects. It begins a new leg.
//	profile                       shows what Configure made of the account
//	leg KEY                       begins a new leg with that key
//	request ENDPOINT [PATH]       a request, body below; ids count r1, r2, …
//	deliver KIND by ROLE [id=I] [name=N] [event=E] [ref=R] [maybe_duplicate]
//	                              a delivery, its body below; event ids count e1, e2, …
//	result TAG STATUS|REASON [HEADER=VALUE]
//	                              how a call ended, the answer's body below
//	result TAG unknown STATUS     the same, with what its Readback was answered
//	fired TIMER                   a timer is due
//	expired REQUEST REASON        a held request can no longer be answered
//	wait DURATION                 lets time pass
//
// Lines that begin with # are comments. A credential shows as {credential:NAME}.
package adaptertest

import "github.com/footbridge/footbridge/bridge/adapter"

// Turner performs one turn: an adapter in this process or the one behind a
// plugin's process boundary. It reports what went wrong in Outcome.Err.
type Turner interface {
	Turn(adapter.Turn) adapter.Outcome
}

// InProcess is the Turner of a definition in this process.
func InProcess(d adapter.Definition) Turner { return inProcess{d} }

type inProcess struct{ definition adapter.Definition }

func (p inProcess) Turn(t adapter.Turn) adapter.Outcome { return adapter.Run(p.definition, t) }
