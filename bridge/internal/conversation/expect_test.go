package conversation_test

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	. "github.com/footbridge/footbridge/bridge/internal/conversation"
)

// phases are the phases of the file, Queued of a transfer being two of its own.
func phases() []string {
	return []string{"automated", "requested", "queued", "offered", "transfer", "lost", "active", "returning", "ended"}
}

// phaseState is the state the file describes.
func phaseState(top topology, phase string) State {
	left, rest := leftIn(phase)
	s := plainState(top, rest)
	s.Left = left
	return s
}

func plainState(top topology, phase string) State {
	s := State{Phase: Phase(phase), Legs: top.legs(), NextLeg: 10, LastCustomerSeq: 5, Deadlines: map[TimerName]time.Time{}}
	for _, name := range []TimerName{TimerWaiting, TimerAgentSilence, TimerCustomerSilence, TimerTotal} {
		s.Deadlines[name] = now()
	}
	s.Legs = append(s.Legs, Leg{ID: "obs", Account: "assist", Role: event.RoleObserver},
		Leg{ID: "stray", Account: "other", Role: event.RoleLiveAgent},
		Leg{ID: "old", Account: "main", Role: event.RoleLiveAgent, Detached: true})
	if phase == "automated" {
		s.Owner = Owner{Leg: "va", Role: event.RoleVirtualAgent}
		return s
	}
	if phase == "ended" {
		for i := range s.Legs {
			s.Legs[i].Detached = true
		}
		s.Deadlines = nil
		return s
	}
	s.Requester, s.RequestSeq, s.KeptSeq, s.ReadSeq = "va", 3, 3, 7
	s.Handoff = event.HandoffRequested{Reason: "asked"}
	addDesks(&s, phase)
	return s
}

func addDesks(s *State, phase string) {
	desk := Leg{ID: "desk", Account: "main", Role: event.RoleLiveAgent}
	own := Leg{ID: "own", Account: "main", Role: event.RoleLiveAgent}
	transfer := phase == "transfer" || phase == "lost"
	if transfer || s.Phase.Waiting() {
		s.Legs, s.Candidate, s.Untried = append(s.Legs, desk), "desk", []string{"spare"}
	}
	if transfer {
		s.Phase, s.Transferring = Queued, true
	}
	if transfer || phase == "active" || phase == "returning" {
		s.Legs, s.Former, s.Agent = append(s.Legs, own), "own", live("sam")
	}
	if phase == "transfer" || phase == "active" {
		s.Owner = Owner{Leg: "own", Role: event.RoleLiveAgent}
	}
	if phase == "active" {
		s.Former = ""
	}
}

// phaseName is the file's word for where a state stands.
func phaseName(s State) string {
	name := string(s.Phase)
	if s.Transferring {
		name = "transfer"
		if s.Owner.Leg == "" {
			name = "lost"
		}
		if s.Phase == Offered {
			name += "_offered"
		}
	}
	return leftWord(s.Left) + name
}

// inputs are the file's inputs; leg "front" is the topology's.
func inputs() map[string]Input {
	all := spokenInputs()
	maps.Copy(all, passingInputs())
	maps.Copy(all, otherInputs())
	return all
}

