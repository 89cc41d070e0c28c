package adaptertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// renderOutcome writes an outcome as a script shows it, a line or more an
// effect, without an empty line anywhere.
func renderOutcome(out adapter.Outcome) string {
	switch {
	case out.Err != "":
		return "error: " + oneLine(out.Err)
	case out.Unsupported:
		return "unsupported"
	case len(out.Effects) == 0:
		return "nothing"
	}
	lines := make([]string, 0, len(out.Effects))
	for _, e := range out.Effects {
		lines = append(lines, renderEffect(e))
	}
	return strings.Join(lines, "\n")
}

func renderEffect(effect adapter.Effect) string {
	switch e := effect.(type) {
	case adapter.Emission:
		return renderEmission(e)
	case adapter.Answer:
		return renderReply("reply "+e.Request, e.Reply)
	case adapter.Holding:
		return "hold " + e.Request
	case adapter.Calling:
		return renderCall(e)
	case adapter.Timer:
		return fmt.Sprintf("after %s %s", e.Name, e.After)
	case adapter.TimerStop:
		return "stop " + e.Name
	case adapter.Binding:
		return "bind " + e.Key
	case adapter.Learned:
		return "known " + e.Event + " " + e.Ref
	case adapter.Postponed:
		return "later"
	case adapter.Failure:
		return "fail " + oneLine(e.Reason)
	}
	return renderConnection(effect)
}

func renderEmission(e adapter.Emission) string {
	head := []string{"emit", "no kind"}
	if e.Body != nil {
		head[1] = string(e.Body.Kind())
	}
	head = append(head, renderActor(e.Actor))
	head = appendPair(head, "ref", e.Ref)
	head = appendPair(head, "echo", e.Echo)
	out := strings.Join(head, " ") + indent(asJSON(e.Body))
	if len(e.Vendor) > 0 {
		out += "\n  vendor " + strings.ReplaceAll(asJSON(e.Vendor), "\n", "\n  ")
	}
	return out
}

func renderActor(a event.Actor) string {
	out := []string{"by", first(string(a.Role), "nobody")}
	out = appendPair(out, "id", a.ID)
	out = appendPair(out, "name", a.Name)
	return strings.Join(out, " ")
}

func appendPair(words []string, name, value string) []string {
	if value == "" {
		return words
	}
	if strings.ContainsAny(value, " \"\n") {
		value = fmt.Sprintf("%q", value)
	}
	return append(words, name+"="+value)
}

func renderReply(head string, r adapter.Reply) string {
	return fmt.Sprintf("%s %d", head, r.Status) + renderHeader(r.Header) + indent(prettyBody(r.Body))
}

func renderCall(c adapter.Calling) string {
	out := fmt.Sprintf("call %s %s %s", c.Tag, c.Call.Method, c.Call.URL)
	if c.Call.Repeat != "" {
		out += " repeat=" + c.Call.Repeat
	}
	if c.Call.GiveUp != 0 {
		out += " give_up=" + c.Call.GiveUp.Round(time.Millisecond).String()
	}
	if c.Call.Lane != "" {
		out += " lane=" + c.Call.Lane
	}
	if c.Call.Binds {
		out += " binds"
	}
	for _, capture := range c.Call.Capture {
		out += " capture=" + capture.Name + ":" + capture.Pointer
	}
	out += renderHeader(c.Call.Header) + renderForm(c.Call) + indent(prettyBody(c.Call.Body))
	if r := c.Call.Readback; r != nil {
		read := *r
		read.Readback = nil
		out += indent("readback " + strings.TrimPrefix(renderCall(adapter.Calling{Call: read}), "call  "))
	}
	return out
}

// renderForm writes the body of a call that is a form or a file.
func renderForm(c adapter.Call) string {
	var out strings.Builder
	for _, f := range c.Form {
		words := []string{"form", f.Name}
		if f.File == "" {
			words = append(words, fmt.Sprintf("%q", f.Value))
		}
		words = appendPair(words, "file", f.File)
		words = appendPair(words, "filename", f.Filename)
		words = appendPair(words, "mime", f.MIME)
		out.WriteString("\n  " + strings.Join(words, " "))
	}
	if c.Upload != "" {
		out.WriteString("\n  upload " + c.Upload)
	}
	return out.String()
}

func renderHeader(h http.Header) string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	var out strings.Builder
	for _, name := range names {
		for _, value := range h[name] {
			fmt.Fprintf(&out, "\n  %s: %s", name, value)
		}
	}
	return out.String()
}

// prettyBody writes a body that is JSON laid out, any other quoted.
func prettyBody(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	if !json.Valid(body) {
		return fmt.Sprintf("%q", body)
	}
	return layout(body, "")
}

func asJSON(v any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprintf("%q", "not JSON: "+err.Error())
	}
	return layout(out.Bytes(), "")
}

func indent(text string) string {
	if text == "" {
		return ""
	}
	return "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }

// renderProfile writes what Configure made of an account.
func renderProfile(p adapter.Profile) string {
	lines := []string{"hosts " + strings.Join(p.Hosts, " ")}
	for _, e := range p.Endpoints {
		lines = append(lines, renderEndpoint(e))
	}
	for _, f := range p.Feeds {
		lines = append(lines, "feed "+asJSON(f))
	}
	lines = append(lines, "levels "+asJSON(p.Levels))
	if p.HoldsCustomer {
		lines = append(lines, "holds customer")
	}
	if p.RetryWithin > 0 {
		lines = append(lines, "retry within "+p.RetryWithin.String())
	}
	if p.Pace > 0 {
		lines = append(lines, "pace "+p.Pace.String())
	}
	if p.Reconcile {
		lines = append(lines, "reconcile")
	}
	for _, m := range p.Masks() {
		lines = append(lines, "mask "+m)
	}
	for _, a := range p.Assumptions {
		lines = append(lines, "assumes "+oneLine(a))
	}
	return strings.Join(lines, "\n")
}

func renderEndpoint(e adapter.Endpoint) string {
	words := []string{"endpoint", e.Name, e.Method, e.Path, e.Answer}
	words = appendPair(words, "key", e.Key)
	words = appendPair(words, "dedup", e.Dedup)
	words = appendPair(words, "dedup_while", e.DedupWhile)
	words = appendPair(words, "unknown", e.Unknown)
	words = appendPair(words, "auth", e.Auth)
	words = appendPair(words, "transport", e.Transport)
	if s := e.Signature; s != (adapter.Signature{}) {
		words = append(words, "signed="+s.Algorithm, "over="+s.Over)
	}
	words = appendPair(words, "tokens", strings.Join(e.Tokens, ","))
	if e.Within > 0 {
		words = append(words, "within="+e.Within.String())
	}
	out := strings.Join(words, " ")
	for _, r := range []struct {
		name  string
		reply adapter.Reply
	}{{"default", e.Default}, {"failure", e.Failure}, {"refusal", e.Refusal}, {"unauthorized", e.Unauthorized}} {
		if r.reply.Status != 0 {
			out += "\n  " + strings.ReplaceAll(renderReply(r.name, r.reply), "\n", "\n  ")
		}
	}
	return out
}
