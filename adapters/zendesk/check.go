package zendesk

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// The steps of a check, each a call, in order; some only where there is something to
// look at or to make.
const (
	checkApp     = "app"
	checkBoards  = "boards"
	checkMembers = "members"
	checkFind    = "find"
	checkMake    = "make"
	checkJoin    = "join"
	checkHear    = "hear"
	checkHooks   = "hooks"
	checkHook    = "hook"
)

// proof is a check on its way.
type proof struct {
	backend.Proof
	// Board is the switchboard, Custom the integration of the API that ours stands
	// for, and Made that it was made with its webhook.
	Board  string `json:"board,omitempty"`
	Custom string `json:"custom,omitempty"`
	Made   bool   `json:"made,omitempty"`
}

// triggers are what the webhook must tell.
func triggers() []string {
	return []string{"conversation:message", "conversation:read", "conversation:typing", "conversation:postback",
		"conversation:message:delivery:channel", "conversation:message:delivery:failure", "conversation:message:delivery:user",
		"switchboard:acceptControl", "switchboard:acceptControl:failure", "switchboard:offerControl", "switchboard:offerControl:failure",
		"switchboard:passControl", "switchboard:passControl:failure", "switchboard:releaseControl", "user:merge"}
}

// check has the account prove itself: its key and app, the switchboard with both
// integrations, and where the webhook of ours goes.
func (d desk) check() { d.prove(checkApp, http.MethodGet, "", nil) }

func (d desk) prove(step, method, path string, body backend.Fields) {
	c := d.api(method, path, body)
	if method == http.MethodPost {
		c.Repeat = adapter.RepeatNever
	}
	d.Prove(step, c)
}

// proved goes on when a call of the check has ended.
func (d desk) proved(step string, r adapter.Result) {
	v, _ := codec.Lenient(r.Body) // what cannot be read has nothing in it
	steps := map[string]func(adapter.Result, codec.Value){checkApp: d.provedApp, checkBoards: d.provedBoards,
		checkMembers: d.provedMembers, checkFind: d.provedFind, checkMake: d.provedMake, checkJoin: d.provedJoin, checkHear: d.provedHear,
		checkHooks: d.provedHooks, checkHook: d.provedHook}
	steps[step](r, v)
}

func (d desk) provedApp(r adapter.Result, v codec.Value) {
	if r.Reason == "" && r.Status == http.StatusNotFound {
		d.Found("setting app_id", "", r.Fault(""), "use the App ID at Admin Center, APIs, Conversations API, and look at subdomain or base_url")
		return
	}
	d.Found("credentials key_id and key_secret", v.Get("app").Get("displayName").Text(), r.Fault(""),
		"make a key at Admin Center, APIs, Conversations API; its Key ID begins with app_")
	if r.OK() {
		d.prove(checkBoards, http.MethodGet, "/switchboards", nil)
	}
}

func (d desk) provedBoards(r adapter.Result, v codec.Value) {
	list, fault := v.Get("switchboards").Items(), r.Fault(keySecret)
	switch {
	case fault != "":
	case len(list) == 0:
		fault = "there is none"
	case is(list[0].Get("enabled"), "false"):
		fault = "it is not enabled"
	}
	if fault != "" {
		d.Found("switchboard", "", fault, "turn messaging on at Admin Center, Channels, Messaging")
		return
	}
	d.s.Proof.Board = "/switchboards/" + url.PathEscape(idOf(list[0])) + "/switchboardIntegrations"
	d.prove(checkMembers, http.MethodGet, d.s.Proof.Board, nil)
}

// provedMembers looks for both integrations in the switchboard.
func (d desk) provedMembers(r adapter.Result, v codec.Value) {
	if !r.OK() {
		d.Found("switchboard", "", r.Fault(keySecret), "use a key of the app: its Key ID begins with app_")
		return
	}
	members := v.Get("switchboardIntegrations")
	fault, people := "the switchboard has none of that name", ""
	for _, one := range members.Items() {
		if d.set.held(one) {
			fault, people = "", one.Get("name").Text()
		}
	}
	d.Found("setting agents_integration", people, fault, "turn Agent Workspace and messaging on, or use the name of the integration whose people answer")
	ours := backend.Having(members, "name", d.set.Integration)
	d.s.Proof.Custom = ours.Get("integrationId").Text()
	switch create, hears := d.Proof.Create, is(ours.Get("deliverStandbyEvents"), "true"); {
	case !ours.Exists() && create:
		d.prove(checkFind, http.MethodGet, "/integrations?filter%5Btypes%5D=custom", nil)
	case !ours.Exists():
		d.Found("setting integration", "", "the switchboard has no "+d.set.Integration, "verify with --create")
	case !hears && create:
		d.prove(checkHear, http.MethodPatch, d.s.Proof.Board+"/"+url.PathEscape(idOf(ours)), backend.Fields{"deliverStandbyEvents": true})
	case !hears:
		d.Found("setting integration", "", "it is told nothing while people have control", "verify with --create, which sets its deliverStandbyEvents")
		d.hooks()
	default:
		d.Found("setting integration", d.set.Integration, "", "")
		d.hooks()
	}
}

