package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// BadBody is a body that no event is made of, and what it is answered.
type BadBody struct {
	What, Body string
	Status     int
	Code       string
}

// BadBodies are row O14 of the catalogue of bad input. FuzzStrict begins with them.
func BadBodies() []BadBody {
	deepest := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	return []BadBody{
		{"O14 empty", ``, 415, "unsupported_media_type"},
		{"O14 blank", ` `, 400, "malformed"},
		{"O14 null", `null`, 400, "malformed"},
		{"O14 list", `[]`, 400, "malformed"},
		{"O14 number", `0`, 400, "malformed"},
		{"O14 half", `{"kind":`, 400, "malformed"},
		{"O14 two values", `{"kind":"typing.stopped"} {}`, 400, "malformed"},
		{"O14 duplicate name", `{"kind":"typing.stopped","kind":"typing.started"}`, 400, "malformed"},
		{"O14 duplicate by escape", `{"kind":"typing.stopped","k\u0069nd":"typing.started"}`, 400, "malformed"},
		{"O14 duplicate below", `{"kind":"message.created","body":{"content":null,"content":{"type":"text","text":"x"}}}`, 400, "malformed"},
		{"O14 lone surrogate", `{"kind":"\ud800"}`, 400, "malformed"},
		{"O14 broken UTF-8", "{\"kind\":\"\xff\"}", 400, "malformed"},
		{"O14 BOM", "\ufeff{}", 400, "malformed"},
		{"O14 too deep", `{"kind":"typing.stopped","body":` + deepest + `}`, 400, "malformed"},
		{"O14 too large", `{"kind":"` + strings.Repeat("x", 257<<10) + `"}`, 413, "too_large"},
		{"O14 unknown field", `{"kind":"typing.stopped","seq":7}`, 422, "invalid"},
		{"O14 other case", `{"Kind":"typing.stopped"}`, 422, "invalid"},
		{"O14 no kind", `{}`, 422, "invalid"},
		{"O14 kind of a number", `{"kind":7}`, 422, "invalid"},
		{"O14 unknown kind", `{"kind":"weather.changed","body":{}}`, 422, "kind_unknown"},
		{"O14 body of a list", `{"kind":"message.created","body":[]}`, 422, "invalid"},
		{"O14 no content", `{"kind":"message.created","body":{}}`, 422, "invalid"},
		{"O14 blank text", `{"kind":"message.created","body":{"content":{"type":"text","text":"  \n"}}}`, 422, "invalid"},
		{"O14 unknown content", `{"kind":"message.created","body":{"content":{"type":"hologram"}}}`, 422, "invalid"},
		{"O14 script address", `{"kind":"message.created","body":{"content":{"type":"link","url":"javascript:alert(1)"}}}`, 422, "invalid"},
		{"O14 nested script address", `{"kind":"message.created","body":{"content":{"type":"carousel","cards":[{"actions":[{"label":"x","url":"data:text/html,x"}]}]}}}`, 422, "invalid"},
		{"O14 unknown command", `{"kind":"command.issued","body":{"name":"explode"}}`, 422, "invalid"},
		{"O14 read nothing", `{"kind":"message.read","body":{}}`, 422, "invalid"},
	}
}

// OddQuery is what somebody may search for, and what that is answered.
type OddQuery struct {
	What, Name, Value string
	Status            int
}

// OddQueries are row O8 of the catalogue of bad input. FuzzQuery begins with them.
func OddQueries() []OddQuery {
	return []OddQuery{
		{"O8 an expression that never ends", "q", "(a+)+$" + strings.Repeat("a", 200) + "!", 200},
		{"O8 everything, to SQL", "q", "%", 200},
		{"O8 any letter, to SQL", "q", "_", 200},
		{"O8 a quote", "q", `' OR '1'='1' --`, 200},
		{"O8 10 KiB", "q", strings.Repeat("x", 10<<10), 200},
		{"O8 NUL", "q", "\x00", 200},
		{"O8 no UTF-8", "q", "\xff", 200},
		{"O8 a state of SQL", "state", "' OR 1=1 --", 200},
		{"O8 an account of SQL", "account", "%", 200},
		{"O8 an owner in brackets", "owner", "virtual_agent[]", 200},
		{"O8 page -1", "after", "-1", 200},
		{"O8 a page of SQL", "after", "' OR 1=1 --", 200},
		{"O8 size 0", "limit", "0", 422},
		{"O8 size -1", "limit", "-1", 422},
		{"O8 size 1,000,000,000", "limit", "1000000000", 422},
		{"O8 size beyond numbers", "limit", "99999999999999999999", 422},
		{"O8 size in hexadecimal", "limit", "0x10", 422},
		{"O8 size 1e2", "limit", "1e2", 422},
		{"O8 an order", "sort", "id; DROP TABLE events", 422},
		{"O8 an order of ours", "order", "created", 422},
		{"O8 no time", "since", "yesterday'", 422},
	}
}

// FuzzQuery: whatever is asked for, a page has from 1 to 1,000 rows or the caller is
// told what to mend.
func FuzzQuery(f *testing.F) {
	for _, c := range OddQueries() {
		f.Add(c.Name, c.Value)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		q := url.Values{name: {value}}
		p, err := pageOf(q, "q", "state", "account", "owner", "since")
		if err == nil {
			_, err = sinceOf(q)
		}
		if err != nil {
			if problem := problemOf(err); problem.Status != http.StatusUnprocessableEntity || problem.Mend == "" {
				t.Fatalf("%q=%q ends in %v", name, value, err)
			}
		} else if p.limit < 1 || p.limit > maxLimit {
			t.Fatalf("%q=%q asks for %d rows", name, value, p.limit)
		}
	})
}
