package backend

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// Proof is an account on its way to prove itself: what was looked at so far, and Step,
// the call under way. It is of a state of its own. An adapter's own embeds it.
type Proof struct {
	ID       string            `json:"id,omitempty"`
	Create   bool              `json:"create,omitempty"`
	Step     string            `json:"step,omitempty"`
	Findings []adapter.Finding `json:"findings,omitempty"`
}

// tagCheck is what the tags of a proof's calls begin with.
const tagCheck = "check"

// Prove makes the next call of a proof, which is given up soon where it does not say
// itself when; step names it for Acts.Proved. A turn of a proof that asks for no call is
// its last.
func (d Desk) Prove(step string, c adapter.Call) {
	d.Proof.Step, c.GiveUp = step, cmp.Or(c.GiveUp, OpenLimit)
	d.Tx.Call(tagCheck+"/"+step, c)
}

// check begins a proof.
func (d Desk) check(in adapter.Check) {
	*d.Proof = Proof{ID: in.ID, Create: in.Create}
	d.Acts.Check()
	d.proven()
}

// proved goes on with a proof when one of its calls has ended; false for a call of
// something else. Who does not answer the first says nothing of any credential.
func (d Desk) proved(r adapter.Result) bool {
	step, ours := strings.CutPrefix(r.Tag, tagCheck+"/")
	if ours && step == d.Proof.Step {
		d.Proof.Step = ""
		if r.Reason != "" && len(d.Proof.Findings) == 0 {
			d.Found("address", "", d.Title+" does not answer: "+r.Reason, "look at the settings of where it is, such as base_url, and see that the bridge reaches it")
		} else {
			d.Acts.Proved(step, r)
		}
		d.proven()
	}
	return ours
}

// proven ends a proof of which no call is under way with what was found.
func (d Desk) proven() {
	if d.Proof.Step == "" {
		d.Tx.Report(d.Proof.ID, d.Proof.Findings...)
		*d.Proof = Proof{}
	}
}

// Found notes what was looked at: what was seen there, and where that has a fault what
// to do about it.
func (d Desk) Found(what, said, fault, mend string) {
	f := adapter.Finding{What: what, Said: said, Fault: fault}
	if fault != "" {
		f.Mend = mend
	}
	d.Proof.Findings = append(d.Proof.Findings, f)
}

// Judged is Found for what there is something to say of only where it is good.
func (d Desk) Judged(what, good, fault, mend string) {
	if fault != "" {
		good = ""
	}
	d.Found(what, good, fault, mend)
}

// Webhook is what the vendor is to call where the adapter's endpoint is at /webhook.
func (d Desk) Webhook() string { return d.Tx.Account().PublicURL + "/webhook" }

// Having is the last of a list that has a text in a field, in any case; none where no one
// has.
func Having(list codec.Value, field, text string) (one codec.Value) {
	for _, v := range list.Items() {
		if strings.EqualFold(v.Get(field).Text(), text) {
			one = v
		}
	}
	return one
}

// Missing are the wanted of which a list has none, in any case, as people read them.
func Missing(wanted []string, list codec.Value) string {
	missing := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool {
		return slices.ContainsFunc(list.Items(), func(v codec.Value) bool { return strings.EqualFold(v.Text(), name) })
	})
	return strings.Join(missing, ", ")
}

// Samples are a vendor's answers with status 200, as rows of tag and JSON.
func Samples(rows [][2]string) []adapter.Sample {
	list := make([]adapter.Sample, 0, len(rows))
	for _, row := range rows {
		list = append(list, adapter.Sample{Tag: row[0], Status: http.StatusOK, Body: json.RawMessage(row[1])})
	}
	return list
}

// Fields is a JSON object to send.
type Fields map[string]any

// Put sets a field that has a value.
func (f Fields) Put(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// JSON is a call with a body in JSON; without a body it is one that reads. Its header
// can be added to.
func JSON(method, address string, body Fields) adapter.Call {
	c := adapter.Call{Method: method, URL: address, Header: http.Header{}}
	if body != nil {
		c.Body = codec.Compose(body)
		c.Header.Set("Content-Type", "application/json")
	}
	return c
}
