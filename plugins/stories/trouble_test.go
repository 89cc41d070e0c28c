package stories

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/event"
)

// standing is what the API says of an account or an adapter.
type standing struct {
	Name, State, Unready, Reason string
	Ready                        bool
	Pid, Restarts                int
	Breakers                     map[string]string
	Feeds                        []struct {
		Up     bool
		Reason string
	}
}

func (r *rig) account(name string) standing {
	r.t.Helper()
	return r.standing("/accounts", name)
}

func (r *rig) plugin(name string) standing {
	r.t.Helper()
	return r.standing("/adapters", name)
}

func (r *rig) standing(path, name string) standing {
	r.t.Helper()
	var list struct{ Accounts, Adapters []standing }
	r.api("GET", path, deskToken, "", nil, &list)
	for _, s := range append(list.Accounts, list.Adapters...) {
		if s.Name == name {
			return s
		}
	}
	r.t.Fatalf("%s has no %s", path, name)
	return standing{}
}

// breaker is the state of the only breaker of an account.
func (r *rig) breaker(account string) string {
	r.t.Helper()
	for _, state := range r.account(account).Breakers {
		return state
	}
	return ""
}

// gauge is the value of the first metric with that beginning.
func (r *rig) gauge(beginning string) string {
	for _, line := range strings.Split(r.metrics(), "\n") {
		if strings.HasPrefix(line, beginning) {
			return line[strings.LastIndex(line, " ")+1:]
		}
	}
	return "none"
}

// at tells whether a conversation has, or had, a leg at an account.
func (r *rig) at(id, account string) bool {
	for _, c := range r.conversations() {
		for _, l := range c.Legs {
			if c.ID == id && l.Account == account {
				return true
			}
		}
	}
	return false
}

func (r *rig) startsAsked() int {
	n := 0
	for _, rec := range r.desk.Records() {
		if rec.Endpoint == "start" {
			n++
		}
	}
	return n
}

// handsOff plays one hand-off and gives its conversation and how long AI Studio
// waited for the answer.
func (r *rig) handsOff(session string) (string, time.Duration) {
	r.t.Helper()
	began := time.Now()
	a, err := r.studio.Start(r.t.Context(), session, opening())
	if err != nil || a.Status != http.StatusOK {
		r.t.Fatalf("start of %s: status %d, %v", session, a.Status, err)
	}
	return r.conversation(session), time.Since(began)
}

const nervous = "[breaker]\nfailures = 2\nopen = \"4s\"\nmax_open = \"6s\"\ndeadline = \"1s\"\ninterval = \"4s\"\n[plugins]\nturn_timeout = \"1s\""

// TestBackendFallsOver: a backend that fails opens its breaker; the hand-off
// under way and the next ones go to the second backend, until the first one is
// well again. Everybody can see it.
func TestBackendFallsOver(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]vonagesim.Fault{
		"answers 500": {Endpoint: "start", Status: http.StatusInternalServerError, Times: -1},
		"hangs":       {Endpoint: "start", Latency: time.Minute, Drop: vonagesim.DropBefore, Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setting{backends: []string{"vdesk", "desk"}, breaker: nervous})
			r.desk.Fail(fault)
			first, took := r.handsOff("s1")
			r.inState(first, "queued")
			if !r.at(first, "vdesk") || !r.at(first, "desk") || took > 7*time.Second {
				t.Errorf("the hand-off under way went, after %s, to %+v", took, r.conversations())
			}
			if got := r.gauge(`footbridge_calls_total{account="vdesk",outcome="breaker_open"}`); got != "1" {
				t.Errorf("the hand-off was held up by the open breaker: %s tries", got)
			}
			r.seesOpenBreaker()
			asked := r.startsAsked()
			second, took := r.handsOff("s2")
			if r.breaker("vdesk") == "open" && (r.startsAsked() != asked || r.at(second, "vdesk") || took > 3*time.Second) {
				t.Errorf("with the breaker open the next hand-off asked vdesk, and took %s", took)
			}
			r.desk.Heal()
			r.eventually("the breaker lets a probe through", func() bool { return r.breaker("vdesk") == "half_open" })
			third, _ := r.handsOff("s3")
			if !r.at(third, "vdesk") || r.at(third, "desk") {
				t.Error("the recovered backend was not used")
			}
			r.eventually("the breaker closes", func() bool { return r.breaker("vdesk") == "closed" })
			if got := r.gauge(`footbridge_breaker_state{name="vdesk `); got != "0" {
				t.Errorf("the closed breaker's metric is %s", got)
			}
		})
	}
}

