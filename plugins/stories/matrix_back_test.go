package stories

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/adapters/omilia/omiliasim"
	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// back is who people are. Each returns false from what it has no frame for.
type back interface {
	// waits for the hand-off to be there.
	waits(k *talk)
	// briefed looks for lines of a transcript, "author: text" in the back end's
	// own words, and for the fact cell.
	briefed(k *talk, lines []event.TranscriptEntry) adapter.Level
	tellsPlace(k *talk) bool
	accepts(k *talk)
	says(k *talk, text string)
	hears(k *talk) []string
	files(k *talk, m event.Media) bool
	sawFile(k *talk, m event.Media) adapter.Level
	offers(k *talk, part event.Part) bool
	sawPick(k *talk) bool
	sawForm(k *talk) bool
	types(k *talk) bool
	sawTyping(k *talk) adapter.Level
	returns(k *talk)
	// ends is the end of a live agent's work; it reports whether the conversation
	// is over with it, or has gone back.
	ends(k *talk) bool
	sawEnd(k *talk) adapter.Level
	// withdrawn looks for the end of an offer nobody took.
	withdrawn(k *talk) bool
}

func (m *matrix) back(name string) back {
	if v, ok := m.vendors[name]; ok {
		return vendorBack{v}
	}
	return map[string]back{"desk": deskBack{}, "vdesk": serverBack{}, "people": peopleBack{}}[name]
}

// told reads what authors said, and reports full when every line is there in order.
func told(lines []event.TranscriptEntry, found []string, line func(event.TranscriptEntry) string) adapter.Level {
	at := 0
	for _, l := range lines {
		i := slices.Index(found[at:], line(l))
		if i < 0 {
			return adapter.Partial
		}
		at += i + 1
	}
	return adapter.Full
}

// deskBack is the built-in desk, through the API.
type deskBack struct{}

func (deskBack) waits(k *talk) {
	k.t.Helper()
	k.inState(k.id, "queued")
}

func (deskBack) briefed(k *talk, lines []event.TranscriptEntry) adapter.Level {
	var found []string
	cell := ""
	line := func(l event.TranscriptEntry) string {
		return string(l.Actor.Role) + ": " + codec.Plain(l.Content)
	}
	for _, e := range k.events(k.id) {
		switch b := e.Body.(type) {
		case event.ConversationStarted:
			cell += b.Attributes["cell"]
		case event.ContextUpdated:
			cell += b.Attributes["cell"]
		case event.HandoffRequested:
			cell += b.Context["cell"]
			for _, l := range b.Transcript {
				found = append(found, line(l))
			}
		case event.MessageCreated:
			found = append(found, line(event.TranscriptEntry{Actor: e.Actor, Content: b.Content}))
		}
	}
	if cell == "" {
		return adapter.Dropped
	}
	return told(lines, found, line)
}
func (deskBack) tellsPlace(*talk) bool     { return true } // by itself
func (deskBack) accepts(k *talk)           { k.say(k.id, k.name+"-accept-"+k.next(), event.HandoffAccepted{}) }
func (deskBack) says(k *talk, text string) { deskBack{}.sends(k, event.Text{Text: text}) }
func (deskBack) hears(k *talk) []string    { return texts(k.events(k.id), event.RoleCustomer) }

func (deskBack) sends(k *talk, part event.Part) bool {
	k.say(k.id, k.name+"-"+k.next(), event.MessageCreated{Content: event.Content{Part: part}})
	return true
}

func (d deskBack) files(k *talk, m event.Media) bool { return d.sends(k, m) }

// customers are what the customer sent as it reached the desk.
func (deskBack) customers(k *talk) []event.Part {
	var parts []event.Part
	for _, e := range k.events(k.id) {
		if b, ok := e.Body.(event.MessageCreated); ok && e.Actor.Role == event.RoleCustomer {
			parts = append(parts, b.Content.Part)
		}
	}
	return parts
}

func (d deskBack) sawFile(k *talk, m event.Media) adapter.Level {
	var whole, framed []string
	for _, p := range d.customers(k) {
		if got, ok := p.(event.Media); ok {
			framed = append(framed, got.URL)
			if got == m {
				whole = append(whole, got.URL)
			}
		}
	}
	return pictured(m, whole, framed, d.hears(k))
}

func (d deskBack) offers(k *talk, part event.Part) bool { return d.sends(k, part) }

func (d deskBack) sawPick(k *talk) bool {
	return slices.Contains(d.hears(k), "Juice") || slices.Contains(d.hears(k), "2")
}

func (d deskBack) sawForm(k *talk) bool {
	return slices.ContainsFunc(d.customers(k), func(p event.Part) bool {
		switch got := p.(type) {
		case event.FormResponse:
			return got.Values[0].Value == "okapi Kew"
		case event.Text:
			return got.Text == "okapi Kew"
		}
		return false
	})
}

func (deskBack) types(k *talk) bool {
	status := k.api("POST", "/conversations/"+k.id+"/events", deskToken, k.name+"-"+k.next(),
		map[string]any{"kind": event.KindTypingStarted, "actor": map[string]string{"role": "live_agent", "id": "sam"}, "body": event.TypingStarted{}}, nil)
	return status/100 == 2
}

