package stories

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// siege is one running bridge under attack. Strangers come from an address of this
// machine that nobody else uses, so that what they are denied is theirs alone.
type siege struct {
	*rig
	stranger *http.Client
	heard    *atomic.Int64 // connections at a port no account may reach
	port     string
	forged   []string // addresses of such places
	stamp    int      // of the last signed request, so that no two are alike
	tales    []tale
	before   footprint
}

const (
	besiegedKey = "besieged-key-canary-3141"
	strangerIP  = "127.0.0.66"
)

// defended is the configuration: an adapter whose vendor signs, one that attacks
// from within, and a desk that may speak and not look into things.
const defended = `
[plugins]
dir = %q
turn_timeout = "2s"
memory = 268435456
[accounts.besieged]
adapter = "besieged"
role = "virtual_agent"
credentials = { secret = "env:BESIEGED_KEY" }
settings = { hosts = %s }
[accounts.hostile]
adapter = "hostile"
role = "virtual_agent"
settings = { targets = %q }
[accounts.shop]
adapter = "native"
role = "customer"
publishable_key = "pk_shop"
[[routes]]
name = "besieged"
virtual_agent = "besieged"
live_agent = ["desk"]
[[routes]]
name = "hostile"
customer = "shop"
virtual_agent = "hostile"
live_agent = ["desk"]
[[api.tokens]]
name = "sam"
roles = ["live_agent"]
agent = "sam"
token = "env:SAM_TOKEN"
`

const samToken = "sam-token-canary-5926535897"

func besiege(t *testing.T) *siege {
	t.Helper()
	plugins, err := testPlugins()
	if err != nil {
		t.Fatal(err)
	}
	s := &siege{heard: &atomic.Int64{}, rig: &rig{t: t}}
	s.port = s.listen(t)
	hosts, _ := json.Marshal(s.forge())
	prey := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(prey, []byte("canary-4711"), 0o600); err != nil {
		t.Fatal(err)
	}
	targets, _ := json.Marshal(map[string]any{"TCP": "127.0.0.1:" + s.port, "UDP": "127.0.0.1:" + s.port, "Abstract": "footbridge-siege", "Path": prey + ".sock",
		"Datagram": prey + ".dgram", "Bridge": os.Getpid(), "Other": bystander(t), "Canary": prey, "Folder": filepath.Dir(prey),
		"Plugin": filepath.Join(plugins, "footbridge-adapter-hostile"), "RunDir": filepath.Dir(prey)})
	s.rig = newRig(t, setting{extra: fmt.Sprintf(defended, plugins, hosts, targets), breaker: "[breaker]\nopen = \"200ms\"\nmax_open = \"1s\"", env: []string{"BESIEGED_KEY=" + besiegedKey, "SAM_TOKEN=" + samToken}})
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(strangerIP)}}
	s.stranger = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: from.DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(s.stranger.CloseIdleConnections)
	return s
}