// spokenInputs are words and signals.
func spokenInputs() map[string]Input {
	va, customer, system, observer := by(event.RoleVirtualAgent), by(event.RoleCustomer), by(event.RoleSystem), by(event.RoleObserver)
	sam, kim, eve, pat := live("sam"), live("kim"), live("eve"), live("pat")
	partial := event.MessagePartial{Stream: "s", Mode: "append", Text: "w"}
	return map[string]Input{
		"customer-message":          {Leg: "front", Actor: customer, Body: words("hi")},
		"va-message":                {Leg: "va", Actor: va, Body: words("hi")},
		"candidate-message":         {Leg: "desk", Actor: kim, Body: words("hi")},
		"owner-message":             {Leg: "own", Actor: sam, Body: words("hi")},
		"colleague-message":         {Leg: "own", Actor: eve, Body: words("hi")},
		"stray-message":             {Leg: "stray", Actor: eve, Body: words("hi")},
		"gone-message":              {Leg: "old", Actor: eve, Body: words("hi")},
		"legless-message":           {Actor: kim, Body: words("hi")},
		"va-left":                   {Leg: "va", Actor: va, Body: event.MessageLeft{}},
		"system-message":            {Actor: system, Body: words("hi")},
		"observer-message":          {Leg: "obs", Actor: observer, Body: words("hi")},
		"observer-as-customer":      {Leg: "obs", Actor: customer, Body: words("hi")},
		"desk-as-system-message":    {Leg: "desk", Actor: system, Body: words("hi")},
		"people-message":            {Leg: "va", Actor: pat, Body: words("hi")},
		"va-partial":                {Leg: "va", Actor: va, Body: partial},
		"owner-partial":             {Leg: "own", Actor: sam, Body: partial},
		"candidate-partial":         {Leg: "desk", Actor: kim, Body: partial},
		"va-answer-completed":       {Leg: "va", Actor: va, Body: event.AnswerCompleted{}},
		"system-answer-completed":   {Actor: system, Body: event.AnswerCompleted{}},
		"va-transcript":             {Leg: "va", Actor: va, Body: event.TranscriptShared{}},
		"desk-as-system-transcript": {Leg: "desk", Actor: system, Body: event.TranscriptShared{}},
		"va-survey":                 {Leg: "va", Actor: va, Body: event.SurveyOffered{}},
		"candidate-survey":          {Leg: "desk", Actor: kim, Body: event.SurveyOffered{}},
		"customer-survey-answer":    {Leg: "front", Actor: customer, Body: event.SurveyAnswered{}},
		"customer-command":          {Leg: "front", Actor: customer, Body: event.CommandIssued{Name: "back"}},
		"customer-history":          {Leg: "front", Actor: customer, Body: event.CommandIssued{Name: event.CommandHistory}},
		"customer-logout":           {Leg: "front", Actor: customer, Body: event.CommandIssued{Name: event.CommandLogout}},
		"va-command":                {Leg: "va", Actor: va, Body: event.CommandIssued{Name: "back"}},
		"owner-read":                {Leg: "own", Actor: sam, Body: event.MessageRead{}},
		"customer-delivered":        {Leg: "front", Actor: customer, Body: event.MessageDelivered{}},
		"owner-failed-delivery":     {Leg: "own", Actor: system, Body: event.MessageFailed{}},
		"customer-typing":           {Leg: "front", Actor: customer, Body: event.TypingStarted{}},
		"owner-typing":              {Leg: "own", Actor: sam, Body: event.TypingStarted{}},
		"candidate-typing":          {Leg: "desk", Actor: kim, Body: event.TypingStarted{}},
		"desk-as-system-joined":     {Leg: "desk", Actor: system, Body: event.ParticipantJoined{}},
		"va-context":                {Leg: "va", Actor: va, Body: event.ContextUpdated{}},
		"system-availability":       {Actor: system, Body: event.AvailabilityChanged{}},
	}
}

