package stories

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/event"
)

// flock is what must come out nowhere: secrets the bridge is configured with, and
// what persons say and are called.
type flock struct {
	*rig
	secrets, persons []string
	next             int
	out              strings.Builder // all that was answered to a mistake
}

const (
	secretCanaries   = 50
	personalCanaries = 200
)

// secretOf and personOf are canaries as they are in life.
func secretOf(n int) string { return fmt.Sprintf("sk-%02d-Zq7/tR+%02dvW=x", n, 99-n) }

func personOf(n int) string {
	return []string{fmt.Sprintf("quill.%03d@canary.example", n), fmt.Sprintf("+44 7700 9%05d", n*37), fmt.Sprintf("Zebediah Quill-%03d", n),
		fmt.Sprintf("my card is 4242 %04d 4242", n), fmt.Sprintf("ich heiße Grüßner%03d", n)}[n%5]
}

// person gives the next personal canary.
func (f *flock) person() string {
	f.next++
	return f.persons[f.next%len(f.persons)]
}

// forms are the texts that give a canary away.
func forms(canary string) []string {
	every := ""
	for _, b := range []byte(canary) {
		every += fmt.Sprintf("%%%02X", b)
	}
	quoted, _ := json.Marshal(canary)
	all := []string{canary, strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(canary)), strings.ToUpper(hex.EncodeToString([]byte(canary))),
		url.QueryEscape(canary), url.PathEscape(canary), every, strings.ToLower(every)}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			inside := e.EncodeToString([]byte("\x00\x00"[:shift] + canary))
			all = append(all, inside[(shift*8+5)/6:(shift+len(canary))*8/6])
		}
	}
	return all
}

// TestCanariesComeOutNowhere sends fifty secrets and two hundred things of persons
// through every field and every failure, and looks for them in everything that
// comes out: at level debug the same, but that what plugins print may hold words.
func TestCanariesComeOutNowhere(t *testing.T) {
	t.Parallel()
	plugins, err := testPlugins()
	if err != nil {
		t.Fatal(err)
	}
	f := &flock{}
	var env []string
	extra := &strings.Builder{}
	fmt.Fprintf(extra, "[plugins]\ndir = %q\n", plugins)
	for n := range secretCanaries {
		f.secrets = append(f.secrets, secretOf(n))
		env = append(env, fmt.Sprintf("CANARY_%d=%s", n, secretOf(n)))
		if n%2 == 0 {
			fmt.Fprintf(extra, "[[api.tokens]]\nname = \"t%d\"\nroles = [\"live_agent\"]\ntoken = \"env:CANARY_%d\"\n", n, n)
		} else {
			fmt.Fprintf(extra, "[accounts.s%d]\nadapter = \"vonage\"\nrole = \"live_agent\"\nsettings = { base_url = %q }\ncredentials = { key = \"env:CANARY_%d\" }\n", n, "{desk}", n)
		}
	}
	for n := range personalCanaries {
		f.persons = append(f.persons, personOf(n))
	}
	extra.WriteString(`[accounts.leakweb]
adapter = "native"
role = "customer"
publishable_key = "pk_leak"
[accounts.leaky]
adapter = "leaky"
role = "virtual_agent"
[[routes]]
name = "leak"
customer = "leakweb"
virtual_agent = "leaky"
live_agent = ["desk"]
`)
	f.rig = newRig(t, setting{extra: extra.String(), env: append(env, "FOOTBRIDGE_LOG__LEVEL=debug")})
	f.everyField()
	f.failingPlugin()
	f.failingVendor()
	f.badRequests()
	f.badConfiguration()
	f.nothingCameOut()
}

// fill puts a canary into every text of a value.
func (f *flock) fill(v reflect.Value, depth int) {
	switch {
	case depth > 6 || !v.CanSet():
	case v.Kind() == reflect.String:
		v.SetString(f.person())
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), depth+1)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		f.fill(v.Index(0), depth+1)
	case v.Type() == reflect.TypeFor[map[string]string]():
		v.Set(reflect.ValueOf(map[string]string{f.person(): f.person()}))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i), depth+1)
		}
	}
}

