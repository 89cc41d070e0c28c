package stories

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/event"
)

// translated runs the command on lines of input.
func translated(t *testing.T, input string, args ...string) outcome {
	t.Helper()
	return finish(t, nil, strings.NewReader(input), append([]string{"translate"}, args...)...)
}

// from is the flags of one leg, to those of the other.
func from(adapter, role, endpoint string) []string {
	return []string{"--adapter", adapter, "--role", role, "--endpoint", endpoint}
}

func to(adapter, role string, more ...string) []string {
	return append([]string{"--to", adapter, "--to-role", role}, more...)
}

const (
	startLine = `{"sessionId":"s-1","history":{"transcription":[{"Agent":"Hello!"},{"User":"I want a person"}],` +
		`"parameters":[{"name":"PROFILE_NAME","value":"Ada"},{"name":"queue","value":"sales"}]}}`
	inboundLine = `{"sessionId":"s-1","type":"text","text":"a <b> & c"}`
	imageLine   = `{"sessionId":"s-1","type":"image","image":{"url":"https://files.example/a.png"}}`
)

// printedKinds are those of the events a command printed.
func printedKinds(t *testing.T, out string) []event.Kind {
	t.Helper()
	var all []event.Kind
	for _, e := range eventsOf(t, out) {
		all = append(all, e.Kind())
	}
	return all
}

func eventsOf(t *testing.T, out string) []event.Event {
	t.Helper()
	var all []event.Event
	for _, text := range printed(out) {
		var e event.Event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatalf("%s is no event: %v", text, err)
		}
		all = append(all, e)
	}
	return all
}

func printed(out string) []string {
	return strings.FieldsFunc(out, func(r rune) bool { return r == '\n' })
}

// departed is a call the command printed.
type departed struct {
	Method, Path string
	Body         map[string]any
}

func departures(t *testing.T, out string) []departed {
	t.Helper()
	var all []departed
	for _, text := range printed(out) {
		var d departed
		if err := json.Unmarshal([]byte(text), &d); err != nil || d.Method == "" || d.Body == nil {
			t.Fatalf("%s is no call: %v", text, err)
		}
		all = append(all, d)
	}
	return all
}

func TestTranslateToEvents(t *testing.T) {
	t.Parallel()
	got := translated(t, startLine+"\n", from("vonage", "virtual_agent", "start")...)
	if got.code != exitOK || !slices.Equal(printedKinds(t, got.out), []event.Kind{event.KindParticipantJoined, event.KindHandoffRequested}) {
		t.Fatalf("%+v", got)
	}
	handoff := eventsOf(t, got.out)[1]
	body := handoff.Body.(event.HandoffRequested)
	if len(body.Transcript) != 2 || body.Routing.Queue != "sales" || handoff.Via != (event.Via{Account: "vonage", Role: event.RoleVirtualAgent}) ||
		handoff.ID == "" || handoff.Time.IsZero() {
		t.Errorf("the hand-off is %+v", handoff)
	}
	if got.err != "frames read: 1, events: 2, unsupported inputs: 0, failed deliveries: 0\n" {
		t.Errorf("the counters are %q", got.err)
	}
	file := filepath.Join(t.TempDir(), "frames.jsonl")
	if err := os.WriteFile(file, []byte("\xef\xbb\xbf"+inboundLine+"\r\n\n  \n"+imageLine), 0o600); err != nil {
		t.Fatal(err)
	}
	got = translated(t, "", append(from("vonage", "virtual_agent", "inbound"), file)...)
	if got.code != exitOK || !slices.Equal(printedKinds(t, got.out), []event.Kind{event.KindMessageCreated, event.KindMessageCreated}) ||
		!strings.HasPrefix(got.err, "frames read: 2, events: 2,") {
		t.Errorf("a file: %+v", got)
	}
}

// TestTranslateToCalls: a hand-off is the start of a live-agent server, words are
// its inbound, and words without a hand-off begin with one.
func TestTranslateToCalls(t *testing.T) {
	t.Parallel()
	desk := to("vonage", "live_agent", "--to-settings", `{"base_url":"https://desk.example/x"}`)
	got := translated(t, startLine, append(from("vonage", "virtual_agent", "start"), desk...)...)
	calls := departures(t, got.out)
	if got.code != exitOK || len(calls) != 1 || calls[0].Method != "POST" || calls[0].Path != "/x/start" {
		t.Fatalf("a start: %+v", got)
	}
	history := calls[0].Body["history"].(map[string]any)
	if want := `[{"Agent":"Hello!"},{"User":"I want a person"}]`; compact(history["transcription"]) != want {
		t.Errorf("the transcript is %s, want %s", compact(history["transcription"]), want)
	}
	got = translated(t, inboundLine+"\n"+imageLine, append(from("vonage", "virtual_agent", "inbound"), desk...)...)
	calls = departures(t, got.out)
	var paths []string
	for _, c := range calls {
		paths = append(paths, c.Path)
	}
	if got.code != exitOK || !slices.Equal(paths, []string{"/x/start", "/x/inbound", "/x/inbound"}) {
		t.Fatalf("words: %+v", got)
	}
	if !strings.Contains(got.out, `"text":"a <b> & c"`) || calls[2].Body["image"].(map[string]any)["url"] != "https://files.example/a.png" {
		t.Errorf("words and an image became %s", got.out)
	}
	if session := calls[0].Body["sessionId"]; session == "" || calls[1].Body["sessionId"] != session {
		t.Errorf("the words are of another session: %s", got.out)
	}
}