// passingInputs pass the conversation from one to another.
func passingInputs() map[string]Input {
	va, customer, system := by(event.RoleVirtualAgent), by(event.RoleCustomer), by(event.RoleSystem)
	sam, kim, eve, pat := live("sam"), live("kim"), live("eve"), live("pat")
	cancel, accept := event.HandoffCancelled{}, event.HandoffAccepted{}
	lost := event.TransferRequested{Reason: ReasonAgentLost}
	return map[string]Input{
		"va-handoff-requested":       {Leg: "va", Actor: va, Body: event.HandoffRequested{}},
		"customer-handoff-requested": {Leg: "front", Actor: customer, Body: event.HandoffRequested{}},
		"system-handoff-requested":   {Actor: system, Body: event.HandoffRequested{}},
		"queued":                     {Leg: "desk", Actor: kim, Body: event.HandoffQueued{}},
		"stray-queued":               {Leg: "stray", Actor: eve, Body: event.HandoffQueued{}},
		"people-queued":              {Leg: "va", Actor: pat, Body: event.HandoffQueued{Position: 3}},
		"va-queued":                  {Leg: "va", Actor: va, Body: event.HandoffQueued{}},
		"offered":                    {Leg: "desk", Actor: kim, Body: event.HandoffOffered{}},
		"accepted":                   {Leg: "desk", Actor: kim, Body: accept},
		"accepted-by-system":         {Leg: "desk", Actor: system, Body: accept},
		"stray-accepted":             {Leg: "stray", Actor: eve, Body: accept},
		"gone-accepted":              {Leg: "old", Actor: eve, Body: accept},
		"owner-accepted":             {Leg: "own", Actor: sam, Body: accept},
		"people-accepted":            {Leg: "va", Actor: pat, Body: accept},
		"va-accepted":                {Leg: "va", Actor: va, Body: accept},
		"declined-agent":             {Leg: "desk", Actor: kim, Body: event.HandoffDeclined{}},
		"declined-desk":              {Leg: "desk", Actor: system, Body: event.HandoffDeclined{}},
		"failed":                     {Leg: "desk", Actor: system, Body: event.HandoffFailed{Reason: event.FailedQueueFull}},
		"system-failed":              {Actor: system, Body: event.HandoffFailed{Reason: event.FailedBackendDown}},
		"va-cancelled":               {Leg: "va", Actor: va, Body: cancel},
		"customer-cancelled":         {Leg: "front", Actor: customer, Body: cancel},
		"system-cancelled":           {Actor: system, Body: cancel},
		"owner-cancelled":            {Leg: "own", Actor: sam, Body: cancel},
		"handback-requested":         {Leg: "own", Actor: sam, Body: event.HandbackRequested{}},
		"stray-handback-requested":   {Leg: "stray", Actor: eve, Body: event.HandbackRequested{}},
		"system-handback-requested":  {Actor: system, Body: event.HandbackRequested{}},
		"handback-completed":         {Leg: "va", Actor: va, Body: event.HandbackCompleted{}},
		"owner-handback-completed":   {Leg: "own", Actor: sam, Body: event.HandbackCompleted{}},
		"handback-failed":            {Leg: "va", Actor: va, Body: event.HandbackFailed{}},
		"transfer-requested":         {Leg: "own", Actor: sam, Body: event.TransferRequested{}},
		"stray-transfer-requested":   {Leg: "stray", Actor: eve, Body: event.TransferRequested{}},
		"agent-lost":                 {Actor: system, Body: lost},
		"desk-transfer-completed":    {Leg: "own", Actor: eve, Body: event.TransferCompleted{}},
		"legless-accepted":           {Actor: kim, Body: accept},
	}
}

