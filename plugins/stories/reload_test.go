package stories

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// rewrite changes the configuration as editors and deployments do: the new file
// takes the place of the old one by its name. Nobody is told yet.
func (r *rig) rewrite(pairs ...string) {
	r.t.Helper()
	data, err := os.ReadFile(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			r.t.Fatalf("the configuration has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	next := r.config + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(next, r.config); err != nil {
		r.t.Fatal(err)
	}
}

// hup asks for a reload and waits for its end; it gives what the log says.
func (r *rig) hup() string {
	r.t.Helper()
	const good, bad = "configuration reloaded", "configuration not reloaded"
	before := r.output()
	count := func(s string) int { return strings.Count(s, good) + strings.Count(s, bad) }
	r.mu.Lock()
	err := r.cmd.Process.Signal(syscall.SIGHUP)
	r.mu.Unlock()
	if err != nil {
		r.t.Fatal(err)
	}
	r.eventually("the end of a reload", func() bool { return count(r.output()) > count(before) })
	return r.output()[len(before):]
}

// reloads rewrites and reloads, and wants it to be taken.
func (r *rig) reloads(pairs ...string) {
	r.t.Helper()
	r.rewrite(pairs...)
	if said := r.hup(); !strings.Contains(said, "configuration reloaded") {
		r.t.Errorf("after %q: %s", pairs, said)
	}
}

// refuses rewrites and reloads, wants the old configuration to stay with a line
// that has all of these, and puts the old file back.
func (r *rig) refuses(from, to string, wanted ...string) {
	r.t.Helper()
	r.rewrite(from, to)
	said := r.hup()
	for _, part := range append(wanted, "the old one stays", filepath.Base(r.config)+":") {
		if !strings.Contains(said, part) {
			r.t.Errorf("after %q the log has no %q: %s", to, part, said)
		}
	}
	r.rewrite(to, from)
}

// reply has Sam write in a conversation and waits for the words at AI Studio.
func (r *rig) replyArrives(id, session, text string) {
	r.t.Helper()
	r.say(id, fmt.Sprint(len(r.studio.Records()), "-reply"), event.MessageCreated{Content: event.Plain(text)})
	r.eventually(text+" at AI Studio", func() bool { return slices.Contains(r.studio.Shown(session), text) })
}

// TestReload changes each kind of thing while a conversation is open.
func TestReload(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	key := filepath.Join(t.TempDir(), "key")
	write := func(secret string) {
		if err := os.WriteFile(key, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := r.handsOff("s1")
	r.say(first, "accept", event.HandoffAccepted{})
	write("studio-key-of-last-year")
	r.reloads(`"env:STUDIO_KEY"`, fmt.Sprintf(`"file:%s"`, key))
	refusedBefore := len(r.studio.Records())
	r.say(first, "lost", event.MessageCreated{Content: event.Plain("okapi with the old key")})
	r.eventually("AI Studio refuses the old key", func() bool {
		all := r.studio.Records()
		return len(all) > refusedBefore && all[len(all)-1].Status == http.StatusUnauthorized
	})
	write(studioKey)
	r.reloads()
	r.replyArrives(first, "s1", "okapi with the new key")

	r.reloads("live_agent = [\"desk\"]\n\n", "live_agent = [\"fresh\"]\n[routes.timers]\nwaiting = \"2s\"\n\n",
		"[texts.en]\n", "[texts.en]\ntimed_out = \"okapi nobody came\"\n", "[accounts.desk]", "[accounts.fresh]\nadapter = \"native\"\nrole = \"live_agent\"\n[accounts.desk]")
	second, _ := r.handsOff("s2")
	if !r.at(second, "fresh") || r.at(second, "desk") {
		t.Errorf("the new route is not used: %+v", r.conversations())
	}
	r.inState(second, "automated") // the new timer
	if got := texts(r.events(second), event.RoleSystem); !slices.Contains(got, "okapi nobody came") {
		t.Errorf("the new text was not used: %q", got)
	}
	r.replyArrives(first, "s1", "okapi still here")
}

// TestReloadRefused: a file that is not wholly good changes nothing, and the log
// says where and how to mend it.
func TestReloadRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	id, _ := r.handsOff("s1")
	r.say(id, "accept", event.HandoffAccepted{})
	r.refuses(`name = "web"`, `name = "web`, "mend")
	r.refuses(`live_agent = ["desk"]`, `live_agent = ["dsk"]`, "routes[0].live_agent[0]", "did you mean desk?")
	r.refuses(`role = "customer"`, "role = \"customer\"\ncolour = 1", "accounts.web.colour", "unknown key", "mend")
	r.refuses(`mode = "routing"`, `mode = "rooting"`, "accounts.studio.settings", "mode")
	r.refuses(fmt.Sprintf("%q", r.public), `"127.0.0.1:1"`, "server.listen", "restart")
	r.refuses(filepath.Join(r.dir, "data"), filepath.Join(r.dir, "other"), "journal.dir", "restart")
	r.refuses(`level = "debug"`, `level = "warn"`, "log.level", "restart")
	whole, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	r.refuses(string(whole), string(whole[:len(whole)/2]), "mend") // a file half written
	if err := os.Remove(r.config); err != nil {
		t.Fatal(err)
	}
	if said := r.hup(); !strings.Contains(said, "the old one stays") || !strings.Contains(said, "config.toml") {
		t.Errorf("with the file gone: %s", said)
	}
	r.replyArrives(id, "s1", "okapi as ever")
}

// TestReloadsDuringTraffic: a hundred reloads, each another configuration, lose
// and double nothing.
func TestReloadsDuringTraffic(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{backends: []string{"vdesk"}})
	var reloaded atomic.Bool
	var traffic sync.WaitGroup
	var talked atomic.Int64
	for n := range 3 {
		traffic.Go(func() {
			for k := 0; !reloaded.Load() && !t.Failed(); k++ {
				r.talk(fmt.Sprintf("s%d-%d", n, k), 4)
				talked.Add(1)
			}
		})
	}
	spare := "[accounts.spare]\nadapter = \"vonage\"\nrole = \"live_agent\"\nsettings = { base_url = \"http://127.0.0.1:9\" }\n[accounts.desk]"
	for n := range 100 {
		if n%2 == 0 {
			r.reloads("[accounts.desk]", spare)
		} else {
			r.reloads(spare, "[accounts.desk]")
		}
	}
	reloaded.Store(true)
	traffic.Wait()
	if talked.Load() < 6 {
		t.Errorf("only %d conversations met any reload", talked.Load())
	}
}

// TestChecksums: a pinned plugin runs, one with another checksum does not, and
// its accounts say so; the others run.
func TestChecksums(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(bin, "footbridge-adapter-vonage"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	r := newRig(t, setting{extra: fmt.Sprintf("[plugins.checksums]\nvonage = %q\nscripted = %q\n", hex.EncodeToString(sum[:]), strings.Repeat("0", 64))})
	if a := r.account("helper"); a.Ready || !strings.Contains(a.Unready, "checksum") || !strings.Contains(a.Unready, "pin") {
		t.Errorf("the account of the other plugin: %+v", a)
	}
	if a := r.account("studio"); !a.Ready {
		t.Errorf("the account of the pinned plugin: %+v", a)
	}
	studioToDesk(r).once(t)
}

// certificate makes a certificate for this host and writes it, with its key.
func certificate(t *testing.T, cert, key string) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "bridge"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return pool
}

// secure gets a page over TLS and gives the status, 0 without an answer.
func secure(t *testing.T, addr string, trusted *x509.CertPool) int {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	resp, err := client.Get("https://" + addr + "/chat")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestTLS: the listener speaks HTTPS, tells so, and takes a renewed certificate
// on a reload; a certificate that is broken changes nothing.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	first := certificate(t, cert, key)
	p := newProgram(t, fmt.Sprintf("[server]\nlisten = \"{public}\"\ntls = { cert = %q, key = %q }\n", cert, key)+small)
	p.serve()
	p.await("is ready at https://" + p.public)
	if got := secure(t, p.public, first); got != http.StatusOK {
		t.Errorf("over TLS: %d\n%s", got, p.output())
	}
	second := certificate(t, cert, key)
	p.signal(syscall.SIGHUP)
	p.await("configuration reloaded")
	if old, renewed := secure(t, p.public, first), secure(t, p.public, second); old != 0 || renewed != http.StatusOK {
		t.Errorf("after the renewal the old certificate gives %d, the new one %d", old, renewed)
	}
	if err := os.WriteFile(cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.await("the old one stays", "server.tls", "PEM")
	if got := secure(t, p.public, second); got != http.StatusOK {
		t.Errorf("after a broken certificate: %d", got)
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != exitOK {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// TestListenersRefused: each start that must not happen ends with the mend.
func TestListenersRefused(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for name, c := range map[string]struct {
		server string
		code   int
		wanted []string
	}{
		"public without TLS": {"[server]\nlisten = \"0.0.0.0:0\"\n", exitUsage, []string{"config.toml:2: server.listen", "without encryption", "mend: set server.tls"}},
		"address in use":     {fmt.Sprintf("[server]\nlisten = %q\n", taken.Addr()), exitFailed, []string{"[server] listen", taken.Addr().String(), "in use", "mend"}},
		"no certificate":     {"[server]\nlisten = \"{public}\"\ntls = { cert = \"/nowhere/a\", key = \"/nowhere/b\" }\n", exitUsage, []string{"config.toml:3: server.tls", "/nowhere/a", "PEM"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProgram(t, c.server+small)
			p.serve()
			if code := p.wait(); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			p.says(c.wanted...)
		})
	}
}

// TestSecondProcess: a journal has one process; the second one is told which.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	first := newProgram(t, "[server]\nlisten = \"{public}\"\n"+small)
	first.serve()
	first.await("is ready")
	if os.Geteuid() == 0 {
		first.says("the bridge runs as root", "run it under an account of its own")
	}
	second := newProgram(t, "[server]\nlisten = \"{public}\"\n"+strings.Replace(small, "{data}", filepath.Join(first.dir, "data"), 1))
	second.serve()
	if code := second.wait(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	second.says(fmt.Sprintf("in use by process %d", first.cmd.Process.Pid), "[journal] dir")
	if resp, err := http.Get("http://" + first.public + "/chat"); err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the first one does not answer any more: %v", err)
	}
}
