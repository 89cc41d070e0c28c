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
	inCodec  = "bridge/adapter/codec"
	inEvent  = "bridge/event"
	stories  = "plugins/stories"
	dead     = "a body that cannot be parsed is answered 400 and not stored, signed or not: the vendor learns of its fault"
)

// webhooks are the rows of what a vendor's request can be.
var webhooks = map[string]row{
	"H1":  {inDoors, "TestSigned", ""},
	"H2":  {program, "TestEveryDoor", ""},
	"H3":  {inSigned, "TestForms", ""},
	"H4":  {inSigned, "TestMutations", ""},
	"H5":  {inSigned, "TestTimes", ""},
	"H6":  {inDoors, "TestCapturedRequest TestSignedTwice", "there is one node"},
	"H7":  {inDoors, "TestAnotherBodyUnderOneID", "of two bodies the first one counts; a socket's frames are compared by nothing but their id"},
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
	"H29": {inCodec, "TestSplit TestSplitLaws " + inAPI + ".TestBadBodies " + stories + ".TestConversationsCommand", "an adapter splits what its vendor does not take whole, in order; letters that turn the direction are words, written as numbers at a terminal"},
	"H30": {inEvent, "TestTime", "an event has the time of its turn; what a vendor says of time stays beside it, unread"},
	"H31": {inEngine, "TestResumedWordsKeepTheirOrder", "no vendor numbers its messages, so their order is that in which they came"},
	"H32": {inEngine, "TestKeyAfterTheEnd TestARunningConversationEndsBeforeItIsErased " + inTalk + ".TestWordsForAnEndedConversation " + inStore + ".TestNothingIsStoredUnderADestroyedKey " + inDoors + ".TestNoKeyIgnored", ""},
	"H33": {stories, "TestWhatNobodyKnowsIsCounted", "there is no kind for an edit or a deletion: what a vendor says of them is an extension or unknown, and counted"},
	"H34": {inEngine, "TestEchoIsDropped", "an echo is known by its id, ours or the vendor's; without one the words are new"},
	"H35": {"", "", "no endpoint takes batches yet"},
	"H36": {"", "", "no endpoint answers challenges yet"},
	"H37": {inEgress, "TestForgery TestForgeryIsHeard TestForgeryByRedirect TestRebinding TestPublicAddresses TestFetch " + inMedia + ".TestNotFetched", "what is not fetched stays the vendor's address in the event"},
	"H38": {inMedia, "TestRefused TestServed TestLinks TestScan TestNotFetched " + inEgress + ".TestFetch", "nothing is unpacked, so nothing can burst"},
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
	"W16": {inAPI, "TestCrossSiteSockets", "vendors' sockets are for programs, which name no origin; the browsers' is the native API's"},
	"W17": {program, "TestEveryDoor", ""},
	"W18": {inSocket, "TestPipelinedWithHandshake", ""},
	"W19": {inLaws, "TestBrokenToysAreFound", "text and binary reach the adapter, told apart; the law total holds it to any bytes"},
	"W20": {inSocket, "TestStalledReader TestStalledReaderThatWakes", ""},
	"W21": {inSocket, "TestResetMidFrame TestSilence", ""},
	"W22": {inDoors, "TestRateOfPeers TestRateOfAccounts " + inEngine + ".TestNewerSocketReplacesTheOlder", ""},
	"W23": {inAPI, "TestStreamGoesOnWhereItEnded TestCustomersStreamIsTheirOwn TestAStreamDoesNotGoOnBeforeWhatWasDropped", "only the native API resumes"},
	"W24": {inSocket, "TestAutobahn TestStreamsOverSockets", "every case is played in the role of the client too"},
	"W25": {inEngine, "TestDialIsTriedUntilItIsGivenUp TestLostConnectionsAreToldOnceAndWordsWait " + inSocket + ".TestErrTellsWhoClosed " + inSocket + ".TestSocketIOSaysWhetherToComeBack", "what a code of its vendor's means is the adapter's, which dials again or does not"},
	"W26": {inEngine, "TestPiecesAreNeverLost TestPiecesAreBounded TestPiecesComeBeforeTheEnd TestAnswerIsNotCompleteInTheMiddleOfAMessage", "pieces are put together in the order of their connection, which loses none; what never comes whole is told as incomplete after two minutes"},
	"W27": {inDoors, "TestSocketsFirstMessageSaysWhose", "a second login is a frame like any other: whose the socket is does not change"},
	"W28": {stories, "TestHTTPAgentSessionEndsMeanwhile TestTotalExpires " + program + ".TestTotalExpires " + inSocket + ".TestPongKeepsOpen", ""},
}
