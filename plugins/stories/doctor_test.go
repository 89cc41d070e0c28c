package stories

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type finding struct{ Check, State, What, Mend string }

// doctor runs the doctor and gives what it found that is not good.
func (p *program) doctor() ([]finding, outcome) {
	p.t.Helper()
	got := p.run("doctor", "--json")
	var d struct{ Findings []finding }
	if err := json.Unmarshal([]byte(got.out), &d); err != nil || len(d.Findings) == 0 {
		p.t.Fatalf("doctor says %+v: %v", got, err)
	}
	var bad []finding
	for _, f := range d.Findings {
		if f.State != "good" {
			bad = append(bad, f)
		}
		if (f.Mend == "") != (f.State == "good") {
			p.t.Errorf("a finding without its mend, or a mend without its finding: %+v", f)
		}
	}
	return bad, got
}

func (p *program) change(from, to string) {
	p.t.Helper()
	data, err := os.ReadFile(p.config)
	if err != nil || !strings.Contains(string(data), from) {
		p.t.Fatalf("no %q in the configuration: %v", from, err)
	}
	p.write(p.config, strings.Replace(string(data), from, to, 1), 0o600)
}

func (p *program) write(path, text string, mode os.FileMode) {
	p.t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		p.t.Fatal(err)
	}
}

// certificate writes one for a host, good until then.
func (p *program) certificate(host string, until time.Time) (cert, key string) {
	p.t.Helper()
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	made := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-2000 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, made, made, &k.PublicKey, k)
	if err != nil {
		p.t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(k)
	cert, key = filepath.Join(p.dir, "tls.crt"), filepath.Join(p.dir, "tls.key")
	p.write(cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	p.write(key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), 0o600)
	return cert, key
}

const studioAccount = `[accounts.studio]
adapter = "vonage"
role = "virtual_agent"
inbound = "query:token"
settings = { mode = "routing", base_url = "http://%s" }
allowed_hosts = ["%s"]
credentials = { key = "env:VGAI_KEY", inbound = "env:VGAI_INBOUND" }
[[routes]]
name = "studio"
virtual_agent = "studio"
live_agent = ["desk"]
`

type brokenThing struct {
	how                      func(p *program)
	state, check, says, mend string
	code                     int
}

