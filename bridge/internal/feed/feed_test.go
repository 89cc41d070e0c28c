package feed_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestStoredThenAcknowledged: no frame is acknowledged before it is stored, what is for
// one leg is stored in its order, and nobody waits for another's.
func TestStoredThenAcknowledged(t *testing.T) {
	v := newVendor(t)
	l := listen(t, account(v, token))
	gate := l.book.hold("a")
	v.say(0, "1", "event", `{"key":"a","text":"one"}`)
	v.say(0, "2", "press", `{"key":"a","text":"two"}`)
	v.say(0, "3", "event", `{"key":"b","text":"three"}`)
	if got := v.heard(1); !slices.Equal(got, []string{ack("3")}) {
		t.Fatalf("acknowledged are %q while the first is being stored", got)
	}
	gate <- true
	if got := v.heard(2); got[1] != ack("1") {
		t.Errorf("acknowledged are %q", got)
	}
	gate <- true
	if got := v.heard(3); got[2] != ack("2") {
		t.Errorf("acknowledged are %q", got)
	}
	want := []string{`desk events b three{"ke`, `desk events a one{"ke`, `desk actions a two{"ke`}
	if _, stored := l.book.all(); !slices.Equal(stored, want) {
		t.Errorf("stored are %q", stored)
	}
}

func sorted(all []string) []string {
	slices.Sort(all)
	return all
}

// TestNotStored: what could not be stored is not acknowledged, so that it comes again;
// the next of the leg is not kept by it.
func TestNotStored(t *testing.T) {
	v := newVendor(t)
	l := listen(t, account(v, token))
	gate := l.book.hold("a")
	v.say(0, "1", "event", `{"key":"a","text":"one"}`)
	gate <- false
	v.say(0, "2", "event", `{"key":"a","text":"two"}`)
	gate <- true
	v.say(0, "3", "event", `{"key":"a","text":"nobody lets it"}`) // until patience ends
	v.say(0, "4", "old", `{"key":"b"}`)                           // the endpoint is no more
	v.say(0, "5", "event", `{"key":"b"}`)
	if got := sorted(v.heard(2)); !slices.Equal(got, []string{ack("2"), ack("5")}) {
		t.Errorf("acknowledged are %q", got)
	}
	l.stop()
	<-l.ended
	if _, stored := l.book.all(); len(stored) != 2 {
		t.Errorf("stored are %q", stored)
	}
}

// TestFramesOfNobody: what is no endpoint's is acknowledged where it has an id, for it
// would come again; and what the vendor says of the line is not.
func TestFramesOfNobody(t *testing.T) {
	v := newVendor(t)
	l := listen(t, account(v, token))
	v.say(0, "1", "brand new", `{}`)
	for _, text := range []string{`{"type":"status"}`, `{"type":7}`, `[]`, `not JSON`, `{"envelope_id":{"no":1},"type":"event"}`} {
		v.write(v.line(0), text)
	}
	v.write(v.line(0), `{"type":"event","payload":{"key":"a","text":"without an id"}}`)
	v.say(0, "2", "event", `{"key":"a","text":"the last"}`)
	if got := sorted(v.heard(3)); !slices.Equal(got, []string{ack("1"), ack("2"), `{"envelope_id":{"no":1}}`}) {
		t.Errorf("acknowledged are %q", got)
	}
	if _, _, counted := l.notes(); !slices.Equal(counted, []string{"desk refused kind", "desk refused syntax"}) {
		t.Errorf("counted are %q", counted)
	}
	if _, stored := l.book.all(); len(stored) != 3 || !slices.Contains(stored, "desk events  ") {
		t.Errorf("stored are %q", stored)
	}
}

// TestAnnouncedEnd: where the vendor says that it will hang up, the next line stands
// before the old one is gone, and nothing was missed.
func TestAnnouncedEnd(t *testing.T) {
	v := newVendor(t)
	l := listen(t, account(v, token))
	v.write(v.line(0), `{"type":"disconnect","reason":"warning"}`)
	v.write(v.line(0), `{"type":"disconnect","reason":"refresh_requested"}`)
	v.say(1, "1", "event", `{"key":"a","text":"on the new"}`)
	v.say(0, "2", "event", `{"key":"a","text":"on the old"}`)
	v.heard(2)
	if v.standing() != 2 || !l.state().Up {
		t.Errorf("%d lines stand, %+v", v.standing(), l.state())
	}
	_ = v.line(0).Close(websocket.StatusNormalClosure, "")
	eventually(t, func() bool { return v.standing() == 1 })
	v.say(1, "3", "event", `{"key":"a","text":"still on the new"}`)
	v.heard(3)
	log, reached, counted := l.notes()
	if !slices.Equal(reached, []string{"desk"}) || !slices.Equal(counted, []string{"desk reopened socket"}) || !l.state().Up {
		t.Errorf("reached %q, counted %q, %+v", reached, counted, l.state())
	}
	if strings.Contains(log, "feed lost") {
		t.Errorf("nothing was lost: %s", log)
	}
}

// TestLineLost: after the line was down and stands again, what was said meanwhile has
// to be read back.
func TestLineLost(t *testing.T) {
	v := newVendor(t)
	l := listen(t, account(v, token))
	first := v.line(0)
	eventually(t, func() bool { return l.state().Up })
	_ = first.CloseNow()
	v.line(1)
	eventually(t, func() bool { return l.state().Up })
	log, reached, counted := l.notes()
	if !slices.Equal(reached, []string{"desk", "desk"}) || !slices.Equal(counted, []string{"desk reopened socket"}) {
		t.Errorf("reached %q, counted %q", reached, counted)
	}
	if !strings.Contains(log, "feed lost") || strings.Contains(log, token) || strings.Contains(log, "s3cret") {
		t.Errorf("the log is %s", log)
	}
}

