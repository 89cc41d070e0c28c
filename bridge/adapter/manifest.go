package adapter

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// Manifest says what an adapter is, whatever account it serves. It is data: the
// documentation, the example configuration and the checks are made from it.
type Manifest struct {
	// Name is the adapter's name in configuration: lower case, no spaces.
	Name string `json:"name"`
	// Title is the name people read.
	Title   string `json:"title"`
	Version string `json:"version"`
	// StateVersion counts the forms of the adapter's state, from 1.
	StateVersion int          `json:"state_version"`
	Roles        []event.Role `json:"roles"`
	// FarSides says in a line what is at the far side in each role; the table of
	// vendors is made from it.
	FarSides    map[event.Role]string `json:"far_sides,omitempty"`
	Settings    []Setting             `json:"settings,omitempty"`
	Credentials []Credential          `json:"credentials,omitempty"`
	// Samples are what the vendor answers to calls, for translating without it.
	Samples []Sample `json:"samples,omitempty"`
}

// Sample is what the vendor answers to a call when all is well.
type Sample struct {
	// Tag is how the tags of such calls begin; of several the longest counts.
	Tag    string          `json:"tag"`
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// Setting is one key of an account's settings.
type Setting struct {
	Name string `json:"name"`
	// Type is "string", "number", "boolean" or "list".
	Type     string       `json:"type"`
	Default  string       `json:"default,omitempty"`
	Example  string       `json:"example,omitempty"`
	Values   []string     `json:"values,omitempty"`
	Required bool         `json:"required,omitempty"`
	Roles    []event.Role `json:"roles,omitempty"`
	Doc      string       `json:"doc"`
}

// Credential is one secret an account has. Its value stays in the bridge.
type Credential struct {
	Name     string       `json:"name"`
	Required bool         `json:"required,omitempty"`
	Roles    []event.Role `json:"roles,omitempty"`
	Doc      string       `json:"doc"`
}

// Profile is the manifest fitted to one account by Configure.
type Profile struct {
	// Hosts are the only hosts the account's calls may go to: "host" or
	// "host:port". One that is not of the internet at large is reached only where
	// the operator wrote it into the account's settings or allowed_hosts.
	Hosts     []string   `json:"hosts,omitempty"`
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// Feeds are the connections on which the vendor speaks to endpoints.
	Feeds  []Feed `json:"feeds,omitempty"`
	Levels Levels `json:"levels"`
	// HoldsCustomer says a virtual agent's leg carries the customer too.
	HoldsCustomer bool `json:"holds_customer,omitempty"`
	// RetryWithin is how long after a lost request the vendor may ask again.
	RetryWithin time.Duration `json:"retry_within,omitempty"`
	// FileLogins are the hosts that give their files only to who shows a credential.
	FileLogins []FileLogin `json:"file_logins,omitempty"`
	// Pace is the least time between two calls of the same Lane; 0 keeps none apart.
	Pace time.Duration `json:"pace,omitempty"`
	// Reconcile says that the vendor does not tell again what it could not tell once,
	// so that legs are given Reconcile.
	Reconcile bool `json:"reconcile,omitempty"`
	// Mask lists JSON pointers of bodies and messages that are replaced by
	// "[masked]" before they are stored. The places of Endpoint.Auth and Tokens need
	// not be repeated here; see Masks.
	Mask []string `json:"mask,omitempty"`
	// Assumptions are the facts about the vendor nobody could confirm.
	Assumptions []string `json:"assumptions,omitempty"`
}

// FileLogin is what the bridge shows a host when it fetches a file there.
type FileLogin struct {
	// Host is one of Profile.Hosts; nobody else is shown the credential.
	Host string `json:"host"`
	// Header names the header, "Authorization" where it is empty.
	Header string `json:"header,omitempty"`
	// Prefix stands before the credential: "Bearer ".
	Prefix     string `json:"prefix,omitempty"`
	Credential string `json:"credential"`
}

// Masks are the JSON pointers of all that must not be stored, each once: Mask, and
// the places in bodies and frames where the endpoints have their credentials and
// tokens.
func (p Profile) Masks() []string {
	out := slices.Clone(p.Mask)
	for _, e := range p.Endpoints {
		auth, _, _ := strings.Cut(e.Auth, "=")
		for _, place := range append([]string{auth}, e.Tokens...) {
			kind, at, _ := strings.Cut(place, ":")
			if (kind == "body" || kind == "frame") && !slices.Contains(out, at) {
				out = append(out, at)
			}
		}
	}
	return out
}

// How an endpoint answers.
const (
	AnswerAck   = "ack"   // after the request is stored
	AnswerReply = "reply" // with the turn's Reply, or the declared failure
)

// What an endpoint does with a key no open leg has.
const (
	UnknownOpen   = "open"   // begins a conversation
	UnknownWait   = "wait"   // waits, up to 2.5 s, while a call or dial of the account that binds a key is under way
	UnknownIgnore = "ignore" // acknowledges and counts
	UnknownRefuse = "refuse" // answers Endpoint.Refusal
)

// NoKeyIgnore acknowledges a request without a key, stores nothing and counts it.
const NoKeyIgnore = "ignore"

// How long an endpoint remembers a dedup id.
const (
	DedupForever = "forever"
	// DedupHandoff remembers it while a hand-off of the leg is open.
	DedupHandoff = "handoff"
)

// Endpoint is one HTTP endpoint, or with a Transport one socket, the bridge serves
// for the vendor.
type Endpoint struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	// Transport is one of the Transport constants for a socket: whoever opens it
	// gives its leg Opened, Frame and Closed in place of Request. A newer socket
	// with the same key replaces the older one.
	Transport string `json:"transport,omitempty"`
	// Event is as in Dial, for Socket.IO.
	Event string `json:"event,omitempty"`
	// Path is below the account's own; {name} stands for one segment. "" is not
	// served: only a Feed reaches the endpoint.
	Path   string `json:"path"`
	Answer string `json:"answer"`
	// Default is the reply to an acknowledged request; 200 and {} if unset.
	Default Reply `json:"default,omitzero"`
	// Failure is the reply when there is none in time; 503 if unset.
	Failure Reply `json:"failure,omitzero"`
	// Within is how long a reply may take; 10 s if unset.
	Within time.Duration `json:"within,omitempty"`
	// Key says where the leg's key is: "path:NAME", "query:NAME", "header:NAME",
	// "body:/json/pointer", "token" (the key a minted token is bound to), for a
	// socket also "frame:/json/pointer" of its first message, or "connection":
	// every connection is a leg of its own. "new" makes a key of our own for every
	// request. Of several, between commas, the first that is there counts.
	Key string `json:"key"`
	// Dedup says where the dedup id is, in the same words, or "body" for the
	// digest of the whole body, or "signature" for what the vendor signed; empty
	// means there is none.
	Dedup      string `json:"dedup,omitempty"`
	DedupWhile string `json:"dedup_while,omitempty"`
	Unknown    string `json:"unknown"`
	// NoKey is what a request without a key gets: "" refuses it with 400,
	// NoKeyIgnore acknowledges and counts it.
	NoKey   string `json:"no_key,omitempty"`
	Refusal Reply  `json:"refusal,omitzero"`
	// MaxBody is the limit of the body in bytes; 256 KiB if unset.
	MaxBody int64 `json:"max_body,omitempty"`
	// Auth names the credential and where the vendor sends it, for an endpoint
	// the vendor authenticates: "header:NAME=credential" (or "bearer=",
	// "query:NAME=", "frame:/pointer="), "minted:NAME" for a token of Tx.Mint, or
	// "signature:CREDENTIAL" for what Signature says. Empty means the vendor sends
	// none, and the account's own inbound setting applies.
	Auth      string    `json:"auth,omitempty"`
	Signature Signature `json:"signature,omitzero"`
	// Tokens are the places a minted token may be in, the first found counts:
	// "bearer", "query:NAME", "protocol" (a WebSocket sub-protocol) or
	// "frame:/pointer".
	Tokens []string `json:"tokens,omitempty"`
	// Unauthorized is the reply to a wrong credential; 401 if unset.
	Unauthorized Reply `json:"unauthorized,omitzero"`
	// Raw says the body is not JSON, so that it is not parsed before the turn.
	Raw bool `json:"raw,omitempty"`
	// Form names the field of an application/x-www-form-urlencoded body that has the
	// JSON: it is read as the body, and is Request.Body. What is signed is the form.
	Form string `json:"form,omitempty"`
	// Batch is the JSON pointer of a list in the body. Each object of it is a Request of its own, with that object as its Body, in their
	// order: "body:" in Key and Dedup is in the object. All are stored before the
	// vendor is answered. Answer is AnswerAck then, and Dedup has to be set.
	Batch string `json:"batch,omitempty"`
	// Challenge is a place, as Key's: a request with a value there is answered with it,
	// as plain text, and is nothing else. So vendors see that an address is ours.
	Challenge string `json:"challenge,omitempty"`
}

