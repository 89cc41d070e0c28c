package ingress

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

// unwrap takes the JSON out of one field of a form.
func (f *fields) unwrap(field string) *refusal {
	form, err := url.ParseQuery(string(f.body))
	if values := form[field]; err == nil && len(values) == 1 {
		f.body = []byte(values[0])
		return nil
	}
	return &refusal{"syntax", problem(http.StatusBadRequest, "body is not a form with one field "+field)}
}

// challenged answers a request by which a vendor sees that the address is ours.
func (d *door) challenged(w http.ResponseWriter, f *fields) bool {
	if d.endpoint.Challenge == "" {
		return false
	}
	value, err := f.get(d.endpoint.Challenge)
	if err != nil {
		return false
	}
	_ = write(w, adapter.Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(value)})
	return true
}

// arrivals makes of a request what the engine is to take: one, or one for each object
// of a list. Nothing of a list is stored before all of it can be read.
func (d *door) arrivals(f *fields) ([]engine.Arrival, *refusal) {
	if d.endpoint.Batch == "" {
		a, no := d.arrival(f)
		return []engine.Arrival{a}, no
	}
	list, ok := pointer.Follow(f.doc, d.endpoint.Batch).([]any)
	if !ok {
		return nil, unreadable(errors.New("want a list at " + d.endpoint.Batch))
	}
	pointer.Mask(f.doc, d.account.Mask)
	var all []engine.Arrival
	for i, doc := range list {
		item := &fields{r: f.r, doc: doc, bound: f.bound}
		if f.mark != "" {
			item.mark = f.mark + "#" + strconv.Itoa(i)
		}
		var err error
		if _, object := doc.(map[string]any); !object {
			err = errors.New("want objects in the list at " + d.endpoint.Batch)
		} else {
			item.body, err = json.Marshal(doc)
		}
		if err != nil {
			return nil, unreadable(err)
		}
		a, no := d.arrival(item)
		switch {
		case no != nil && no.reason == noKey:
			d.leftOut(noKey)
		case no != nil:
			return nil, no
		default:
			all = append(all, a)
		}
	}
	return all, nil
}

// noKey is why a request is left out that nobody can have, where the endpoint lets
// such go.
const noKey = "no_key"

// arrival makes an arrival of a request. A signed one has a mark, by which the engine
// knows a captured one again.
func (d *door) arrival(f *fields) (a engine.Arrival, no *refusal) {
	key, err := f.get(d.endpoint.Key)
	switch {
	case err == nil && f.bound != "" && key != f.bound:
		return a, d.denied() // a token is good for its own leg alone
	case errors.Is(err, errNone) && d.endpoint.NoKey == adapter.NoKeyIgnore:
		return a, &refusal{noKey, orElse(d.endpoint.Default, adapter.Reply{Status: http.StatusOK, Body: []byte("{}")})}
	case err != nil:
		return a, &refusal{"key", problem(http.StatusBadRequest, "no usable key: "+err.Error())}
	}
	dedup := ""
	if d.endpoint.Dedup != "" {
		dedup, _ = f.get(d.endpoint.Dedup)
	}
	body, err := d.kept(f)
	if err != nil {
		return a, unreadable(err)
	}
	return engine.Arrival{Account: d.account.Name, Endpoint: d.endpoint, Key: key, Dedup: dedup, Mark: f.mark, MarkFor: d.endpoint.Signature.Remember(),
		Request: d.request(f.r, body)}, nil
}
