package adapter_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// signed is a good endpoint that each case spoils.
func signed() adapter.Endpoint {
	return adapter.Endpoint{Name: "hook", Method: "POST", Path: "/hook", Key: "body:/id", Dedup: "signature", DedupWhile: adapter.DedupForever,
		Auth: "signature:secret", Signature: adapter.Signature{Algorithm: adapter.SignedHMACSHA256, Header: "X-Signature", Prefix: "sha256=",
			Encoding: "hex", Over: "v0:{time}:{body}", TimeHeader: "X-Time"}}
}

func token() adapter.Endpoint {
	e := signed()
	e.Signature = adapter.Signature{Algorithm: adapter.SignedJWTRS256, Header: "Authorization", Prefix: "Bearer ", Audience: "us", BodyClaim: "hash"}
	return e
}

// What can never work, or would let strangers in, is said with its mend.
func TestNonsenseIsRefused(t *testing.T) {
	type change func(*adapter.Endpoint)
	for _, c := range []struct {
		from   adapter.Endpoint
		do     change
		wanted string // "" is good
	}{
		{signed(), func(*adapter.Endpoint) {}, ""},
		{signed(), func(e *adapter.Endpoint) { *e = adapter.Endpoint{Name: "hook", Path: "/hook", Auth: "header:X=key"} }, ""},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Over, e.Key = "{method}{url}{body}{time}", "path:id" }, ""},
		{signed(), func(e *adapter.Endpoint) {
			e.Signature.IDHeader, e.Signature.Over, e.Dedup = "x-id", "{id}.{time}.{body}", "header:X-Id"
		}, ""},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Over, e.Raw, e.Key = "{url}{time}{form}", true, "query:id" }, ""},
		{token(), func(*adapter.Endpoint) {}, ""},
		{token(), func(e *adapter.Endpoint) { e.Signature.BodyClaim, e.Dedup, e.Key = "", "", "path:id" }, ""},

		{signed(), func(e *adapter.Endpoint) { e.Auth = "header:X=secret" }, `write auth "signature:CREDENTIAL"`},
		{signed(), func(e *adapter.Endpoint) { e.Auth = "signature:" }, "names no credential"},
		{signed(), func(e *adapter.Endpoint) { e.Signature = adapter.Signature{} }, "use one of hmac-sha256"},
		{signed(), func(e *adapter.Endpoint) { e.Transport = adapter.TransportWebSocket }, "a socket cannot be signed"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Algorithm = "none" }, "use one of hmac-sha256"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Algorithm = "hmac-md5" }, "use one of hmac-sha256"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Header = "" }, "names no header"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Header = "X Signature" }, "no request can have"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.TimeHeader = "X:Time" }, "no request can have"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Window = 2 * time.Hour }, "window must be at most 1h"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Window = -1 }, "window must be at most 1h"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.RepeatWithin = -1 }, "repeat_within is negative"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.KeyEncoding = "hex" }, `use "base64"`},
		{signed(), func(e *adapter.Endpoint) {
			e.Signature.Algorithm, e.Signature.KeyEncoding = adapter.SignedRSASHA256, "base64"
		}, "public keys are PEM"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Encoding = "" }, `use "hex" or "base64"`},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Over = "{time}" }, "leaves the body out"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Over = "{time}{bdy}{body}" }, "none of {body}"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Over = "{time}{body" }, "none of {body}"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Over = "{body}" }, "a time that is not signed"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.TimeHeader = "" }, "a time that is not signed"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.IDHeader = "X-Id" }, "an id that is not signed"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Over = "{id}{time}{body}" }, "an id that is not signed"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.TimeUnit = "minutes" }, `time_unit is "s" or "ms"`},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Audience = "us" }, "are of tokens"},
		{signed(), func(e *adapter.Endpoint) { e.Signature.Over, e.Key = "{url}{time}{form}", "path:id" }, "raw is not set"},
		{signed(), func(e *adapter.Endpoint) { e.Key = "path:id" }, "could be sent to another leg"},
		{signed(), func(e *adapter.Endpoint) { e.Key = "body:/id,query:id" }, "could be sent to another leg"},
		{signed(), func(e *adapter.Endpoint) { e.Key = "header:X-Id" }, "could be sent to another leg"},
		{signed(), func(e *adapter.Endpoint) { e.Key = "new" }, "could be sent to another leg"},
		{signed(), func(e *adapter.Endpoint) { e.Key = "signature" }, "could be sent to another leg"},
		{signed(), func(e *adapter.Endpoint) { e.Dedup = "" }, "dedup is empty"},
		{signed(), func(e *adapter.Endpoint) { e.Dedup = "header:X-Id" }, "could come as a new one"},
		{signed(), func(e *adapter.Endpoint) { e.DedupWhile = adapter.DedupHandoff }, "next hand-off"},
		{token(), func(e *adapter.Endpoint) { e.Signature.Over = "{body}" }, "a token signs itself"},
		{token(), func(e *adapter.Endpoint) { e.Signature.Audience, e.Signature.BodyClaim = "", "" }, "a token made for somebody else"},
		{token(), func(e *adapter.Endpoint) { e.Signature.BodyClaim = "" }, "could come as a new one"},
		{adapter.Endpoint{Name: "hook"}, func(e *adapter.Endpoint) { e.Auth, e.Raw = "body:/token=key", true }, "shows no credential"},
		{adapter.Endpoint{Name: "hook", Path: "/hook"}, func(e *adapter.Endpoint) { e.Auth = "body:/token=key" }, ""},
		{token(), func(e *adapter.Endpoint) { e.Key = "path:id" }, "could be sent to another leg"},
	} {
		c.do(&c.from)
		err := adapter.Profile{Endpoints: []adapter.Endpoint{c.from}}.Check()
		if c.wanted == "" && err != nil || c.wanted != "" && (err == nil || !strings.Contains(err.Error(), c.wanted) || !strings.HasPrefix(err.Error(), "endpoint hook: ")) {
			t.Errorf("%+v: %v, want %q", c.from, err, c.wanted)
		}
	}
}

