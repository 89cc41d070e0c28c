package adapter

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
)

// Tx is one turn while it runs. It gives the turn's facts and records its
// effects, in order; the bridge acts on them after the turn is stored, and not
// at all when Handle returns an error. A Tx is good only within its Handle.
type Tx struct {
	turn    Turn
	state   []byte
	effects []Effect
	ids     int
}

func newTx(t Turn, version int) *Tx {
	if t.StateVersion == 0 {
		t.StateVersion = version
	}
	return &Tx{turn: t, state: t.State}
}

// Now is the time of the turn, the same when the turn is repeated.
func (tx *Tx) Now() time.Time { return tx.turn.Now }

// Account is the account the leg belongs to.
func (tx *Tx) Account() Account { return tx.turn.Account }

// Role is what the leg's far side is.
func (tx *Tx) Role() event.Role { return tx.turn.Account.Role }

// Key is the leg's key at the vendor; see Turn.Key.
func (tx *Tx) Key() string { return tx.turn.Key }

// Conversation is the id of the leg's conversation.
func (tx *Tx) Conversation() string { return tx.turn.Conversation }

// Settings reads the account's settings into v, a pointer to a struct with json
// tags. Configure has accepted them, so an error is a fault of the adapter.
func (tx *Tx) Settings(v any) error {
	if len(tx.turn.Account.Settings) == 0 {
		return nil
	}
	if err := json.Unmarshal(tx.turn.Account.Settings, v); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	return nil
}

// NewID gives a UUID that is the same when the turn is repeated and differs for
// every call within the turn.
func (tx *Tx) NewID() string {
	tx.ids++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/id/%d", tx.turn.ID, tx.ids))
	sum[6] = sum[6]&0x0f | 0x80 // version 8: made by a rule of our own (RFC 9562)
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Credential gives a placeholder for the account's credential or the leg's
// captured token of that name, or "" when there is none. The bridge puts the secret in its place as the
// bytes leave; the adapter never sees it. It is good for calls, dials and sends of this turn only.
func (tx *Tx) Credential(name string) string { return tx.turn.Placeholders[name] }

// Token gives a placeholder for a JSON Web Token (RFC 7519) of these claims that the
// bridge signs with HS256 as the bytes leave, with the credential of that name as its
// key: for a vendor who wants to be told by us who somebody is. It is "" where the
// account has no such credential or the claims have no JSON. It is good in headers and
// bodies of this turn only, and the claims are what the call's record shows; times among them are
// seconds since 1970, counted from Now, and a call may leave as late as its GiveUp.
func (tx *Tx) Token(name string, claims map[string]any) string {
	key := tx.Credential(name)
	body, err := json.Marshal(claims)
	if err != nil || key == "" {
		return ""
	}
	return "fbjwt." + base64.RawURLEncoding.EncodeToString(body) + "." + key
}

// Emit says that something happened at the vendor.
func (tx *Tx) Emit(e Emission) { tx.record(e) }

// Reply answers a request. A request is answered once; later answers are
// dropped and counted.
func (tx *Tx) Reply(request string, r Reply) { tx.record(Answer{request, r}) }

// Report ends a Check with what it found.
func (tx *Tx) Report(check string, findings ...Finding) {
	body, err := json.Marshal(Report{findings})
	if err != nil {
		return // it has nothing that has no JSON
	}
	tx.record(Answer{check, Reply{Status: http.StatusOK, Body: body}})
}

// Hold keeps a request open past the turn, until a Reply or Expired.
func (tx *Tx) Hold(request string) { tx.record(Holding{request}) }

// Call asks for an HTTP call. Its Result comes back under tag, which must not be
// in use in this leg.
func (tx *Tx) Call(tag string, c Call) { tx.record(Calling{tag, c}) }

// Dial asks for a connection; Opened or Closed comes back under conn, a name of
// the adapter's own that is not in use in this leg.
func (tx *Tx) Dial(conn string, d Dial) { tx.record(Dialing{conn, d}) }

// Send writes one message to a connection; its Sent comes back under tag, which
// must not be in use in this leg. With an empty tag nothing comes back.
func (tx *Tx) Send(tag, conn string, data []byte) {
	tx.record(Sending{Tag: tag, Conn: conn, Data: data})
}

// Close closes a connection; its Closed comes back. Closing one that is gone is
// no error.
func (tx *Tx) Close(conn string, code int) { tx.record(Closing{conn, code}) }

// Mint makes a token good for this leg's key at the endpoints whose Auth is
// "minted:"+name, and gives the placeholder that stands for it in the bodies of
// this turn's replies and sends.
func (tx *Tx) Mint(name string, ttl time.Duration) string {
	placeholder := "minted-" + tx.NewID()
	tx.record(Minting{name, placeholder, ttl})
	return placeholder
}

// After asks for Fired{timer} when d has passed.
func (tx *Tx) After(timer string, d time.Duration) { tx.record(Timer{timer, d}) }

// Stop forgets a timer; stopping one that is not set is no error.
func (tx *Tx) Stop(timer string) { tx.record(TimerStop{timer}) }

// Bind gives the leg a key of the vendor's; inbound with that key comes to it.
func (tx *Tx) Bind(key string) { tx.record(Binding{key}) }

// Known ties an event to the vendor's id of it.
func (tx *Tx) Known(eventID, ref string) { tx.record(Learned{eventID, ref}) }

// Later leaves the delivery unsettled: it is offered again after the leg's next
// other turn. In the turn of the delivery's own connection, Opened or Closed with
// ClosedLost, it is offered again at once.
func (tx *Tx) Later() { tx.record(Postponed{}) }

// Fail settles the delivery as failed, for a reason people can read.
func (tx *Tx) Fail(why string) { tx.record(Failure{why}) }

func (tx *Tx) record(e Effect) { tx.effects = append(tx.effects, e) }
