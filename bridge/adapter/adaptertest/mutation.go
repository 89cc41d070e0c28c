package adaptertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// mutate changes the frame in one place at a time and holds what comes of it
// against the events of the frame itself:
//
//   - a field nobody has documented, null or deep, changes nothing and is counted;
//   - a new value of an enum changes only what the case says and is counted;
//   - a kind of frame nobody has documented gives an extension or nothing beside
//     what the frame says whatever its kind is, and is counted;
//   - a value of another JSON type changes no more than another value or none does.
//     Of the types at least one is counted: senders write numbers as text and text
//     as numbers, and many adapters know both. Null is a field that is not there;
//   - a field that is gone changes no more than another value of it does; an event
//     it leaves without anything to tell may become an extension;
//   - a name, or a value of an enum, in the other case means the same (a value that
//     events carry as it is written may stand there in its own case), or is counted
//     and changes no more than one that is gone.
//
// In places that are Open everything has a meaning: nothing is counted there.
func (c Case) mutate(s subject, was played) []error {
	m := mutation{c: c, s: s, was: was}
	data := bytes.TrimSpace(c.data())
	if decoded(data) == nil || c.Raw || data[0] != '{' && data[0] != '[' {
		return nil
	}
	if data[0] == '{' {
		m.strange("", data)
	}
	for _, one := range membersWithin(data) {
		m.meet(one)
		if one.value[0] == '{' && !c.open(one.place) {
			m.strange(one.place, one.value)
		}
		if one.leaf() {
			m.leaf(one)
		}
		if one.name != "" && !c.open(one.place) {
			m.name(one)
		}
	}
	return m.faults
}

// mutation is a case whose frame is changed.
type mutation struct {
	c      Case
	s      subject
	was    played
	faults []error
	// strangers are places of what the adapter does not know as it is.
	strangers []string
}

// meet notes what the adapter does not know before it is changed.
func (m *mutation) meet(one member) {
	is, err := m.c.play(m.s, m.at(one.place, away))
	if err == nil && one.name != "" && is.unknown < m.was.unknown {
		m.strangers = append(m.strangers, one.place)
	}
}

// uncounted reports whether anything may stand at a place.
func (m *mutation) uncounted(place string) bool {
	return m.c.open(place) || slices.Contains(m.c.Open, place) || slices.ContainsFunc(m.strangers, func(at string) bool { return strings.HasPrefix(place+"/", at+"/") })
}

func (m *mutation) fault(what, place string, err error) {
	m.faults = append(m.faults, fmt.Errorf("%s at %q: %w", what, place, err))
}

// try plays the frame with a change; false when that is an error.
func (m *mutation) try(what, place string, frame []byte) (played, bool) {
	is, err := m.c.play(m.s, frame)
	if err != nil {
		m.fault(what, place, err)
	}
	return is, err == nil
}

func (m *mutation) at(place string, change func(jsonMember) []jsonMember) []byte {
	return rewritten(m.c.data(), place, change)
}

// confined reports events that changed elsewhere than allowed.
func (m *mutation) confined(what, place string, is played, allowed []string) {
	wrong := beyond(differences(m.was.events, is.events), allowed)
	if len(is.events) == len(m.was.events) && len(allowed) > 0 { // what tells nothing any more goes on as an extension
		wrong = slices.DeleteFunc(wrong, func(d string) bool { return d == "+"+string(event.KindExtension) })
	}
	if len(wrong) > 0 {
		m.fault(what, place, fmt.Errorf("changes the events at %q:\n from %s\n to   %s", wrong, bare(m.was.events), bare(is.events)))
	}
}

func (m *mutation) counted(what, place string, is played) {
	if is.unknown <= m.was.unknown {
		m.fault(what, place, errors.New("is not counted as unknown"))
	}
}

// strange puts fields nobody has documented into an object.
func (m *mutation) strange(place string, object []byte) {
	for _, field := range []string{`"zzFuture":{"deep":[1,null,{"x":"y"}]}`, `"zzNothing":null`} {
		frame := insert(object, field)
		if place != "" {
			frame = m.at(place, to(string(frame)))
		}
		is, ok := m.try("an unknown field", place, frame)
		if !ok {
			continue
		}
		if m.c.open(place + "/zzFuture") {
			if len(is.events) != len(m.was.events) {
				m.fault("an unknown field", place, fmt.Errorf("makes %d events of %d", len(is.events), len(m.was.events)))
			}
			continue
		}
		m.confined("an unknown field", place, is, nil)
		if !m.uncounted(place) {
			m.counted("an unknown field", place, is)
		}
	}
}

// leaf changes a value and takes it away.
func (m *mutation) leaf(one member) {
	if slices.Contains(m.c.Kinds, one.place) {
		m.kind(one)
		return
	}
	gives, listed := m.gives(one)
	if !slices.Contains(m.c.Required, one.place) {
		m.types(one, gives)
		if one.name != "" {
			if is, ok := m.try("no field", one.place, m.at(one.place, away)); ok {
				m.confined("no field", one.place, is, gives)
			}
		}
	}
	if listed {
		m.cased(one, gives)
	}
}

