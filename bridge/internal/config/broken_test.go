package config

import (
	"slices"
	"strings"
	"testing"
)

// here marks, in the files below, the line a problem must name.
const here = "# HERE"

// withAccount is sound with more lines in the account brain.
func withAccount(lines string) string {
	return strings.Replace(sound, "adapter = \"acme\"\n", "adapter = \"acme\"\n"+lines+"\n", 1)
}

// broken are files with exactly one problem, under the rows of the catalogue of bad
// input. FuzzParse begins with them.
var broken = []struct{ name, file, key, what, mend string }{
	// Keys.
	{"C3 unknown key", sound + "[server]\nlisten_on = ':1' # HERE", "server.listen_on", "unknown key", "known here: listen, public_url"},
	{"C3 typing mistake", sound + "[server]\nlistn = ':1' # HERE", "server.listn", "unknown key", "did you mean listen?"},
	{"C3 wrong case", sound + "[Server] # HERE\n", "Server", "unknown key", "did you mean server?"},
	{"C3 wrong table", "listen = '127.0.0.1:1' # HERE\n" + sound, "listen", "unknown key", "it belongs into [server]"},
	{"C3 wrong table below a name", sound + "[server]\nmax_waiting = 3 # HERE", "server.max_waiting", "unknown key", "it belongs into [queues.NAME]"},
	{"C11 login without a proxy", sound + "[egress]\nproxy_login = 'env:A' # HERE", "egress.proxy_login", "is for a proxy, and none is set", "set egress.proxy"},
	{"C9 proxy with a user", sound + "[egress]\nproxy = 'http://u:p@proxy.example' # HERE", "egress.proxy", "is not an origin (value not shown)", "write scheme and host alone"},
	{"C9 private name for a network", sound + "[egress]\nprivate_networks = ['intranet'] # HERE", "egress.private_networks[0]", "is neither an IP address nor a network", `write such as`},
	{"C4 file type without a family", sound + "[media]\ntypes = ['png'] # HERE", "media.types[0]", "is not a media type", "write such as"},
	{"C4 size with a unit", sound + "[media]\nmax_size = '10MiB' # HERE", "media.max_size", "is text in quotes, must be a whole number", "write max_size = 10485760"},
	{"C3 key left out of the structs", sound + "[retain] # HERE\nfiles = '10d'", "retain", "unknown key", "known here: server, admin"},
	{"C12 key with a dot", sound + "[server]\n\"a.b\" = 1 # HERE", `server."a.b"`, "unknown key", "known here"},
	{"C3 key with control characters", sound + "[server]\n\"\\u001b[2J\" = 1 # HERE", `server."\x1b[2J"`, "unknown key", "known here"},
	{"C3 misspelt required key", strings.Replace(sound, `adapter = "acme"`, `adaptor = "acme" # HERE`, 1), "accounts.brain.adaptor", "unknown key", "did you mean adapter?"},
	{"C3 unknown key in a list of tables", sound + "fall_back = 'return' # HERE", "routes[0].fall_back", "unknown key", "did you mean fallback?"},
	{"C3 unknown weekday", sound + "[hours.o.week]\nmon = ['09:00-10:00']\nmonday = [] # HERE", "hours.o.week.monday", "unknown key", "known here: mon, tue"},
	{"C3 unknown text", sound + "[texts.en]\nqueue_ful = 'x' # HERE", "texts.en.queue_ful", "as a key is unknown", "did you mean queue_full?"},
	{"C4 missing required key", strings.Replace(sound, "[accounts.brain]\nadapter = \"acme\"", "[accounts.brain] # HERE", 1), "accounts.brain.adapter", "is missing", `add adapter = "…"`},
	{"C4 missing choice", strings.Replace(sound, "role = \"virtual_agent\"", "", 1) + "[accounts.brain.settings] # NOT HERE", "accounts.brain.role", "is missing", `add role = "customer"`},
	{"C4 missing list", strings.Replace(strings.Replace(sound, "live_agent = [\"people\"]", "", 1), "[[routes]]", "[[routes]] # HERE", 1), "routes[0].live_agent", "is missing", "add live_agent = ["},
	{"C4 empty list", strings.Replace(sound, "live_agent = [\"people\"]", "live_agent = [] # HERE", 1), "routes[0].live_agent", "is empty", "name at least one"},

	// Types.
	{"C4 text for a number", sound + "[breaker]\nfailures = '10' # HERE", "breaker.failures", "is text in quotes, must be a whole number", "write failures = 5"},
	{"C4 fraction for a number", sound + "[breaker]\nfailures = 1e3 # HERE", "breaker.failures", "is a number with a fraction", "write failures = 5"},
	{"C4 nan for a number", sound + "[breaker]\nfailures = nan # HERE", "breaker.failures", "is a number with a fraction", "write failures = 5"},
	{"C4 negative number", sound + "[breaker]\nfailures = -1 # HERE", "breaker.failures", "is out of range: -1", "from 1 to 1000000"},
	{"C4 zero", sound + "[breaker]\nfailures = 0 # HERE", "breaker.failures", "is out of range: 0", "from 1 to 1000000"},
	{"C4 huge number", sound + "[breaker]\nfailures = 9223372036854775807 # HERE", "breaker.failures", "is out of range", "from 1 to 1000000"},
	{"C4 number for text", sound + "[journal]\ndir = 5 # HERE", "journal.dir", "is a whole number, must be text", `write dir = "./data"`},
	{"C4 text for a truth", withAccount("allow_unauthenticated = 'true' # HERE"), "accounts.brain.allow_unauthenticated", "is text in quotes, must be true or false", "allow_unauthenticated = false"},
	{"C4 number for a truth", withAccount("allow_unauthenticated = 1 # HERE"), "accounts.brain.allow_unauthenticated", "is a whole number", "allow_unauthenticated = false"},
	{"C4 text for a list", withAccount("hosts = 'a.example' # HERE"), "accounts.brain.hosts", "is text in quotes, must be a list", `write hosts = ["…"]`},
	{"C4 number in a list", withAccount("hosts = [\n'a.example',\n7 # HERE\n]"), "accounts.brain.hosts[1]", "is a whole number, must be text", "write"},
	{"C4 text for a table", sound + "[log]\nformat='text'\n[breaker]\n[queues]\nsupport = 'x' # HERE", "queues.support", "is text in quotes, must be a table", "write support = { … }"},
	{"C4 table for a list of tables", strings.Replace(sound, "[[routes]]", "[routes] # HERE", 1), "routes", "is a table, must be a list", "write routes = [{ … }]"},
	{"C4 text for a section", "agents = 'x' # HERE\n" + sound, "agents", "is text in quotes, must be a table", "write agents = { … }"},
	{"C4 date for text", sound + "[hours.o]\nweek.mon = ['00:00-01:00']\nholidays = [2026-12-25] # HERE", "hours.o.holidays[0]", "is a date or time, must be text", "write"},
	{"C4 date in settings", withAccount("settings.day = 2026-12-25 # HERE"), "accounts.brain.settings.day", "is a date or time", "write it in quotes"},
	{"C4 infinity in settings", withAccount("settings.deep = [{ n = inf }] # HERE"), "accounts.brain.settings.deep[0].n", "is not a finite number", "write a number"},
	{"C10 two replies of one name", sound + "[[desk.replies]]\nname = 'Hello'\ntext = 'a'\n[[desk.replies]]\nname = 'hello' # HERE\ntext = 'b'", "desk.replies[1].name", "is the name of desk.replies[0] too", "or another language"},
	{"C4 reply without words", sound + "[[desk.replies]] # HERE\nname = 'hello'", "desk.replies[0].text", "is missing", `add text = "…"`},
	{"C4 disposition of no words", sound + "[desk]\ndispositions = [''] # HERE", "desk.dispositions[0]", "is empty", "give a value"},

	// Durations.
	{"C4 number for a duration", sound + "[agents]\nlost = 10 # HERE", "agents.lost", "is a whole number, must be a duration", `write lost = "60s"`},
	{"C5 duration without unit", sound + "[agents]\nlost = '10' # HERE", "agents.lost", `"10" has no unit`, `such as "60s"`},
	{"C5 zero without unit", "routes = [{ name = 'a', customer = 'web', live_agent = ['people'], timers = { customer_silence = '0' } }] # HERE\n" + sound[:strings.Index(sound, "[[routes]]")], "routes[0].timers.customer_silence", "has no unit", `such as "0s"`},
	{"C5 days", sound + "[agents]\nlost = '1d' # HERE", "agents.lost", "a day is 24h", `such as "60s"`},
	{"C5 negative duration", sound + "[agents]\nlost = '-5s' # HERE", "agents.lost", "is negative", `such as "60s"`},
	{"C5 300 years", sound + "[agents]\nlost = '2629800h' # HERE", "agents.lost", "is too long", `such as "60s"`},
	{"C5 two years", sound + "[agents]\nlost = '17520h' # HERE", "agents.lost", "is too long, at most 8760h", `such as "60s"`},
	{"C5 short duration", sound + "[agents]\nlost = '1ms' # HERE", "agents.lost", "is too short, at least 1s", `such as "60s"`},
	{"C5 words for a duration", sound + "[agents]\nlost = 'soon' # HERE", "agents.lost", "is no duration", `such as "60s"`},
	{"C5 empty duration", sound + "[agents]\nlost = '' # HERE", "agents.lost", "is no duration", `such as "60s"`},

	// Forms of text.
	{"C3 unknown choice", sound + "[log]\nlevel = 'infos' # HERE", "log.level", `unknown value "infos"`, "did you mean info?"},
	{"C3 far choice", sound + "[plugins]\nsandbox = 'maybe' # HERE", "plugins.sandbox", `unknown value "maybe"`, "use one of auto, required, off"},
	{"C4 empty choice", sound + "[log]\nlevel = '' # HERE", "log.level", "is empty", "leave the key out"},
	{"C4 account name", sound + "[accounts.Desk] # HERE\nadapter='native'\nrole='live_agent'", "accounts.Desk", `as a key is not a name: "Desk"`, "1 to 64 of a-z"},
	{"C14 adapter name", strings.Replace(sound, `"acme"`, `"../acme" # HERE`, 1), "accounts.brain.adapter", "is not a name", "1 to 64 of a-z"},
	{"C15 listen without port", sound + "[server]\nlisten = 'localhost' # HERE", "server.listen", "is not an address to listen on", `"127.0.0.1:8080"`},
	{"C15 listen on port 70000", sound + "[admin]\nlisten = '127.0.0.1:70000' # HERE", "admin.listen", "is not an address to listen on", `"127.0.0.1:8080"`},
	{"C9 public address with password", sound + "[server]\npublic_url = 'https://me:hunter2@x.example' # HERE", "server.public_url", "value not shown", "without user"},
	{"C9 public address with query", sound + "[server]\npublic_url = 'https://x.example/?a=1' # HERE", "server.public_url", "is not a usable address", "https://chat.example.com"},
	{"C9 public address with port 0", sound + "[server]\npublic_url = 'https://x.example:0' # HERE", "server.public_url", "is not a usable address", "https://chat.example.com"},
	{"C9 public address with port 70000", sound + "[server]\npublic_url = 'https://x.example:70000' # HERE", "server.public_url", "is not a usable address", "https://chat.example.com"},
	{"C9 public address with a fragment", sound + "[server]\npublic_url = 'https://x.example/#a' # HERE", "server.public_url", "is not a usable address", "fragment"},
	{"C9 public address with a dot at its end", sound + "[server]\npublic_url = 'https://x.example.' # HERE", "server.public_url", "is not a usable address", "https://chat.example.com"},
	{"C9 public address in another script", sound + "[server]\npublic_url = 'https://еxample.com' # HERE", "server.public_url", "is not a usable address", "https://chat.example.com"},
	{"C9 proxy", sound + "[server]\ntrusted_proxies = ['10.0.0.1', 'proxy'] # HERE", "server.trusted_proxies[1]", "is neither an IP address nor a network", `"10.0.0.0/8"`},
	{"C7 certificate inline", sound + "[server]\ntls = { cert = '-----BEGIN X', key = 'k' } # HERE", "server.tls.cert", "value not shown", "give the path"},
	{"C7 key as reference", sound + "[server]\ntls = { cert = 'c', key = 'file:k' } # HERE", "server.tls.key", "is a reference", "write the path alone"},
	{"C14 checksum", sound + "[plugins.checksums]\nacme = 'ABC' # HERE", "plugins.checksums.acme", "is not a SHA-256", "64 lower-case hex digits"},
	{"C9 host with scheme", withAccount("hosts = ['https://a.example'] # HERE"), "accounts.brain.hosts[0]", "is not a host", "write a host alone"},
	{"C9 host in capitals", withAccount("hosts = ['A.Example.'] # HERE"), "accounts.brain.hosts[0]", "is not a host", `write it as "a.example"`},
	{"C9 host in another script", withAccount("hosts = ['bücher.example'] # HERE"), "accounts.brain.hosts[0]", "is not a host", "xn--"},
	{"C9 allowed host with port 0", withAccount("allowed_hosts = ['a.example:0'] # HERE"), "accounts.brain.allowed_hosts[0]", "has no usable port", "1 to 65535"},
	{"C9 empty host", withAccount("hosts = [''] # HERE"), "accounts.brain.hosts[0]", "is empty", "give a value"},
	{"C4 language", withAccount("language = 'English' # HERE"), "accounts.brain.language", "is not a language", `such as "en"`},
	{"C4 time zone", sound + "[hours.o]\ntimezone = 'Mars/Olympus' # HERE\nweek.mon = ['09:00-10:00']", "hours.o.timezone", `unknown time zone "Mars/Olympus"`, "Europe/Berlin"},
	{"C4 host's time zone", sound + "[hours.o]\ntimezone = 'Local' # HERE\nweek.mon = ['09:00-10:00']", "hours.o.timezone", `unknown time zone "Local"`, "Europe/Berlin"},
	{"C4 range", sound + "[hours.o.week]\nmon = ['9-17'] # HERE", "hours.o.week.mon[0]", "is not a range of hours", `"09:00-17:30"`},
	{"C4 range beyond the day", sound + "[hours.o.week]\nmon = ['09:00-24:30'] # HERE", "hours.o.week.mon[0]", "is not a range of hours", `"09:00-17:30"`},
	{"C4 range over midnight", sound + "[hours.o.week]\nmon = ['22:00-06:00'] # HERE", "hours.o.week.mon[0]", "ends before it begins", `"22:00-24:00"`},
	{"C4 date", sound + "[hours.o]\nweek.mon = ['09:00-10:00']\nholidays = ['2026-02-30'] # HERE", "hours.o.holidays[0]", "is not a date", `"2026-12-25"`},
	{"C4 long text", sound + "[texts.en]\nno_agents = '" + strings.Repeat("x", 2001) + "' # HERE", "texts.en.no_agents", "longer than 2,000", "shorten it"},
	{"C4 control characters", sound + "[texts.en]\nno_agents = \"a\\u001b[2Jb\" # HERE", "texts.en.no_agents", "has control characters", "plain text"},
	{"C9 origin with path", strings.Replace(sound, `adapter = "native"`, "adapter = \"native\"\nallowed_origins = ['https://a.example/'] # HERE", 1), "accounts.web.allowed_origins[0]", "is not an origin", "scheme and host alone"},
	{"C4 publishable key", strings.Replace(sound, `adapter = "native"`, "adapter = \"native\"\npublishable_key = 'a b c d' # HERE", 1), "accounts.web.publishable_key", "is not a publishable key", "4 to 128"},

	{"C4 name of a queue", sound + "[queues.'support '] # HERE", `queues."support "`, "is not a usable name", "without space around"},
	{"C4 long value", strings.Replace(sound, `"acme"`, `"`+strings.Repeat("A", 70)+`" # HERE`, 1), "accounts.brain.adapter", strings.Repeat("A", 64) + "…", "1 to 64"},
	{"C9 public address without host", sound + "[server]\npublic_url = 'https://' # HERE", "server.public_url", "is not a usable address", "https://chat.example.com"},
	{"C9 public address of another kind", sound + "[server]\npublic_url = 'ftp://x.example' # HERE", "server.public_url", "is not a usable address", "https://chat.example.com"},
	{"C4 truth for text", sound + "[journal]\ndir = true # HERE", "journal.dir", "is true or false, must be text", `write dir = "./data"`},
	{"C4 date far away", sound + "[hours.o]\nweek.mon = ['09:00-10:00']\nholidays = ['9999-12-25'] # HERE", "hours.o.holidays[0]", "is not a date", `"2026-12-25"`},

	// Secrets.
	{"C7 inline secret", withAccount("credentials.key = 'hunter2' # HERE"), "accounts.brain.credentials.key", "is not a reference to a secret (value not shown)", `write "env:NAME"`},
	{"C7 secret after env:", withAccount("credentials.key = 'env:hunter2-hunter2' # HERE"), "accounts.brain.credentials.key", "value not shown", `write "env:NAME"`},
	{"C7 empty path", withAccount("credentials.key = 'file:' # HERE"), "accounts.brain.credentials.key", "without a valid path", `"file:PATH"`},
	{"C7 empty secret", withAccount("credentials.key = '' # HERE"), "accounts.brain.credentials.key", "is empty", "give a value"},
	{"C8 secret to be filled in", withAccount("credentials.key = '${KEY}' # HERE"), "accounts.brain.credentials.key", "is not a reference to a secret (value not shown)", `write "env:NAME"`},
	{"C8 name to be filled in", withAccount("credentials.key = 'env:${KEY}' # HERE"), "accounts.brain.credentials.key", "without a valid variable name", `write "env:NAME"`},
	{"C7 inline token", sound + "[[api.tokens]]\nname='a'\nroles=['operator']\ntoken='hunter2' # HERE", "api.tokens[0].token", "value not shown", `"env:NAME"`},
	{"C7 number as token", sound + "[[api.tokens]]\nname='a'\nroles=['operator']\ntoken=12345 # HERE", "api.tokens[0].token", "is a whole number, must be a reference", `token = "env:NAME"`},
	{"C7 secret as inbound", withAccount("inbound = 'hunter2' # HERE\ncredentials.inbound = 'env:A'"), "accounts.brain.inbound", "value not shown", "credentials.inbound"},

	// Combinations.
	{"C15 open to the world", sound + "[server]\nlisten = ':8080' # HERE", "server.listen", "beyond this host without encryption", "server.trusted_proxies"},
	{"C15 open by name", sound + "[server]\nlisten = 'myhost:8080' # HERE", "server.listen", "beyond this host without encryption", "server.tls"},
	{"C15 one address for both", sound + "[server]\nlisten = '127.0.0.1:9000'\n[admin]\nlisten = '127.0.0.1:9000' # HERE", "admin.listen", "is the address of server.listen", "its own port"},
	{"C15 one port for both", sound + "[admin]\nlisten = '0.0.0.0:8080' # HERE", "admin.listen", "is the address of server.listen", "its own port"},
	{"C15 certificate without key", sound + "[server.tls] # HERE\ncert = '/etc/tls.crt'", "server.tls", "only one of cert and key", "set both, or neither"},
	{"C10 token named twice", sound + "[[api.tokens]]\nname='a'\nroles=['operator']\ntoken='env:A'\n[[api.tokens]]\nname='a' # HERE\nroles=['operator']\ntoken='env:B'", "api.tokens[1].name", "is the name of api.tokens[0] too", "its own name"},
	{"C10 secret used twice", sound + "[[api.tokens]]\nname='a'\nroles=['operator']\ntoken='env:A'\n[[api.tokens]]\nname='b'\nroles=['operator']\ntoken='env:A' # HERE", "api.tokens[1].token", "is the secret of api.tokens[0] too", "its own secret"},
	{"C11 agent without role", sound + "[[api.tokens]]\nname='a'\nroles=['operator']\ntoken='env:A'\nagent='sam' # HERE", "api.tokens[0].agent", "may not act as an agent", `add "live_agent"`},
	{"C11 deadline", sound + "[breaker]\ndeadline = '20s' # HERE", "breaker.deadline", "must be under a third of breaker.interval (1m0s)", "lengthen the interval"},
	{"C11 interval", sound + "[breaker] # HERE\ninterval = '30s'", "breaker.deadline", "must be under a third", "lengthen the interval"},
	{"C11 open too long", sound + "[breaker]\nopen = '6m' # HERE", "breaker.open", "is longer than breaker.max_open", "at least as long"},
	{"C11 turn longer than its call", sound + "[plugins]\nturn_timeout = '11s' # HERE", "plugins.turn_timeout", "is longer than breaker.deadline (10s)", "lengthen breaker.deadline"},
	{"C11 inbound without credential", withAccount("inbound = 'header:X-Key' # HERE"), "accounts.brain.inbound", "has no credential", `add inbound = "env:NAME"`},
	{"C11 credential without inbound", withAccount("credentials.inbound = 'env:A' # HERE"), "accounts.brain.credentials.inbound", "is not used", `add inbound = "header:NAME"`},
	{"C11 inbound and anybody", withAccount("inbound = 'header:X'\ncredentials.inbound = 'env:A'\nallow_unauthenticated = true # HERE"), "accounts.brain.allow_unauthenticated", "contradicts inbound", "keep one"},
	{"C10 publishable key elsewhere", withAccount("publishable_key = 'pk_1' # HERE"), "accounts.brain.publishable_key", "native accounts with the role customer", "take it out"},
	{"C10 origins elsewhere", withAccount("allowed_origins = ['https://a.example'] # HERE"), "accounts.brain.allowed_origins", "role customer", "take it out"},
	{"C10 one host for two", withAccount("hosts = ['a.example']") + "[accounts.people.settings]\n[accounts.web.credentials]\n" + "[accounts.other]\nadapter = 'acme'\nrole = 'observer'\nhosts = ['b.example', 'a.example'] # HERE", "accounts.other.hosts[1]", "is a host of accounts.brain too", "keep it at one"},
	{"C10 one publishable key for two", strings.Replace(sound, `adapter = "native"`, "adapter = \"native\"\npublishable_key = 'pk_1' # HERE", 1) + "[accounts.app]\nadapter = 'native'\nrole = 'customer'\npublishable_key = 'pk_1'", "accounts.web.publishable_key", "is that of accounts.app too", "its own"},
	{"C10 no account of that role", strings.Replace(sound, `role = "virtual_agent"`, `role = "observer"`, 1), "routes[0].virtual_agent", "here it must be virtual_agent", `add an account with role = "virtual_agent"`},
	{"C10 unknown account", strings.Replace(sound, `["people"]`, `["poeple"] # HERE`, 1), "routes[0].live_agent[0]", `unknown account "poeple"`, "did you mean people?"},
	{"C10 unknown account, none near", strings.Replace(sound, `customer = "web"`, `customer = "phone" # HERE`, 1), "routes[0].customer", `unknown account "phone"`, "add a section [accounts.phone], or use one of brain, people, web"},
	{"C10 account in another role", strings.Replace(sound, `customer = "web"`, `customer = "people" # HERE`, 1), "routes[0].customer", "has the role live_agent, here it must be customer", "such as web"},
	{"C10 live agent listed twice", strings.Replace(sound, `["people"]`, `["people", "people"] # HERE`, 1), "routes[0].live_agent[1]", "is listed twice", "once"},
	{"C10 route without entry", strings.Replace(sound, "[[routes]]\nname = \"web\"\ncustomer = \"web\"\nvirtual_agent = \"brain\"", "[[routes]] # HERE\nname = \"web\"", 1), "routes[0]", "has neither customer nor virtual_agent", "name the account"},
	{"C10 route named twice", sound + "match.queue = 'a'\n[[routes]]\nname = 'web' # HERE\ncustomer = 'web'\nlive_agent = ['people']", "routes[1].name", "is the name of routes[0] too", "its own name"},
	{"C10 route never reached", sound + "[[routes]] # HERE\nname = 'b'\ncustomer = 'web'\nlive_agent = ['people']", "routes[1]", `is never reached: routes[0] ("web")`, "give the earlier route a match"},
	{"C10 narrow route after wide", sound + "match.queue = 'a'\n[[routes]] # HERE\nname = 'b'\ncustomer = 'web'\nlive_agent = ['people']\nmatch = { queue = 'a', language = 'en' }", "routes[1]", "is never reached", "put it last"},
	{"C10 unknown queue", sound + "queue = 'suport' # HERE\n[queues.support]", "routes[0].queue", `unknown queue "suport"`, "did you mean support?"},
	{"C10 unknown queue, none at all", sound + "queue = 'support' # HERE", "routes[0].queue", `unknown queue "support"`, "add a section [queues.support]"},
	{"C10 unknown hours", sound + "[queues.support]\nhours = 'office' # HERE", "queues.support.hours", `unknown hours "office"`, "add a section [hours.office]"},
	{"C11 overlapping ranges", sound + "[hours.o.week]\ntue = ['09:00-12:00', '11:59-13:00'] # HERE", "hours.o.week.tue[1]", `"11:59-13:00" overlaps "09:00-12:00"`, "one range"},
	{"C11 picture of nobody", sound + "[[api.tokens]]\nname='a'\nroles=['live_agent']\ntoken='env:A'\npicture='https://img.example/sam.png' # HERE", "api.tokens[0].picture", "of no agent in particular", "add agent"},
	{"C4 chat elsewhere", sound + "[accounts.brain.chat] # HERE\nsurvey = true", "accounts.brain.chat", "native accounts with the role customer", "take it out"},
	{"C4 chat's words", sound + "[accounts.web.chat.texts.de]\ngreting = 'x' # HERE", "accounts.web.chat.texts.de.greting", "as a key is unknown", "did you mean greeting?"},
	{"C4 chat's colour", sound + "[accounts.web.chat]\ncolor = 'red' # HERE", "accounts.web.chat.color", "is not a colour", `such as "#1f6f6b"`},
	{"C4 chat's theme", sound + "[accounts.web.chat]\ntheme = 'sepia' # HERE", "accounts.web.chat.theme", "unknown value", "use one of"},
	{"C4 chat's pictures", sound + "[accounts.web.chat]\npictures = ['*'] # HERE", "accounts.web.chat.pictures[0]", "is not an origin", "write scheme and host alone"},

	// Syntax and size.
	{"C2 bare text", sound + "[journal]\ndir = data # HERE", "dir", "syntax: ", "in quotes"},
	{"C2 open quotes", sound + "[journal]\ndir = \"data # HERE", "dir", "syntax: ", "close the quotes"},
	{"C2 two on a line", sound + "[log]\nlevel = 'info' format = 'text' # HERE", "level", "syntax: ", "one setting on a line"},
	{"C2 no equals sign", sound + "[log]\nlevel 'info' # HERE", "", "syntax: ", "key = value"},
	{"C3 section twice", sound + "[log]\n[log] # HERE", "", "syntax: table log already exists", "once"},
	{"C3 key twice", sound + "[log]\nlevel='info'\nlevel='warn' # HERE", "level", "syntax: key level is already defined", "once"},
	{"C4 number too large", sound + "[breaker]\nfailures = 99999999999999999999 # HERE", "failures", "syntax: ", "64 bits"},
	{"C12 nested too deep", sound + "[accounts.brain.settings]\na = " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + " # HERE", "", "more than 32 levels", "flatter"},
	{"C12 key too long", sound + strings.Repeat("k", 300) + " = 1 # HERE", "", "longer than 256 bytes", "flatter"},
	{"C12 too many routes", "routes = [ # HERE\n" + strings.Repeat("{},", 1001) + "]\n", "routes", "has 1001 entries", "at most 1000"},
	{"C12 routes without number", "routes = [ # HERE\n" + strings.Repeat("{},", 100_000) + "]\n", "routes", "has 100000 entries", "at most 1000"},
}