func compact(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// TestTranslateRoundTrip: what a live agent's server sends comes out of the same
// vendor's other side as it went in.
func TestTranslateRoundTrip(t *testing.T) {
	t.Parallel()
	said := `{"message_type":"text","text":"Hello, I am Sam"}`
	got := translated(t, said, append(from("vonage", "live_agent", "outbound"), to("vonage", "virtual_agent")...)...)
	calls := departures(t, got.out)
	if got.code != exitOK || len(calls) != 1 || compact(calls[0].Body) != said || !strings.HasPrefix(calls[0].Path, "/live-agent/outbound/") {
		t.Errorf("outbound: %+v", got)
	}
	got = translated(t, startLine, append(from("vonage", "virtual_agent", "start"), to("vonage", "live_agent")...)...)
	again := translated(t, compact(departures(t, got.out)[0].Body), from("vonage", "virtual_agent", "start")...)
	before := translated(t, startLine, from("vonage", "virtual_agent", "start")...)
	a, b := handoffIn(t, before.out), handoffIn(t, again.out)
	if compact(a.Transcript) != compact(b.Transcript) || a.Routing.Queue != b.Routing.Queue || b.Context["PROFILE_NAME"] != "Ada" {
		t.Errorf("a start came back as %s, it was %s", compact(b), compact(a))
	}
}

func handoffIn(t *testing.T, out string) event.HandoffRequested {
	t.Helper()
	for _, e := range eventsOf(t, out) {
		if h, ok := e.Body.(event.HandoffRequested); ok {
			return h
		}
	}
	t.Fatalf("no hand-off in %s", out)
	return event.HandoffRequested{}
}

func TestTranslateIsRepeatable(t *testing.T) {
	t.Parallel()
	input := inboundLine + "\n" + imageLine + "\n"
	for _, args := range [][]string{from("vonage", "virtual_agent", "inbound"), append(from("vonage", "virtual_agent", "inbound"), to("vonage", "live_agent")...),
		from("vonage", "live_agent", "outbound")} {
		first, second := translated(t, input, args...), translated(t, input, args...)
		if first.out == "" || first != second {
			t.Errorf("%v: first %+v, then %+v", args, first, second)
		}
	}
}

// TestTranslateBadLines: each is named, the rest is translated, and the exit code
// tells.
func TestTranslateBadLines(t *testing.T) {
	t.Parallel()
	input := "nonsense\n\n" + inboundLine + "\n{\"sessionId\":\n" + `{"path":":%","frame":{}}` + "\n" + imageLine
	got := translated(t, input, from("vonage", "virtual_agent", "inbound")...)
	if got.code != exitFailed || len(printedKinds(t, got.out)) != 2 {
		t.Errorf("%+v", got)
	}
	for _, part := range []string{"line 1: it is not JSON", "line 4: it is not JSON", "line 5: path \":%\" is no address", "(3 errors)", "frames read: 5, events: 2,"} {
		if !strings.Contains(got.err, part) {
			t.Errorf("standard error lacks %q: %s", part, got.err)
		}
	}
	if strings.Contains(got.err, "line 3") || strings.Contains(got.err, "line 6") {
		t.Errorf("a good line is named: %s", got.err)
	}
}

// TestTranslateWithABrittlePlugin: a plugin that dies of one line, or errs, has
// its line named, and the next lines are translated.
func TestTranslateWithABrittlePlugin(t *testing.T) {
	t.Parallel()
	dir, err := testPlugins()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "[plugins]\ndir = %q\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	input := `{"id":"1","text":"one"}` + "\n" + `{"id":"1","text":"poison"}` + "\n" + `{"id":"1","text":7}` + "\n" + `{"id":"1","text":"two"}`
	got := translated(t, input, append(from("brittle", "virtual_agent", "say"), "--config", config)...)
	if got.code != exitFailed || len(printedKinds(t, got.out)) != 2 || !strings.Contains(got.err, "(2 errors)") {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(got.err, "line 2: ") || !strings.Contains(got.err, "died") || !strings.Contains(got.err, "line 3: ") {
		t.Errorf("standard error is %s", got.err)
	}
}

// TestTranslateNothing: a frame that means nothing, or nothing more, is no error.
func TestTranslateNothing(t *testing.T) {
	t.Parallel()
	got := translated(t, "{}\n{}", append(from("vonage", "live_agent", "disconnect"), to("vonage", "virtual_agent")...)...)
	if got.code != exitOK || !strings.HasPrefix(got.err, "frames read: 2, events: 1,") || len(departures(t, got.out)) != 1 ||
		!strings.HasPrefix(departures(t, got.out)[0].Path, "/live-agent/disconnect/") {
		t.Errorf("a disconnect: %+v", got)
	}
	got = translated(t, `{"sessionId":"s-1","message_uuid":"m","status":"submitted"}`, from("vonage", "virtual_agent", "status")...)
	if got.code != exitOK || got.out != "" || !strings.HasPrefix(got.err, "frames read: 1, events: 0,") {
		t.Errorf("a frame that means nothing: %+v", got)
	}
}

// TestTranslateMistakes: the command line is told what there is, the nearest
// first.
func TestTranslateMistakes(t *testing.T) {
	t.Parallel()
	good := from("vonage", "virtual_agent", "start")
	for _, c := range []struct {
		args []string
		want string
	}{
		{from("vonag", "virtual_agent", "start"), `there is no adapter "vonag"; mend: use one of vonage, `},
		{from("scrpted", "virtual_agent", "start"), `there is no adapter "scrpted"; mend: use one of scripted, `},
		{from("../vonage", "virtual_agent", "start"), `there is no adapter "../vonage"`},
		{from("vonage", "virtual-agent", "start"), `adapter vonage has no role "virtual-agent"; mend: use one of virtual_agent, `},
		{from("vonage", "virtual_agent", "sttus"), `has no endpoint "sttus"; mend: use one of status, start, inbound`},
		{from("vonage", "virtual_agent", "ws"), `dials no connection); mend: use one of `},
		{from("scripted", "virtual_agent", "interact"), `this account of scripted has no endpoint "interact"`},
		{append(good[:len(good):len(good)], to("vonage", "observer")...), `adapter vonage has no role "observer"`},
		{append(good[:len(good):len(good)], to("nobody", "live_agent")...), `there is no adapter "nobody"`},
		{append(good[:len(good):len(good)], "--to", "vonage"), "--to and --to-role go together"},
		{append(good[:len(good):len(good)], "--settings", "[]"), "write a JSON object"},
		{append(good[:len(good):len(good)], "--settings", `{"mode":"rooting"}`), `setting mode is "rooting"`},
		{append(good[:len(good):len(good)], "a", "b"), `unexpected argument "b"`},
		{[]string{"--adapter", "vonage"}, "--role is missing"},
		{[]string{"--adaptr", "vonage"}, "did you mean --adapter?"},
	} {
		if got := translated(t, "", c.args...); got.code != exitUsage || got.out != "" || !strings.Contains(got.err, c.want) {
			t.Errorf("%v: want %q, got %+v", c.args, c.want, got)
		}
	}
	if got := translated(t, "", append(good, "/nowhere/frames.jsonl")...); got.code != exitFailed || !strings.Contains(got.err, "no such file") {
		t.Errorf("a file that is not there: %+v", got)
	}
	if got := translated(t, "", append(good, "--config", "/nowhere/config.toml")...); got.code != exitUsage {
		t.Errorf("a configuration that is not there: %+v", got)
	}
}

func TestTranslateCompletions(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string][]string{"--adapter": {"scripted", "vonage"}, "--to": {"scripted", "vonage"}, "--to-role": {"live_agent"}} {
		got := finish(t, nil, nil, "__complete", "translate", flag, "")
		for _, one := range want {
			if !slices.Contains(strings.Split(got.out, "\n"), one) {
				t.Errorf("%s completes to %q, and not to %s", flag, got.out, one)
			}
		}
	}
}

// TestReadmeTranslates: README.md shows what the command prints.
func TestReadmeTranslates(t *testing.T) {
	t.Parallel()
	input := found(t, `(?m)^echo '(.*)' \|\n  bin/footbridge translate `)
	args := strings.Fields(found(t, `(?m)^  bin/footbridge (translate .*)$`))
	for _, more := range []string{"", found(t, "the same with `(--to [^`]*)`")} {
		got := finish(t, nil, strings.NewReader(input), append(args[:len(args):len(args)], strings.Fields(more)...)...)
		if got.code != exitOK || !strings.Contains(readme(t), "```json\n"+got.out+"```\n") {
			t.Errorf("README.md does not show what %v %s prints:\n%s", args, more, got.out)
		}
	}
}
