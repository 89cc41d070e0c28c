// Package simdesk lets a person, or a test, play the people of a simulated desk: a
// simulator says in a Desk what there is and what its people can do, and has a page
// for it at its root. Simulators adapters/x/xsim use it; adapters do not.
package simdesk

import (
	"fmt"
	"slices"
	"time"
)

// Desk is a simulated desk as its people have it before them. Conversations and
// each Do are called from many goroutines at once.
type Desk struct {
	// Title is the desk's name, the heading of its page.
	Title string
	// People are who works there; the page begins as the first.
	People []Person
	// Conversations gives all there are, the oldest first, as they stand now. What
	// it gives is the caller's.
	Conversations func() []Conversation
	// Acts are what people can do with a conversation, in the order of the buttons.
	Acts []Act
}

// Person is somebody who works at the desk.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// The names of acts that most desks have. A desk may have others beside them, and
// leaves out what its vendor does not have.
const (
	// Reply is words, a file or both for the customer; Remark is for other people.
	Reply, Remark = "reply", "note"
	// Take gives the conversation to whoever acts; somebody else taking it is how it
	// is passed on.
	Take = "take"
	// Pass gives the conversation to a team, of which nobody has it yet.
	Pass = "pass"
	// Type shows the customer that somebody writes.
	Type = "type"
	// Automate has the vendor's own program write: a greeting, a survey, a rule.
	Automate = "automate"
	// Resolve is the end of people's work, Reopen takes it back.
	Resolve, Reopen = "resolve", "reopen"
)

// Act is one thing people can do with a conversation.
type Act struct {
	// Name is the act in addresses and tests: lower case letters.
	Name string `json:"name"`
	// Label is what its button says.
	Label string `json:"label"`
	// Words says that it needs what was written, or where Files says that it takes
	// one, a file; without either its button is off.
	Words bool `json:"words"`
	// Files says that a file may go with it.
	Files bool `json:"files"`
	// Do does it. Its error is shown to the person.
	Do func(Order) error `json:"-"`
}

// Order is an act of one of the people.
type Order struct {
	// Conversation and Person are IDs the Desk gave; they may be wrong.
	Conversation string `json:"conversation"`
	Person       string `json:"person"`
	// Text is what was written, plain.
	Text string `json:"text"`
	// File is a file that goes with it; one without a name is none.
	File File `json:"file"`
}

// File is a file of a message.
type File struct {
	Name string `json:"name"`
	MIME string `json:"mime"`
	// Data is what it holds: of an Order always, of a Line where URL is "".
	Data []byte `json:"data,omitempty"`
	// URL is where the simulator has it, a path of its own such as /files/7.
	URL string `json:"url,omitempty"`
}

// Conversation is one conversation as it stands.
type Conversation struct {
	// ID is the vendor's.
	ID string `json:"id"`
	// Customer is what the desk calls the customer.
	Customer string `json:"customer"`
	// Status is the vendor's word, Open whether people still have it before them.
	Status string `json:"status"`
	Open   bool   `json:"open"`
	// With is the name of who has it, "" where nobody does.
	With string `json:"with"`
	// Typing says that the customer was last shown as writing, Read that they have
	// read something since the conversation began.
	Typing bool `json:"typing"`
	Read   bool `json:"read"`
	// Facts are what the desk shows of the customer beside the conversation.
	Facts map[string]string `json:"facts"`
	// Lines are all that stands in it, the oldest first.
	Lines []Line `json:"lines"`
}

// Kind says whose a Line is.
type Kind string

// The kinds of a Line.
const (
	Customer Kind = "customer" // the customer's words, also those of a transcript
	Staff    Kind = "staff"    // an answer of people to the customer
	Bridge   Kind = "bridge"   // of the API's own login, as the rest of a transcript
	Program  Kind = "program"  // of the vendor's own program to the customer
	Note     Kind = "note"     // for people only
	Notice   Kind = "notice"   // what the vendor says has happened
)

// Line is one message or notice of a conversation.
type Line struct {
	Kind   Kind   `json:"kind"`
	Author string `json:"author"`
	// Text is plain: a vendor's markup is taken out.
	Text  string    `json:"text"`
	At    time.Time `json:"at"`
	Files []File    `json:"files,omitempty"`
}

// Do has somebody act, by the act's name. An act there is not, or one without the
// words it needs, is an error that says so.
func (d Desk) Do(name string, o Order) error {
	i := slices.IndexFunc(d.Acts, func(a Act) bool { return a.Name == name })
	switch {
	case i < 0:
		return fmt.Errorf("%s has no act %q", d.Title, name)
	case o.File.Name != "" && !d.Acts[i].Files:
		return fmt.Errorf("%s: no file goes with it", d.Acts[i].Label)
	case d.Acts[i].Words && o.Text == "" && o.File.Name == "":
		return fmt.Errorf("%s: write something first", d.Acts[i].Label)
	}
	return d.Acts[i].Do(o)
}
