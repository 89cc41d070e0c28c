package stories

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/event"
)

// pngOf is a picture whose bytes hold the word that is looked for on disk.
func pngOf(what string) []byte {
	return append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("okapi "+what+" "), 20000)...)
}

// upload gives a file to a conversation, as a page does.
func (r *rig) upload(id, token, name string, data []byte) event.Media {
	r.t.Helper()
	var m event.Media
	r.eventually("the file is taken", func() bool {
		var status int
		var err error
		if m, status, err = r.offer(id, token, name, data); err != nil || status >= 500 {
			return false
		}
		if status != http.StatusCreated {
			r.t.Fatalf("upload: %d", status)
		}
		return true
	})
	return m
}

// offer uploads a file once.
func (r *rig) offer(id, token, name string, data []byte) (m event.Media, status int, err error) {
	req, err := http.NewRequest("POST", "http://"+r.public+"/api/v1/media?conversation="+id+"&name="+url.QueryEscape(name), bytes.NewReader(data))
	if err != nil {
		return m, 0, err
	}
	req.Header.Set("Content-Type", "image/png")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := r.client.Do(req)
	if err != nil {
		return m, 0, err
	}
	defer resp.Body.Close()
	return m, resp.StatusCode, json.NewDecoder(resp.Body).Decode(&m)
}

// shows posts a message that is a file.
func (r *rig) shows(id, token, key string, m event.Media) int {
	r.t.Helper()
	return r.api("POST", "/conversations/"+id+"/events", token, key,
		map[string]any{"kind": event.KindMessageCreated, "body": event.MessageCreated{Content: event.Content{Part: m}}}, nil)
}

// file is the file somebody of a role sent in a conversation, as the bearer of a
// token sees it.
func (r *rig) file(id, token string, role event.Role) event.Media {
	r.t.Helper()
	var m event.Media
	r.eventually("a file of the "+string(role), func() bool {
		for _, e := range r.seenBy(id, token) {
			said, _ := e.Body.(event.MessageCreated)
			if file, ok := said.Content.Part.(event.Media); ok && e.Actor.Role == role {
				m = file
			}
		}
		return m.Kind != ""
	})
	return m
}

// link asks for an address a file can be read at.
func (r *rig) link(token, blob string) string {
	r.t.Helper()
	var l struct{ URL string }
	if status := r.api("GET", "/media/"+blob, token, "", nil, &l); status != http.StatusOK || !strings.HasPrefix(l.URL, "/media/") {
		r.t.Fatalf("link to a file: %d %q", status, l.URL)
	}
	return "http://" + r.public + l.URL
}

// serves checks that an address has a file, as a download that can do nothing.
func (r *rig) serves(address string, want []byte) {
	r.t.Helper()
	var got []byte
	var header http.Header
	r.eventually("an answer", func() bool {
		resp, err := r.client.Get(address)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		header = resp.Header
		got, err = io.ReadAll(resp.Body)
		return err == nil && resp.StatusCode == http.StatusOK
	})
	if !bytes.Equal(got, want) || header.Get("Content-Type") != "image/png" || header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(header.Get("Content-Disposition"), "attachment") || !strings.Contains(header.Get("Content-Security-Policy"), "sandbox") {
		r.t.Errorf("%d bytes with %v", len(got), header)
	}
}

