package bridge_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// row says where one row of the catalogue of bad input is automated: in tests by
// name, or in cases whose names begin with the row's; or why it is not.
type row struct {
	folder string
	tests  string // between blanks; "cases" for cases of the row's name
	not    string // what of the row does not apply, and why
}

const (
	inDoors  = "bridge/internal/ingress"
	inSigned = "bridge/internal/signature"
	inSocket = "bridge/internal/ws"
	program  = "bridge/cmd/footbridge"
	inApp    = "bridge/internal/app"
	dead     = "a body that cannot be parsed is answered 400 and not stored, signed or not: the vendor learns of its fault"
	inside   = "what is well formed goes to the adapter and the engine, and is their tests'"
)

// webhooks are the rows of what a vendor's request can be.
var webhooks = map[string]row{
	"H1":  {inDoors, "TestSigned", ""},
	"H2":  {program, "TestEveryDoor", ""},
	"H3":  {inSigned, "TestForms", ""},
	"H4":  {inSigned, "TestMutations", ""},
	"H5":  {inSigned, "TestTimes", ""},
	"H6":  {inDoors, "TestCapturedRequest TestSignedTwice", "there is one node"},
	"H7":  {inDoors, "TestCapturedRequest", "the second body under one id is answered 200 and makes no event; it is neither flagged nor kept"},
	"H8":  {inDoors, "TestOldAndNewKey", ""},
	"H9":  {inSigned, "TestForms", ""},
	"H10": {inSigned, "TestTokens TestTokenSignedWithThePublicKey", ""},
	"H11": {inDoors, "TestSignedAddress", ""},
	"H12": {inDoors, "TestMethodsAndPaths cases", ""},
	"H13": {inDoors, "TestMethodsAndPaths", ""},
	"H14": {inDoors, "cases", ""},
	"H15": {inDoors, "cases", "no body is ever inflated, so nothing can burst"},
	"H16": {inDoors, "TestLimitIsExact cases", ""},
	"H17": {inDoors, "TestSlowBodies cases", "trailers are read and dropped by net/http"},
	"H18": {inDoors, "cases", "a bare line feed ends a line, as RFC 9112 section 2.2 allows; lengths are unaffected"},
	"H19": {inDoors, "TestHeaderFields cases", ""},
	"H20": {inDoors, "TestSignedAndUnreadable cases", ""},
	"H21": {inDoors, "cases", dead},
	"H22": {inDoors, "cases", dead},
	"H23": {inDoors, "cases", dead},
	"H24": {inDoors, "cases", "the limit of the body is the limit of keys and elements"},
	"H25": {inDoors, "cases", ""},
	"H26": {inDoors, "cases", dead},
	"H27": {inDoors, "cases", "the adapters count them"},
	"H28": {inDoors, "cases", ""},
	"H29": {"", "", inside}, "H30": {"", "", inside}, "H31": {"", "", inside}, "H32": {"", "", inside}, "H33": {"", "", inside}, "H34": {"", "", inside},
	"H35": {"", "", "no endpoint takes batches yet"},
	"H36": {"", "", "no endpoint answers challenges yet"},
	"H37": {"", "", "the bridge fetches no address that comes in a message"},
	"H38": {"", "", "the bridge fetches no address that comes in a message"},
	"H39": {inDoors, "TestWhoIsLocal TestSignedAddress TestWhosePace", ""},
	"H40": {inDoors, "TestRateOfPeers TestRateOfAccounts", "strangers from many addresses get 401 before their body is read, and use up nothing of the vendor's"},
	"H41": {inApp, "TestLimitsOfTheListener", "net/http closes them; what is ours is the time and the bound of connections"},
	"H42": {inApp, "TestTLSVersions", "a server has one certificate, which the caller checks, whatever name it asked for; Go has neither renegotiation nor early data on a server"},
	"H43": {inDoors, "TestVendorHangsUp TestCapturedRequest", ""},
	"H44": {inDoors, "TestNotStored", ""},
}

// sockets are the rows of what the far side of a WebSocket can send.
var sockets = map[string]row{
	"W1": {inSocket, "TestStreamsOverSockets", ""}, "W2": {inSocket, "TestStreamsOverSockets", ""},
	"W3": {inSocket, "TestClaimedLengthReservesNothing TestSlowMessage", ""}, "W4": {inSocket, "TestStreamsOverSockets", ""}, "W5": {inSocket, "TestStreamsOverSockets", ""},
	"W6":  {inSocket, "TestAutobahn", "compression is never agreed on"},
	"W7":  {inSocket, "TestAutobahn", ""},
	"W8":  {inSocket, "TestAutobahn", ""},
	"W9":  {inSocket, "TestAutobahn", ""},
	"W10": {inSocket, "TestStreamsOverSockets", ""},
	"W11": {inSocket, "TestAutobahn TestTextMustBeUTF8", ""},
	"W12": {inSocket, "TestAutobahn", ""},
	"W13": {inSocket, "TestStreamsOverSockets TestGuardRefillsAndRests", ""},
	"W14": {inSocket, "TestAutobahn", "compression is never agreed on: a compressed frame is a reserved bit"},
	"W15": {inSocket, "TestHandshakeRefused", ""},
	"W16": {"", "", "vendors' sockets are for programs; the browsers' is the native API's, and tested there"},
	"W17": {program, "TestEveryDoor", ""},
	"W18": {inSocket, "TestPipelinedWithHandshake", ""},
	"W19": {"", "", "text and binary reach the adapter, which knows what its vendor sends"},
	"W20": {inSocket, "TestStalledReader TestStalledReaderThatWakes", ""},
	"W21": {inSocket, "TestResetMidFrame TestSilence", ""},
	"W22": {inDoors, "TestRateOfPeers TestRateOfAccounts", "that the newest socket of a key wins is the engine's"},
	"W23": {"", "", "only the native API resumes; it is tested there"},
	"W24": {inSocket, "TestAutobahn TestStreamsOverSockets", "every case is played in the role of the client too"},
	"W25": {"", "", inside}, "W26": {"", "", inside},
	"W27": {inDoors, "TestSocketsFirstMessageSaysWhose", "a second login is a frame like any other: whose the socket is does not change"},
	"W28": {"", "", inside},
}

// TestCatalogue: every row of the catalogue is automated where it says, or says why
// not.
func TestCatalogue(t *testing.T) {
	for prefix, rows := range map[string]map[string]row{"H": webhooks, "W": sockets} {
		last := map[string]int{"H": 44, "W": 28}[prefix]
		for n := 1; n <= last; n++ {
			name := fmt.Sprintf("%s%d", prefix, n)
			t.Run(name, func(t *testing.T) {
				r, listed := rows[name]
				if !listed || r.tests == "" && r.not == "" {
					t.Fatal("is neither automated nor said not to apply")
				}
				for test := range strings.FieldsSeq(r.tests) {
					wanted := regexp.QuoteMeta("func " + test + "(")
					if test == "cases" {
						wanted = `[{\t]"` + name + ` `
					}
					if !tells(t, r.folder, wanted) {
						t.Errorf("%s has no %s", r.folder, test)
					}
				}
			})
		}
		if len(rows) != last {
			t.Errorf("%s has %d rows, the catalogue %d", prefix, len(rows), last)
		}
	}
}

// tells reports whether a test file of the folder has the expression.
func tells(t *testing.T, folder, expression string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", folder, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(expression).Match(data) {
			return true
		}
	}
	return false
}
