package slack

import (
	"net/url"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/backend"
	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// The calls of a check: whose token it is, and for each channel what it is, whether
// the app can be made a member, and whether it can be read, threads too; and with
// Socket Mode whether it opens.
const (
	checkToken   = "token"
	checkChannel = "channel"
	checkJoin    = "join"
	checkHistory = "history"
	checkThread  = "thread"
	checkSocket  = "socket"
)

// proof is a check on its way.
type proof struct {
	backend.Proof
	Channels []string `json:"channels,omitempty"` // yet to be looked at, the first now
}

// check has the account prove itself.
func (d desk) check() {
	for _, row := range d.set.Channels {
		if _, id, _ := strings.Cut(row, "="); !slices.Contains(d.s.Proof.Channels, id) {
			d.s.Proof.Channels = append(d.s.Proof.Channels, id)
		}
	}
	c := d.write("auth.test", backend.Fields{})
	c.Repeat = adapter.RepeatKeyed
	d.Prove(checkToken, c)
}

// scopes are what the app needs, and what for.
func (d desk) scopes() []string {
	list := []string{"chat:write", "users:read", "files:read", "files:write"}
	if d.set.Customize {
		list = append(list, "chat:write.customize")
	}
	return list
}

// proved goes on when a call of the check has ended.
func (d desk) proved(step string, r adapter.Result) {
	_, v, fault := answerOf(r)
	switch step {
	case checkToken:
		d.provedToken(r, v, fault)
	case checkChannel:
		d.provedChannel(v, fault)
	case checkJoin:
		d.Judged(d.channelName(), "joined", fault, "invite the app in the channel: /invite @its-name")
		d.readable(fault == "")
	case checkHistory:
		d.provedHistory(v, fault)
	case checkSocket:
		d.Judged("credential "+appToken, "opens Socket Mode", fault, "make an app-level token with connections:write at Basic Information, and turn Socket Mode on")
	case checkThread:
		d.Judged(d.channelName()+", threads", "can be read", fault, "give the account a user_token with channels:history and groups:history, of a member of the channel")
		d.nextChannel()
	}
}

func (d desk) provedToken(r adapter.Result, v codec.Value, fault string) {
	const mend = "use the bot user OAuth token on the app's page OAuth & Permissions"
	said := strings.TrimSpace(v.Get("user").Text() + " at " + v.Get("team").Text())
	if fault == "" && v.Get("bot_id").Text() == "" {
		fault = "it is a person's: what it writes would be taken for their words"
	}
	d.Found("credential "+botToken, said, fault, mend)
	if fault != "" {
		return
	}
	if told := r.Header.Get("X-Oauth-Scopes"); told != "" {
		d.provedScopes(strings.Split(strings.ReplaceAll(told, " ", ""), ","))
	}
	d.channel()
}

func (d desk) provedScopes(has []string) {
	missing := slices.DeleteFunc(d.scopes(), func(s string) bool { return slices.Contains(has, s) })
	if !slices.Contains(has, "channels:history") && !slices.Contains(has, "groups:history") && d.Tx.Credential(userToken) == "" {
		missing = append(missing, "channels:history or groups:history")
	}
	fault := ""
	if len(missing) > 0 {
		fault = "missing: " + strings.Join(missing, ", ")
	}
	d.Judged("scopes", "all there", fault, "add them on the app's page OAuth & Permissions, and install the app again")
}

// told looks how the bridge is told what people do.
func (d desk) told() {
	if d.set.Transport == transportSocket {
		c := d.write("apps.connections.open", nil)
		c.Header.Set("Authorization", "Bearer "+d.Tx.Credential(appToken))
		c.Repeat = adapter.RepeatKeyed
		d.Prove(checkSocket, c)
		return
	}
	base := d.Tx.Account().PublicURL
	d.Found("request addresses", base+"/events for events, "+base+"/actions for interactivity: Slack tells nobody what is entered there", "", "")
}

// channel looks at the next channel, or goes on.
func (d desk) channel() {
	if len(d.s.Proof.Channels) == 0 {
		d.told()
		return
	}
	d.Prove(checkChannel, d.get("conversations.info", url.Values{"channel": {d.s.Proof.Channels[0]}}, d.Tx.Credential(botToken)))
}

func (d desk) nextChannel() {
	d.s.Proof.Channels = d.s.Proof.Channels[min(1, len(d.s.Proof.Channels)):]
	d.channel()
}

func (d desk) channelName() string {
	if len(d.s.Proof.Channels) == 0 {
		return "channel"
	}
	return "channel " + d.s.Proof.Channels[0]
}

func (d desk) provedChannel(v codec.Value, fault string) {
	c := v.Get("channel")
	switch {
	case fault != "":
		d.Found(d.channelName(), "", fault, "use the id at the foot of the channel's details; a private channel must have invited the app")
	case yes(c.Get("is_archived")):
		d.Found(d.channelName(), "", "it is archived", "name another in the setting channels")
	case yes(c.Get("is_member")):
		d.Found(d.channelName(), "a member of #"+c.Get("name").Text(), "", "")
		d.readable(true)
		return
	case d.Proof.Create && !yes(c.Get("is_private")):
		d.Prove(checkJoin, d.write("conversations.join", backend.Fields{"channel": d.s.Proof.Channels[0]}))
		return
	default:
		d.Found(d.channelName(), "", "the app is not a member of #"+c.Get("name").Text(), "invite it there with /invite @its-name, or verify with --create where the channel is public")
	}
	d.nextChannel()
}

// readable looks whether the channel can be read.
func (d desk) readable(member bool) {
	if !member {
		d.nextChannel()
		return
	}
	d.Prove(checkHistory, d.read("conversations.history", url.Values{"channel": {d.s.Proof.Channels[0]}, "limit": {"1"}}))
}

func (d desk) provedHistory(v codec.Value, fault string) {
	if items := v.Get("messages").Items(); fault == "" && len(items) > 0 && len(d.s.Proof.Channels) > 0 {
		d.Prove(checkThread, d.read("conversations.replies", url.Values{"channel": {d.s.Proof.Channels[0]}, "ts": {items[0].Get("ts").Text()}, "limit": {"1"}}))
		return
	}
	d.Judged(d.channelName()+", messages", "can be read", fault, "add channels:history (groups:history for private channels) to the app and install it again")
	d.nextChannel()
}