func lineOf(file string) int {
	before, _, ok := strings.Cut(file, here)
	if !ok {
		return 0
	}
	return 1 + strings.Count(before, "\n")
}

func TestBrokenFiles(t *testing.T) {
	for _, c := range broken {
		t.Run(c.name, func(t *testing.T) {
			cfg, _, err := Parse("config.toml", []byte(c.file), nil)
			if cfg != nil || err == nil {
				t.Fatal("the file loads")
			}
			problems := problemsOf(t, err)
			if len(problems) != 1 {
				t.Fatalf("%d problems:\n%v", len(problems), err)
			}
			p := problems[0]
			if line := lineOf(c.file); line != 0 && p.Line != line {
				t.Errorf("line %d, want %d: %v", p.Line, line, p)
			}
			if p.Key != c.key {
				t.Errorf("key %q, want %q: %v", p.Key, c.key, p)
			}
			if !strings.Contains(p.What, c.what) || !strings.Contains(p.Mend, c.mend) || c.mend == "" {
				t.Errorf("want %q and the mend %q: %v", c.what, c.mend, p)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is told: %v", err)
			}
		})
	}
}

func TestSyntaxHasAColumn(t *testing.T) {
	_, _, err := Parse("config.toml", []byte("[journal]\ndir = data"), nil)
	if want := "config.toml:2:7: dir: syntax: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
}