func (d desk) hooks() {
	d.prove(checkHooks, http.MethodGet, "/integrations/"+url.PathEscape(d.s.Proof.Custom)+"/webhooks", nil)
}

// provedFind looks for an integration that was made at Admin Center under our name.
func (d desk) provedFind(r adapter.Result, v codec.Value) {
	d.s.Proof.Custom = idOf(backend.Having(v.Get("integrations"), "displayName", d.set.Integration))
	switch {
	case !r.OK():
		d.Found("setting integration", "", r.Fault(keySecret), "look at Admin Center, Integrations, Conversations integrations")
	case d.s.Proof.Custom != "":
		d.join()
	default:
		d.prove(checkMake, http.MethodPost, "/integrations", backend.Fields{"type": "custom", "status": "active", "displayName": d.set.Integration, "webhooks": []backend.Fields{d.hook()}})
	}
}

func (d desk) provedMake(r adapter.Result, v codec.Value) {
	d.s.Proof.Custom = idOf(v.Get("integration"))
	if !r.OK() || d.s.Proof.Custom == "" {
		d.Found("setting integration", "", "it could not be made: "+r.Fault(keySecret), "make it at Admin Center, Integrations, Conversations integrations, and verify again")
		return
	}
	d.s.Proof.Made = true
	d.join()
}

func (d desk) join() {
	d.prove(checkJoin, http.MethodPost, d.s.Proof.Board, backend.Fields{"name": d.set.Integration, "integrationId": d.s.Proof.Custom, "deliverStandbyEvents": true})
}

func (d desk) provedJoin(r adapter.Result, _ codec.Value) {
	d.Judged("setting integration", "made: "+d.set.Integration, r.Fault(keySecret), "the switchboard takes ten integrations: remove one")
	switch {
	case d.s.Proof.Made:
		d.made("")
	case r.OK():
		d.hooks()
	}
}

func (d desk) provedHear(r adapter.Result, _ codec.Value) {
	d.Judged("setting integration", d.set.Integration+" is told all from now on", r.Fault(keySecret), "set deliverStandbyEvents of the switchboard integration")
	d.hooks()
}

// hook is our webhook as Zendesk is to have it.
func (d desk) hook() backend.Fields {
	return backend.Fields{"target": d.Webhook(), "triggers": triggers(), "includeFullUser": false, "includeFullSource": false}
}

// provedHooks looks for our webhook among those of our integration.
func (d desk) provedHooks(r adapter.Result, v codec.Value) {
	own := backend.Having(v.Get("webhooks"), "target", d.Webhook())
	switch {
	case !r.OK():
		d.Found("webhook", "", r.Fault(keySecret), "look at the integration at Admin Center, Conversations integrations, for "+d.Webhook())
	case own.Exists():
		d.provedHookItself(own)
	case d.Proof.Create:
		d.prove(checkHook, http.MethodPost, "/integrations/"+url.PathEscape(d.s.Proof.Custom)+"/webhooks", d.hook())
	default:
		d.Found("webhook", "", "there is none for "+d.Webhook(), "verify with --create, or enter it at Admin Center, Conversations integrations")
	}
}

func (d desk) provedHookItself(own codec.Value) {
	missing, fault := backend.Missing(triggers(), own.Get("triggers")), ""
	switch {
	case missing != "":
		fault = d.Webhook() + " is not told " + missing
	case !slices.Contains(d.Tx.Account().Credentials, secret):
		fault = "the credential webhook_secret is not set"
	}
	d.Judged("webhook", "calls "+d.Webhook(), fault, "change it at Admin Center, Conversations integrations, and set webhook_secret to its shared secret")
}

func (d desk) provedHook(r adapter.Result, _ codec.Value) {
	fault := r.Fault(keySecret)
	if fault != "" {
		fault = "it could not be made: " + fault
	}
	d.made(fault)
}

// made says that the webhook is there now. Zendesk chose its secret; it is told to the
// operator by Zendesk, and not here, where it would be on a screen and in a log.
func (d desk) made(fault string) {
	d.Judged("webhook", "made: it calls "+d.Webhook()+"; set webhook_secret to its secret, which GET "+d.set.BaseURL+"/v2/apps/"+d.set.AppID+
		"/integrations/"+d.s.Proof.Custom+"/webhooks shows to the account's key", fault, "enter "+d.Webhook()+" at Admin Center, Conversations integrations")
}