// seesOpenBreaker looks where people look.
func (r *rig) seesOpenBreaker() {
	r.t.Helper()
	r.eventually("the breaker is shown open", func() bool {
		return r.breaker("vdesk") == "open" && r.gauge(`footbridge_breaker_state{name="vdesk `) == "2"
	})
	resp, err := r.client.Get("http://" + r.public + "/assets/accounts.js")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if !strings.Contains(readAll(r.t, resp.Body), `.get("/accounts")`) {
		r.t.Error("the desk does not read /accounts")
	}
}

// TestBackendHangsUnderDefaults: AI Studio waits ten seconds for its answer, as
// long as a call may take by default. The second backend is asked in time.
func TestBackendHangsUnderDefaults(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{backends: []string{"vdesk", "desk"}})
	r.desk.Fail(vonagesim.Fault{Endpoint: "start", Latency: time.Minute, Drop: vonagesim.DropBefore, Times: -1})
	id, took := r.handsOff("s1")
	if took > 10*time.Second || !r.at(id, "desk") {
		t.Errorf("answered after %s by %+v", took, r.conversations())
	}
}

// TestNobodyTakesIt: with one backend's breaker open and the other out of hours
// the start is refused within AI Studio's limit, and the flow takes its Failed
// output.
func TestNobodyTakesIt(t *testing.T) {
	t.Parallel()
	days := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	closed := days[(int(time.Now().UTC().Weekday())+3)%7]
	r := newRig(t, setting{backends: []string{"vdesk", "desk"}, breaker: nervous + "\n[queues.night]\nhours = \"other\"\n[hours.other.week]\n" + closed + " = [\"08:00-09:00\"]",
		timers: `queue = "night"`})
	r.desk.Fail(vonagesim.Fault{Endpoint: "start", Status: http.StatusBadGateway, Times: -1})
	for _, session := range []string{"s1", "s2"} {
		began := time.Now()
		a, err := r.studio.Start(t.Context(), session, opening())
		if err != nil || a.Status < 500 || time.Since(began) > 10*time.Second {
			t.Errorf("%s: status %d after %s, %v", session, a.Status, time.Since(began), err)
		}
		if got := r.studio.State(session); got != vonagesim.StateFailed {
			t.Errorf("%s is %s at AI Studio", session, got)
		}
	}
	if got := r.breaker("vdesk"); got != "open" {
		t.Errorf("the breaker is %s", got)
	}
	for _, rec := range r.studio.Records() {
		t.Errorf("%s was called for a session that was never ours", rec.Endpoint)
	}
}

// testPlugins is a folder of plugins that break or do harm, beside the real ones.
var testPlugins = sync.OnceValues(func() (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(bin, "test")
	for name, source := range map[string]string{"brittle": "./testdata/brittle", "leaky": "./testdata/leaky", "besieged": "./testdata/besieged",
		"attentive": "./testdata/attentive",
		"hostile":   repository + "/bridge/internal/host/testdata/hostile"} {
		build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "footbridge-adapter-"+name), source)
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	return dir, nil
})

// brittle is the configuration of an account whose plugin ends at a word, until
// the file is there; its folder has a crasher too, which does not run until the
// same file is there.
func brittle(t *testing.T, mended string) string {
	t.Helper()
	dir, err := testPlugins()
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	real := filepath.Join(dir, "footbridge-adapter-brittle")
	if err := os.Symlink(real, filepath.Join(own, "footbridge-adapter-brittle")); err != nil {
		t.Fatal(err)
	}
	// The sandbox would keep it from seeing the file that mends it.
	return fmt.Sprintf("[plugins]\ndir = %q\nsandbox = \"off\"\n[accounts.brittle]\nadapter = \"brittle\"\nrole = \"virtual_agent\"\nsettings = { mended = %q }\n"+
		"[[routes]]\nname = \"brittle\"\nvirtual_agent = \"brittle\"\nlive_agent = [\"desk\"]\n", own, mended)
}

// tellBrittle posts words to the brittle account.
func (r *rig) tellBrittle(key, text string) {
	r.t.Helper()
	if got := r.post("/in/brittle/say", fmt.Sprintf(`{"id":%q,"text":%q}`, key, text)); got != http.StatusOK {
		r.t.Fatalf("%q was answered %d", text, got)
	}
}

