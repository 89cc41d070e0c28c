package adapter

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The algorithms of a Signature.
const (
	SignedHMACSHA256 = "hmac-sha256"
	SignedHMACSHA1   = "hmac-sha1"
	// SignedRSASHA256 is PKCS #1 v1.5; the credential is the vendor's public key.
	SignedRSASHA256 = "rsa-sha256"
	// SignedJWTRS256 and SignedJWTHS256 are JSON Web Tokens (RFC 7519).
	SignedJWTRS256 = "jwt-rs256"
	SignedJWTHS256 = "jwt-hs256"
)

// signedBy is how the Auth of an endpoint begins whose requests are signed.
const signedBy = "signature:"

// Signature says how the vendor signs what it sends to an endpoint whose Auth is
// "signature:NAME". NAME is the credential: the shared secret as text, or public
// keys in PEM. While a key is exchanged the account has the old one as
// NAME_previous, and both are good. The bridge checks the bytes as they came,
// before anything reads them.
type Signature struct {
	// Algorithm is one of the Signed constants.
	Algorithm string `json:"algorithm"`
	// Header has the signature, once.
	Header string `json:"header"`
	// Prefix stands before the signature: "sha256=", "v1,", "Bearer ".
	Prefix string `json:"prefix,omitempty"`
	// Encoding of the signature is "hex", in lower case, or "base64", padded. A
	// token has its own.
	Encoding string `json:"encoding,omitempty"`
	// Separator stands between several signatures, of which one must be right;
	// those with another prefix are passed over. "" means there is one.
	Separator string `json:"separator,omitempty"`
	// Over is what is signed. {body} stands for its bytes, {time} and {id} for what
	// TimeHeader and IDHeader hold, {method} and {url} for the request's, the URL
	// as the vendor calls it, and {form} for the fields of a form sorted by name,
	// names and values run together. A token signs itself.
	Over string `json:"over,omitempty"`
	// TimeHeader has the time of signing as a whole number of TimeUnit: "s", which
	// "" means too, or "ms".
	TimeHeader string `json:"time_header,omitempty"`
	TimeUnit   string `json:"time_unit,omitempty"`
	// Window is how far the time may be from ours, either way; 5 min if unset. For
	// a token it is how far its beginning may lie ahead, and with a BodyClaim how
	// old it may be.
	Window time.Duration `json:"window,omitempty"`
	// IDHeader has the id the vendor keeps when it sends something again. Dedup
	// "signature" is that id, or else the signature itself.
	IDHeader string `json:"id_header,omitempty"`
	// RepeatWithin is how long the vendor may send the same again: so long it is
	// remembered. Unset it is as long as the time allows, and 24 h where none is
	// signed.
	RepeatWithin time.Duration `json:"repeat_within,omitempty"`
	// KeyEncoding "base64" says the secret is that, after KeyPrefix; "" takes it as
	// it is.
	KeyEncoding string `json:"key_encoding,omitempty"`
	KeyPrefix   string `json:"key_prefix,omitempty"`
	// Issuer and Audience are what a token must name; "" is not looked at.
	Issuer   string `json:"issuer,omitempty"`
	Audience string `json:"audience,omitempty"`
	// BodyClaim is the claim with the SHA-256 of the body in hex. Without it a
	// token says who calls and not what, and serves until it expires.
	BodyClaim string `json:"body_claim,omitempty"`
}

