package libredesk

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// The steps of a check, each a call, in order. Those after the first are made where
// there is something to look at.
const (
	actCheck     = "check"
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
func (d desk) check(in adapter.Check) {
	d.s.Check = backend.Proof{ID: in.ID, Create: in.Create}
	d.checkStep(checkAgents)
}

func (d desk) checkStep(step string) {
	calls := map[string]func() adapter.Call{
		checkAgents:  func() adapter.Call { return d.agent(http.MethodGet, "/agents/compact", nil) },
		checkTeams:   func() adapter.Call { return d.agent(http.MethodGet, "/teams/compact", nil) },
		checkInbox:   func() adapter.Call { return d.launcher() },
		checkSecret:  func() adapter.Call { return d.nobody() },
		checkWebhook: func() adapter.Call { return d.agent(http.MethodGet, "/webhooks", nil) },
		checkMake:    func() adapter.Call { return d.makeWebhook() },
	}
	c := calls[step]()
	c.GiveUp = backend.OpenLimit
	d.Tx.Call(actCheck+"/"+step, c)
}

// launcher reads what everybody may of the inbox.
func (d desk) launcher() adapter.Call {
	c := d.json(http.MethodGet, "/api/v1/widget/chat/settings/launcher?inbox_id="+d.set.InboxUUID, nil)
	c.Header.Set("X-Libredesk-Inbox-Id", d.set.InboxUUID)
	return c
}

// nobody shows a token that names nobody: Libredesk looks at the signature first, so
// that a good one is told from a bad one and no contact is made.
func (d desk) nobody() adapter.Call {
	return d.widget(http.MethodPost, exchangePath, backend.Fields{"jwt": d.Tx.Token(inboxSecret, map[string]any{"exp": d.Tx.Now().Add(tokenLasts).Unix()})})
}

func (d desk) makeWebhook() adapter.Call {
	c := d.agent(http.MethodPost, "/webhooks", backend.Fields{"name": "Footbridge " + d.Tx.Account().Name, "url": d.webhookURL(),
		"events": events(), "secret": d.Tx.Credential(webhookSecret), "is_active": true})
	c.Repeat = adapter.RepeatNever
	return c
}

func (d desk) webhookURL() string { return d.Tx.Account().PublicURL + "/webhook" }

// checked goes on when a step's call has ended.
func (d desk) checked(step string, r adapter.Result) {
	if d.s.Check.ID == "" {
		return
	}
	judge, known := map[string]func(adapter.Result){checkAgents: d.agentsChecked, checkTeams: d.teamsChecked, checkInbox: d.inboxChecked,
		checkSecret: d.secretChecked, checkWebhook: d.webhooksChecked, checkMake: d.webhookMade}[step]
	if known {
		judge(r)
	}
}

// finish ends the check.
func (d desk) finish() { d.s.Check.Report(d.Tx) }

func (d desk) agentsChecked(r adapter.Result) {
	data, good := dataOf(r)
	const what = "credentials api_key and api_secret"
	switch {
	case r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden:
		d.s.Check.Found(what, "", "Libredesk "+r.Fault(""), "make a key at Admin, Agents, the bridge's own agent, and set both of what it shows")
		d.finish()
		return
	case !good || !data.IsArray():
		d.s.Check.Found("setting base_url", "", "Libredesk does not answer there: "+cmp.Or(r.Fault(""), "another answer than its own"), "set base_url to where its pages are, and see that the bridge reaches it")
		d.finish()
		return
	}
	d.s.Check.Found(what, "an agent's key", "", "")
	d.listed("agents", d.set.Agents, data)
	if len(d.set.Teams) > 0 {
		d.checkStep(checkTeams)
		return
	}
	d.checkStep(checkInbox)
}

func (d desk) teamsChecked(r adapter.Result) {
	if data, good := dataOf(r); good {
		d.listed("teams", d.set.Teams, data)
	} else {
		d.s.Check.Found("setting teams", "", "Libredesk "+r.Fault(credentialKey), "let the key's agent read teams")
	}
	d.checkStep(checkInbox)
}

// listed looks for the numbers of a setting in a list.
func (d desk) listed(setting string, rows []string, list codec.Value) {
	for _, row := range rows {
		queue, id, _ := strings.Cut(row, "=")
		there := slices.IndexFunc(list.Items(), func(v codec.Value) bool { return v.Get("id").Text() == id })
		if there < 0 {
			d.s.Check.Found("setting "+setting, "", fmt.Sprintf("queue %s is for number %s, which is not there", queue, id), "use a number its page's address ends with")
			continue
		}
		v := list.Items()[there]
		d.s.Check.Found("setting "+setting, queue+" is for "+cmp.Or(v.Get("name").Text(), d.set.actorOf(id, v).Name), "", "")
	}
}

func (d desk) inboxChecked(r adapter.Result) {
	if !r.OK() {
		d.s.Check.Found("setting inbox_uuid", "", "Libredesk "+r.Fault(""), "use the uuid on the inbox's installation page, and enable the inbox")
		d.checkStep(checkWebhook)
		return
	}
	d.s.Check.Found("setting inbox_uuid", "a live-chat inbox", "", "")
	d.checkStep(checkSecret)
}

func (d desk) secretChecked(r adapter.Result) {
	const what, mend = "credential inbox_secret", "set it to the secret on the inbox's security page"
	switch {
	case r.Status == http.StatusBadRequest && r.Reason == "":
		d.s.Check.Found(what, "signs who the customer is", "", "")
	case r.Status == http.StatusUnauthorized:
		d.s.Check.Found(what, "", "Libredesk does not take what it signs", mend)
	default:
		d.s.Check.Found(what, "", "Libredesk "+cmp.Or(r.Fault(""), "takes a token that names nobody"), mend)
	}
	d.checkStep(checkWebhook)
}

// webhooksChecked looks for the webhook among all there are.
func (d desk) webhooksChecked(r adapter.Result) {
	data, good := dataOf(r)
	if !good {
		d.s.Check.Found("webhook", "", "Libredesk "+r.Fault(""), "let the key's agent manage webhooks while you verify, or look yourself at Admin, Webhooks for "+d.webhookURL())
		d.finish()
		return
	}
	var own codec.Value
	for _, one := range data.Items() {
		if one.Get("url").Text() == d.webhookURL() {
			own = one
		}
	}
	secret := d.Tx.Credential(webhookSecret) != ""
	switch {
	case !own.Exists() && d.s.Check.Create && secret:
		d.checkStep(checkMake)
		return
	case !own.Exists() && d.s.Check.Create:
		d.s.Check.Found("webhook", "", "there is none for "+d.webhookURL(), "set the credential webhook_secret, and verify with --create again")
	case !own.Exists():
		d.s.Check.Found("webhook", "", "there is none for "+d.webhookURL(), "verify with --create, or make it at Admin, Webhooks")
	default:
		d.webhookFound(own)
	}
	d.finish()
}

func (d desk) webhookFound(own codec.Value) {
	var missing []string
	for _, name := range events() {
		if !slices.ContainsFunc(own.Get("events").Items(), func(v codec.Value) bool { return v.Text() == name }) {
			missing = append(missing, name)
		}
	}
	fault := ""
	switch {
	case !is(own.Get("is_active"), "true"):
		fault = "it is not active"
	case len(missing) > 0:
		fault = "it does not tell " + strings.Join(missing, ", ")
	case (own.Get("secret").Text() != "") != (d.Tx.Credential(webhookSecret) != ""):
		fault = "its secret and the credential webhook_secret do not go together: only one of them is set"
	}
	if fault != "" {
		d.s.Check.Found("webhook", "", d.webhookURL()+": "+fault, "change it at Admin, Webhooks")
		return
	}
	d.s.Check.Found("webhook", "calls "+d.webhookURL(), "", "")
}

func (d desk) webhookMade(r adapter.Result) {
	if data, good := dataOf(r); good && codec.NumberID(data.Get("id").Text()) != 0 {
		d.s.Check.Found("webhook", "made: it calls "+d.webhookURL(), "", "")
	} else {
		d.s.Check.Found("webhook", "", "it could not be made: Libredesk "+cmp.Or(r.Fault(""), "refused it"), "make it at Admin, Webhooks")
	}
	d.finish()
}