func TestAllProblemsInOneReading(t *testing.T) {
	file := `server.listn = "x"
[breaker]
failures = "5"
[accounts.web]
role = "customers"
credentials = { key = "hunter2" }
[[routes]]
name = "a"
live_agent = ["nobody"]
[hours.o]
timezone = "Nowhere"
[log]
level = "loud"
`
	_, _, err := Parse("config.toml", []byte(file), []string{"FOOTBRIDGE_JOURNAL__DIRR=x"})
	var got []string
	for _, p := range problemsOf(t, err) {
		got = append(got, p.Key)
	}
	want := []string{"server.listn", "breaker.failures", "accounts.web.adapter", "accounts.web.role", "accounts.web.credentials.key",
		"routes[0]", "routes[0].live_agent[0]", "hours.o.timezone", "log.level", "journal"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v\n%v", got, want, err)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, file, key, what string }{
		{"silence too short", sound + "[routes.timers]\nagent_silence = '59m' # HERE", "routes[0].timers.agent_silence", "1h to 20h"},
		{"silence too long", sound + "[routes.timers]\nagent_silence = '21h' # HERE", "routes[0].timers.agent_silence", "1h to 20h"},
		{"waiting beyond total", sound + "[routes.timers]\nwaiting = '25h' # HERE", "routes[0].timers.waiting", "never runs out"},
		{"routes that all ask for something", strings.Replace(sound, "[[routes]]", "[[routes]]\nmatch={queue='sales'} # HERE", 1), "routes[0].match", "a conversation that fits none is refused"},
		{"no route", "[accounts] # HERE\n", "routes", "there is none"},
		{"unused account", sound + "[accounts.spare] # HERE\nadapter='native'\nrole='live_agent'", "accounts.spare", "used by no route"},
		{"metrics in the open", sound + "[admin]\nlisten = ':8081' # HERE", "admin.listen", "without authentication"},
		{"plain public address", sound + "[server]\npublic_url = 'http://x.example' # HERE", "server.public_url", "not encrypted"},
		{"all proxies", sound + "[server]\ntrusted_proxies = ['0.0.0.0/0'] # HERE", "server.trusted_proxies[0]", "everybody"},
		{"never open", sound + "[hours.o] # HERE", "hours.o", "never open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, warnings, err := Parse("config.toml", []byte(c.file), nil)
			if err != nil || len(warnings) != 1 {
				t.Fatalf("warnings %v, error %v", warnings, err)
			}
			if w := warnings[0]; w.Line != lineOf(c.file) || w.Key != c.key || !strings.Contains(w.What, c.what) {
				t.Errorf("got %v, want line %d, %s: %s", w, lineOf(c.file), c.key, c.what)
			}
		})
	}
}

