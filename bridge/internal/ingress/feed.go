package ingress

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/engine"
)

// Heard is what one frame of a feed says to an endpoint, read and not stored yet.
type Heard struct {
	door     *door
	arrivals []engine.Arrival
	no       *refusal
}

// Heard reads what a feed brought for an endpoint as a request to it is read. Who
// sends it is not asked: the bridge dialled them. It is nil where the account has no
// such endpoint now.
func (i *Ingress) Heard(account, endpoint string, body []byte) *Heard {
	d := (*i.doors.Load())[doorName(account, endpoint)]
	if d == nil {
		return nil
	}
	h := &Heard{door: d}
	f := &fields{body: body, r: &http.Request{Method: d.endpoint.Method, URL: &url.URL{Path: "/in/" + account + d.endpoint.Path},
		Header: http.Header{"Content-Type": {"application/json"}}}}
	if int64(len(body)) > d.most() {
		h.no = d.tooLarge()
	} else if err := f.parse(); err != nil {
		h.no = unreadable(err)
	} else if arrivals, no := d.arrivals(f); no != nil {
		h.no = no
	} else {
		h.arrivals = arrivals
	}
	return h
}

// Keys are whose legs it is for, in its order.
func (h *Heard) Keys() []string {
	var keys []string
	for _, a := range h.arrivals {
		keys = append(keys, a.Key)
	}
	return keys
}

// Store has the engine take it, and tries again while there is no room and the rate is
// used up, until ctx ends. It returns true once all of it is synced, or when the
// endpoint would have turned the request away for good: then the vendor need not say
// it again. Of what is not stored the reason is counted.
func (h *Heard) Store(ctx context.Context) bool {
	no, paced := h.no, false
	for no == nil {
		if !paced { // it is one request, however often there is no room for it
			no = h.door.paced()
			paced = no == nil
		}
		if no == nil {
			// What has begun is not given up: its outcome would not be known.
			_, no = h.door.storeAll(context.WithoutCancel(ctx), h.arrivals)
		}
		if no == nil {
			return true
		}
		if slices.Contains(passing, no.reason) && rest(ctx) {
			no = nil
		}
	}
	h.door.leftOut(no.reason)
	return no.reply.Status < http.StatusInternalServerError && no.reply.Status != http.StatusTooManyRequests
}

// passing are the reasons for which a request is turned away that are over soon.
//
//nolint:gochecknoglobals // a table that is never written.
var passing = []string{"busy", "rate", "journal"}

// rest waits before another try; false when there is none.
func rest(ctx context.Context) bool {
	const pause = 50 * time.Millisecond
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