func TestParts(t *testing.T) {
	for over, want := range map[string][]string{"": nil, "{body}": {"{body}"}, "v0:{time}:{body}": {"v0:", "{time}", ":", "{body}"}, "{id}.{x": {"{id}", ".{x"}} {
		if got := (adapter.Signature{Over: over}).Parts(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %q", over, got)
		}
	}
}

// What is kept outlasts what is accepted.
func TestRemember(t *testing.T) {
	for _, c := range []struct {
		s    adapter.Signature
		want time.Duration
	}{
		{adapter.Signature{TimeHeader: "T"}, 10 * time.Minute},
		{adapter.Signature{TimeHeader: "T", Window: time.Minute}, 2 * time.Minute},
		{adapter.Signature{TimeHeader: "T", RepeatWithin: time.Hour}, time.Hour},
		{adapter.Signature{}, 24 * time.Hour},
		{adapter.Signature{RepeatWithin: 85 * time.Second}, 85 * time.Second},
		{adapter.Signature{Algorithm: adapter.SignedJWTRS256}, 10 * time.Minute},
	} {
		if got := c.s.Remember(); got != c.want {
			t.Errorf("%+v is remembered %s, want %s", c.s, got, c.want)
		}
	}
}

// A profile crosses to the bridge as JSON; an endpoint that is not signed does not
// mention it.
func TestSignatureAsJSON(t *testing.T) {
	data, err := json.Marshal(signed())
	if err != nil {
		t.Fatal(err)
	}
	var back adapter.Endpoint
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, signed()) {
		t.Errorf("%s became %+v: %v", data, back, err)
	}
	if data, _ = json.Marshal(adapter.Endpoint{Name: "x"}); strings.Contains(string(data), "signature") {
		t.Errorf("%s", data)
	}
}

// TestBodiesThatCannotBeRead: an endpoint that could never take what its vendor sends,
// or would take it twice, is told to its author.
func TestBodiesThatCannotBeRead(t *testing.T) {
	for want, e := range map[string]adapter.Endpoint{
		"form and raw are both set":   {Form: "payload", Raw: true},
		"batch and raw are both set":  {Batch: "/events", Raw: true},
		"of requests, not of sockets": {Challenge: "query:challenge", Transport: adapter.TransportWebSocket},
		"answer is not ack":           {Batch: "/events", Answer: adapter.AnswerReply, Dedup: "body:/id"},
		"dedup names nothing":         {Batch: "/events", Answer: adapter.AnswerAck},
		"when a list is sent again":   {Batch: "/events", Answer: adapter.AnswerAck, Dedup: "signature"},
		"key names nothing":           {Batch: "/events", Answer: adapter.AnswerAck, Dedup: "body:/id", Key: "signature"},
		"":                            {Batch: "/events", Form: "payload", Challenge: "body:/c", Answer: adapter.AnswerAck, Dedup: "body:/id", Key: "body:/key"},
	} {
		e.Name, e.Path = "events", "/events"
		err := adapter.Profile{Endpoints: []adapter.Endpoint{e}}.Check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