// Token reports whether the signature is a token, which signs itself.
func (s Signature) Token() bool {
	return s.Algorithm == SignedJWTRS256 || s.Algorithm == SignedJWTHS256
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// Parts cuts Over before and after its placeholders: "v0:{time}" is "v0:" and
// "{time}".
func (s Signature) Parts() []string {
	var parts []string
	at := 0
	for _, found := range placeholder.FindAllStringIndex(s.Over, -1) {
		if found[0] > at {
			parts = append(parts, s.Over[at:found[0]])
		}
		parts, at = append(parts, s.Over[found[0]:found[1]]), found[1]
	}
	if at < len(s.Over) {
		parts = append(parts, s.Over[at:])
	}
	return parts
}

// has reports whether the placeholder is signed.
func (s Signature) has(word string) bool { return slices.Contains(s.Parts(), word) }

// timed reports whether something bounds how long a signature is good.
func (s Signature) timed() bool { return s.TimeHeader != "" || s.Token() }

// Remember is how long a signed request is remembered, so that it counts once.
func (s Signature) Remember() time.Duration {
	const untimed = 24 * time.Hour
	if s.timed() {
		return max(2*s.Tolerance(), s.RepeatWithin) // it may come early, and again late
	}
	if s.RepeatWithin > 0 {
		return s.RepeatWithin
	}
	return untimed
}

// Tolerance is Window, or what holds where it is unset.
func (s Signature) Tolerance() time.Duration {
	const usual = 5 * time.Minute
	if s.Window == 0 {
		return usual
	}
	return s.Window
}

// Check reports what in the profile can never work or would let strangers in. The
// bridge refuses the account then; adaptertest tells the author.
func (p Profile) Check() error {
	for _, e := range p.Endpoints {
		if e.Raw && strings.HasPrefix(e.Auth, "body:") {
			return fmt.Errorf("endpoint %s: raw is set and auth is in the body: a body that is not read as JSON shows no credential; leave raw out, or take it from a header, the address or a signature", e.Name)
		}
		if fault := e.bodyFault(); fault != "" {
			return fmt.Errorf("endpoint %s: %s", e.Name, fault)
		}
		if fault := e.signatureFault(); fault != "" {
			return fmt.Errorf("endpoint %s: %s", e.Name, fault)
		}
		if e.Path == "" && !p.fed(e.Name) {
			return fmt.Errorf("endpoint %s: path is empty and no feed names it: nothing would reach it", e.Name)
		}
	}
	return p.feedsFault()
}

// bodyFault is the first thing wrong with how the endpoint's body is read, or "".
func (e Endpoint) bodyFault() string {
	return firstFault([]fault{
		{e.Form != "" && e.Raw, "form and raw are both set: a body of one field of a form is read as JSON"},
		{e.Batch != "" && e.Raw, "batch and raw are both set: the list is found in JSON"},
		{(e.Form != "" || e.Batch != "" || e.Challenge != "") && e.Transport != "", "form, batch and challenge are of requests, not of sockets"},
		{e.Batch != "" && e.Answer != AnswerAck, "batch is set but answer is not ack: the requests of a list have one answer"},
		{e.Batch != "" && (e.Dedup == "" || e.Dedup == "signature"), "batch is set but dedup names nothing in its objects: when a list is sent again what was stored would come twice"},
		{e.Batch != "" && e.Key == "signature", "batch is set but key names nothing in its objects"},
	})
}

// signatureFault is the first thing wrong with how the endpoint is signed, or "".
func (e Endpoint) signatureFault() string {
	s := e.Signature
	name, signed := strings.CutPrefix(e.Auth, signedBy)
	checks := []fault{
		{!signed && s != Signature{}, `signature is set but auth is not: write auth "signature:CREDENTIAL"`},
		{signed && name == "", `auth names no credential: write "signature:CREDENTIAL"`},
		{signed && e.Transport != "", "a socket cannot be signed: its handshake has no body; show a credential or mint a token"},
	}
	if signed {
		checks = append(checks, s.faults()...)
		checks = append(checks, fault{s.has("{form}") && !e.Raw, "a form is signed but raw is not set: the body would be read as JSON"},
			fault{!s.covers(e.Key) || e.Key == "signature", "key " + quoted(e.Key) + " is not signed: a captured request could be sent to another leg; take it from the body, or sign {url}"},
			fault{e.Dedup == "" && s.marks(), `dedup is empty: a captured request could come as a new one; write "signature", or where the vendor's own id is in what it signs`},
			fault{e.Dedup != "" && !s.covers(e.Dedup), "dedup " + quoted(e.Dedup) + ` is not signed: a captured request could come as a new one; write "signature", or take it from the body`},
			fault{e.DedupWhile == DedupHandoff, "dedup_while must be " + quoted(DedupForever) + ": a captured request could come again in the next hand-off"})
	}
	return firstFault(checks)
}

// fault is one thing that may be wrong, and its text.
type fault struct {
	is   bool
	text string
}

func firstFault(all []fault) string {
	for _, f := range all {
		if f.is {
			return f.text
		}
	}
	return ""
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func header(name string) bool { return name == "" || headerName.MatchString(name) }

func (s Signature) faults() []fault {
	const longest = time.Hour
	known := []string{SignedHMACSHA256, SignedHMACSHA1, SignedRSASHA256, SignedJWTRS256, SignedJWTHS256}
	public := s.Algorithm == SignedRSASHA256 || s.Algorithm == SignedJWTRS256
	all := []fault{
		{!slices.Contains(known, s.Algorithm), "signature algorithm " + quoted(s.Algorithm) + " is unknown: use one of " + strings.Join(known, ", ")},
		{s.Header == "", "signature names no header"},
		{!header(s.Header) || !header(s.TimeHeader) || !header(s.IDHeader), "signature names a header that no request can have"},
		{s.Window < 0 || s.Window > longest, "signature window must be at most " + longest.String() + ": a captured request is good so long"},
		{s.RepeatWithin < 0, "signature repeat_within is negative"},
		{!slices.Contains([]string{"", "base64"}, s.KeyEncoding), "signature key_encoding " + quoted(s.KeyEncoding) + ` is unknown: use "base64" or leave it out`},
		{public && s.KeyEncoding+s.KeyPrefix != "", "signature key_encoding and key_prefix are for shared secrets; public keys are PEM"},
	}
	if s.Token() {
		return append(all, s.tokenFaults()...)
	}
	return append(all, s.digestFaults()...)
}

func (s Signature) tokenFaults() []fault {
	return []fault{
		{s.Over+s.Encoding+s.Separator+s.TimeHeader+s.TimeUnit+s.IDHeader != "", "a token signs itself: over, encoding, separator and the headers of time and id are not for it"},
		{s.Audience == "" && s.BodyClaim == "", "signature wants audience or body_claim: otherwise a token made for somebody else is good here"},
	}
}

func (s Signature) digestFaults() []fault {
	words := []string{"{body}", "{time}", "{id}", "{method}", "{url}", "{form}"}
	unknown := slices.IndexFunc(s.Parts(), func(p string) bool { return strings.ContainsAny(p, "{}") && !slices.Contains(words, p) })
	return []fault{
		{s.Encoding != "hex" && s.Encoding != "base64", "signature encoding " + quoted(s.Encoding) + ` is unknown: use "hex" or "base64"`},
		{unknown >= 0, "signature over " + quoted(s.Over) + " has a placeholder that is none of " + strings.Join(words, " ")},
		{!s.has("{body}") && !s.has("{form}"), "signature over " + quoted(s.Over) + " leaves the body out: put {body} or {form} in it"},
		{s.has("{time}") != (s.TimeHeader != ""), "signature time_header and {time} go together: a time that is not signed can be changed"},
		{s.has("{id}") != (s.IDHeader != ""), "signature id_header and {id} go together: an id that is not signed can be changed"},
		{!slices.Contains([]string{"", "s", "ms"}, s.TimeUnit) || s.TimeUnit != "" && s.TimeHeader == "", "signature time_unit is \"s\" or \"ms\", and goes with time_header"},
		{s.Issuer+s.Audience+s.BodyClaim != "", "signature issuer, audience and body_claim are of tokens"},
	}
}

// marks reports whether a request can be told from its repetition by its signature:
// a token that is not made for one body cannot.
func (s Signature) marks() bool { return !s.Token() || s.BodyClaim != "" }

// covers reports whether all places of a key or dedup id lie in what is signed. A
// token without a BodyClaim covers nothing, and is taken for what it is.
func (s Signature) covers(places string) bool {
	if !s.marks() {
		return places != "signature"
	}
	for place := range strings.SplitSeq(places, ",") {
		kind, name, _ := strings.Cut(place, ":")
		covered := false
		switch kind {
		case "signature":
			covered = true
		case "body":
			covered = s.has("{body}") || s.Token()
		case "path", "query":
			covered = s.has("{url}")
		case "header":
			covered = s.IDHeader != "" && http.CanonicalHeaderKey(name) == http.CanonicalHeaderKey(s.IDHeader)
		}
		if !covered {
			return false
		}
	}
	return true
}
