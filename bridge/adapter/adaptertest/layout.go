package adaptertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

const lineLength = 110

// layout writes JSON for people: a value on one line where that is short enough,
// else a line for each of its members, in the order they came.
func layout(data []byte, margin string) string {
	var flat bytes.Buffer
	if err := json.Compact(&flat, data); err != nil {
		return string(data)
	}
	line := flat.String()
	if len(margin)+len(line) <= lineLength || (line[0] != '{' && line[0] != '[') {
		return line
	}
	inner := margin + "  "
	var rows []string
	for _, m := range membersOf(flat.Bytes()) {
		rows = append(rows, inner+m.name+layout(m.value, inner))
	}
	return line[:1] + "\n" + strings.Join(rows, ",\n") + "\n" + margin + line[len(line)-1:]
}

// jsonMember is one value within another; name is as written before it, with its
// colon, and empty in an array.
type jsonMember struct {
	name  string
	value json.RawMessage
}

func membersOf(data []byte) []jsonMember {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	var out []jsonMember
	for dec.More() {
		var m jsonMember
		if data[0] == '{' {
			name, err := dec.Token()
			if err != nil {
				return out
			}
			m.name = fmt.Sprintf("%q: ", name)
		}
		if err := dec.Decode(&m.value); err != nil {
			return out
		}
		out = append(out, m)
	}
	return out
}