func (r *rig) status(address string) int {
	r.t.Helper()
	resp, err := r.client.Get(address)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestPictureFromChatToDesk: a customer of the web chat shows a picture, the
// agent sees it and sends one back; nobody else can.
func TestPictureFromChatToDesk(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	id, token := r.chat()
	r.write(id, token, "person", "okapi agent")
	r.inState(id, "queued")
	up := r.upload(id, token, "../my photo.png", pngOf("one"))
	up.Caption, up.MIME, up.Size = "okapi look", "text/html", 1
	if status := r.shows(id, token, "photo", up); status != http.StatusCreated {
		t.Fatalf("show a picture: %d", status)
	}
	r.say(id, "accept", event.HandoffAccepted{})
	seen := r.file(id, deskToken, event.RoleCustomer)
	if seen.Kind != "image" || seen.MIME != "image/png" || seen.Name != "my photo.png" || seen.Size != int64(len(pngOf("one"))) || seen.Caption != "okapi look" {
		t.Errorf("the desk sees %+v", seen)
	}
	address := r.link(deskToken, seen.Blob)
	r.serves(address, pngOf("one"))

	back := r.upload(id, deskToken, "answer.png", pngOf("two"))
	r.say(id, "answer", event.MessageCreated{Content: event.Content{Part: back}})
	r.serves(r.link(token, r.file(id, token, event.RoleLiveAgent).Blob), pngOf("two"))

	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	forged, expired := u.Query(), u.Query()
	forged.Set("signature", strings.Repeat("A", len(forged.Get("signature"))))
	expired.Set("expires", "1700000000")
	for what, q := range map[string]string{"forged": forged.Encode(), "expired": expired.Encode(), "none": ""} {
		if status := r.status("http://" + r.public + u.Path + "?" + q); status != http.StatusForbidden {
			t.Errorf("signature %s: %d", what, status)
		}
	}
	other, stranger := r.chat()
	for what, status := range map[string]int{"link": r.api("GET", "/media/"+seen.Blob, stranger, "", nil, nil), "message": r.shows(other, stranger, "steal", seen)} {
		if status != http.StatusForbidden && status != http.StatusUnprocessableEntity {
			t.Errorf("a stranger's %s: %d", what, status)
		}
	}
}

// TestPictureToStudio: AI Studio is given a link that serves the agent's file,
// also when the bridge is killed after the upload and after the message.
func TestPictureToStudio(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{studio: `channel = "whatsapp"`})
	r.begin("s1", vonagesim.WhatsApp("s1", "447700900001", "Ada")...)
	id := r.conversation("s1")
	r.say(id, "accept", event.HandoffAccepted{})
	up := r.upload(id, deskToken, "plan.png", pngOf("plan"))
	r.kill()
	r.eventually("a new process", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.restarts > 0 })
	r.say(id, "plan", event.MessageCreated{Content: event.Content{Part: up}})
	r.kill()
	var shown []string
	r.eventually("the picture at AI Studio", func() bool { shown = r.studio.Shown("s1"); return len(shown) > 0 })
	if want := "http://" + r.public + "/media/" + up.Blob + "/plan.png?expires="; !strings.HasPrefix(shown[0], want) {
		t.Fatalf("AI Studio was given %q", shown)
	}
	r.serves(shown[0], pngOf("plan"))
	r.serves(r.link(deskToken, r.file(id, deskToken, event.RoleLiveAgent).Blob), pngOf("plan"))
}

