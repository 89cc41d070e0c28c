package bridge_test

// row says where one row of the catalogue of bad input is automated: in tests by
// name, or in cases whose names begin with the row's; or why it is not.
type row struct {
	folder string
	// tests are between blanks: of the folder, or FOLDER.NAME of another; "cases" are
	// those of the row's name.
	tests string
	not   string // what of the row does not apply, and why
}

const (
	inDoors  = "bridge/internal/ingress"
	inSigned = "bridge/internal/signature"
	inSocket = "bridge/internal/ws"
	program  = "bridge/cmd/footbridge"
	inApp    = "bridge/internal/app"
	inConfig = "bridge/internal/config"
	inHost   = "bridge/internal/host"
	inAPI    = "bridge/internal/api"
	inWeb    = "bridge/internal/web"
	inEngine = "bridge/internal/engine"
	inTalk   = "bridge/internal/conversation"
	inEgress = "bridge/internal/egress"
	inMedia  = "bridge/internal/media"
	inSecret = "bridge/internal/credential"
	inStore  = "bridge/internal/journal/sqlite"
	inWire   = "bridge/adapter/adapterpb"
	inLaws   = "bridge/adapter/adaptertest"
	stories  = "plugins/stories"
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