func TestAllowed(t *testing.T) {
	for name, file := range map[string]string{
		"longest silence":         sound + "[routes.timers]\nagent_silence = '20h'",
		"shortest silence":        sound + "[routes.timers]\nagent_silence = '1h'",
		"any free port for both":  sound + "[server]\nlisten = '127.0.0.1:0'\n[admin]\nlisten = '127.0.0.1:0'",
		"IPv6 loopback":           sound + "[server]\nlisten = '[::1]:8080'",
		"localhost":               sound + "[server]\nlisten = 'localhost:8080'",
		"behind a proxy":          sound + "[server]\nlisten = ':8080'\ntrusted_proxies = ['10.0.0.1']",
		"with TLS":                sound + "[server]\nlisten = ':443'\ntls = { cert = 'c', key = 'k' }",
		"local public address":    sound + "[server]\npublic_url = 'http://localhost:8080'",
		"deadline just under":     sound + "[breaker]\ndeadline = '19999ms'",
		"a text switched off":     sound + "[texts.en]\nqueue_position = ''",
		"wide after narrow":       sound + "match.queue = 'a'\n[[routes]]\nname='b'\ncustomer='web'\nlive_agent=['people']",
		"two narrow ones":         sound + "match.queue = 'a'\n[[routes]]\nname='b'\ncustomer='web'\nlive_agent=['people']\nmatch.language='en'\n[[routes]]\nname='rest'\ncustomer='web'\nlive_agent=['people']",
		"two languages":           sound + "match.language = 'de'\n[[routes]]\nname='b'\ncustomer='web'\nlive_agent=['people']\nmatch.language='en'\n[[routes]]\nname='rest'\ncustomer='web'\nlive_agent=['people']",
		"same facts, other value": sound + "match.attributes.plan = 'a'\n[[routes]]\nname='b'\ncustomer='web'\nlive_agent=['people']\nmatch.attributes.plan='b'\n[[routes]]\nname='rest'\ncustomer='web'\nlive_agent=['people']",
		"empty optional values":   sound + "[server]\npublic_url = ''\n[plugins]\ndir = ''",
		"ranges that touch":       sound + "[hours.o.week]\nmon = ['09:00-12:00', '12:00-24:00']",
		"address as host":         withAccount("hosts = ['127.0.0.1']\nallowed_hosts = ['127.0.0.1:8090', '[::1]:1', 'x.example']"),
		"one account, same host":  withAccount("hosts = ['a.example', 'b.example']"),
		"CRLF":                    strings.ReplaceAll(sound, "\n", "\r\n"),
	} {
		if _, warnings, err := Parse("config.toml", []byte(file), nil); err != nil || len(warnings) != 0 {
			t.Errorf("%s: %v %v", name, warnings, err)
		}
	}
}

