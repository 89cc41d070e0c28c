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
	checkUser    = "check/user"
	checkInbox   = "check/inbox"
	checkWebhook = "check/webhook"
)

// check has the account prove itself: whose token it is, what the inbox is, and where
// its webhook goes.
func (d desk) check(in adapter.Check) {
	d.s.Proof = &backend.Proof{ID: in.ID, Create: in.Create}
	d.Tx.Call(checkUser, d.asUser(http.MethodGet, d.set.BaseURL+"/api/v1/profile", nil))
}

func (d desk) inbox() string {
	return d.set.BaseURL + "/api/v1/accounts/" + d.set.AccountID + "/inboxes/" + d.set.InboxID
}

// proved goes on when a call of the check has ended.
func (d desk) proved(r adapter.Result) {
	v, _ := codec.Lenient(r.Body) // what cannot be read has nothing in it
	switch r.Tag {
	case checkUser:
		d.provedUser(r, v)
		if r.OK() {
			d.Tx.Call(checkInbox, d.asUser(http.MethodGet, d.inbox(), nil))
			return
		}
	case checkInbox:
		if d.provedInbox(r, v) {
			return
		}
	case checkWebhook:
		d.s.Proof.Found("webhook", map[bool]string{true: "made: " + d.webhook()}[r.OK()], r.Fault(credential), "enter "+d.webhook()+" at the inbox's settings")
	}
	d.s.Proof.Report(d.Tx)
	d.s.Proof = nil
}

func (d desk) provedUser(r adapter.Result, v codec.Value) {
	role := ""
	for _, account := range v.Get("accounts").Items() {
		if account.Get("id").Text() == d.set.AccountID {
			role = account.Get("role").Text()
		}
	}
	fault, mend := r.Fault(credential), "enter the access token from the profile settings of a user of its own"
	if r.OK() && role == "agent" {
		fault, mend = "it is an agent's: what is handed over is assigned to that agent", "give that user the role administrator"
	}
	d.s.Proof.Found("credential "+credential, strings.TrimSpace(v.Get("name").Text()+" "+role), fault, mend)
}

// provedInbox looks at the inbox and its webhook; true says that the webhook is being
// made.
func (d desk) provedInbox(r adapter.Result, v codec.Value) (made bool) {
	d.s.Proof.Found("setting inbox_id", v.Get("name").Text(), r.Fault(credential), "look at account_id and inbox_id in the address of the inbox's settings")
	if !r.OK() {
		return false
	}
	if kind := v.Get("channel_type").Text(); kind != "" && kind != "Channel::Api" {
		d.s.Proof.Found("inbox", kind, "its channel is not API", "create an inbox of the channel type API")
	}
	if id := v.Get("inbox_identifier").Text(); id != "" && id != d.set.InboxIdentifier {
		d.s.Proof.Found("setting inbox_identifier", "", "it is another inbox's", "use the one at the inbox's settings, under Configuration")
	}
	address := v.Get("webhook_url").Text()
	if base, _, _ := strings.Cut(address, "?"); base == d.webhook() {
		d.s.Proof.Found("webhook", base, "", "")
		return false
	}
	if d.s.Proof.Create {
		d.Tx.Call(checkWebhook, d.asUser(http.MethodPatch, d.inbox(), backend.Fields{"channel": backend.Fields{"webhook_url": d.webhook()}}))
		return true
	}
	said := fmt.Sprintf("%s must be told", d.webhook())
	if !slices.Contains(d.Tx.Account().Credentials, secret) {
		said += ", with the account's inbound added"
	}
	d.s.Proof.Found("webhook", "", "the inbox tells another place, or none: "+said, "enter it at the inbox's settings, or verify with --create")
	return false
}

func (d desk) webhook() string { return d.Tx.Account().PublicURL + "/webhook" }
