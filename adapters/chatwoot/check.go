package chatwoot

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// The calls of a check, in order.
const (
	checkUser    = "user"
	checkInbox   = "inbox"
	checkWebhook = "webhook"
)

// check has the account prove itself: whose token it is, what the inbox is, and where
// its webhook goes.
func (d desk) check() {
	d.Prove(checkUser, d.asUser(http.MethodGet, d.set.BaseURL+"/api/v1/profile", nil))
}

func (d desk) inbox() string {
	return d.set.BaseURL + "/api/v1/accounts/" + d.set.AccountID + "/inboxes/" + d.set.InboxID
}

// proved goes on when a call of the check has ended.
func (d desk) proved(step string, r adapter.Result) {
	v, _ := codec.Lenient(r.Body) // what cannot be read has nothing in it
	switch step {
	case checkUser:
		d.provedUser(r, v)
	case checkInbox:
		d.provedInbox(r, v)
	case checkWebhook:
		d.Judged("webhook", "made: "+d.Webhook(), r.Fault(credential), "enter "+d.Webhook()+" at the inbox's settings")
	}
}

func (d desk) provedUser(r adapter.Result, v codec.Value) {
	role := backend.Having(v.Get("accounts"), "id", d.set.AccountID).Get("role").Text()
	fault, mend := r.Fault(credential), "enter the access token from the profile settings of a user of its own"
	if r.OK() && role == "agent" {
		fault, mend = "it is an agent's: what is handed over is assigned to that agent", "give that user the role administrator"
	}
	d.Found("credential "+credential, strings.TrimSpace(v.Get("name").Text()+" "+role), fault, mend)
	if r.OK() {
		d.Prove(checkInbox, d.asUser(http.MethodGet, d.inbox(), nil))
	}
}

// provedInbox looks at the inbox and its webhook.
func (d desk) provedInbox(r adapter.Result, v codec.Value) {
	d.Found("setting inbox_id", v.Get("name").Text(), r.Fault(credential), "look at account_id and inbox_id in the address of the inbox's settings")
	if !r.OK() {
		return
	}
	if kind := v.Get("channel_type").Text(); kind != "" && kind != "Channel::Api" {
		d.Found("inbox", kind, "its channel is not API", "create an inbox of the channel type API")
	}
	if id := v.Get("inbox_identifier").Text(); id != "" && id != d.set.InboxIdentifier {
		d.Found("setting inbox_identifier", "", "it is another inbox's", "use the one at the inbox's settings, under Configuration")
	}
	address := v.Get("webhook_url").Text()
	if base, _, _ := strings.Cut(address, "?"); base == d.Webhook() {
		d.Found("webhook", base, "", "")
		return
	}
	if d.Proof.Create {
		d.Prove(checkWebhook, d.asUser(http.MethodPatch, d.inbox(), backend.Fields{"channel": backend.Fields{"webhook_url": d.Webhook()}}))
		return
	}
	said := fmt.Sprintf("%s must be told", d.Webhook())
	if !slices.Contains(d.Tx.Account().Credentials, secret) {
		said += ", with the account's inbound added"
	}
	d.Found("webhook", "", "the inbox tells another place, or none: "+said, "enter it at the inbox's settings, or verify with --create")
}
