package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

// TestWayOut: what of [egress] and [media] cannot be used stops the start, by its
// key.
func TestWayOut(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) {
		value := map[string]string{"LOGIN": "me:pass"}[name]
		return value, value != ""
	}
	for key, change := range map[string]func(*config.Config){
		"": func(c *config.Config) {
			c.Egress = config.Egress{Proxy: "http://proxy.example:3128", ProxyLogin: "env:LOGIN"}
		},
		"egress.ca_file": func(c *config.Config) { c.Egress.CAFile = empty },
		"egress.proxy_login": func(c *config.Config) {
			c.Egress = config.Egress{Proxy: "http://proxy.example", ProxyLogin: "env:NONE"}
		},
		"media.scan": func(c *config.Config) { c.Media.Scan = []string{filepath.Join(dir, "no-scanner")} },
	} {
		c := config.Defaults()
		change(c)
		n, err := network(c, env)
		if err == nil {
			err = scanner(c)
		}
		if key == "" && (err != nil || n.Proxy.Host != "proxy.example:3128" || n.ProxyLogin.Reveal() != "me:pass") || key != "" && (err == nil || !strings.Contains(err.Error(), key)) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestHostsInSettings(t *testing.T) {
	got := hostsIn(map[string]any{"base_url": "http://127.0.0.1:8090/x", "url": "wss://assist.example/a/{context.id}", "host": "acme.example", "rest": true})
	slices.Sort(got)
	if want := []string{"127.0.0.1:8090", "acme.example", "assist.example"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
