package stories

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
	"github.com/footbridge/footbridge/bridge/event"
)

// desks are the desks of vendors in the full matrix, each by its adapter's name, which
// is its account's too. A desk joins by one file matrix_NAME_test.go with what makes
// it, a line here, and rows in testdata/matrix.txt that are written before it is
// played the first time.
func desks() map[string]func(*testing.T) vendorDesk {
	return map[string]func(*testing.T) vendorDesk{"chatwoot": wootDesk, "libredesk": libreDesk, "slack": slackThreads, "zendesk": zenDesk}
}

// vendorDesk is a simulated desk before the bridge has begun. It has to have the acts
// Reply (with files) and Resolve; Take, Remark, Pass, Type, Automate and Reopen where the
// vendor knows such a thing. Without Take the first words take a conversation.
type vendorDesk struct {
	simdesk.Desk
	// account is its account's text in the configuration, address where it serves.
	account, address string
	// tells says below which address its account has its endpoints; what it posts there
	// goes there twice.
	tells func(inbound string)
	// longest is the most characters of a message of the customer's there.
	longest int
	// oneWay says that people there do not see the customer type, unread that they are
	// not shown what the customer has read.
	oneWay, unread bool
	// paced says that its vendor takes little at a time: its cells wait more than they
	// work.
	paced bool
}

// newDesks makes all of them.
func newDesks(t *testing.T) map[string]vendorDesk {
	all := map[string]vendorDesk{}
	for name, made := range desks() {
		all[name] = made(t)
	}
	return all
}

// accountsOf are the accounts of all, as the configuration has them.
func accountsOf(all map[string]vendorDesk) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text.WriteString(all[name].account)
	}
	return text.String()
}

// vendorBack is such a desk as people of a cell have it before them; k.key is the
// conversation there. The first of its people takes what comes, and passes it on to
// the second.
type vendorBack struct{ vendorDesk }

func (b vendorBack) has(name string) bool {
	return slices.ContainsFunc(b.Acts, func(a simdesk.Act) bool { return a.Name == name })
}

// act has one of the people do something.
func (b vendorBack) act(k *talk, person int, name, text string, file ...simdesk.File) {
	k.t.Helper()
	o := simdesk.Order{Conversation: k.key, Person: b.People[person].ID, Text: text}
	if len(file) > 0 {
		o.File = file[0]
	}
	if err := b.Do(name, o); err != nil {
		k.t.Fatalf("%s at %s: %v", name, b.Title, err)
	}
}

// at is the conversation as it stands.
func (b vendorBack) at(k *talk) simdesk.Conversation {
	for _, c := range b.Conversations() {
		if c.ID == k.key {
			return c
		}
	}
	return simdesk.Conversation{}
}

// words are the lines of a kind.
func (b vendorBack) words(k *talk, kind simdesk.Kind) []string {
	var all []string
	for _, l := range b.at(k).Lines {
		if l.Kind == kind {
			all = append(all, l.Text)
		}
	}
	return all
}

// before are the turns people can read, "author: text", wherever they stand.
func before(c simdesk.Conversation) []string {
	var all []string
	for _, l := range c.Lines {
		switch l.Kind {
		case simdesk.Customer:
			all = append(all, "Customer: "+l.Text)
		case simdesk.Bridge:
			all = append(all, "Virtual agent: "+l.Text)
		case simdesk.Note:
			for line := range strings.SplitSeq(l.Text, "\n") {
				if text, named := strings.CutPrefix(line, c.Customer+": "); named {
					line = "Customer: " + text
				}
				all = append(all, line)
			}
		}
	}
	return all
}

func (b vendorBack) waits(k *talk) {
	k.t.Helper()
	k.key = ""
	k.eventually(b.Title+" is asked", func() bool {
		for _, c := range b.Conversations() {
			knows := func(text string) bool { return strings.Contains(text, k.mark()) }
			if !k.used[c.ID] && (slices.ContainsFunc(before(c), knows) || slices.ContainsFunc(slices.Collect(maps.Values(c.Facts)), knows)) {
				k.key = c.ID
			}
		}
		return k.key != ""
	})
	k.used[k.key] = true
	k.eventually("the hand-off is whole", func() bool { return k.queued() && b.at(k).Open })
}

// queued reports whether people have been asked since they were asked for last. The
// state would say so, too, but not for long where nobody comes.
func (k *talk) queued() bool {
	asked := false
	for _, e := range k.events(k.id) {
		asked = e.Kind() == event.KindHandoffQueued || asked && e.Kind() != event.KindHandoffRequested
	}
	return asked
}