// TestPictureFromVendor: a vendor's picture reaches the web customer through the
// bridge, and is still there when the vendor's link has died.
func TestPictureFromVendor(t *testing.T) {
	t.Parallel()
	var server atomic.Pointer[vonagesim.Desk]
	var asked, dead atomic.Int64
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.URL.Path == "/pictures/cat.png" && dead.Load() == 0:
			asked.Add(1)
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(pngOf("cat"))
		case q.URL.Path == "/pictures/cat.svg":
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = io.WriteString(w, "<svg><script>okapi</script></svg>")
		case strings.HasPrefix(q.URL.Path, "/pictures/"):
			http.NotFound(w, q)
		default:
			server.Load().Handler().ServeHTTP(w, q)
		}
	}))
	defer vendor.Close()
	r := newRig(t, setting{env: []string{"FOOTBRIDGE_ACCOUNTS__VDESK__SETTINGS__BASE_URL=" + vendor.URL}, extra: shop("helper", "vdesk")})
	server.Store(r.desk)
	id, token := r.chatAt("pk_shop")
	r.write(id, token, "person", "okapi agent")
	session := ""
	r.eventually("a start at the live-agent server", func() bool {
		for _, s := range r.desk.Sessions() {
			session = s
		}
		return session != ""
	})
	r.reply(session, "hello")
	say := func(name string) {
		t.Helper()
		if a, err := r.desk.SayMedia(t.Context(), session, "image", vendor.URL+"/pictures/"+name, "okapi look"); err != nil || a.Status/100 != 2 {
			t.Fatalf("the vendor's picture: %+v %v", a, err)
		}
	}
	say("cat.png")
	got := r.file(id, token, event.RoleLiveAgent)
	address := r.link(token, got.Blob)
	dead.Store(1)
	r.serves(address, pngOf("cat"))
	r.serves(r.link(token, got.Blob), pngOf("cat"))
	if asked.Load() != 1 {
		t.Errorf("the picture was fetched %d times", asked.Load())
	}
	for name, want := range map[string]int{"cat.svg": http.StatusUnprocessableEntity, "gone.png": http.StatusOK} {
		say(name)
		var blob string
		r.eventually("the message with "+name, func() bool {
			m := r.file(id, token, event.RoleLiveAgent)
			blob = m.Blob
			return strings.HasSuffix(m.URL, name)
		})
		status := 0
		r.eventually("what became of "+name, func() bool {
			status = r.api("GET", "/media/"+blob, token, "", nil, nil)
			return status != http.StatusNotFound
		})
		if status != want {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// TestPictureClaimedBeforeACrash: the bridge dies between the commit that claims a
// vendor's picture and whatever follows it. The next start fetches the picture, though
// nobody asks for it and no far side is to have it.
func TestPictureClaimedBeforeACrash(t *testing.T) {
	t.Parallel()
	plugins, err := testPlugins()
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 10)
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(pngOf("cat"))
	}))
	defer vendor.Close()
	extra := fmt.Sprintf("[plugins]\ndir = %q\n[accounts.besieged]\nadapter = \"besieged\"\nrole = \"virtual_agent\"\ncredentials = { secret = \"env:BESIEGED_KEY\" }\nallowed_hosts = [%q]\nsettings = {}\n"+
		"[[routes]]\nname = \"besieged\"\nvirtual_agent = \"besieged\"\nlive_agent = [\"desk\"]\n", plugins, strings.TrimPrefix(vendor.URL, "http://"))
	r := newRig(t, setting{extra: extra, env: []string{"BESIEGED_KEY=" + besiegedKey}}, "after_commit:2:bridge") // the first opens the conversation
	if got := r.post("/in/besieged/inbound", fmt.Sprintf(`{"session":{"id":"files"},"text":"files %s/cat.png"}`, vendor.URL)); got != http.StatusOK {
		t.Fatalf("the vendor is answered %d", got)
	}
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("the picture is not fetched")
	}
	if hits, err := os.ReadFile(r.hitLog); err != nil || string(hits) != "after_commit bridge\n" {
		t.Errorf("the crash: %q %v", hits, err)
	}
	id := r.conversation("files")
	r.serves(r.link(deskToken, r.file(id, deskToken, event.RoleCustomer).Blob), pngOf("cat"))
	if len(asked) != 0 {
		t.Errorf("the picture was fetched %d times", 1+len(asked))
	}
}

// TestPictureErased: with its conversation a picture is gone at once, by links
// given before too.
func TestPictureErased(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	id, token := r.chat()
	up := r.upload(id, token, "photo.png", pngOf("gone"))
	if status := r.shows(id, token, "photo", up); status != http.StatusCreated {
		t.Fatalf("show a picture: %d", status)
	}
	address := r.link(deskToken, up.Blob)
	r.serves(address, pngOf("gone"))
	if status := r.api("POST", "/erasures", deskToken, "", map[string]string{"conversation": id, "reason": "request 1"}, nil); status != http.StatusOK {
		t.Fatalf("erase: %d", status)
	}
	if status := r.status(address); status != http.StatusGone {
		t.Errorf("the link given before: %d", status)
	}
	if status := r.api("GET", "/media/"+up.Blob, deskToken, "", nil, nil); status != http.StatusGone {
		t.Errorf("a new link: %d", status)
	}
}
