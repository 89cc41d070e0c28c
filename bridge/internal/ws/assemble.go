package ws

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// decoder puts packets and their attachments together. It does no I/O.
type decoder struct {
	limit   int // bytes of a packet with its attachments, as received and as handed over
	pending *packet
	since   time.Time // of pending
	parts   [][]byte
	size    int
}

// text takes what follows engineMessage; nil without an error: attachments are to come.
func (d *decoder) text(text []byte) (*packet, *CloseError) {
	if d.pending != nil {
		return nil, broken("packet inside a binary packet")
	}
	p, bad := readPacket(text)
	if bad != nil {
		return nil, bad
	}
	d.parts = nil
	if d.size = len(text); d.size > d.limit {
		return nil, tooLarge()
	}
	if p.attachments > 0 {
		d.pending, d.since = &p, time.Now()
		return nil, nil
	}
	return &p, nil
}

// attachment takes a binary message; nil without an error: more are to come.
func (d *decoder) attachment(data []byte) (*packet, *CloseError) {
	if d.pending == nil {
		return nil, broken("attachment without a binary packet")
	}
	if d.size += len(data); d.size > d.limit {
		return nil, tooLarge()
	}
	d.parts = append(d.parts, data)
	if len(d.parts) < d.pending.attachments {
		return nil, nil
	}
	p := d.pending
	d.pending = nil
	return p, nil
}

// arrival is an event as it is handed over.
type arrival struct {
	name   string
	data   []byte
	binary bool
}

// arrival reads an event that text or attachment just returned.
func (d *decoder) arrival(p *packet) (arrival, *CloseError) {
	name, args, bad := arguments(p.payload)
	if bad != nil {
		return arrival{}, bad
	}
	if len(d.parts) == 1 && len(args) == 1 && string(args[0]) == string(placeholder.Find(args[0])) {
		if num(args[0]) != "0" {
			return arrival{}, broken("placeholders do not fit the attachments")
		}
		return arrival{name: name, data: d.parts[0], binary: true}, nil
	}
	if len(d.parts) > 0 {
		payload, bad := d.fill(p.payload)
		if bad != nil {
			return arrival{}, bad
		}
		if name, args, bad = arguments(payload); bad != nil {
			return arrival{}, bad
		}
	}
	return arrival{name: name, data: joined(args)}, nil
}

// placeholder stands in JSON where an attachment belongs. In valid JSON no string can hold it,
// since its quotes would be escaped.
var placeholder = regexp.MustCompile(`\{\s*"_placeholder"\s*:\s*true\s*,\s*"num"\s*:\s*([0-9]+)\s*\}|` +
	`\{\s*"num"\s*:\s*([0-9]+)\s*,\s*"_placeholder"\s*:\s*true\s*\}`)

func num(text []byte) string {
	m := placeholder.FindSubmatch(text)
	return string(m[1]) + string(m[2])
}

// fill puts each attachment in its place, as a string in base64.
func (d *decoder) fill(payload []byte) ([]byte, *CloseError) {
	size := len(payload)
	for _, part := range d.parts {
		size += base64.StdEncoding.EncodedLen(len(part))
	}
	if size > d.limit {
		return nil, tooLarge()
	}
	used := make([]bool, len(d.parts))
	unfit := false
	filled := placeholder.ReplaceAllFunc(payload, func(place []byte) []byte {
		n, err := strconv.Atoi(num(place))
		if err != nil || n >= len(used) || used[n] {
			unfit = true
			return place
		}
		used[n] = true
		return []byte(`"` + base64.StdEncoding.EncodeToString(d.parts[n]) + `"`)
	})
	for _, u := range used {
		unfit = unfit || !u
	}
	if unfit {
		return nil, broken("placeholders do not fit the attachments")
	}
	return filled, nil
}

// joined is null for no argument, one argument as it is, and an array of several.
func joined(args []jsontext.Value) []byte {
	for i, a := range args {
		args[i] = unwrapped(a)
	}
	switch len(args) {
	case 0:
		return []byte("null")
	case 1:
		return args[0]
	}
	out := []byte{'['}
	for i, a := range args {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, a...)
	}
	return append(out, ']')
}

// unwrapped is the object or array a JSON string holds as text, or else v itself. Numbers and the
// like stay strings: there is no telling them from what a person typed.
func unwrapped(v jsontext.Value) jsontext.Value {
	if v.Kind() != '"' {
		return v
	}
	text, err := jsontext.AppendUnquote(nil, v)
	inner := jsontext.Value(text)
	if k := inner.Kind(); err != nil || k != '{' && k != '[' || !sound(inner) {
		return v
	}
	return inner
}