func (b vendorBack) briefed(k *talk, lines []event.TranscriptEntry) adapter.Level {
	c := b.at(k)
	found := before(c)
	if c.Facts["cell"] != k.cell() && !slices.Contains(found, "cell: "+k.cell()) {
		return adapter.Dropped
	}
	shown := func(l simdesk.Line) bool { return strings.Contains(l.Text, "/"+k.fileName("va")) || len(l.Files) > 0 }
	if strings.HasSuffix(k.name, "/"+caseWhole) && k.session == "" && !slices.ContainsFunc(c.Lines, shown) {
		return adapter.Partial // the picture shown to the virtual agent is part of it
	}
	return told(lines, found, func(l event.TranscriptEntry) string {
		return map[event.Role]string{event.RoleCustomer: "Customer: ", event.RoleVirtualAgent: "Virtual agent: "}[l.Actor.Role] + codec.Plain(l.Content)
	})
}

func (vendorBack) tellsPlace(*talk) bool         { return false }
func (b vendorBack) accepts(k *talk)             { b.takes(k, 0) }
func (b vendorBack) says(k *talk, text string)   { b.act(k, k.person, simdesk.Reply, text) }
func (b vendorBack) hears(k *talk) []string      { return b.words(k, simdesk.Customer) }
func (vendorBack) offers(*talk, event.Part) bool { return false }
func (vendorBack) sawPick(*talk) bool            { return false }
func (vendorBack) sawForm(*talk) bool            { return false }

// takes gives the conversation to one of the people.
func (b vendorBack) takes(k *talk, person int) {
	if b.has(simdesk.Take) {
		b.act(k, person, simdesk.Take, "")
		return
	}
	b.act(k, person, simdesk.Reply, "okapi, "+k.name+" is mine "+k.next())
}

func (b vendorBack) files(k *talk, m event.Media) bool {
	b.act(k, k.person, simdesk.Reply, m.Caption, simdesk.File{Name: m.Name, MIME: m.MIME, Data: bytesOf(m)})
	return true
}

// sawFile looks for the customer's file, which is whole when its bytes are.
func (b vendorBack) sawFile(k *talk, m event.Media) adapter.Level {
	for _, l := range b.at(k).Lines {
		for _, f := range l.Files {
			if l.Kind == simdesk.Customer && f.Name == m.Name && f.MIME == m.MIME && bytes.Equal(b.data(k, f), bytesOf(m)) {
				return adapter.Full
			}
		}
	}
	return pictured(m, nil, nil, b.hears(k))
}

func (b vendorBack) data(k *talk, f simdesk.File) []byte {
	if f.URL == "" {
		return f.Data
	}
	return k.fetch(b.address + f.URL)
}

func (b vendorBack) types(k *talk) bool {
	if !b.has(simdesk.Type) {
		return false
	}
	b.act(k, k.person, simdesk.Type, "")
	return true
}

// sawTyping remembers what was shown once: a vendor takes it back by itself.
func (b vendorBack) sawTyping(k *talk) adapter.Level {
	if b.oneWay {
		return adapter.Partial
	}
	if k.typed = k.typed || b.at(k).Typing; k.typed {
		return adapter.Full
	}
	return adapter.Dropped
}

// returns resolves it, twice.
func (b vendorBack) returns(k *talk) {
	b.act(k, k.person, simdesk.Resolve, "")
	b.act(k, 0, simdesk.Resolve, "")
}

func (b vendorBack) ends(k *talk) bool { b.returns(k); return false }

func (b vendorBack) sawEnd(k *talk) adapter.Level {
	told := append(b.words(k, simdesk.Note), b.words(k, simdesk.Bridge)...)
	if !b.at(k).Open && slices.Contains(told, over) {
		return adapter.Full
	}
	return adapter.Dropped
}

func (b vendorBack) withdrawn(k *talk) bool {
	return !b.at(k).Open && len(b.words(k, simdesk.Note))+len(b.words(k, simdesk.Bridge)) > 0
}

// The things a cell of a vendor's desk has beside those of all cells.

// passesToTeam leaves the conversation to a team: nobody has it, and it stays the desk's.
func (b vendorBack) passesToTeam(k *talk) {
	if !b.has(simdesk.Pass) {
		return
	}
	b.act(k, 0, simdesk.Pass, "")
	k.eventually("nobody has it", func() bool { return b.at(k).With == "" })
}

// passesOn gives the conversation to the second of the people.
func (b vendorBack) passesOn(k *talk) {
	k.person = 1
	b.takes(k, 1)
	k.eventually("somebody else has it", func() bool { return count(k.events(k.id), event.KindTransferCompleted) == 1 })
	for _, e := range k.events(k.id) {
		if want := map[event.Kind]string{event.KindHandoffAccepted: b.People[0].Name, event.KindTransferCompleted: b.People[1].Name}[e.Kind()]; want != "" && e.Actor.Name != want {
			k.t.Errorf("%s of %q, want %q", e.Kind(), e.Actor.Name, want)
		}
	}
}