// TestNotOpened: why a feed does not stand is said for people, with the mend and
// without anything secret; and nobody is dialled who is not the account's.
func TestNotOpened(t *testing.T) {
	stranger := newVendor(t)
	answer := func(text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { fmt.Fprint(w, text) }
	}
	for name, c := range map[string]struct {
		secret string
		answer func(http.ResponseWriter)
		want   []string
	}{
		"a wrong credential":          {"wrong", nil, []string{"it answered 401", "credential app is good"}},
		"a refusal that looks good":   {token, answer(`{"ok":false,"error":"invalid_auth"}`), []string{"has none at /url", "credential app is good"}},
		"an address that is not JSON": {token, answer(`ws://`), []string{"has none at /url"}},
		"a stranger's address":        {token, answer(`{"url":"ws://` + stranger.host() + `/line?ticket=s3cret"}`), []string{"connect to " + stranger.host(), "allowed_hosts"}},
		"no address":                  {token, answer(`{"url":"s3cret"}`), []string{"an address that is none"}},
		"an address to call":          {token, answer(`{"url":"http://` + stranger.host() + `/s3cret"}`), []string{"allowed_hosts"}},
		"trouble at the vendor":       {token, func(w http.ResponseWriter) { w.WriteHeader(503) }, []string{"it answered 503"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			v.answer = c.answer
			l := listen(t, account(v, c.secret))
			eventually(t, func() bool { return strings.Contains(l.state().Reason, c.want[0]) })
			state := l.state()
			log, _, _ := l.notes()
			if state.Up || !strings.Contains(state.Reason, c.want[len(c.want)-1]) || !strings.Contains(log, "feed not opened") {
				t.Errorf("%+v, log %s", state, log)
			}
			for _, secret := range []string{token, c.secret, "s3cret"} {
				if strings.Contains(log+state.Reason, secret) && secret != "wrong" {
					t.Errorf("%s is told: %s %s", secret, state.Reason, log)
				}
			}
		})
	}
	if stranger.asked > 0 || len(stranger.lines) > 0 {
		t.Error("a stranger was called")
	}
}

// TestConfigured: what stays as it was goes on, what changes begins anew, and what is
// not wanted any more ends.
func TestConfigured(t *testing.T) {
	v := newVendor(t)
	l := listen(t, account(v, token))
	v.line(0)
	l.configure(account(v, token))
	v.say(0, "1", "event", `{"key":"a"}`)
	v.heard(1)
	time.Sleep(50 * time.Millisecond)
	if v.standing() != 1 || len(v.lines) != 1 {
		t.Fatalf("%d lines stand after nothing changed", v.standing())
	}
	changed := account(v, token)
	changed.Feeds[0].Ack = ""
	l.configure(changed)
	v.say(1, "2", "event", `{"key":"a"}`)
	eventually(t, func() bool { _, stored := l.book.all(); return len(stored) == 2 && v.standing() == 1 })
	fewer := account(v, token)
	fewer.Feeds[0].Ack, fewer.Hosts = "", append(fewer.Hosts, "other.example")
	l.configure(fewer)
	v.line(2)
	next := account(v, "other")
	next.Feeds, next.Hosts = fewer.Feeds, fewer.Hosts
	l.configure(next)
	eventually(t, func() bool { return strings.Contains(l.state().Reason, "401") && v.standing() == 0 })
	l.configure(account(v, token))
	v.line(3)
	l.configure()
	eventually(t, func() bool { return v.standing() == 0 && len(l.States()) == 0 })
	if got := v.acknowledged(); len(got) != 1 {
		t.Errorf("acknowledged are %q", got)
	}
}

// TestSlowEngine: while much is being stored nothing more is read, and in the end all
// of it is stored, once.
func TestSlowEngine(t *testing.T) {
	v := newVendor(t)
	a := account(v, token)
	a.Feeds[0].Ack = "" // the vendor says nothing again
	l := listen(t, a)
	gate := l.book.hold("a")
	line := v.line(0)
	const frames, most = 100, 32 + 1
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i := range frames {
			v.write(line, fmt.Sprintf(`{"type":"event","payload":{"key":"a","text":"%d","more":%q}}`, i, strings.Repeat("x", 100<<10)))
		}
	}()
	eventually(t, func() bool { read, _ := l.book.all(); return len(read) == most })
	time.Sleep(300 * time.Millisecond)
	if read, _ := l.book.all(); len(read) != most {
		t.Errorf("%d frames are read while none is stored", len(read))
	}
	select {
	case <-sent:
		t.Error("the vendor was not slowed down")
	default:
	}
	for range frames {
		gate <- true
	}
	<-sent
	eventually(t, func() bool { _, stored := l.book.all(); return len(stored) == frames })
	_, stored := l.book.all()
	for i, what := range stored {
		if what != fmt.Sprintf(`desk events a %d{"ke`, i) {
			t.Fatalf("the %d. is %s", i, what)
		}
	}
}

// TestLongFrame: what is too long for an endpoint is for the endpoint to turn away: a
// line that ended over it would have it come again on the next.
func TestLongFrame(t *testing.T) {
	v := newVendor(t)
	l := listen(t, account(v, token))
	v.say(0, "1", "event", fmt.Sprintf(`{"key":"a","more":%q}`, strings.Repeat("x", 1<<20)))
	v.heard(1)
	if v.standing() != 1 || !l.state().Up {
		t.Errorf("the line does not stand: %+v", l.state())
	}
}
