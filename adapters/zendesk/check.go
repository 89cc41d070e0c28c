package zendesk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// The steps of a check, each a call, in order; some only where there is something to
// look at or to make.
const (
	checkApp     = "check/app"
	checkBoards  = "check/boards"
	checkMembers = "check/members"
	checkFind    = "check/find"
	checkMake    = "check/make"
	checkJoin    = "check/join"
	checkHear    = "check/hear"
	checkHooks   = "check/hooks"
	checkHook    = "check/hook"
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
func (d desk) check(in adapter.Check) {
	d.s.Proof = &proof{Proof: backend.Proof{ID: in.ID, Create: in.Create}}
	d.prove(checkApp, http.MethodGet, "", nil)
}

func (d desk) prove(tag, method, path string, body backend.Fields) {
	c := d.api(method, path, body)
	if c.GiveUp = backend.OpenLimit; method == http.MethodPost {
		c.Repeat = adapter.RepeatNever
	}
	d.Tx.Call(tag, c)
}

// proved goes on when a call of the check has ended, and ends the check where no other
// call is made.
func (d desk) proved(r adapter.Result) {
	v, _ := codec.Lenient(r.Body) // what cannot be read has nothing in it
	steps := map[string]func(adapter.Result, codec.Value) (going bool){checkApp: d.provedApp, checkBoards: d.provedBoards,
		checkMembers: d.provedMembers, checkFind: d.provedFind, checkMake: d.provedMake, checkJoin: d.provedJoin, checkHear: d.provedHear,
		checkHooks: d.provedHooks, checkHook: d.provedHook}
	if step, known := steps[r.Tag]; known && step(r, v) {
		return
	}
	d.s.Proof.Report(d.Tx)
	d.s.Proof = nil
}

func (d desk) provedApp(r adapter.Result, v codec.Value) bool {
	if r.Reason == "" && r.Status == http.StatusNotFound {
		d.s.Proof.Found("setting app_id", "", r.Fault(""), "use the App ID at Admin Center, APIs, Conversations API, and look at subdomain or base_url")
		return false
	}
	d.s.Proof.Found("credentials key_id and key_secret", v.Get("app").Get("displayName").Text(), r.Fault(""),
		"make a key at Admin Center, APIs, Conversations API; its Key ID begins with app_")
	if r.OK() {
		d.prove(checkBoards, http.MethodGet, "/switchboards", nil)
	}
	return r.OK()
}

func (d desk) provedBoards(r adapter.Result, v codec.Value) bool {
	list := v.Get("switchboards").Items()
	fault := r.Fault(keySecret)
	if r.OK() && len(list) == 0 {
		fault = "there is none"
	}
	if r.OK() && len(list) > 0 && is(list[0].Get("enabled"), "false") {
		fault = "it is not enabled"
	}
	if fault != "" {
		d.s.Proof.Found("switchboard", "", fault, "turn messaging on at Admin Center, Channels, Messaging")
		return false
	}
	d.s.Proof.Board = "/switchboards/" + url.PathEscape(idOf(list[0])) + "/switchboardIntegrations"
	d.prove(checkMembers, http.MethodGet, d.s.Proof.Board, nil)
	return true
}

// provedMembers looks for both integrations in the switchboard.
func (d desk) provedMembers(r adapter.Result, v codec.Value) bool {
	if !r.OK() {
		d.s.Proof.Found("switchboard", "", r.Fault(keySecret), "use a key of the app: its Key ID begins with app_")
		return false
	}
	var ours codec.Value
	people := ""
	for _, one := range v.Get("switchboardIntegrations").Items() {
		if is(one.Get("name"), d.set.Integration) {
			ours = one
		}
		if d.set.held(one) {
			people = one.Get("name").Text()
		}
	}
	fault := ""
	if people == "" {
		fault = "the switchboard has none of that name"
	}
	d.s.Proof.Found("setting agents_integration", people, fault, "turn Agent Workspace and messaging on, or use the name of the integration whose people answer")
	switch create := d.s.Proof.Create; {
	case !ours.Exists() && create:
		d.prove(checkFind, http.MethodGet, "/integrations?filter%5Btypes%5D=custom", nil)
		return true
	case !ours.Exists():
		d.s.Proof.Found("setting integration", "", "the switchboard has no "+d.set.Integration, "verify with --create")
		return false
	}
	d.s.Proof.Custom = ours.Get("integrationId").Text()
	if !is(ours.Get("deliverStandbyEvents"), "true") {
		if d.s.Proof.Create {
			d.prove(checkHear, http.MethodPatch, d.s.Proof.Board+"/"+url.PathEscape(idOf(ours)), backend.Fields{"deliverStandbyEvents": true})
			return true
		}
		d.s.Proof.Found("setting integration", "", "it is told nothing while people have control", "verify with --create, which sets its deliverStandbyEvents")
	} else {
		d.s.Proof.Found("setting integration", d.set.Integration, "", "")
	}
	return d.hooks()
}

func (d desk) hooks() bool {
	if d.s.Proof.Made {
		return false
	}
	d.prove(checkHooks, http.MethodGet, "/integrations/"+url.PathEscape(d.s.Proof.Custom)+"/webhooks", nil)
	return true
}

// provedFind looks for an integration that was made at Admin Center under our name.
func (d desk) provedFind(r adapter.Result, v codec.Value) bool {
	for _, one := range v.Get("integrations").Items() {
		if is(one.Get("displayName"), d.set.Integration) && idOf(one) != "" {
			d.s.Proof.Custom = idOf(one)
		}
	}
	switch {
	case !r.OK():
		d.s.Proof.Found("setting integration", "", r.Fault(keySecret), "look at Admin Center, Integrations, Conversations integrations")
		return false
	case d.s.Proof.Custom != "":
		return d.join()
	}
	d.prove(checkMake, http.MethodPost, "/integrations", backend.Fields{"type": "custom", "status": "active", "displayName": d.set.Integration, "webhooks": []backend.Fields{d.hook()}})
	return true
}

func (d desk) provedMake(r adapter.Result, v codec.Value) bool {
	d.s.Proof.Custom = idOf(v.Get("integration"))
	if !r.OK() || d.s.Proof.Custom == "" {
		d.s.Proof.Found("setting integration", "", "it could not be made: "+r.Fault(keySecret), "make it at Admin Center, Integrations, Conversations integrations, and verify again")
		return false
	}
	d.s.Proof.Made = true
	return d.join()
}

func (d desk) join() bool {
	d.prove(checkJoin, http.MethodPost, d.s.Proof.Board, backend.Fields{"name": d.set.Integration, "integrationId": d.s.Proof.Custom, "deliverStandbyEvents": true})
	return true
}

func (d desk) provedJoin(r adapter.Result, _ codec.Value) bool {
	d.s.Proof.Found("setting integration", map[bool]string{true: "made: " + d.set.Integration}[r.OK()], r.Fault(keySecret), "the switchboard takes ten integrations: remove one")
	if d.s.Proof.Made {
		d.made()
	}
	return r.OK() && d.hooks()
}

func (d desk) provedHear(r adapter.Result, _ codec.Value) bool {
	d.s.Proof.Found("setting integration", map[bool]string{true: d.set.Integration + " is told all from now on"}[r.OK()], r.Fault(keySecret), "set deliverStandbyEvents of the switchboard integration")
	return d.hooks()
}

// hook is our webhook as Zendesk is to have it.
func (d desk) hook() backend.Fields {
	return backend.Fields{"target": d.hookURL(), "triggers": triggers(), "includeFullUser": false, "includeFullSource": false}
}

func (d desk) hookURL() string { return d.Tx.Account().PublicURL + "/webhook" }

// provedHooks looks for our webhook among those of our integration.
func (d desk) provedHooks(r adapter.Result, v codec.Value) bool {
	var own codec.Value
	for _, one := range v.Get("webhooks").Items() {
		if one.Get("target").Text() == d.hookURL() {
			own = one
		}
	}
	switch {
	case !r.OK():
		d.s.Proof.Found("webhook", "", r.Fault(keySecret), "look at the integration at Admin Center, Conversations integrations, for "+d.hookURL())
	case !own.Exists() && d.s.Proof.Create:
		d.prove(checkHook, http.MethodPost, "/integrations/"+url.PathEscape(d.s.Proof.Custom)+"/webhooks", d.hook())
		return true
	case !own.Exists():
		d.s.Proof.Found("webhook", "", "there is none for "+d.hookURL(), "verify with --create, or enter it at Admin Center, Conversations integrations")
	default:
		d.provedHookItself(own)
	}
	return false
}

func (d desk) provedHookItself(own codec.Value) {
	var missing []string
	for _, name := range triggers() {
		if !slices.ContainsFunc(own.Get("triggers").Items(), func(v codec.Value) bool { return is(v, name) }) {
			missing = append(missing, name)
		}
	}
	fault := ""
	switch {
	case len(missing) > 0:
		fault = d.hookURL() + " is not told " + strings.Join(missing, ", ")
	case !slices.Contains(d.Tx.Account().Credentials, secret):
		fault = "the credential webhook_secret is not set"
	}
	d.s.Proof.Found("webhook", map[bool]string{true: "calls " + d.hookURL()}[fault == ""], fault, "change it at Admin Center, Conversations integrations, and set webhook_secret to its shared secret")
}

func (d desk) provedHook(r adapter.Result, _ codec.Value) bool {
	if r.OK() {
		d.made()
	} else {
		d.s.Proof.Found("webhook", "", "it could not be made: "+r.Fault(keySecret), "enter "+d.hookURL()+" at Admin Center, Conversations integrations")
	}
	return false
}

// made says that the webhook is there now. Zendesk chose its secret; it is told to the
// operator by Zendesk, and not here, where it would be on a screen and in a log.
func (d desk) made() {
	d.s.Proof.Found("webhook", "made: it calls "+d.hookURL()+"; set webhook_secret to its secret, which GET "+d.set.BaseURL+"/v2/apps/"+d.set.AppID+
		"/integrations/"+d.s.Proof.Custom+"/webhooks shows to the account's key", "", "")
}