// brokenThings are things broken one at a time, and what the doctor must say of each.
func brokenThings() map[string]brokenThing {
	data := func(p *program, name string) string { return filepath.Join(p.dir, "data", name) }
	tls := func(host string, left time.Duration, public string) func(*program) {
		return func(p *program) {
			cert, key := p.certificate(host, time.Now().Add(left))
			p.change("[admin]", fmt.Sprintf("public_url = %q\ntls = { cert = %q, key = %q }\n[admin]", public, cert, key))
		}
	}
	return map[string]brokenThing{
		"key mode":    {func(p *program) { os.Chmod(data(p, "master.key"), 0o644) }, "fault", "master key", "mode", "chmod 600", 1},
		"key gone":    {func(p *program) { os.Remove(data(p, "master.key")) }, "fault", "master key", "no such file", "from its backup", 1},
		"key damaged": {func(p *program) { p.write(data(p, "master.key"), "short", 0o600) }, "fault", "master key", "is damaged", "from the backup", 1},
		"another key": {func(p *program) { p.write(data(p, "master.key"), strings.Repeat("k", 32), 0o600) }, "fault", "journal", "not the one this journal was made with", "as it says", 1},
		"journal damaged": {func(p *program) {
			p.write(data(p, "journal.db"), strings.Repeat("x", 8192), 0o600)
			os.Remove(data(p, "journal.db-wal"))
		}, "fault", "journal", "restore the journal", "as it says", 1},
		"folder open":     {func(p *program) { os.Chmod(data(p, ""), 0o755) }, "fault", "data folder", "mode 0755", "chmod 700", 1},
		"token file open": {func(p *program) { os.Chmod(data(p, "token-desk"), 0o644) }, "fault", "data folder", "token-desk", "chmod 600", 1},
		"sign-outs":       {func(p *program) { p.write(data(p, "signed-out.json"), "{", 0o600) }, "fault", "sign-ins", "signed-out.json", "remove the file", 1},
		"config open":     {func(p *program) { os.Chmod(p.config, 0o622) }, "fault", "configuration file", "others may change it", "chmod go-w", 1},
		"no folder":       {func(p *program) { p.change(`dir = "`+data(p, ""), `dir = "/proc/nowhere/data`) }, "fault", "data folder", "cannot be made", "[journal] dir", 1},
		"clock": {func(p *program) { at := time.Now().Add(time.Hour); os.Chtimes(data(p, "journal.db"), at, at) }, "fault", "clock", "was written at",
			"set the clock", 1},
		"address taken": {func(p *program) {
			l, err := net.Listen("tcp", p.admin)
			if err != nil {
				p.t.Fatal(err)
			}
			p.t.Cleanup(func() { l.Close() })
		}, "fault", "admin.listen", "in use", "stop the program that has it", 1},
		"certificate over":       {tls("chat.example.com", -time.Hour, "https://chat.example.com"), "fault", "certificate", "ended on", "SIGHUP", 1},
		"certificate ends":       {tls("chat.example.com", 24*time.Hour, "https://chat.example.com"), "warning", "certificate", "ends on", "SIGHUP", 0},
		"certificate of another": {tls("other.example.com", 9000*time.Hour, "https://chat.example.com"), "fault", "certificate", "is not for chat.example.com", "public_url", 1},
		"no certificate": {func(p *program) {
			p.change("[admin]", "tls = { cert = \"/nowhere.crt\", key = \"/nowhere.key\" }\n[admin]")
		},
			"fault", "configuration", "nowhere.crt", "PEM form", 1},
		"no plugin": {func(p *program) { p.change(`adapter = "scripted"`, `adapter = "scriptd"`) }, "fault", "adapter scriptd", "there is no executable", "put a footbridge-adapter-scriptd", 1},
		"another plugin": {func(p *program) {
			p.change("[admin]", "[plugins.checksums]\nscripted = \""+strings.Repeat("0", 64)+"\"\n[admin]")
		}, "fault", "adapter scripted",
			"checksum", "footbridge-adapter-scripted", 1},
		"not pinned": {func(*program) {}, "warning", "adapter scripted", "not pinned", "[plugins.checksums]", 0},
		"weak token": {func(p *program) { p.env = append(p.env, "DESK_TOKEN=hunter2") }, "warning", "token desk", "can be guessed", "openssl rand", 0},
		"unconfigured": {func(p *program) {
			p.change("[[routes]]", fmt.Sprintf(studioAccount, "127.0.0.1:9", "127.0.0.1:9")+"[[routes]]")
		}, "fault", "account studio", "VGAI_KEY", "set it in the environment", 1},
		"unreachable": {func(p *program) {
			at := freeAddr(p.t)
			p.env = append(p.env, "VGAI_KEY=k", "VGAI_INBOUND=i")
			p.change("[[routes]]", fmt.Sprintf(studioAccount, at, at)+"[[routes]]")
		}, "fault", "account studio", "cannot be reached", "firewall", 1},
		"no such host": {func(p *program) {
			p.env = append(p.env, "VGAI_KEY=k", "VGAI_INBOUND=i")
			p.change("[[routes]]", fmt.Sprintf(studioAccount, "nowhere.invalid:80", "nowhere.invalid:80")+"[[routes]]")
		}, "fault", "account studio", "nowhere.invalid", "resolves", 1},
		"door shut": {func(p *program) {
			p.env = append(p.env, "VGAI_KEY=k")
			account := strings.NewReplacer("inbound = \"query:token\"\n", "", `, inbound = "env:VGAI_INBOUND"`, "").Replace(studioAccount)
			p.change("[[routes]]", fmt.Sprintf(account, p.admin, p.admin)+"[[routes]]")
			p.change("[admin]", "public_url = \"https://chat.example.com\"\n[admin]")
		}, "warning", "account studio", "answer this host only", "credentials.inbound", 1},
		"door open": {func(p *program) {
			p.env = append(p.env, "VGAI_KEY=k")
			account := strings.NewReplacer(`inbound = "query:token"`, "allow_unauthenticated = true", `, inbound = "env:VGAI_INBOUND"`, "").Replace(studioAccount)
			p.change("[[routes]]", fmt.Sprintf(account, p.admin, p.admin)+"[[routes]]")
		}, "warning", "account studio", "answers anybody", "set inbound", 1},
		"provider gone": {func(p *program) {
			p.change("[admin]", "public_url = \"http://"+p.public+"\"\n[auth.oidc]\nissuer = \"http://"+freeAddr(p.t)+
				"\"\nclient_id = \"x\"\nroles = { operator = [\"ops\"] }\n[admin]")
		}, "fault", "sign-in", "refused", "[auth.oidc]", 1},
		"configuration":    {func(p *program) { p.change(`role = "live_agent"`, `role = "liveagent"`) }, "fault", "configuration", "accounts.desk.role", "did you mean live_agent?", 2},
		"no configuration": {func(p *program) { os.Remove(p.config) }, "fault", "configuration", "config.toml", "copy config.example.toml", 2},
	}
}

// TestDoctor breaks one thing at a time; each is found, with its mend.
func TestDoctor(t *testing.T) {
	const base = "[server]\nlisten = \"{public}\"\n" + small
	t.Parallel()
	p := newProgram(t, base)
	p.serve()
	p.await("is ready at")
	if _, got := p.doctor(); got.code != exitOK || !strings.Contains(got.out, "a bridge runs there") || !strings.Contains(got.out, "is ready") {
		t.Errorf("of a bridge that runs: %+v", got)
	}
	p.signal(os.Interrupt)
	p.wait()
	data := filepath.Join(p.dir, "data")
	for name, c := range brokenThings() {
		t.Run(name, func(t *testing.T) {
			p := newProgram(t, base)
			p.once(data)
			c.how(p)
			bad, got := p.doctor()
			found := false
			for _, f := range bad {
				found = found || f.State == c.state && f.Check == c.check && strings.Contains(f.What+f.Mend, c.says) && strings.Contains(f.What+f.Mend, c.mend)
			}
			if !found || got.code != c.code {
				t.Errorf("code %d, want %d; no %s of %s with %q and %q in\n%+v", got.code, c.code, c.state, c.check, c.says, c.mend, bad)
			}
			if strings.Contains(got.all(), "hunter2") {
				t.Error("a secret is told")
			}
		})
	}
}

// once gives the program the data folder that a first start left.
func (p *program) once(data string) {
	p.t.Helper()
	entries, err := os.ReadDir(data)
	if err != nil || len(entries) < 3 {
		p.t.Fatalf("%d files, %v", len(entries), err)
	}
	if err := os.Mkdir(filepath.Join(p.dir, "data"), 0o700); err != nil {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(data, e.Name()))
		if err != nil {
			p.t.Fatal(err)
		}
		p.write(filepath.Join(p.dir, "data", e.Name()), string(text), 0o600)
	}
}