// cased writes a value in the other case.
func (m *mutation) cased(one member, gives []string) {
	var value string
	if json.Unmarshal(one.value, &value) != nil {
		return
	}
	const what = "the other case"
	is, ok := m.try(what, one.place, m.at(one.place, to(asJSON(otherCase(value)))))
	switch {
	case !ok:
	case is.unknown > m.was.unknown:
		m.confined(what, one.place, is, gives)
	case !strings.EqualFold(bare(m.was.events), bare(is.events)):
		m.fault(what+", which is not counted,", one.place, fmt.Errorf("changes the events:\n from %s\n to   %s", bare(m.was.events), bare(is.events)))
	}
}

// gives is what of the events a value is in: for an enum what the case says, for
// all others what changes when it is another one, or none.
func (m *mutation) gives(one member) (places []string, listed bool) {
	places, listed = m.c.Enums[one.place]
	is, ok := m.try("another value", one.place, m.at(one.place, to(another(one.value))))
	if !ok {
		return places, listed
	}
	if !listed {
		for _, d := range differences(m.was.events, is.events) {
			if at, named := strings.CutSuffix(d, "/zzFuture"); named {
				d = at // the value names what stands there
			}
			places = append(places, d)
		}
		return places, false
	}
	m.confined("a new value", one.place, is, places)
	if !m.uncounted(one.place) {
		m.counted("a new value", one.place, is)
	}
	return places, true
}

// another is a value of the same type.
func another(value json.RawMessage) string {
	switch value[0] {
	case '"':
		return `"zzFuture"`
	case 't':
		return "false"
	case 'f':
		return "true"
	case 'n', '{', '[':
		return "null"
	}
	return "7919"
}

// types writes a value as every other JSON type.
func (m *mutation) types(one member, gives []string) {
	absent, ok := m.try("null", one.place, m.at(one.place, to("null")))
	if !ok {
		return
	}
	m.confined("null", one.place, absent, gives)
	if strings.ContainsAny(string(one.value[:1]), "{[n") {
		return // of nothing the type is not known
	}
	seen := m.uncounted(one.place)
	for _, value := range []string{`"zzText"`, "7919", "true", `{"zzFuture":1}`} {
		if value[0] == one.value[0] || value == "7919" && strings.ContainsAny(string(one.value[:1]), "-0123456789") ||
			value == "true" && one.value[0] == 'f' {
			continue
		}
		is, ok := m.try("the type of "+value, one.place, m.at(one.place, to(value)))
		if ok {
			m.confined("the type of "+value, one.place, is, gives)
		}
		seen = seen || is.unknown > m.was.unknown
	}
	if !seen {
		m.fault("another type", one.place, errors.New("is never counted as unknown"))
	}
}

// kind makes the frame one of a kind nobody has documented.
func (m *mutation) kind(one member) {
	const what = "an unknown kind of frame"
	is, ok := m.try(what, one.place, m.at(one.place, to(`"zzFuture"`)))
	if !ok {
		return
	}
	if !m.uncounted(one.place) {
		m.counted(what, one.place, is)
	}
	if !m.beside(is.events) {
		m.fault(what, one.place, fmt.Errorf("gives %s", bare(is.events)))
	}
	m.cased(one, differences(m.was.events, is.events))
}

// beside reports whether events are extensions, or what the frame says whatever
// kind it is, such as who is there.
func (m *mutation) beside(events []event.Event) bool {
	was := documents(m.was.events)
	for i, one := range documents(events) {
		same := func(other map[string]any) bool { return likeness(one, other) == alike }
		if events[i].Kind() != event.KindExtension && !slices.ContainsFunc(was, same) {
			return false
		}
	}
	return len(events) < len(was) || len(differences(m.was.events, events)) > 0
}

// name writes a field's name in the other case.
func (m *mutation) name(one member) {
	is, ok := m.try("the name in the other case", one.place, m.at(one.place, shouted))
	if !ok || slices.Contains(m.c.Required, one.place) {
		return
	}
	if is.unknown <= m.was.unknown {
		m.confined("the name in the other case, which is not counted", one.place, is, nil)
		return
	}
	if without, ok := m.try("no field", one.place, m.at(one.place, away)); ok {
		m.confined("the name in the other case", one.place, is, differences(m.was.events, without.events))
	}
}

// open reports whether what stands at a place is the vendor's customers' own, so
// that anything in it has a meaning.
func (c Case) open(place string) bool {
	return slices.ContainsFunc(c.Open, func(at string) bool { return at == "*" || strings.HasPrefix(place, at+"/") })
}

// bare are events without what only their vendor knows, on a line.
func bare(events []event.Event) string {
	data, err := json.Marshal(documents(events))
	if err != nil {
		return err.Error()
	}
	return string(data)
}