// bystander is a process that has nothing to do with the bridge.
func bystander(t *testing.T) int {
	t.Helper()
	c := exec.Command("sleep", "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Process.Kill(), c.Wait() })
	return c.Process.Pid
}

// forge reads the corpus of the way out, and gives the hosts in it. Names are left to
// that test: here there is only the system's own name server.
func (s *siege) forge() (hosts []string) {
	s.t.Helper()
	for _, line := range s.corpus("bridge/internal/egress/testdata/forgery.txt", regexp.MustCompile(`^(https?://[^ ]+)$`)) {
		address := strings.ReplaceAll(line[1], "{port}", s.port)
		if u, err := url.Parse(address); err == nil && !strings.Contains(address, "{") {
			s.forged, hosts = append(s.forged, address), append(hosts, u.Host)
		}
	}
	if len(s.forged) < 200 {
		s.t.Fatalf("the corpus has %d addresses", len(s.forged))
	}
	return hosts
}

// listen hears whoever gets to where no account may go.
func (s *siege) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.heard.Add(1)
			_ = c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// TestTheBridgeStaysWhole: one bridge, one attack after another, and after each a
// whole hand-off, which loses nothing and repeats nothing; the bridge is the same
// process throughout and no larger than before.
func TestTheBridgeStaysWhole(t *testing.T) {
	s := besiege(t)
	process := s.cmd.Process.Pid
	s.good("before the first")
	s.before = s.footprint()
	for _, a := range attacks {
		began := time.Now()
		lift := a.mount(s)
		s.good(a.name)
		if lift != nil {
			lift()
		}
		s.noLarger(a.name)
		t.Logf("%s: %s", a.name, time.Since(began).Round(10*time.Millisecond))
		if t.Failed() {
			t.Fatalf("the bridge is not whole after: %s", a.name)
		}
	}
	s.mu.Lock()
	restarts, pid := s.restarts, s.cmd.Process.Pid
	s.mu.Unlock()
	if restarts != 0 || pid != process {
		t.Errorf("the bridge is process %d after %d restarts, was %d", pid, restarts, process)
	}
	s.settled()
}

// good is a customer who goes to the virtual agent, to a person and back.
func (s *siege) good(after string) {
	s.t.Helper()
	told := webToDesk(s.rig)
	told.once(s.t)
	if s.t.Failed() {
		s.t.Fatalf("the hand-off is not whole after: %s", after)
	}
	s.tales = append(s.tales, told)
}

// settled ends the bridge and reads what became of every event of the hand-offs:
// at each leg one outcome, and none of them a loss.
func (s *siege) settled() {
	s.t.Helper()
	for _, told := range s.tales {
		events := s.events(told.conversation)
		s.tales[0].extra += len(events) // so many there were
	}
	total := 0
	for _, told := range s.tales {
		seen := map[string]bool{}
		for _, d := range s.stored(told.conversation) {
			if seen[d.Event+" "+d.Leg] || d.MaybeDuplicate || d.Outcome == "failed" || d.Outcome == "dead" || d.Outcome == "undelivered" {
				s.t.Errorf("conversation %s: %+v", told.conversation, d)
			}
			seen[d.Event+" "+d.Leg] = true
		}
		total += len(seen)
	}
	s.t.Logf("%d hand-offs, %d events, %d outcomes", len(s.tales), s.tales[0].extra, total)
	if total < 15*len(s.tales) {
		s.t.Errorf("%d outcomes in %d hand-offs", total, len(s.tales))
	}
}

// footprint is how large the bridge is when it rests.
type footprint struct{ heap, goroutines float64 }

func (s *siege) footprint() (f footprint) {
	s.t.Helper()
	resp, err := s.client.Get("http://" + s.admin + "/debug/pprof/heap?gc=1")
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	for name, into := range map[string]*float64{"go_memstats_heap_alloc_bytes ": &f.heap, "go_goroutines ": &f.goroutines} {
		if *into, err = strconv.ParseFloat(s.gauge(name), 64); err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
	}
	return f
}

// noLarger waits for the bridge to be as it was; what conversations stay loaded
// take a little.
func (s *siege) noLarger(after string) {
	s.t.Helper()
	const heap, goroutines = 48 << 20, 60
	s.eventually("the bridge as small as before, after: "+after, func() bool {
		now := s.footprint()
		return now.heap < s.before.heap+heap && now.goroutines < s.before.goroutines+goroutines
	})
}

// ask is one request of a stranger.
func (s *siege) ask(method, path, body string, header ...string) (int, http.Header, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.public+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.stranger.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header, readAll(s.t, resp.Body)
}

// sign gives the headers of a right signature, of another second each time.
func (s *siege) sign(body string) []string {
	s.stamp++
	stamp := strconv.FormatInt(time.Now().Unix()-100+int64(s.stamp%100), 10)
	m := hmac.New(sha256.New, []byte(besiegedKey))
	fmt.Fprintf(m, "%s.%s", stamp, body)
	return []string{"X-Time", stamp, "X-Signature", hex.EncodeToString(m.Sum(nil))}
}

// vendor says something as the besieged account's vendor does, signed.
func (s *siege) vendor(key, text string) {
	s.t.Helper()
	data, _ := json.Marshal(map[string]any{"session": map[string]string{"id": key}, "text": text})
	if status, _, answer := s.ask("POST", "/in/besieged/signed", string(data), s.sign(string(data))...); status != http.StatusOK {
		s.t.Fatalf("%s was answered %d %s", key, status, answer)
	}
}

// hears waits until the vendor's words have come to the conversation of a key.
func (s *siege) hears(key, text string) []event.Event {
	s.t.Helper()
	id := s.conversation(key)
	var all []event.Event
	s.eventually("words of "+key, func() bool {
		all = s.events(id)
		return len(only(texts(all, event.RoleCustomer), text)) > 0
	})
	return all
}

// counted is how many conversations there are.
func (s *siege) counted() int { return len(s.conversations()) }

// corpus reads a corpus of another test: of every line that is no comment, what of
// it is wanted.
func (s *siege) corpus(name string, want *regexp.Regexp) (all [][]string) {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if found := want.FindStringSubmatch(strings.TrimSpace(line)); found != nil && !strings.HasPrefix(line, "#") {
			all = append(all, found)
		}
	}
	return all
}