// What cannot be judged because a value it depends on is broken is not judged.
func TestOneMistakeIsToldOnce(t *testing.T) {
	for name, file := range map[string]string{
		"week":            sound + "[hours.o]\nweek = 5",
		"interval":        sound + "[breaker]\ndeadline = '30s'\ninterval = '1'",
		"customer":        strings.Replace(strings.Replace(sound, `"web"`+"\nvirtual", `"WEB"`+"\nvirtual", 1), `virtual_agent = "brain"`, "", 1) + "[[routes]]\nname='b'\nvirtual_agent='brain'\nlive_agent=['people']\n[[routes]]\nname='c'\ncustomer='web'\nlive_agent=['people']",
		"match":           sound + "match = 5\n[[routes]]\nname='b'\ncustomer='web'\nlive_agent=['people']",
		"trusted proxies": sound + "[server]\nlisten=':8080'\ntrusted_proxies = 'x'",
		"role":            strings.Replace(sound, `"virtual_agent"`, `"virtual"`, 1),
	} {
		_, warnings, err := Parse("config.toml", []byte(file), nil)
		if problems := problemsOf(t, err); len(problems) != 1 || len(warnings) != 0 {
			t.Errorf("%s: %v\n%v", name, warnings, err)
		}
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{
		"listn": "listen", "LISTEN": "listen", "lsiten": "listen", "public-url": "public_url", "tsl": "", "tl": "tls", "xs": "", "": "", "trusted": "",
	} {
		if got := nearest(word, []string{"listen", "public_url", "tls", "trusted_proxies"}); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
