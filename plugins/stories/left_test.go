package stories

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/bridge/event"
)

// held tells which of the words are in the journal's folder, in what files hold and
// in what they are called.
func (r *rig) held(words []string) (found []string) {
	r.t.Helper()
	var everything bytes.Buffer
	err := filepath.WalkDir(filepath.Join(r.dir, "data"), func(name string, d os.DirEntry, err error) error {
		fmt.Fprintln(&everything, name)
		if err == nil && d.Type().IsRegular() {
			data, err := os.ReadFile(name)
			everything.Write(data)
			return err
		}
		return nil // gone since
	})
	if err != nil {
		r.t.Error(err)
	}
	for _, word := range words {
		if bytes.Contains(everything.Bytes(), []byte(word)) {
			found = append(found, word)
		}
	}
	return found
}

// TestNothingOfTheErasedIsLeft: what two customers were known by, said, sent and had
// refused is in no file of the journal's folder once they are erased, while the bridge
// runs and after; until then of it only what something is looked up by lies open.
func TestNothingOfTheErasedIsLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	const session, phone = "quokka-session-4711", "447700904711"
	r.begin(session, vonagesim.WhatsApp(session, phone, "Quentin Quokka")...)
	studio := r.conversation(session)
	said := r.tell(session, "quokka words")
	r.say(studio, "quokka-accept", event.HandoffAccepted{})
	r.studio.Fail(vonagesim.Fault{Endpoint: "outbound", Times: 1, Status: http.StatusBadRequest})
	r.say(studio, "quokka-refused", event.MessageCreated{Content: event.Plain("okapi quokka reply")})
	var web struct{ Conversation, Token string }
	r.api("POST", "/conversations", deskToken, "quokka-open", map[string]any{"account": "web", "customer": map[string]string{"id": "quokka-customer", "name": "Q. Quokka"}}, &web)
	r.write(web.Conversation, web.Token, "quokka-key", "okapi quokka question")
	up := r.upload(web.Conversation, web.Token, "quokka photo.png", pngOf("quokka"))
	if status := r.shows(web.Conversation, web.Token, "quokka-photo", up); status != http.StatusCreated {
		t.Fatalf("show a picture: %d", status)
	}
	r.eventually("the refused reply has its outcome", func() bool {
		var page struct{ Events []event.Event }
		r.api("GET", "/conversations/"+studio+"/events", deskToken, "", nil, &page)
		for _, e := range page.Events {
			if _, failed := e.Body.(event.MessageFailed); failed {
				return true
			}
		}
		return false
	})
	open := []string{session, "quokka-key", "quokka-refused", up.Blob}
	sealed := []string{phone, said, "Quentin", "Quokka", "quokka words", "quokka reply", "quokka question", "quokka photo", "quokka-customer"}
	if found := r.held(append(open, sealed...)); strings.Join(found, " ") != strings.Join(open, " ") {
		t.Errorf("before, %q lie open, want %q", found, open)
	}
	for _, subject := range []map[string]string{{"conversation": studio, "reason": "request 9"}, {"customer": "quokka-customer", "account": "web", "reason": "request 9"}} {
		if status := r.api("POST", "/erasures", deskToken, "", subject, nil); status != http.StatusOK {
			t.Fatalf("erase: %d", status)
		}
	}
	everything := append(append(open, sealed...), "uokka")
	if found := r.held(everything); len(found) > 0 {
		t.Errorf("while the bridge runs %q are left", found)
	}
	r.stop()
	if found := r.held(everything); len(found) > 0 {
		t.Errorf("after its end %q are left", found)
	}
}