// everyField says an event of every kind, with canaries in every field, as a
// customer and as a live agent; what the API does not take it refuses.
func (f *flock) everyField() {
	f.t.Helper()
	id, token := f.chat()
	for _, kind := range event.Kinds() {
		body, err := event.DecodeBody(kind, json.RawMessage("{}"))
		if err != nil || kind == event.KindConversationEnded {
			continue
		}
		filled := reflect.New(reflect.TypeOf(body)).Elem()
		f.fill(filled, 0)
		data, err := json.Marshal(filled.Interface())
		if err != nil {
			data, _ = json.Marshal(map[string]string{f.person(): f.person()})
		}
		for _, who := range []string{token, deskToken, f.secrets[0]} {
			f.send("POST", "/conversations/"+id+"/events", who, fmt.Sprintf(`{"kind":%q,"actor":{"role":"live_agent","id":"sam","name":%q},"body":%s}`, kind, f.person(), data))
		}
	}
	for range 20 {
		f.send("POST", "/conversations/"+id+"/events", token, `{"kind":"message.created","body":{"content":{"type":"text","text":"`+f.person()+`"}}}`)
		f.send("POST", "/conversations", f.secrets[2], fmt.Sprintf(`{"account":"web","customer":{"id":%q,"name":%q},"language":%q,"attributes":{%q:%q}}`, f.person(), f.person(), f.person(), f.person(), f.person()))
	}
}

// send makes a call of the API and keeps what a refusal says.
func (f *flock) send(method, path, token, body string, header ...string) {
	f.t.Helper()
	req, err := http.NewRequest(method, "http://"+f.public+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	f.keep(req)
}

// requestIDs differ in answers that say the same.
var requestIDs = regexp.MustCompile(`"request_id":"[0-9A-Z]*"`)

func (f *flock) keep(req *http.Request) {
	f.t.Helper()
	resp, err := f.client.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		return // a stream has no end
	}
	if answer, err := io.ReadAll(resp.Body); err == nil {
		fmt.Fprintf(&f.out, "%s %d %v %s\n", req.Method, resp.StatusCode, resp.Header["Location"], requestIDs.ReplaceAll(answer, nil))
	}
}

// failingPlugin has a plugin give away what it is told, in every way it has.
func (f *flock) failingPlugin() {
	f.t.Helper()
	for _, way := range []string{"fail", "panic", "print", "undeliverable", "call", "extension", "kind", "role", "die"} {
		id, token := f.chatAt("pk_leak")
		for _, word := range []string{f.person(), f.secrets[f.next%secretCanaries]} {
			words, _ := json.Marshal(way + " " + word)
			f.send("POST", "/conversations/"+id+"/events", token, `{"kind":"message.created","body":{"content":{"type":"text","text":`+string(words)+`}}}`)
		}
		f.eventually("what the plugin was told with "+way+" has an outcome", func() bool {
			return strings.Contains(f.output(), "turn failed") && f.settledAt(id, way)
		})
	}
}

// settledAt tells whether a way of failing has run its course.
func (f *flock) settledAt(id, way string) bool {
	if !slices.Contains([]string{"fail", "panic", "die", "kind", "role"}, way) {
		return true
	}
	var page struct {
		Letters []struct{ Conversation string } `json:"dead_letters"`
	}
	f.api("GET", "/dead-letters?limit=1000", deskToken, "", nil, &page)
	return slices.ContainsFunc(page.Letters, func(l struct{ Conversation string }) bool { return l.Conversation == id })
}

