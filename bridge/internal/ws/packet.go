package ws

import (
	"bytes"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// The kinds of an Engine.IO packet, its first byte.
const (
	engineOpen    = '0'
	engineClose   = '1'
	enginePing    = '2'
	enginePong    = '3'
	engineMessage = '4'
	engineNoop    = '6'
)

// The kinds of a Socket.IO packet, the byte after engineMessage.
const (
	packetConnect     = '0'
	packetDisconnect  = '1'
	packetEvent       = '2'
	packetAck         = '3'
	packetRefusal     = '4'
	packetBinaryEvent = '5'
	packetBinaryAck   = '6'
)

const (
	maxNamespace   = 256 // bytes
	maxEventName   = 256 // bytes, quotes and escapes not counted
	maxAckID       = 16  // digits: what a double holds exactly
	maxArguments   = 32
	maxAttachments = 10
)

// packet is one Socket.IO packet without its attachments.
type packet struct {
	kind        byte
	attachments int
	namespace   string
	id          string // digits; empty: no acknowledgement asked
	payload     jsontext.Value
}

func broken(reason string) *CloseError {
	return &CloseError{Code: CodeProtocol, Reason: reason, frame: CodeProtocol}
}

func excess(reason string) *CloseError {
	return &CloseError{Code: CodePolicy, Reason: reason, frame: CodePolicy}
}

func tooLarge() *CloseError {
	return &CloseError{Code: CodeTooLarge, Reason: "message too large", frame: CodeTooLarge}
}

// readPacket parses what follows engineMessage and judges its payload.
func readPacket(text []byte) (packet, *CloseError) {
	if len(text) == 0 || text[0] < packetConnect || text[0] > packetBinaryAck {
		return packet{}, broken("unknown Socket.IO packet")
	}
	p := packet{kind: text[0], namespace: "/"}
	rest := text[1:]
	for _, read := range []func(*packet, []byte) ([]byte, *CloseError){readAttachments, readNamespace, readID} {
		var bad *CloseError
		if rest, bad = read(&p, rest); bad != nil {
			return packet{}, bad
		}
	}
	p.payload = rest
	return p, p.check()
}

// digits is the number of digits text begins with.
func digits(text []byte) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

func (p *packet) binary() bool { return p.kind == packetBinaryEvent || p.kind == packetBinaryAck }

func (p *packet) event() bool { return p.kind == packetEvent || p.kind == packetBinaryEvent }

func readAttachments(p *packet, text []byte) (rest []byte, bad *CloseError) {
	if !p.binary() {
		return text, nil
	}
	n := digits(text)
	if n == 0 || n == len(text) || text[n] != '-' {
		return nil, broken("number of attachments is missing")
	}
	count, err := strconv.Atoi(string(text[:n]))
	if err != nil || count > maxAttachments {
		return nil, excess("too many attachments")
	}
	if count == 0 {
		return nil, broken("binary packet without attachments")
	}
	p.attachments = count
	return text[n+1:], nil
}

// readNamespace takes a namespace and its comma, which may be left out at the packet's end.
func readNamespace(p *packet, text []byte) (rest []byte, bad *CloseError) {
	if len(text) == 0 || text[0] != '/' {
		return text, nil
	}
	name, rest, _ := bytes.Cut(text, []byte{','})
	if len(name) > maxNamespace {
		return nil, excess("namespace too long")
	}
	p.namespace = string(name)
	return rest, nil
}

func readID(p *packet, text []byte) (rest []byte, bad *CloseError) {
	n := digits(text)
	if n > maxAckID {
		return nil, broken("acknowledgement id out of range")
	}
	p.id = string(text[:n])
	return text[n:], nil
}

// starts are the first bytes the payload of each kind may have; a blank: it may be empty.
//
//nolint:gochecknoglobals // never written
var starts = map[byte]string{
	packetConnect:     "{ ",
	packetDisconnect:  " ",
	packetEvent:       "[",
	packetAck:         "[",
	packetRefusal:     `{"`,
	packetBinaryEvent: "[",
	packetBinaryAck:   "[",
}

// check judges id and payload.
func (p *packet) check() *CloseError {
	start := byte(' ')
	if len(p.payload) > 0 {
		start = p.payload[0]
	}
	acks := p.kind == packetAck || p.kind == packetBinaryAck
	switch {
	case bytes.IndexByte([]byte(starts[p.kind]), start) < 0:
		return broken("payload does not fit its packet")
	case len(p.payload) > 0 && !sound(p.payload):
		return broken("payload is not JSON")
	case acks && p.id == "" || !acks && !p.event() && p.id != "":
		return broken("acknowledgement id does not fit its packet")
	case !p.event():
		return nil
	}
	_, _, bad := arguments(p.payload)
	return bad
}

// lenient takes the JSON that JavaScript takes and makes: names twice, halves of surrogate pairs.
func lenient() []jsontext.Options {
	return []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
}

func sound(v jsontext.Value) bool { return v.IsValid(lenient()...) }

// arguments splits an event's payload into its name and what came with it.
func arguments(payload []byte) (name string, args []jsontext.Value, bad *CloseError) {
	d := jsontext.NewDecoder(bytes.NewReader(payload), lenient()...)
	if open, err := d.ReadToken(); err != nil || open.Kind() != '[' || d.PeekKind() != '"' {
		return "", nil, broken("event without a name")
	}
	token, err := d.ReadToken()
	if err != nil {
		return "", nil, broken("payload is not JSON")
	}
	if name = token.String(); name == "" {
		return "", nil, broken("event without a name")
	}
	if len(name) > maxEventName {
		return "", nil, excess("event name too long")
	}
	for d.PeekKind() != ']' {
		v, err := d.ReadValue()
		if err != nil {
			return "", nil, broken("payload is not JSON")
		}
		if len(args) == maxArguments {
			return "", nil, excess("too many arguments")
		}
		args = append(args, v.Clone())
	}
	d.ReadToken()
	if _, err := d.ReadToken(); err != io.EOF {
		return "", nil, broken("payload is not JSON")
	}
	return name, args, nil
}

// appendHead appends a packet up to its payload.
func appendHead(out []byte, kind byte, attachments int, namespace, id string) []byte {
	out = append(out, engineMessage, kind)
	if attachments > 0 {
		out = append(strconv.AppendInt(out, int64(attachments), 10), '-')
	}
	if namespace != "/" {
		out = append(append(out, namespace...), ',')
	}
	return append(out, id...)
}

// hole is the placeholder of the first attachment.
const hole = `{"_placeholder":true,"num":0}`

// argument is data as it stands in an event: as it is where that is JSON, else as a JSON string.
func argument(data []byte) []byte {
	if sound(data) {
		return data
	}
	return quoted(string(data))
}

// appendArguments appends an event's payload; name is quoted.
func appendArguments(out, name, argument []byte) []byte {
	out = append(append(out, '['), name...)
	return append(append(append(out, ','), argument...), ']')
}

// quoted is valid UTF-8 as a JSON string.
func quoted(text string) []byte {
	out, _ := jsontext.AppendQuote(nil, text)
	return out
}