// post gives the status of a vendor's request.
func (r *rig) post(path, body string) int {
	r.t.Helper()
	resp, err := r.client.Post("http://"+r.public+path, "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestCrashLoop: a plugin that crashes again and again is quarantined and shown;
// other conversations do not notice. After the quarantine it is tried again.
func TestCrashLoop(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{extra: brittle(t, filepath.Join(t.TempDir(), "mended")), env: []string{"FOOTBRIDGE_QUARANTINE=4,1m,5s"},
		breaker: "[breaker]\nopen = \"200ms\"\nmax_open = \"1s\""}) // two poisons open the plugin's breaker too
	others := r.plugin("vonage").Pid
	r.tellBrittle("b1", "okapi poison")
	r.tellBrittle("b2", "okapi poison")
	r.eventually("quarantine", func() bool { return r.plugin("brittle").State == "quarantined" })
	a := r.account("brittle")
	if a.Ready || !strings.Contains(a.Unready, "quarantined") || r.gauge(`footbridge_plugin_quarantined{adapter="brittle"}`) != "1" {
		t.Errorf("the quarantine is shown as %+v, metric %s", a, r.gauge("footbridge_plugin_quarantined"))
	}
	r.reloads(`level = "debug"`, `level = "debug" # as before`) // no reason to shut its doors
	r.tellBrittle("b3", "okapi waits")                          // taken, and kept for later
	studioToDesk(r).once(t)
	if p := r.plugin("vonage"); p.Pid != others || p.Restarts != 0 {
		t.Errorf("the other plugin is at process %d after %d restarts", p.Pid, p.Restarts)
	}
	id := r.conversation("b3")
	r.eventually("what was kept is dealt with", func() bool { return slices.Contains(texts(r.events(id), event.RoleCustomer), "okapi waits") })
	r.eventually("the account is ready again", func() bool { return r.account("brittle").Ready })
}

// TestPoisonHoldsUpItsOwnConversation: words that end the plugin become dead letters
// one after another, each soon after the last; between them others are answered, and
// the plugin is not taken for one that crashes whatever it is given.
func TestPoisonHoldsUpItsOwnConversation(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{extra: brittle(t, filepath.Join(t.TempDir(), "mended")), breaker: "[breaker]\nopen = \"200ms\"\nmax_open = \"1s\""})
	for n := range 4 { // sixteen deaths; ten in a row would be a quarantine of five minutes
		poisoned, good := fmt.Sprint("poison-", n), fmt.Sprint("good-", n)
		r.tellBrittle(good, "okapi")
		id := r.conversation(good)
		r.eventually("another's words", func() bool { return slices.Contains(texts(r.events(id), event.RoleCustomer), "okapi") })
		r.tellBrittle(poisoned, "okapi poison")
		r.eventually("its dead letter", func() bool { return r.counter("footbridge_dead_letters_total") == n+1 })
	}
	if p, stuck := r.plugin("brittle"), r.gauge("footbridge_breakers_replaced_total "); p.Restarts < 15 || stuck != "0" || strings.Contains(r.output(), "quarantined") {
		t.Errorf("process %+v, breakers stuck %s", p, stuck)
	}
}

// TestPluginNeverStarts: accounts whose plugin does not start are unready, the
// others run; they become ready by themselves when it does.
func TestPluginNeverStarts(t *testing.T) {
	t.Parallel()
	dir, err := testPlugins()
	if err != nil {
		t.Fatal(err)
	}
	flag, own := filepath.Join(t.TempDir(), "mended"), t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n[ -e '%s' ] || exit 3\nexec '%s'\n", flag, filepath.Join(dir, "footbridge-adapter-brittle"))
	if err := os.WriteFile(filepath.Join(own, "footbridge-adapter-brittle"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	extra := strings.Split(brittle(t, flag), "\n")
	extra[1] = fmt.Sprintf("dir = %q", own)
	r := newRig(t, setting{extra: strings.Join(extra, "\n")})
	if got := r.post("/in/brittle/say", `{"id":"b0","text":"okapi"}`); got != http.StatusServiceUnavailable {
		t.Errorf("its vendor is answered %d, which is not: try again", got)
	}
	if got := r.post("/in/nobody/say", `{"id":"b0","text":"okapi"}`); got != http.StatusNotFound {
		t.Errorf("the vendor of no account is answered %d", got)
	}
	if a := r.account("brittle"); a.Ready || !strings.Contains(a.Unready, "brittle") {
		t.Errorf("shown as %+v", a)
	}
	studioToDesk(r).once(t)
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.eventually("the account is ready", func() bool { return r.account("brittle").Ready })
	r.tellBrittle("b1", "okapi here")
	r.conversation("b1")
}

// TestPluginKilled kills the plugin and stops it, while hand-offs go on through
// it on both sides. Nothing is lost, nothing doubled, nothing out of order. The
// end of one process is one failure to its breaker, though it takes many turns
// with it.
func TestPluginKilled(t *testing.T) {
	t.Parallel()
	for name, signals := range map[string][]syscall.Signal{
		"kill -9": {syscall.SIGKILL, syscall.SIGKILL, syscall.SIGKILL},
		"SIGSTOP": {syscall.SIGSTOP, syscall.SIGSTOP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setting{backends: []string{"vdesk"}, extra: "[plugins]\nturn_timeout = \"500ms\"\n",
				breaker: fmt.Sprintf("[breaker]\nfailures = %d\nopen = \"2m\"", len(signals)+1)})
			var traffic sync.WaitGroup
			for n := range 3 {
				traffic.Go(func() { r.talk(fmt.Sprintf("s%d", n), 8) })
			}
			for n, signal := range signals {
				time.Sleep(300 * time.Millisecond)
				if err := syscall.Kill(r.plugin("vonage").Pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
					t.Error(err)
				}
				r.eventually("restarted", func() bool { p := r.plugin("vonage"); return p.Restarts > n && p.State == "running" })
			}
			traffic.Wait()
			if got := r.counter("footbridge_dead_letters_total"); got != 0 {
				t.Errorf("%d dead letters", got)
			}
		})
	}
}

