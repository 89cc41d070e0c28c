package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

const (
	// reachWithin bounds one connection the doctor tries.
	reachWithin = 5 * time.Second
	// renewBefore is how long before its end a certificate is warned of.
	renewBefore = 21 * 24 * time.Hour
	maxMetrics  = 16 << 20
)

// liveBridge is what a bridge that runs says on its admin listener.
type liveBridge struct {
	Ready      bool              `json:"ready"`
	Components map[string]string `json:"components"`
	// open are the breakers that are not closed, drained the accounts that take
	// nothing new.
	open, drained []string
	// feeds says by account and name whether what a vendor speaks on stands.
	feeds map[string]bool
}

func findLive(ctx context.Context, c *config.Config) *liveBridge {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	body, err := ask(ctx, c.Admin.Listen, "/readyz")
	var b liveBridge
	if err != nil || json.Unmarshal(body, &b) != nil || len(b.Components) == 0 {
		return nil
	}
	if body, err := ask(ctx, c.Admin.Listen, "/metrics"); err == nil {
		b.open, b.drained = notZero(string(body), "breaker_state", "name"), notZero(string(body), "account_drained", "account")
		b.feeds = feedsUp(string(body))
	}
	return &b
}

func ask(ctx context.Context, listen, path string) ([]byte, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, maxMetrics))
}

// notZero reads the values of a gauge's one label for which it is not 0.
func notZero(metrics, gauge, label string) (names []string) {
	lines := bufio.NewScanner(strings.NewReader(metrics))
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), `"} `)
		metric, name, labelled := strings.Cut(name, `{`+label+`="`)
		if ok && labelled && strings.HasSuffix(metric, "_"+gauge) && value != "0" {
			names = append(names, name)
		}
	}
	return names
}

// feedsUp reads which feeds stand.
func feedsUp(metrics string) map[string]bool {
	out := map[string]bool{}
	for _, found := range feedUp.FindAllStringSubmatch(metrics, -1) {
		out[found[1]+"/"+found[2]] = found[3] != "0"
	}
	return out
}

// feedUp is a line of the gauge of feeds; no name in it has a quote.
//
//nolint:gochecknoglobals // never written.
var feedUp = regexp.MustCompile(`(?m)^\w+_feed_up\{account="([^"]*)",feed="([^"]*)"\} (\d+)$`)

// running tells how a bridge does that runs now.
func (d *doctor) running(context.Context) {
	if d.live == nil {
		return
	}
	if d.live.Ready {
		d.good("running bridge", "is ready")
	}
	for _, name := range slices.Sorted(maps.Keys(d.live.Components)) {
		if text := d.live.Components[name]; text != "ok" {
			d.fault("running bridge", name+": "+text, "look into its log; this part must work before it takes anything")
		}
	}
	for _, name := range d.live.open {
		d.warn("running bridge", "the breaker of "+name+" is not closed: calls fail", "see whether that host or plugin works; it closes by itself when it does")
	}
	for _, name := range d.live.drained {
		d.warn("running bridge", "account "+name+" is drained: it takes nothing new", "run footbridge accounts resume "+name+" when it may again")
	}
}

// listeners sees that the addresses are free, or the bridge's own.
func (d *doctor) listeners(context.Context) {
	for _, at := range []struct{ key, address string }{{"server.listen", d.conf.Server.Listen}, {"admin.listen", d.conf.Admin.Listen}} {
		if d.live != nil {
			d.good(at.key, "%s, a bridge runs there", at.address)
			continue
		}
		l, err := net.Listen("tcp", at.address)
		if err != nil {
			d.fault(at.key, err.Error(), "choose a free address, or stop the program that has it; ports below 1024 need CAP_NET_BIND_SERVICE")
			continue
		}
		_ = l.Close()
		d.good(at.key, "%s is free", at.address)
	}
}

// certificate looks at how long it lasts, whom it is for and who may read its key.
func (d *doctor) certificate(context.Context) {
	c := d.conf.Server
	if !c.TLS.Enabled() {
		return
	}
	pair, err := certificateOf(d.conf)
	if err != nil {
		d.configuration(err)
		return
	}
	if info, err := os.Stat(c.TLS.Key); err == nil && info.Mode().Perm()&0o007 != 0 {
		d.fault("certificate", fmt.Sprintf("%s has mode %04o: others may use it", c.TLS.Key, info.Mode().Perm()), "chmod 600 "+c.TLS.Key+", and have a new certificate made")
	}
	leaf, err := x509.ParseCertificate(pair.Certificate.Certificate[0])
	if err != nil {
		d.fault("certificate", err.Error(), "have a new one made")
		return
	}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" && leaf.VerifyHostname(u.Hostname()) != nil {
		d.fault("certificate", "is not for "+u.Hostname(), "have one made for the host of server.public_url")
	}
	switch left := time.Until(leaf.NotAfter); {
	case left <= 0:
		d.fault("certificate", "ended on "+leaf.NotAfter.Format(time.DateOnly), "put a new one in its place and send SIGHUP")
	case time.Now().Before(leaf.NotBefore):
		d.fault("certificate", "begins on "+leaf.NotBefore.Format(time.DateOnly), "set the clock, or use another certificate")
	case left < renewBefore:
		d.warn("certificate", "ends on "+leaf.NotAfter.Format(time.DateOnly), "put a new one in its place and send SIGHUP")
	default:
		d.good("certificate", "good until %s", leaf.NotAfter.Format(time.DateOnly))
	}
}

// reach connects to every host of the accounts, over TLS where calls are to be,
// and says nothing to them.
func (d *doctor) reach(ctx context.Context, hosts map[string][]string) {
	all := slices.Sorted(maps.Keys(hosts))
	errs := make([]error, len(all))
	var under sync.WaitGroup
	for i, host := range all {
		under.Go(func() { errs[i] = connect(ctx, host) })
	}
	under.Wait()
	for i, host := range all {
		check := "account " + strings.Join(hosts[host], ", ")
		if errs[i] != nil {
			d.fault(check, fmt.Sprintf("%s cannot be reached: %v", host, errs[i]), "see that the name is right, that this machine resolves it and that a firewall lets it out")
			continue
		}
		d.good(check, "%s can be reached", host)
	}
}

func connect(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, "443"
	}
	var conn net.Conn
	if port == "443" {
		conn, err = (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", net.JoinHostPort(name, port))
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(name, port))
	}
	if err != nil {
		return err
	}
	return conn.Close()
}
