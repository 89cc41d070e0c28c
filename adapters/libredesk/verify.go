package libredesk

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// The steps of a check, each a call, in order. Those after the first are made where
// there is something to look at.
const (
	checkAgents  = "agents"
	checkTeams   = "teams"
	checkInbox   = "inbox"
	checkSecret  = "secret"
	checkWebhook = "webhooks"
	checkMake    = "make"
)

// events are what the webhook must tell.
func events() []string {
	return []string{"conversation.status_changed", "conversation.assigned", "conversation.unassigned", "message.created", "message.updated"}
}

// check has the account prove itself: its key, what its settings name, the inbox and
// its secret, the webhook.
func (d desk) check() { d.Prove(checkAgents, d.agent(http.MethodGet, "/agents/compact", nil)) }

// proved goes on when a step's call has ended.
func (d desk) proved(step string, r adapter.Result) {
	data, good := dataOf(r)
	switch step {
	case checkAgents:
		d.agentsChecked(r, data, good)
	case checkTeams:
		d.teamsChecked(r, data, good)
	case checkInbox:
		d.inboxChecked(r)
	case checkSecret:
		d.secretChecked(r)
	case checkWebhook:
		d.webhooksChecked(r, data, good)
	case checkMake:
		d.webhookMade(r, data)
	}
}

func (d desk) agentsChecked(r adapter.Result, data codec.Value, good bool) {
	const what = "credentials api_key and api_secret"
	switch {
	case r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden:
		d.Found(what, "", "Libredesk "+r.Fault(""), "make a key at Admin, Agents, the bridge's own agent, and set both of what it shows")
		return
	case !good || !data.IsArray():
		d.Found("setting base_url", "", "Libredesk does not answer there: "+cmp.Or(r.Fault(""), "another answer than its own"), "set base_url to where its pages are, and see that the bridge reaches it")
		return
	}
	d.Found(what, "an agent's key", "", "")
	d.listed("agents", d.set.Agents, data)
	if len(d.set.Teams) > 0 {
		d.Prove(checkTeams, d.agent(http.MethodGet, "/teams/compact", nil))
		return
	}
	d.launcher()
}

func (d desk) teamsChecked(r adapter.Result, data codec.Value, good bool) {
	if good {
		d.listed("teams", d.set.Teams, data)
	} else {
		d.Found("setting teams", "", "Libredesk "+r.Fault(credentialKey), "let the key's agent read teams")
	}
	d.launcher()
}

// listed looks for the numbers of a setting in a list.
func (d desk) listed(setting string, rows []string, list codec.Value) {
	for _, row := range rows {
		queue, id, _ := strings.Cut(row, "=")
		v, fault := backend.Having(list, "id", id), ""
		if !v.Exists() {
			fault = fmt.Sprintf("queue %s is for number %s, which is not there", queue, id)
		}
		d.Judged("setting "+setting, queue+" is for "+cmp.Or(v.Get("name").Text(), d.set.actorOf(id, v).Name), fault, "use a number its page's address ends with")
	}
}

// launcher reads what everybody may of the inbox.
func (d desk) launcher() {
	c := d.json(http.MethodGet, "/api/v1/widget/chat/settings/launcher?inbox_id="+d.set.InboxUUID, nil)
	c.Header.Set("X-Libredesk-Inbox-Id", d.set.InboxUUID)
	d.Prove(checkInbox, c)
}

// inboxChecked shows a token that names nobody, where there is an inbox: Libredesk looks
// at the signature first, so that a good one is told from a bad one and no contact is made.
func (d desk) inboxChecked(r adapter.Result) {
	d.Judged("setting inbox_uuid", "a live-chat inbox", faultOf(r), "use the uuid on the inbox's installation page, and enable the inbox")
	if !r.OK() {
		d.webhooks()
		return
	}
	nobody := d.Tx.Token(inboxSecret, map[string]any{"exp": d.Tx.Now().Add(tokenLasts).Unix()})
	d.Prove(checkSecret, d.widget(http.MethodPost, exchangePath, backend.Fields{"jwt": nobody}))
}

func (d desk) secretChecked(r adapter.Result) {
	fault := cmp.Or(faultOf(r), "Libredesk takes a token that names nobody")
	switch {
	case r.Status == http.StatusBadRequest && r.Reason == "":
		fault = ""
	case r.Status == http.StatusUnauthorized:
		fault = "Libredesk does not take what it signs"
	}
	d.Judged("credential inbox_secret", "signs who the customer is", fault, "set it to the secret on the inbox's security page")
	d.webhooks()
}

func (d desk) webhooks() { d.Prove(checkWebhook, d.agent(http.MethodGet, "/webhooks", nil)) }

// webhooksChecked looks for the webhook among all there are.
func (d desk) webhooksChecked(r adapter.Result, data codec.Value, good bool) {
	own, secret := backend.Having(data, "url", d.Webhook()), d.Tx.Credential(webhookSecret)
	switch {
	case !good:
		d.Found("webhook", "", "Libredesk "+r.Fault(""), "let the key's agent manage webhooks while you verify, or look yourself at Admin, Webhooks for "+d.Webhook())
	case own.Exists():
		d.webhookFound(own)
	case d.Proof.Create && secret != "":
		c := d.agent(http.MethodPost, "/webhooks", backend.Fields{"name": "Footbridge " + d.Tx.Account().Name, "url": d.Webhook(),
			"events": events(), "secret": secret, "is_active": true})
		c.Repeat = adapter.RepeatNever
		d.Prove(checkMake, c)
	case d.Proof.Create:
		d.Found("webhook", "", "there is none for "+d.Webhook(), "set the credential webhook_secret, and verify with --create again")
	default:
		d.Found("webhook", "", "there is none for "+d.Webhook(), "verify with --create, or make it at Admin, Webhooks")
	}
}

func (d desk) webhookFound(own codec.Value) {
	missing, fault := backend.Missing(events(), own.Get("events")), ""
	switch {
	case !is(own.Get("is_active"), "true"):
		fault = d.Webhook() + ": it is not active"
	case missing != "":
		fault = d.Webhook() + ": it does not tell " + missing
	case (own.Get("secret").Text() != "") != (d.Tx.Credential(webhookSecret) != ""):
		fault = d.Webhook() + ": its secret and the credential webhook_secret do not go together: only one of them is set"
	}
	d.Judged("webhook", "calls "+d.Webhook(), fault, "change it at Admin, Webhooks")
}

func (d desk) webhookMade(r adapter.Result, data codec.Value) {
	fault := ""
	if codec.NumberID(data.Get("id").Text()) == 0 || !r.OK() {
		fault = "it could not be made: " + cmp.Or(faultOf(r), "Libredesk refused it")
	}
	d.Judged("webhook", "made: it calls "+d.Webhook(), fault, "make it at Admin, Webhooks")
}

// faultOf says how a call failed, or "".
func faultOf(r adapter.Result) string {
	if r.OK() {
		return ""
	}
	return "Libredesk " + r.Fault("")
}