// otherInputs are the beginning, the end, what is private, and timers.
func otherInputs() map[string]Input {
	va, customer, system, observer := by(event.RoleVirtualAgent), by(event.RoleCustomer), by(event.RoleSystem), by(event.RoleObserver)
	sam, kim, eve := live("sam"), live("kim"), live("eve")
	note, insight := event.NoteCreated{Text: "n"}, event.InsightObserved{Insight: event.Summary{Text: "n"}}
	return map[string]Input{
		"customer-started":        {Leg: "front", Actor: customer, Body: event.ConversationStarted{}},
		"customer-ended":          {Leg: "front", Actor: customer, Body: event.ConversationEnded{}},
		"va-ended":                {Leg: "va", Actor: va, Body: event.ConversationEnded{}},
		"system-ended":            {Actor: system, Body: event.ConversationEnded{}},
		"owner-ended":             {Leg: "own", Actor: sam, Body: event.ConversationEnded{}},
		"candidate-ended":         {Leg: "desk", Actor: kim, Body: event.ConversationEnded{}},
		"observer-ended":          {Leg: "obs", Actor: observer, Body: event.ConversationEnded{}},
		"gone-wrapup":             {Leg: "old", Actor: eve, Body: event.WrapupCompleted{}},
		"legless-wrapup":          {Actor: kim, Body: event.WrapupCompleted{}},
		"legless-note":            {Actor: kim, Body: note},
		"customer-wrapup":         {Leg: "front", Actor: customer, Body: event.WrapupCompleted{}},
		"observer-note":           {Leg: "obs", Actor: observer, Body: note},
		"gone-note":               {Leg: "old", Actor: eve, Body: note},
		"customer-note":           {Leg: "front", Actor: customer, Body: note},
		"observer-insight":        {Leg: "obs", Actor: observer, Body: insight},
		"owner-insight-requested": {Leg: "own", Actor: sam, Body: event.InsightRequested{Type: "dialog"}},
		"observer-extension":      {Leg: "obs", Actor: observer, Body: event.Extension{}},
		"va-error":                {Leg: "va", Actor: va, Body: event.ErrorReported{}},
		"unknown":                 {Leg: "front", Actor: customer, Body: event.Unknown{Name: "game.played"}},
		"timer-waiting":           {Timer: TimerWaiting},
		"timer-agent-silence":     {Timer: TimerAgentSilence},
		"timer-customer-silence":  {Timer: TimerCustomerSilence},
		"timer-total":             {Timer: TimerTotal},
	}
}

// cell is one line of the file for one phase and topology.
type cell struct {
	next, owner, refused string
	drafts               []string
}

type place struct {
	input, phase string
	top          topology
}

// readExpectations reads a hand-written file.
func readExpectations(t *testing.T, file string) map[place]cell {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cells := map[place]cell{}
	for n, line := range strings.Split(string(data), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) < 5 {
			t.Fatalf("%s:%d: %d columns", file, n+1, len(fields))
		}
		c := cell{next: fields[2], owner: fields[3], refused: strings.Trim(fields[4], "-"), drafts: fields[5:]}
		for _, p := range placesOf(fields[0], fields[1]) {
			if _, twice := cells[p]; twice {
				t.Fatalf("%s:%d: %v is there twice", file, n+1, p)
			}
			cells[p] = c
		}
	}
	return cells
}

func placesOf(input, list string) []place {
	open := strings.Join(phases()[:len(phases())-1], ",")
	list = strings.NewReplacer("all", open+",ended", "open", open).Replace(list)
	var places []place
	for _, phase := range strings.Split(list, ",") {
		phase, only, _ := strings.Cut(phase, "@")
		for top, name := range map[topology]string{platformHolds: "1", bridgeBetween: "2"} {
			if only == "" || only == name {
				places = append(places, place{input: input, phase: phase, top: top})
			}
		}
	}
	return places
}

// TestExpectations compares Decide with the hand-written file, cell by cell.
func TestExpectations(t *testing.T) {
	checkFile(t, "testdata/expect.txt", inputs(), phases())
}

func checkFile(t *testing.T, file string, inputs map[string]Input, phases []string) {
	t.Helper()
	want := readExpectations(t, file)
	for name, in := range inputs {
		for _, phase := range phases {
			for _, top := range []topology{platformHolds, bridgeBetween} {
				p := place{input: name, phase: phase, top: top}
				c, ok := want[p]
				if !ok {
					t.Errorf("%s has no line for %s in %s, topology %d", file, name, phase, top)
					continue
				}
				delete(want, p)
				checkCell(t, p, in, c)
			}
		}
	}
	for p := range want {
		t.Errorf("%s: %v is no input or phase of this test", file, p)
	}
}

