// Package omilia translates Omilia's Agent Assist Operations socket, which tells a
// live agent's desk about the call they are in.
//
// The only role is observer: what the socket says is for the live agent alone, and
// it cannot carry their words. We dial the deployment's socket, translate its 14
// channels to insights, and send command_request when the live agent wants
// something told again.
package omilia

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// vendor is our name in Event.Vendor and extensions, credential the token's.
const (
	vendor     = "omilia"
	credential = "token"
)

// Where the token may go.
const (
	tokenQuery    = "query"
	tokenBearer   = "bearer"
	tokenProtocol = "protocol"
)

// Envelopes of commands beside those that name their channel.
const (
	envelopeKey  = "key"
	envelopeNone = "none"
)

// Definition is the whole adapter: serve runs it, adaptertest tests it.
func Definition() adapter.Definition {
	return adapter.Definition{Manifest: manifest(), Configure: configure, Adapter: adapter.Func(handle), Unknown: words().Unknown}
}

func manifest() adapter.Manifest {
	return adapter.Manifest{
		Name: vendor, Title: "Omilia Agent Assist", Version: "1.0.0", StateVersion: 1,
		Roles: []event.Role{event.RoleObserver},
		FarSides: map[event.Role]string{
			event.RoleObserver: "the Agent Assist Operations WebSocket: what it finds goes to the live agent",
		},
		Settings: []adapter.Setting{
			{Name: "url", Type: "string", Required: true, Example: "wss://assist.example/agent-assist/{context.call_id}",
				Doc: "The deployment's socket. In its path and query {context.NAME} stands for a fact of the conversation; never in its host."},
			{Name: "base_url", Type: "string", Doc: "Replaces the host of url, for a simulated vendor."},
			{Name: "headers", Type: "list", Doc: "Headers of the connection, each \"Name: value\"; {context.NAME} as in url."},
			{Name: "token_in", Type: "string", Default: tokenQuery, Values: []string{tokenQuery, tokenBearer, tokenProtocol},
				Doc: "Where the session token goes. query: as token_name. bearer: in Authorization. protocol: as a WebSocket sub-protocol."},
			{Name: "token_name", Type: "string", Default: credential, Doc: "The token's name in the query; session_token is the other one in use."},
			{Name: "protocol", Type: "string", Doc: "A sub-protocol to offer before the token, or alone."},
			{Name: "envelope", Type: "string", Default: channelNames[0], Values: envelopeValues(),
				Doc: "How commands are wrapped: the field that names the channel; key: {\"command_request\":…}; none: bare. What comes in is read in any."},
			{Name: "payload", Type: "string", Default: payloadNames[0], Values: payloadNames, Doc: "The field of a command's payload, where envelope names the channel."},
			{Name: "keep_biometrics", Type: "boolean", Default: "false",
				Doc: "Keeps what is measured of the voice: scores, liveness, gender, age, matches. Off, it is masked before it is stored and left out of events."},
		},
		Credentials: []adapter.Credential{{Name: credential, Required: true, Doc: "The session token of the socket."}},
	}
}

func envelopeValues() []string { return append(slices.Clone(channelNames), envelopeKey, envelopeNone) }

// settings are an account's, with the defaults filled in.
type settings struct {
	URL            string   `json:"url"`
	BaseURL        string   `json:"base_url"`
	Headers        []string `json:"headers"`
	TokenIn        string   `json:"token_in"`
	TokenName      string   `json:"token_name"`
	Protocol       string   `json:"protocol"`
	Envelope       string   `json:"envelope"`
	Payload        string   `json:"payload"`
	KeepBiometrics bool     `json:"keep_biometrics"`
}

func (s *settings) fill() {
	s.TokenIn = cmp.Or(s.TokenIn, tokenQuery)
	s.TokenName = cmp.Or(s.TokenName, credential)
	s.Envelope = cmp.Or(s.Envelope, channelNames[0])
	s.Payload = cmp.Or(s.Payload, payloadNames[0])
}

func settingsOf(tx *adapter.Tx) (settings, error) {
	var s settings
	err := tx.Settings(&s)
	s.fill()
	return s, err
}

func configure(a adapter.Account) (adapter.Profile, error) {
	var s settings
	if err := manifest().ReadSettings(a, &s); err != nil {
		return adapter.Profile{}, err
	}
	s.fill()
	if err := s.check(); err != nil {
		return adapter.Profile{}, err
	}
	host, err := s.host()
	if err != nil {
		return adapter.Profile{}, err
	}
	p := adapter.Profile{Hosts: []string{host}, Levels: levels(), Assumptions: assumptions()}
	if !s.KeepBiometrics {
		p.Mask = biometricPointers()
	}
	return p, nil
}

func (s settings) check() error {
	if s.TokenName != url.QueryEscape(s.TokenName) {
		return fmt.Errorf("setting token_name is %q: use a name of letters, digits, - and _", s.TokenName)
	}
	if strings.ContainsAny(s.Protocol, " ,;\r\n\"") {
		return fmt.Errorf("setting protocol is %q: use one sub-protocol", s.Protocol)
	}
	for _, h := range s.Headers {
		if name, _, ok := strings.Cut(h, ":"); !ok || name == "" || strings.ContainsAny(h, "\r\n") || strings.Contains(name, " ") {
			return fmt.Errorf("setting headers has %q: use \"Name: value\"", h)
		}
	}
	return nil
}