// private is what stands at the desk and is not for the customer.
func (k *talk) private(what string) string { return "okapi private " + what + " of " + k.name }

// confides writes a note, and lets the vendor's own program write.
func (b vendorBack) confides(k *talk) {
	if b.has(simdesk.Automate) {
		b.act(k, 0, simdesk.Automate, k.private("automation"))
	}
	if !b.has(simdesk.Remark) {
		return
	}
	b.act(k, k.person, simdesk.Remark, k.private("note"))
	k.eventually("the note is known", func() bool { return count(k.events(k.id), event.KindNoteCreated) > 0 })
}

// reads shows that the customer has read all, where the front end can tell.
func (b vendorBack) reads(k *talk) {
	seen := ""
	for _, e := range k.seenBy(k.id, k.token) {
		if e.Kind() == event.KindMessageCreated && e.Actor.Role == event.RoleLiveAgent {
			seen = e.ID
		}
	}
	k.post(event.MessageRead{Message: seen})
	k.eventually("people see that it was read", func() bool { return b.at(k).Read })
}

// absent is what people are told then.
const absent = "The customer does not see this: the conversation went on without this desk."

// insists is what people do after the end: it is opened, taken, written in and closed
// again, and nothing of it is the customer's. Whoever wrote too late is told so once, and
// nobody before.
func (b vendorBack) insists(k *talk) {
	told := func() int {
		lines := append(b.words(k, simdesk.Note), b.words(k, simdesk.Bridge)...)
		return len(slices.DeleteFunc(lines, func(text string) bool { return text != absent }))
	}
	if told() > 0 {
		k.t.Error("people are told that it went on without them, and nobody wrote")
	}
	if b.has(simdesk.Reopen) {
		b.act(k, 0, simdesk.Reopen, "")
	}
	if b.has(simdesk.Take) {
		b.act(k, 0, simdesk.Take, "")
	}
	b.act(k, 0, simdesk.Reply, k.private("afterthought"))
	k.eventually("whoever comes too late is told", func() bool { return told() > 0 })
	b.act(k, 0, simdesk.Resolve, "")
	if n := told(); n > 1 {
		k.t.Errorf("whoever comes too late is told %d times", n)
	}
}

// silent shows that nothing private has reached the customer or the virtual agent.
func (b vendorBack) silent(k *talk, f front) {
	k.t.Helper()
	heard := f.hears(k)
	if web, ok := f.(webFront); ok && web.va.heard != nil {
		heard = append(slices.Clone(heard), web.va.heard(k)...)
	}
	for _, text := range heard {
		if strings.Contains(text, "okapi private ") {
			k.t.Errorf("the customer or the virtual agent was told %q", text)
		}
	}
}

// kept shows that nothing was told twice, and that people came and went as they did.
func (b vendorBack) kept(k *talk) {
	k.t.Helper()
	events := k.events(k.id)
	notes := 0
	for _, e := range events {
		if n, ok := e.Body.(event.NoteCreated); ok && n.Text == k.private("note") {
			notes++
		}
	}
	got := fmt.Sprint(count(events, event.KindHandoffAccepted), count(events, event.KindTransferCompleted), count(events, event.KindHandbackRequested), notes)
	want := fmt.Sprint(2, 1, 2, map[bool]int{true: 1}[b.has(simdesk.Remark)])
	if got != want {
		k.t.Errorf("accepted, passed on, given back and notes: %s, want %s", got, want)
	}
}

// bytesOf are what a file of a cell holds.
func bytesOf(m event.Media) []byte { return []byte("\x89PNG\r\n\x1a\nokapi " + m.Name) }

// fetch reads an address; nothing is there where it is refused.
func (k *talk) fetch(address string) []byte {
	resp, err := k.client.Get(address)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil
	}
	return data
}

// intact reports whether a file came to a token's bearer with its bytes. Its type is told
// with them, where a vendor does not tell it before.
func (k *talk) intact(token string, got, sent event.Media) bool {
	if got.Blob == "" || got.Kind != sent.Kind || got.Name != sent.Name {
		return false
	}
	var l struct{ URL string }
	k.api("GET", "/media/"+got.Blob, token, "", nil, &l)
	return l.URL != "" && bytes.Equal(k.fetch("http://"+k.public+l.URL), bytesOf(sent))
}

// pictures serves the files of cells beside a vendor's own addresses.
func pictures(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("GET /pictures/{name}", func(w http.ResponseWriter, r *http.Request) {
		name, err := url.PathUnescape(r.PathValue("name"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(bytesOf(event.Media{Name: name}))
	})
	return mux
}
