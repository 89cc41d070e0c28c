package adaptertest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// member is a value somewhere in a document. Its place is a JSON pointer.
type member struct {
	place string
	// name is what an object has it under, "" in a list.
	name  string
	value json.RawMessage
}

// leaf reports whether nothing is within.
func (m member) leaf() bool {
	return m.value[0] != '{' && m.value[0] != '[' || len(membersOf(m.value)) == 0
}

// membersWithin are all values within a document, whatever their depth.
func membersWithin(data []byte) []member { return within("", bytes.TrimSpace(data)) }

func within(place string, data []byte) []member {
	var out []member
	if len(data) == 0 || data[0] != '{' && data[0] != '[' {
		return nil
	}
	for i, m := range membersOf(data) {
		one := member{name: nameOf(m), value: m.value}
		one.place = place + "/" + strconv.Itoa(i)
		if data[0] == '{' {
			one.place = place + "/" + escaped(one.name)
		}
		out = append(append(out, one), within(one.place, m.value)...)
	}
	return out
}

func escaped(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

func nameOf(m jsonMember) string {
	var name string
	if json.Unmarshal([]byte(strings.TrimSuffix(m.name, ": ")), &name) != nil {
		return ""
	}
	return name
}

// rewritten is a document in which what stands at a place is something else, or
// nothing. All other members stay as they are, and where they are.
func rewritten(data []byte, place string, change func(jsonMember) []jsonMember) []byte {
	data = bytes.TrimSpace(data)
	head, rest, deeper := strings.Cut(strings.TrimPrefix(place, "/"), "/")
	members := membersOf(data)
	for i, m := range members {
		if own := strconv.Itoa(i); data[0] == '{' && escaped(nameOf(m)) != head || data[0] == '[' && own != head {
			continue
		}
		if deeper {
			m.value = rewritten(m.value, "/"+rest, change)
			members[i] = m
		} else {
			members = slices.Replace(members, i, i+1, change(m)...)
		}
		break
	}
	rows := make([]string, 0, len(members))
	for _, m := range members {
		rows = append(rows, m.name+string(m.value))
	}
	return []byte(string(data[0]) + strings.Join(rows, ",") + string(data[len(data)-1]))
}

// to makes a change that puts another value in place.
func to(value string) func(jsonMember) []jsonMember {
	return func(m jsonMember) []jsonMember { return []jsonMember{{m.name, json.RawMessage(value)}} }
}

func away(jsonMember) []jsonMember { return nil }

// shouted writes a member's name in the other case.
func shouted(m jsonMember) []jsonMember {
	m.name = otherCase(m.name)
	return []jsonMember{m}
}

func otherCase(text string) string {
	if upper := strings.ToUpper(text); upper != text {
		return upper
	}
	return strings.ToLower(text)
}

// insert puts a member at the front of an object.
func insert(data []byte, member string) []byte {
	rest := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(data), []byte("{")))
	if rest[0] != '}' {
		member += ","
	}
	return append([]byte("{"+member), rest...)
}