// host is where the account may connect to; it must not depend on a
// conversation.
func (s settings) host() (string, error) {
	for _, a := range []struct {
		name, value string
		schemes     []string
	}{{"url", s.URL, []string{"wss", "ws"}}, {"base_url", s.BaseURL, []string{"wss", "ws", "https", "http"}}} {
		if a.name == "base_url" && a.value == "" {
			continue
		}
		u, err := url.Parse(a.value)
		if err == nil && u.User != nil {
			return "", fmt.Errorf("setting %s holds a name or password: take it out, the credential token is what opens the socket", a.name)
		}
		if err != nil || u.Host == "" || !slices.Contains(a.schemes, u.Scheme) || strings.ContainsAny(u.Host, "{}") || strings.Contains(a.value, "#") {
			return "", fmt.Errorf("setting %s is %q: use an address such as wss://host/path/{context.call_id}, with nothing of a conversation in its host and no #", a.name, a.value)
		}
	}
	u, err := url.Parse(s.address())
	if err != nil {
		return "", fmt.Errorf("setting url is %q: use an address such as wss://host/path/{context.call_id}", s.URL)
	}
	return u.Host, nil
}

// address is url with the host of base_url. The braces in it stay as they are.
func (s settings) address() string {
	if s.BaseURL == "" {
		return s.URL
	}
	base := strings.TrimRight(s.BaseURL, "/")
	if rest, ok := strings.CutPrefix(base, "http"); ok {
		base = "ws" + rest // http becomes ws, https wss
	}
	_, path, _ := strings.Cut(s.URL, "://")
	if at := strings.IndexAny(path, "/?"); at >= 0 {
		return base + path[at:]
	}
	return base
}

// dial is how the socket is opened. The token is a placeholder.
func (s settings) dial(token string) adapter.Dial {
	d := adapter.Dial{URL: s.address(), Header: http.Header{}, GiveUp: dialLimit}
	for _, h := range s.Headers {
		name, value, _ := strings.Cut(h, ":")
		d.Header.Add(name, strings.TrimSpace(value))
	}
	if s.Protocol != "" {
		d.Protocols = append(d.Protocols, s.Protocol)
	}
	switch s.TokenIn {
	case tokenBearer:
		d.Header.Set("Authorization", "Bearer "+token)
	case tokenProtocol:
		d.Protocols = append(d.Protocols, token)
	default:
		d.URL = withQuery(d.URL, s.TokenName, token)
	}
	return d
}

func withQuery(address, name, value string) string {
	joint := "?"
	if strings.Contains(address, "?") {
		joint = "&"
	}
	return address + joint + name + "=" + value
}

// levels says what the far side carries of a conversation: nothing. It listens to
// the call itself and takes commands.
func levels() adapter.Levels {
	content := map[string]adapter.Level{}
	for _, name := range []string{"text", "media", "choices", "form", "form_response", "card", "carousel", "location", "link"} {
		content[name] = adapter.Dropped
	}
	return adapter.Levels{Content: content, Typing: adapter.Dropped, Receipts: adapter.Dropped, Partials: adapter.Dropped,
		Transcript: adapter.Dropped, QueuePosition: adapter.Dropped, CustomerEnd: adapter.Dropped, Push: adapter.PushSocket}
}

// biometricPointers are where the documented biometric fields are, in each
// envelope.
func biometricPointers() []string {
	byChannel := []struct {
		channel string
		fields  []string
	}{
		{"verification_result", []string{"score", "score_llr", "score_nllr", "fraudster_id", "blocklist_id", "speech_frames", "list_size", "match_count"}},
		{"voice_info", []string{"liveness_score", "liveness_score.label", "liveness_score.global_post", "satResult/gender", "satResult/ageEstimate", "satResult.gender", "satResult.ageEstimate"}},
		{"tts_detection", []string{"global_post"}},
	}
	var out []string
	for _, c := range byChannel {
		for _, place := range append([]string{"", "/" + c.channel}, "/data", "/payload", "/message") {
			for _, field := range c.fields {
				out = append(out, place+"/"+field)
			}
		}
	}
	return out
}

func assumptions() []string {
	return []string{
		"a frame names its channel in channel, topic, type, message_type or event and has its payload in data, payload or message, or is {\"CHANNEL\":{…}}, or is the payload alone, known by its fields",
		"commands are read in the envelope the settings say",
		"the token is taken from the query, Authorization or a sub-protocol, as token_in says",
		"one socket is one call",
		"seqId counts utterances by one, from 0 or 1; a repeated one replaces what is not final",
		"times are milliseconds since 1970, or seconds where the number is too small for that",
		"GET_DIALOG is answered with dialog_info, GET_BUSINESSFLOW_INSTANCES with business_flow",
		"utterances of dialog_info have the fields of dialog_info_diff",
		"words such as a status may be others than the documented ones",
	}
}