// Level says how well a far side carries something.
type Level string

// The levels, best first.
const (
	Full     Level = "full"
	Partial  Level = "partial"
	Fallback Level = "fallback"
	Dropped  Level = "dropped"
	Rejected Level = "rejected"
)

// How a far side is reached with news.
const (
	PushNone   = "none"
	PushSocket = "socket"
	PushCall   = "call"
)

// Levels says what the far side carries. What it does not carry is degraded by
// the bridge before delivery.
type Levels struct {
	// Content has a level per content type; a type that is missing is Fallback.
	Content map[string]Level `json:"content,omitempty"`
	// Formats lists the text formats carried, the best first; plain always is.
	Formats []string `json:"formats,omitempty"`
	// MaxText is the longest text in grapheme clusters; 0 means no limit.
	MaxText       int    `json:"max_text,omitempty"`
	Typing        Level  `json:"typing,omitempty"`
	Receipts      Level  `json:"receipts,omitempty"`
	Partials      Level  `json:"partials,omitempty"`
	Transcript    Level  `json:"transcript,omitempty"`
	QueuePosition Level  `json:"queue_position,omitempty"`
	CustomerEnd   Level  `json:"customer_end,omitempty"`
	Push          string `json:"push,omitempty"`
	// Extensions names the adapter's own extensions that the far side has a frame
	// for and may see: what its vendor's other end says beside words. A customer or
	// a virtual agent is given no other.
	Extensions []string `json:"extensions,omitempty"`
}