// failingVendor has a vendor refuse what it is told, and tell what cannot be read.
func (f *flock) failingVendor() {
	f.t.Helper()
	f.begin("s1", append(vonagesim.WhatsApp("s1", f.person(), f.person()), vonagesim.Parameter{Name: f.person(), Value: f.person()})...)
	id := f.conversation("s1")
	f.say(id, "accept", event.HandoffAccepted{})
	f.studio.Fail(vonagesim.Fault{Endpoint: "outbound", Times: 3, Status: http.StatusBadRequest})
	for n := range 3 {
		f.say(id, fmt.Sprint("refused", n), event.MessageCreated{Content: event.Plain(f.person())})
	}
	for _, body := range []string{`{"sessionId":"s1","text":{"a":"` + f.person() + `"}}`, `{"sessionId":{"` + f.person() + `":1}}`, f.person(), `{"` + f.person() + `":`,
		`{"sessionId":"` + f.person() + `","text":"` + f.person() + `"}`} {
		for _, path := range []string{"start", "inbound", "status", url.PathEscape(f.person())} {
			req, err := http.NewRequest("POST", "http://"+f.public+"/in/studio/"+path+"?"+url.Values{"note": {f.person()}, "key": {f.secrets[3]}}.Encode(), strings.NewReader(body))
			if err != nil {
				f.t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-Customer", url.QueryEscape(f.person()))
			req.Header.Set("X-Vgai-Key", f.secrets[5])
			f.keep(req)
		}
	}
}

// badRequests asks the API for what it refuses.
func (f *flock) badRequests() {
	f.t.Helper()
	for range 5 {
		person, secret := f.person(), f.secrets[f.next%secretCanaries]
		for _, body := range []string{person, `{"` + person + `":1}`, `{"kind":"` + person + `"}`, `{"kind":"message.created","body":{"` + person + `":"` + secret + `"}}`,
			`{"kind":"message.created","body":{"content":{"type":"` + person + `"}}}`, `{"token":"` + secret + `x"}`, `{"customer":"` + person + `","` + secret + `":""}`} {
			for _, path := range []string{"/conversations", "/conversations/" + url.PathEscape(person) + "/events", "/session", "/erasures", "/exports", "/nowhere/" + url.PathEscape(person)} {
				f.send("POST", path, deskToken, body, "Idempotency-Key", url.QueryEscape(person))
			}
		}
		query := "?" + url.Values{person: {secret}, "limit": {person}}.Encode()
		for _, path := range []string{"/conversations", "/events", "/socket", "/dead-letters", "/audit", "/agents/" + url.PathEscape(person) + "/state"} {
			f.send("GET", path+query, deskToken, "")
			f.send("GET", path, secret+"wrong", "")
		}
		f.send(http.MethodPatch, "/conversations"+query, deskToken, "")
	}
}

// badConfiguration checks and reloads a configuration with secrets where none
// belong.
func (f *flock) badConfiguration() {
	f.t.Helper()
	good, err := os.ReadFile(f.config)
	if err != nil {
		f.t.Fatal(err)
	}
	for n, pair := range [][2]string{{`token = "env:DESK_TOKEN"`, `token = "%s"`}, {`credentials = { key = "env:VDESK_KEY" }`, `credentials = { key = "%s" }`},
		{`credentials = { key = "env:STUDIO_KEY" }`, `credentials = { key = ["%s"] }`}, {`level = "debug"`, `level = "%s"`}, {`publishable_key = "pk_test"`, `publishable_key = %s`}} {
		secret := f.secrets[n]
		broken := filepath.Join(f.dir, "broken.toml")
		text := strings.Replace(string(good), pair[0], fmt.Sprintf(pair[1], secret), 1)
		if err := os.WriteFile(broken, []byte(text), 0o600); err != nil || text == string(good) {
			f.t.Fatal(err, pair[0])
		}
		for _, args := range [][]string{{"check"}, {"check", "--json"}, {"serve"}} {
			got := finish(f.t, append([]string{"DESK_TOKEN=" + deskToken}, f.env...), nil, append(args, "--config", broken)...)
			f.out.WriteString(got.all())
		}
		if err := os.Rename(broken, f.config); err != nil {
			f.t.Fatal(err)
		}
		f.hup()
	}
	if err := os.WriteFile(f.config, good, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// nothingCameOut looks through everything.
func (f *flock) nothingCameOut() {
	f.t.Helper()
	outputs := map[string]string{"answers": f.out.String(), "metrics": f.metrics(), "problems": strings.Join(f.problems, "\n")}
	for _, path := range []string{"/readyz", "/healthz"} {
		if resp, err := f.client.Get("http://" + f.admin + path); err == nil {
			outputs[path] = readAll(f.t, resp.Body)
			_ = resp.Body.Close()
		}
	}
	f.lookedAt()
	f.atRest("while it runs")
	f.rig.stop()
	f.atRest("after its end")
	outputs["log"] = f.log()
	for _, dir := range []string{f.tmp, f.dir} {
		err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || name == f.config || strings.HasPrefix(name, filepath.Join(f.dir, "data")) {
				return nil
			}
			if info, err := d.Info(); err != nil || info.Mode()&0o111 != 0 {
				return nil // a plugin's executable
			}
			data, err := os.ReadFile(name)
			outputs[name] = string(data)
			return err
		})
		if err != nil {
			f.t.Error(err)
		}
	}
	for where, text := range outputs {
		f.clean(where, text, f.secrets, f.persons)
	}
}

// log is the log without what plugins printed, in which there must be no secret.
func (f *flock) log() string {
	f.t.Helper()
	var log, printed strings.Builder
	for line := range strings.Lines(f.output()) {
		if strings.Contains(line, ` level=DEBUG msg="plugin output" `) {
			printed.WriteString(line)
		} else {
			log.WriteString(line)
		}
	}
	if printed.Len() == 0 {
		f.t.Error("the log is not at level debug")
	}
	f.clean("plugins' output", printed.String(), f.secrets)
	return log.String()
}

// lookedAt reads what operators are shown of what went wrong and of what vendors
// sent. Words are theirs to see, secrets nobody's.
func (f *flock) lookedAt() {
	f.t.Helper()
	shown := map[string]string{}
	var list struct{ Conversations []struct{ ID string } }
	f.api("GET", "/conversations?limit=1000", deskToken, "", nil, &list)
	paths := []string{"/dead-letters?limit=1000", "/audit?limit=1000", "/accounts", "/adapters", "/conversations?limit=1000"}
	for _, c := range list.Conversations {
		paths = append(paths, "/conversations/"+c.ID+"/frames?limit=1000")
	}
	frames := 0
	for _, path := range paths {
		_, data, err := f.once("GET", path, deskToken, "", nil)
		if err != nil {
			f.t.Fatal(err)
		}
		shown[path] = string(data)
		frames += strings.Count(shown[path], `"account":"studio"`)
	}
	if frames == 0 || !strings.Contains(shown[paths[0]], `"conversation"`) {
		f.t.Error("there are no frames or dead letters to look at")
	}
	for path, text := range shown {
		f.clean(path, text, f.secrets)
	}
}

// atRest looks through every file of the journal's folder.
func (f *flock) atRest(when string) {
	f.t.Helper()
	var everything []byte
	err := filepath.WalkDir(filepath.Join(f.dir, "data"), func(name string, d os.DirEntry, err error) error {
		if info, err2 := os.Lstat(name); err != nil || err2 != nil || !d.Type().IsRegular() || info.Mode()&0o111 != 0 {
			return nil // gone since, or a plugin's executable
		}
		data, err := os.ReadFile(name)
		everything = append(everything, data...)
		return err
	})
	if err != nil || len(everything) < 100_000 {
		f.t.Errorf("%d bytes of the journal: %v", len(everything), err)
	}
	// Of persons' words there is what something is looked up by, until it is erased.
	f.clean("journal's folder "+when, string(everything), f.secrets)
}

// clean wants no canary of these in a text, in no form.
func (f *flock) clean(where, text string, canaries ...[]string) {
	f.t.Helper()
	hits := 0
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	text = strings.Join(slices.Compact(lines), "\n")
	for _, canary := range slices.Concat(canaries...) {
		for _, form := range forms(canary) {
			if at := strings.Index(text, form); at >= 0 && hits < 5 {
				hits++
				f.t.Errorf("%q is in the %s: %q", canary, where, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
}
