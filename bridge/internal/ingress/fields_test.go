package ingress

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/pointer"
)

// counted counts what is read of it.
type counted struct {
	from *strings.Reader
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.read += n
	return n, err
}

// TestDeepBodyIsCheap: reading stops at the level that is too deep, whatever comes after.
func TestDeepBodyIsCheap(t *testing.T) {
	const most = 4 << 10 // what the decoder takes at once
	for name, deep := range map[string]string{"lists": strings.Repeat("[", 1_000_000), "objects": strings.Repeat(`{"a":`, 1_000_000)} {
		body := &counted{from: strings.NewReader(deep)}
		if err := strict(body); err == nil || !strings.Contains(err.Error(), "deeper than 64") || body.read > most {
			t.Errorf("%s: %v after %d bytes of %d", name, err, body.read, len(deep))
		}
		in := fields{body: []byte(deep)}
		if err := in.parse(); err == nil || in.doc != nil {
			t.Errorf("%s: %v, read as %T", name, err, in.doc)
		}
	}
}

func TestPlaces(t *testing.T) {
	r := httptest.NewRequest("POST", "/x?a=1&b=2&b=3", nil)
	r.Header.Add("One", "h")
	r.Header.Add("Two", "h")
	r.Header.Add("Two", "i")
	f := fields{r: r, body: []byte(`{"a":{"b/c":"slash","d~e":"tilde","":"empty"},"l":[{"id":7},"x"]}`)}
	if err := f.parse(); err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]string{"query:a": "1", "query:b": "", "query:c": "", "header:One": "h", "header:Two": "", "header:No": "",
		"body:/a/b~1c": "slash", "body:/a/d~0e": "tilde", "body:/a/": "empty", "body:/l/0/id": "7", "body:/l/1": "x", "body:/l/01": "",
		"body:/l/2": "", "body:/l/-": "", "body:/a": "", "body:/no/where": "", "path:id": "", "token:sub": ""} {
		got, err := f.get(place)
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%s gave %q %v, want %q", place, got, err, want)
		}
	}
	if digest, err := f.get("body"); err != nil || len(digest) != 64 {
		t.Errorf("digest %q %v", digest, err)
	}
}

// Of several places the first that has a value counts; one with a value that is no
// key is not passed over for another.
func TestPlacesInOrder(t *testing.T) {
	r := httptest.NewRequest("POST", "/x?a=1&b=2&b=3&empty=&long="+strings.Repeat("x", maxKey+1)+"&bad=%0a", nil)
	f := fields{r: r, body: []byte(`{"id":"7"}`), bound: "ada"}
	if err := f.parse(); err != nil {
		t.Fatal(err)
	}
	for places, want := range map[string]string{"query:a,body:/id": "1", "query:c,body:/id": "7", "query:empty,body:/id": "7",
		"query:c,header:X,token": "ada", "query:c,query:d": "", "query:b,body:/id": "", "query:long,body:/id": "",
		"query:bad,body:/id": "", "query:c,query:b,token": ""} {
		got, err := f.get(places)
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%s gave %q %v, want %q", places, got, err, want)
		}
	}
}

// What is masked is seen by nobody behind the door; everything else stays.
func TestMask(t *testing.T) {
	b := &book{}
	s := open(t, b, Options{}, Account{Name: "studio", Endpoints: []adapter.Endpoint{endpoint()}, Mask: []string{"/token", "/list/1/card", "/no/where", "/list/9/x", ""}})
	post(t, s.URL+"/in/studio/inbound", `{"session":{"id":9007199254740993},"token":{"a":"secret"},"list":[1,{"card":"4111","n":1.50}]}`)
	want := `{"list":[1,{"card":"[masked]","n":1.50}],"session":{"id":9007199254740993},"token":"[masked]"}`
	if got := string(b.stored()[0].Request.Body); got != want {
		t.Errorf("stored %s", got)
	}
	post(t, s.URL+"/in/studio/inbound", good)
	if got := string(b.stored()[1].Request.Body); got != good {
		t.Errorf("stored %s", got)
	}
}

// Whatever bytes come, what is accepted is one JSON object that reads the same
// again, and its fields are usable as keys.
func FuzzFields(f *testing.F) {
	for _, seed := range []string{good, `{"a":[{"b":1e5}]}`, `{"a":"\ud83d\ude42"}`, "{}", "[]", `{"a":1,"a":2}`, "\xff", `{"a":{"a":{"a":"x"}}}`} {
		f.Add([]byte(seed), "/a")
		f.Add([]byte(seed), "/a/0/b")
	}
	for _, bad := range badRequests(f) {
		if len(bad.body) < 10_000 {
			f.Add([]byte(bad.body), "/session/id")
		}
	}
	for _, odd := range oddRequests() {
		f.Add([]byte(odd.body), "/session/id")
	}
	f.Fuzz(func(t *testing.T, body []byte, place string) {
		in := fields{r: httptest.NewRequest("POST", "/", nil), body: body}
		if in.parse() != nil {
			return
		}
		value, err := in.get("body:" + place)
		if err == nil && (value == "" || len(value) > maxKey || strings.ContainsAny(value, "\x00\n\r")) {
			t.Errorf("%q is usable as a key", value)
		}
		masked, err := (&door{account: Account{Mask: []string{place}}}).kept(&in)
		if err != nil {
			t.Fatalf("mask %s in %q: %v", place, body, err)
		}
		after := fields{r: in.r, body: masked}
		if err := after.parse(); err != nil {
			t.Errorf("masked body %q: %v", masked, err)
		}
		if was := pointer.Text(in.doc, place); was != "" && pointer.Text(after.doc, place) != pointer.Masked {
			t.Errorf("%s still says %q", place, pointer.Text(after.doc, place))
		}
	})
}