func (deskBack) sawTyping(k *talk) adapter.Level {
	return typed(k.desk(), k.id, event.RoleCustomer)
}

func (deskBack) returns(k *talk) {
	k.say(k.id, k.name+"-"+k.next(), event.HandbackRequested{UpTo: last(k.events(k.id))})
}

func (deskBack) ends(k *talk) bool {
	k.say(k.id, k.name+"-"+k.next(), event.ConversationEnded{Reason: "solved"})
	return true
}

func (deskBack) sawEnd(k *talk) adapter.Level {
	if count(k.events(k.id), event.KindConversationEnded) == 1 {
		return adapter.Full
	}
	return adapter.Dropped
}

func (deskBack) withdrawn(k *talk) bool {
	return count(k.events(k.id), event.KindHandoffCancelled) == 1
}

// serverBack is a live-agent server built for AI Studio.
type serverBack struct{}

func (serverBack) waits(k *talk) {
	k.t.Helper()
	k.key = ""
	k.eventually("the server is asked", func() bool {
		for _, rec := range k.rig.desk.Records() {
			if rec.Endpoint == "start" && rec.Committed && strings.Contains(rec.Body, `"`+k.cell()+`"`) && strings.Contains(rec.Body, k.mark()) && !k.used[rec.Session] {
				k.key = rec.Session
			}
		}
		return k.key != ""
	})
	k.used[k.key] = true
	k.inState(k.id, "queued")
}

func (serverBack) briefed(k *talk, lines []event.TranscriptEntry) adapter.Level {
	for _, rec := range k.rig.desk.Records() {
		if rec.Endpoint != "start" || rec.Session != k.key {
			continue
		}
		var body struct {
			History struct {
				Transcription []map[string]string
				Parameters    []vonagesim.Parameter
			}
		}
		if json.Unmarshal([]byte(rec.Body), &body) != nil || !slices.ContainsFunc(body.History.Parameters, func(p vonagesim.Parameter) bool { return p.Name == "cell" }) {
			return adapter.Dropped
		}
		var found []string
		for _, item := range body.History.Transcription {
			for author, text := range item {
				found = append(found, author+": "+text)
			}
		}
		return told(lines, found, func(l event.TranscriptEntry) string {
			author := map[event.Role]string{event.RoleCustomer: "User", event.RoleVirtualAgent: "Agent"}[l.Actor.Role]
			return author + ": " + codec.Plain(l.Content)
		})
	}
	return adapter.Dropped
}
func (serverBack) tellsPlace(*talk) bool { return false }
func (serverBack) accepts(k *talk)       { serverBack{}.says(k, "okapi, "+k.name+" is mine "+k.next()) }

func (serverBack) says(k *talk, text string) {
	k.t.Helper()
	a, err := k.rig.desk.Say(k.t.Context(), k.key, text)
	studioFront{}.must(k, a, err)
}

func (serverBack) hears(k *talk) []string { return k.rig.desk.Shown(k.key) }

func (serverBack) files(k *talk, m event.Media) bool {
	a, err := k.rig.desk.SayMedia(k.t.Context(), k.key, m.Kind, m.URL, m.Caption)
	studioFront{}.must(k, a, err)
	return true
}

func (b serverBack) sawFile(k *talk, m event.Media) adapter.Level {
	var framed []string
	for _, rec := range k.rig.desk.Records() {
		if rec.Endpoint == "inbound" && rec.Session == k.key && strings.Contains(rec.Body, `"type":"image"`) {
			framed = append(framed, rec.Body)
		}
	}
	return pictured(m, nil, framed, b.hears(k))
}
func (serverBack) offers(*talk, event.Part) bool { return false }
func (serverBack) sawPick(*talk) bool            { return false }
func (serverBack) sawForm(*talk) bool            { return false }
func (serverBack) types(*talk) bool              { return false }
func (serverBack) sawTyping(*talk) adapter.Level { return adapter.Dropped }

func (serverBack) returns(k *talk) {
	a, err := k.rig.desk.Disconnect(k.t.Context(), k.key)
	studioFront{}.must(k, a, err)
}

func (b serverBack) ends(k *talk) bool { b.returns(k); return false }

// over is what an agent at the server reads when the customer has gone.
const over = "The customer has left the conversation."

func (b serverBack) sawEnd(k *talk) adapter.Level {
	if slices.Contains(b.hears(k), over) {
		return adapter.Fallback
	}
	return adapter.Dropped
}

func (b serverBack) withdrawn(k *talk) bool { return slices.Contains(b.hears(k), over) }

// peopleBack are Aisera's people.
type peopleBack struct{}

