package config

import (
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, c := range []struct{ name, old, new, replace, want string }{
		{"nothing", "", "", "", ""},
		{"order of the file alone", "[log]\nlevel='warn'\n[agents]\nlost='1m'", "[agents]\nlost='60s'\n[log]\nlevel='warn'", "", ""},
		{"listen", "", "server.listen = '127.0.0.1:1'", "", "server.listen!"},
		{"both listeners", "", "server.listen = '127.0.0.1:1'\nadmin.listen = '127.0.0.1:2'\nserver.public_url = 'https://x.example'", "", "admin.listen! server.listen! server.public_url"},
		{"folder", "", "journal.dir = '/data'", "", "journal.dir!"},
		{"TLS comes", "", "server.tls = { cert = 'c', key = 'k' }", "", "server.tls!"},
		{"TLS goes", "server.tls = { cert = 'c', key = 'k' }", "", "", "server.tls!"},
		{"other certificate", "server.tls = { cert = 'c', key = 'k' }", "server.tls = { cert = 'd', key = 'k' }", "", "server.tls.cert"},
		{"log", "", "log.level = 'warn'", "", "log.level!"},
		{"a plugin's checksum", "", "plugins.checksums.scripted = '" + strings.Repeat("0", 64) + "'", "", "plugins.checksums.scripted!"},
		{"breaker", "", "breaker.open = '11s'", "", "breaker.open!"},
		{"default said aloud", "", "log.level = 'info'", "", ""},
		{"duration", "", "agents.lost = '61s'", "", "agents.lost"},
		{"list", "server.trusted_proxies = ['10.0.0.1']", "server.trusted_proxies = ['10.0.0.2']", "", "server.trusted_proxies[0]!"},
		{"longer list", "", "server.trusted_proxies = ['10.0.0.2']", "", "server.trusted_proxies!"},
		{"new entry", "", "accounts.spare = { adapter = 'native', role = 'live_agent' }", "", "accounts.spare"},
		{"lost entry", "queues.a = {}", "", "", "queues.a"},
		{"new entry with a dot", "", "queues.'a.b' = {}", "", `queues."a.b"`},
		{"words", "texts.en.no_agents = 'x'", "texts.en.no_agents = 'y'", "", "texts.en.no_agents"},
		{"chat", "", "", `adapter = "native"→adapter = "native"` + "\nchat = { survey = true, texts.de.greeting = 'Hallo' }", "accounts.web.chat.survey accounts.web.chat.texts.de"},
		{"settings", "", "", `role = "virtual_agent"→role = "virtual_agent"` + "\nsettings = { a = [1] }", "accounts.brain.settings.a"},
		{"route", "", "", `customer = "web"→customer = "web"` + "\nfallback = 'leave_message'\ntimers.total = '1h'", "routes[0].fallback routes[0].timers.total"},
		{"new route", "", "", "[[routes]]→[[routes]]\nname='n'\ncustomer='web'\nlive_agent=['people']\nmatch.queue='q'\n[[routes]]", "routes"},
	} {
		from, to, _ := strings.Cut(c.replace, "→")
		old := mustParse(t, c.old+sound)
		new := mustParse(t, c.new+strings.Replace(sound, from, to, 1))
		var got []string
		for _, key := range Diff(old, new) {
			if NeedsRestart(key) {
				key += "!"
			}
			got = append(got, key)
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
		if back := Diff(new, old); len(back) != len(got) {
			t.Errorf("%s: there %v, back %v", c.name, got, back)
		}
	}
}