func checkCell(t *testing.T, p place, in Input, c cell) {
	t.Helper()
	s := phaseState(p.top, p.phase)
	if in.Leg == "front" {
		in.Leg = p.top.front()
	}
	before := asJSON(s)
	f := facts()
	f.LeaveMessage = s.Left != Left{}
	step := Decide(s, in, f)
	if asJSON(s) != before {
		t.Errorf("%v: Decide changed the state it was given", p)
	}
	got := []string{step.Refused, phaseName(step.State), string(step.State.Owner.Role)}
	if want := []string{c.refused, same(c.next, p.phase), same(c.owner, string(s.Owner.Role))}; !slices.Equal(got, want) {
		t.Errorf("%v: refused, next phase, owner = %q, want %q", p, got, want)
	}
	if step.Refused != "" && (len(step.Drafts) > 0 || !reflect.DeepEqual(step.State, s)) {
		t.Errorf("%v: refused, and yet something changed", p)
	}
	if step.Refused == "" && len(step.Drafts) == 0 {
		t.Errorf("%v: neither refused nor recorded", p)
	}
	var drafts []string
	for _, d := range step.Drafts {
		drafts = append(drafts, shape(d))
	}
	if want := expectedDrafts(p.top, s, step, in.Leg, c.drafts); !slices.Equal(drafts, want) {
		t.Errorf("%v:\n got %q\nwant %q", p, drafts, want)
	}
}

// same reads the file's "=" and "-".
func same(word, before string) string {
	switch word {
	case "=":
		return before
	case "-":
		return ""
	}
	return word
}

// shape writes a draft as the file does, with the legs' own names in order.
func shape(d Draft) string {
	name := string(d.Body.Kind())
	if m, ok := d.Body.(event.MessageCreated); ok && d.Leg == "" && !d.Input {
		name = "text:" + m.Content.Part.(event.Text).Text
	}
	to := slices.Clone(d.To)
	slices.Sort(to)
	return name + ">" + strings.Join(to, "+")
}

// expectedDrafts puts a topology's legs in the place of the file's words.
func expectedDrafts(top topology, s State, step Step, from string, lines []string) []string {
	var opened, all []string
	for _, leg := range step.Open {
		opened = append(opened, leg.ID)
	}
	for _, leg := range s.Legs {
		if !leg.Detached {
			all = append(all, leg.ID)
		}
	}
	meaning := map[string][]string{"front": {top.front()}, "new": opened, "all": all, "-": nil}
	var drafts []string
	for i, line := range lines {
		name, list, _ := strings.Cut(line, ">")
		var to []string
		for _, word := range strings.Split(list, "+") {
			legs, special := meaning[word]
			if !special {
				legs = []string{word}
			}
			to = append(to, legs...)
		}
		slices.Sort(to)
		to = slices.DeleteFunc(slices.Compact(to), func(id string) bool {
			return i < len(step.Drafts) && step.Drafts[i].Leg != "" && id == from
		})
		drafts = append(drafts, name+">"+strings.Join(to, "+"))
	}
	return drafts
}

// TestEveryKindHasAnOutcome: whatever the kind, leg, author and phase, an input
// is either refused or recorded.
func TestEveryKindHasAnOutcome(t *testing.T) {
	roles := []event.Role{"", event.RoleCustomer, event.RoleVirtualAgent, event.RoleLiveAgent, event.RoleObserver, event.RoleSystem, "robot"}
	bodies := []event.Body{event.InsightObserved{Insight: event.SoundLevel{}}, event.Unknown{Name: "x"}}
	for _, kind := range event.Kinds() {
		body, err := event.DecodeBody(kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, body, event.Unknown{Name: kind})
	}
	for _, top := range []topology{platformHolds, bridgeBetween, peopleOnly} {
		for _, phase := range phases() {
			s := phaseState(top, phase)
			for _, leg := range []string{"", "va", "cust", "obs", "desk", "own", "stray", "old", "nowhere"} {
				for _, role := range roles {
					for _, body := range bodies {
						in := Input{Leg: leg, Actor: event.Actor{Role: role, ID: "x"}, Body: body}
						step := Decide(s, in, facts())
						if (step.Refused == "") == (len(step.Drafts) == 0) {
							t.Fatalf("topology %d, %s: %s by %q on %q: refused %q with %d drafts",
								top, phase, body.Kind(), role, leg, step.Refused, len(step.Drafts))
						}
					}
				}
			}
		}
	}
}