// talk is a conversation between AI Studio and the live-agent server, a word in
// each direction in turn. It reports with Error, for it runs beside others.
func (r *rig) talk(session string, words int) {
	a, err := r.studio.Start(r.t.Context(), session, opening(vonagesim.WhatsApp(session, "44770090"+session, "Ada")...))
	for range 100 {
		if err == nil && a.Status == http.StatusOK {
			break
		}
		time.Sleep(100 * time.Millisecond)
		a, err = r.studio.Start(r.t.Context(), session, opening(vonagesim.WhatsApp(session, "44770090"+session, "Ada")...))
	}
	there := r.sessionOf("44770090" + session)
	var said, replied []string
	for n := range words {
		time.Sleep(100 * time.Millisecond) // so that there is still something to say when it comes to that
		text := fmt.Sprintf("okapi %s word %d", session, n)
		if r.until(func() bool {
			a, err := r.studio.Say(r.t.Context(), session, text)
			return err == nil && a.Status == 200
		}) {
			said = append(said, text)
		}
		r.until(func() bool { return slices.Contains(r.desk.Shown(there), text) })
		attempt := 0
		if r.until(func() bool {
			text = fmt.Sprintf("okapi %s reply %d/%d", session, n, attempt)
			attempt++
			a, err := r.desk.Say(r.t.Context(), there, text)
			return err == nil && a.Status == 200
		}) {
			replied = append(replied, text)
		}
	}
	r.until(func() bool { return len(only(r.studio.Shown(session), replied...)) >= len(replied) })
	for _, f := range []flow{{"the live-agent server", said, r.desk.Shown(there)}, {"AI Studio", replied, r.studio.Shown(session)}} {
		if got := only(f.shown, f.want...); !slices.Equal(got, f.want) || len(f.want) != words {
			r.t.Errorf("%s: %s got %q, want %q", session, f.to, got, f.want)
		}
	}
}

// until tries for a while, and reports whether it came true.
func (r *rig) until(ok func() bool) bool {
	for deadline := time.Now().Add(45 * time.Second); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}

// sessionOf finds the server's session of a customer.
func (r *rig) sessionOf(phone string) string {
	session := ""
	r.until(func() bool {
		for _, rec := range r.desk.Records() {
			if rec.Endpoint == "start" && rec.Committed && rec.Shown == phone {
				session = rec.Session
			}
		}
		return session != ""
	})
	return session
}

// TestGaugesFollowAConversation: what is counted when somebody asks is what there
// is then.
func TestGaugesFollowAConversation(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	gauges := func(want map[string]string) {
		t.Helper()
		for gauge, value := range want {
			r.eventually(gauge+" "+value, func() bool { return r.gauge("footbridge_"+gauge) == value })
		}
	}
	id, token := r.chat()
	gauges(map[string]string{`conversations{phase="automated"}`: "1", `conversations{phase="queued"}`: "none", "unaccounted": "0",
		`account_drained{account="web"}`: "0", `api_requests_total{route="POST /conversations",status="201"}`: "1"})
	r.write(id, token, "k1", "human")
	gauges(map[string]string{`conversations{phase="automated"}`: "none", `conversations{phase="queued"}`: "1", `queue_waiting{queue=""}`: "1"})
	r.say(id, "k2", event.HandoffAccepted{})
	r.say(id, "k3", event.ConversationEnded{})
	gauges(map[string]string{`conversations{phase="queued"}`: "none", `conversations{phase="ended"}`: "none", `queue_waiting{queue=""}`: "none", "unaccounted": "0"})
}
