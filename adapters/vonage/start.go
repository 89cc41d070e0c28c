package vonage

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// parameters are what a flow collected, in order; a multi-value parameter's
// values are joined.
type parameters struct {
	names  []string
	values map[string]string
	// odd are the members whose value was no string, as they were written.
	odd []json.RawMessage
}

// parametersOf reads the list of name and value, and an object of names too.
func parametersOf(v codec.Value) parameters {
	p := parameters{values: map[string]string{}}
	if v.IsObject() && !v.Get("name").Exists() {
		for _, m := range v.Members() {
			p.add(m.Name, m.Value, nil)
		}
		return p
	}
	for _, item := range v.Items() {
		p.add(item.Get("name", "key").Text(), item.Get("value", "values"), item.Raw())
	}
	return p
}

func (p *parameters) add(name string, value codec.Value, raw json.RawMessage) {
	if name == "" {
		return
	}
	if !value.IsString() && raw != nil {
		p.odd = append(p.odd, raw)
	}
	text := value.Text()
	if value.IsArray() {
		parts := make([]string, 0, len(value.Items()))
		for _, item := range value.Items() {
			parts = append(parts, item.Text())
		}
		text = strings.Join(parts, ", ")
	}
	if _, again := p.values[name]; !again {
		p.names = append(p.names, name)
		p.values[name] = text
	}
}

// get is the first value that is not empty among the names, in any case.
func (p *parameters) get(names ...string) string {
	for _, want := range names {
		for _, name := range p.names {
			if strings.EqualFold(name, want) && p.values[name] != "" {
				return p.values[name]
			}
		}
	}
	return ""
}

// routing is where the flow's author wants the conversation to go, said in
// parameters of these names.
func (p *parameters) routing() event.Routing {
	r := event.Routing{Queue: p.get("queue"), Language: p.get("language")}
	if skills := p.get("skills"); skills != "" {
		for _, s := range strings.Split(skills, ",") {
			r.Skills = append(r.Skills, strings.TrimSpace(s))
		}
	}
	if n, err := strconv.Atoi(p.get("priority")); err == nil {
		r.Priority = n
	}
	return r
}

// transcriptOf reads the conversation so far: items with one author's name as
// key, items with author and text beside each other, one object, or lines.
func transcriptOf(v codec.Value) []event.TranscriptEntry {
	var entries []event.TranscriptEntry
	if v.IsString() {
		for _, line := range strings.Split(v.Text(), "\n") {
			entries = appendLine(entries, line)
		}
		return entries
	}
	for _, item := range v.Items() {
		switch {
		case item.IsString():
			entries = appendLine(entries, item.Text())
		case item.IsObject():
			entries = appendItem(entries, item)
		}
	}
	return entries
}

func appendLine(entries []event.TranscriptEntry, line string) []event.TranscriptEntry {
	if author, text, ok := strings.Cut(line, ":"); ok {
		if role, known := authorOf(author); known {
			return appendEntry(entries, role, strings.TrimSpace(text))
		}
	}
	return appendEntry(entries, event.RoleVirtualAgent, strings.TrimSpace(line))
}

func appendItem(entries []event.TranscriptEntry, item codec.Value) []event.TranscriptEntry {
	if author := item.Get("role", "author", "from", "sender", "speaker", "type"); author.Exists() {
		if text := textOf(item.Get(append(textKeys(), "utterance")...)); text != "" {
			role, _ := authorOf(author.Text())
			return appendEntry(entries, role, text)
		}
	}
	before := len(entries)
	for _, m := range item.Members() {
		if role, known := authorOf(m.Name); known {
			for _, text := range m.Value.Items() {
				entries = appendEntry(entries, role, textOf(text))
			}
		}
	}
	if members := item.Members(); len(entries) == before && len(members) > 0 {
		role, known := authorOf(members[0].Name)
		if !known {
			return appendEntry(entries, role, textOf(members[0].Value))
		}
	}
	return entries
}

func appendEntry(entries []event.TranscriptEntry, role event.Role, text string) []event.TranscriptEntry {
	if text == "" {
		return entries
	}
	return append(entries, event.TranscriptEntry{Actor: event.Actor{Role: role}, Content: event.Plain(text)})
}

// authorOf reads an author's word in any case and spelling. A word nobody knows
// is the virtual agent's, since servers name it by brand.
func authorOf(word string) (role event.Role, known bool) {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, word)
	switch plain {
	case "user", "enduser", "customer", "client", "caller", "visitor":
		return event.RoleCustomer, true
	case "liveagent", "human", "humanagent", "representative", "operator":
		return event.RoleLiveAgent, true
	case "agent", "bot", "assistant", "virtualagent", "virtualassistant", "ai", "system":
		return event.RoleVirtualAgent, true
	}
	return event.RoleVirtualAgent, false
}
