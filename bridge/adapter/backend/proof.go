package backend

import (
	"encoding/json"
	"net/http"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// Proof is an account on its way to prove itself: what was looked at so far. It is of
// a state of its own, which ends with Report.
type Proof struct {
	ID       string            `json:"id,omitempty"`
	Create   bool              `json:"create,omitempty"`
	Findings []adapter.Finding `json:"findings,omitempty"`
}

// Found notes what was looked at: what was seen there, or a fault and its mend. Without
// a fault the mend is left out.
func (p *Proof) Found(what, said, fault, mend string) {
	f := adapter.Finding{What: what, Said: said, Fault: fault}
	if fault != "" {
		f.Mend = mend
	}
	p.Findings = append(p.Findings, f)
}

// Report ends the proof with what was found.
func (p *Proof) Report(tx *adapter.Tx) {
	tx.Report(p.ID, p.Findings...)
	*p = Proof{}
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