func (peopleBack) must(k *talk, err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// asked are the requests for a person.
func (peopleBack) asked(k *talk) []aiserasim.Request {
	return slices.DeleteFunc(k.matrix.people.Requests(k.id), func(q aiserasim.Request) bool { return q.Data.Text != "Contact live agent" })
}

func (b peopleBack) waits(k *talk) {
	k.t.Helper()
	id := ""
	k.eventually("the platform is asked", func() bool {
		for _, q := range b.asked(k) {
			if !k.used[q.Data.ReqID] {
				id = q.Data.ReqID
			}
		}
		return id != ""
	})
	k.used[id] = true
}

func (b peopleBack) briefed(k *talk, lines []event.TranscriptEntry) adapter.Level {
	all := b.asked(k)
	var vars struct{ Cell, Transcript string }
	if json.Unmarshal(all[len(all)-1].Data.Vars, &vars) != nil || vars.Cell == "" {
		return adapter.Dropped
	}
	return told(lines, strings.Split(vars.Transcript, "\n"), func(l event.TranscriptEntry) string {
		author := map[event.Role]string{event.RoleCustomer: "Customer", event.RoleVirtualAgent: "Virtual agent"}[l.Actor.Role]
		if l.Actor.Name != "" {
			author = l.Actor.Name
		}
		return author + ": " + codec.Plain(l.Content)
	})
}

func (b peopleBack) tellsPlace(k *talk) bool {
	b.must(k, k.matrix.people.Queue(k.id, 2))
	return true
}
func (b peopleBack) accepts(k *talk)             { b.must(k, k.matrix.people.Join(k.id, "Sam")) }
func (b peopleBack) says(k *talk, text string)   { b.must(k, k.matrix.people.Say(k.id, "Sam", text)) }
func (peopleBack) hears(k *talk) []string        { return k.matrix.people.Texts(k.id) }
func (peopleBack) files(*talk, event.Media) bool { return false }

func (b peopleBack) sawFile(k *talk, m event.Media) adapter.Level {
	return pictured(m, nil, nil, b.hears(k))
}

func (b peopleBack) offers(k *talk, part event.Part) bool {
	a := aiserasim.Answer{Mode: "LiveAgent", Agent: "Sam", Text: "okapi, which one?"}
	switch p := part.(type) {
	case event.Choices:
		for _, o := range p.Options {
			a.FollowUps = append(a.FollowUps, aiserasim.FollowUp{ID: o.ID, Title: o.Label})
		}
	case event.Form:
		a.Form = map[string]any{"formId": p.ID, "title": p.Title, "fields": []any{map[string]any{"name": "town", "label": "Your town", "type": "text"}}}
	}
	b.must(k, k.matrix.people.Send(k.id, a))
	return true
}

func (peopleBack) sawPick(k *talk) bool {
	return slices.ContainsFunc(k.matrix.people.Requests(k.id), func(q aiserasim.Request) bool { return q.Data.FollowUpID == "R:2" })
}

func (b peopleBack) sawForm(k *talk) bool {
	return slices.Contains(b.hears(k), "okapi Kew") || slices.ContainsFunc(k.matrix.people.Requests(k.id), func(q aiserasim.Request) bool {
		return strings.Contains(string(q.Data.FollowUp), "okapi Kew")
	})
}

func (b peopleBack) types(k *talk) bool {
	b.must(k, k.matrix.people.Typing(k.id))
	return true
}
func (peopleBack) sawTyping(*talk) adapter.Level { return adapter.Dropped }
func (b peopleBack) returns(k *talk)             { b.must(k, k.matrix.people.Exit(k.id, "Sam")) }
func (b peopleBack) ends(k *talk) bool           { b.returns(k); return false }

// sawEnd: the session is closed by a word, which tells a person less than a frame
// of its own would.
func (b peopleBack) sawEnd(k *talk) adapter.Level {
	if slices.Contains(b.hears(k), "/logout") {
		return adapter.Partial
	}
	return adapter.Dropped
}

func (b peopleBack) withdrawn(k *talk) bool { return slices.Contains(b.hears(k), "/logout") }

// insight is what the observer tells in an observed cell.
func (k *talk) insight() string { return "okapi prompt for " + k.name }

// observes lets the assistant tell the people something, and shows that the
// customer and the vendors are not told.
func (k *talk) observes(back string) {
	k.t.Helper()
	call := k.call()
	k.listened(k.assist, call, 1)
	if err := k.assist.Send(call, "ai_info", omiliasim.AIInfo{AgentSuggestedPrompt: k.insight()}); err != nil {
		k.t.Fatal(err)
	}
	k.learns(k.id, "analysis", k.insight())
}

// unheard shows that nobody but a live agent at the desk has read the insight.
func (k *talk) unheard(t *testing.T, f front) {
	t.Helper()
	var all []string
	for _, rec := range append(k.studio.Records(), append(k.flow.Records(), k.flowstep.Records()...)...) {
		all = append(all, rec.Body)
	}
	for _, rec := range k.rig.desk.Records() {
		all = append(all, rec.Body)
	}
	for _, q := range append(k.matrix.chat.Requests(k.id), k.matrix.people.Requests(k.id)...) {
		all = append(all, q.Data.Text, string(q.Data.Vars))
	}
	all = append(append(all, f.hears(k)...), k.matrix.convo.Heard(k.id)...)
	if k.token != "" {
		data, err := json.Marshal(k.seenBy(k.id, k.token))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
	for _, text := range all {
		if strings.Contains(text, k.insight()) {
			t.Errorf("the insight reached somebody: %s", text)
		}
	}
}
