// Package adapterpb is the protocol between the bridge and a plugin: the
// envelope in protobuf (adapter.proto), its generated code, and conversions to
// and from the types of package adapter.
//
// Package serve speaks it on the plugin's side and the bridge's host on the
// other. An author in Go needs neither this package nor the file; an author in
// another language generates code from adapter.proto.
//
// The generated files are made in this folder, with protoc, protoc-gen-go
// v1.36.12 and protoc-gen-go-grpc v1.6.2 on PATH, by
//
//	go generate .
//
// adapter.descriptor.txt lists what the protocol has, one line an element. A test
// compares the generated code with it and fails when something was changed or
// removed; after an addition,
//
//	go test -run Descriptor . -update
//
// adds its lines and takes none away.
package adapterpb

//go:generate protoc --proto_path=. --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative adapter.proto

// The handshake of a plugin. The cookie keeps a person who runs a plugin by hand
// from waiting for nothing; it is no secret.
const (
	CookieKey       = "FOOTBRIDGE_PLUGIN"
	CookieValue     = "footbridge.adapter.v1"
	ProtocolVersion = 1
)

// The limits of one gRPC message in bytes: what a plugin is sent, and what is
// taken from it.
const (
	MaxRequest  = 1 << 20
	MaxResponse = 4 << 20
)

// MaxEffects is how many effects are taken from one turn.
const MaxEffects = 1000

// Features lists the inputs and effects this program knows, as the two sides
// tell each other in Describe.
func Features() []string {
	return []string{
		"input.request", "input.deliver", "input.result", "input.fired", "input.expired",
		"input.opened", "input.frame", "input.closed", "input.sent", "input.reconcile", "input.check",
		"effect.emission", "effect.answer", "effect.holding", "effect.calling", "effect.timer",
		"effect.timer_stop", "effect.binding", "effect.learned", "effect.postponed", "effect.failure",
		"effect.dialing", "effect.sending", "effect.closing", "effect.minting",
	}
}
