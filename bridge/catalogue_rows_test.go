package bridge_test

// letter is one part of the catalogue of bad input.
type letter struct {
	name  string
	rows  int
	table map[string]row
	// unparsed are the rows that go to no parser of ours: what others read, and what
	// is not bytes but a way to behave.
	unparsed string
}

func catalogue() []letter {
	return []letter{
		{"H", 44, webhooks, httpRead + " H2 H6 H7 H8 H11 H13 H29 H30 H31 H32 H33 H34 H35 H36 H38 H39 H40 H41 H42 H43 H44"},
		{"W", 28, sockets, "W3 W15 W16 W17 W18 W19 W20 W21 W22 W23 W25 W26 W27 W28"},
		{"G", 18, plugins, "G1 G2 G3 G4 G5 G7 G9 G10 G11 G12 G13 G14 G15 G16 G17 G18"},
		{"C", 16, settings, "C13 C16"},
		{"L", 10, lines, "L3 L4 L5 L7 L8 L9 L10"},
		{"O", 15, operators, "O1 O2 O3 O4 O5 O6 O7 O9 O10 O11 O12 O13 O15"},
	}
}

// httpRead are the rows that net/http reads.
const httpRead = "H12 H14 H15 H16 H17 H18 H19"

func seeds() []seed {
	return []seed{
		{"H1 H3 H9", inSigned, "FuzzVerify", "formCases"},
		{"H4", inSigned, "FuzzVerify", "schemes"},
		{"H5", inSigned, "FuzzVerify", "badTimes"},
		{"H10", inSigned, "FuzzToken", "tokenCases"},
		{"H20 H21 H22 H23 H24 H25 H26 H28", inDoors, "FuzzFields", "badRequests"},
		{"H37", inEgress, "FuzzTarget", "forgeries"},
		{"H27", inDoors, "FuzzFields", "oddRequests"},
		{"W1 W2 W4 W5 W10 W13", inSocket, "FuzzGuard", "streamCases"},
		{"W6 W7 W8 W9 W11 W12 W14 W24", inSocket, "FuzzGuard", "suite"},
		{"G6 G8", inWire, "FuzzDecodeOutcome", "badOutcomes"},
		{"C1", inConfig, "FuzzParse", "noText"},
		{"C2 C3 C4 C5 C7 C8 C9 C10 C11 C12 C14 C15", inConfig, "FuzzParse", "broken"},
		{"C6", inConfig, "FuzzParse", "badOverrides"},
		{"L1 L2 L6", program, "FuzzArguments", "wrongLines"},
		{"O8", inAPI, "FuzzQuery", "OddQueries"},
		{"O14", inAPI, "FuzzStrict", "BadBodies"},
	}
}

// plugins are the rows of what an adapter's process can be, do and reply.
var plugins = map[string]row{
	"G1":  {inHost, "cases TestBadStarts", ""},
	"G2":  {inHost, "TestRefusedBeforeTheyRun TestOnlyThePinnedProgramRuns", "a link is followed, and what is behind it is held to the same"},
	"G3":  {inHost, "TestCrashLoopIsQuarantined TestExitInTurn " + stories + ".TestCrashLoop", ""},
	"G4":  {inHost, "TestStoppedPluginTimesOut TestStoppedIdlePluginIsNoticed " + inEngine + ".TestKillerBecomesDeadLetter", "a turn has the time the operator gives it, 5 s by default"},
	"G5":  {inHost, "cases " + inEngine + ".TestPoisonBecomesDeadLetter", ""},
	"G6":  {inHost, "cases " + inWire + ".TestNotDecoded", ""},
	"G7":  {inHost, "cases", "a turn is of one leg, and an adapter names no conversation or account in its reply"},
	"G8":  {inHost, "cases " + inWire + ".TestNotDecoded", ""},
	"G9":  {inLaws, "TestBrokenToysAreFound", "the laws find it before an adapter is trusted; no turn is taken twice for it while it serves"},
	"G10": {inEgress, "TestAllowList TestHeadersAndMethods TestForgery", ""},
	"G11": {inSecret, "TestReplaceRefuses " + inEgress + ".TestPlaceholders", ""},
	"G12": {inHost, "cases TestPrintsComeToTheLogCapped", ""},
	"G13": {inEngine, "TestGiveUp TestRepeatRules " + inEgress + ".TestRetryAfter", ""},
	"G14": {inHost, "cases TestBadStarts " + inLaws + ".TestHonest", ""},
	"G15": {inHost, "cases TestNothingOutlivesAPlugin TestKilledHostLeavesNoPlugin", ""},
	"G16": {inHost, "TestHostilePluginIsDenied TestHostilePluginOfAnotherAccount", ""},
	"G17": {inHost, "cases", ""},
	"G18": {inHost, "cases TestStoppedIdlePluginIsNoticed", ""},
}

// settings are the rows of what a configuration can be.
var settings = map[string]row{
	"C1":  {inConfig, "TestLoadRefusesWhatIsNoFile " + stories + ".TestCheckNoFile", ""},
	"C2":  {inConfig, "cases TestSyntaxHasAColumn TestSecretsAreNeverTold", "of the line the key alone is shown, so that nothing of it need be masked"},
	"C3":  {inConfig, "cases TestNearest", ""},
	"C4":  {inConfig, "cases TestMutatedSample", ""},
	"C5":  {inConfig, "cases", ""},
	"C6":  {inConfig, "TestBadOverrides TestTwoVariablesForOneKey TestOverrides TestRandomOverrides", ""},
	"C7":  {inConfig, "cases " + inSecret + ".TestResolve " + inSecret + ".TestResolveRefuses " + stories + ".TestCheckBroken", "a link is followed, for secrets are mounted as links; the mode of what is behind it counts"},
	"C8":  {inConfig, "cases TestNothingIsFilledIn", "nothing is filled in, so nothing is refused for being unset"},
	"C9":  {inConfig, "cases TestWarnings", "plain http to a vendor's host is the operator's choice by base_url; public_url without encryption is a warning"},
	"C10": {inConfig, "cases TestWarnings", "a route names accounts and no routes, and an account has one role and one path, its name, so neither a cycle nor a shared path can be written; a configuration without routes is a warning"},
	"C11": {inConfig, "cases TestWarnings", "the limits of frames and of draining are no settings"},
	"C12": {inConfig, "cases TestLargeFilesStayQuick", "there are no expressions in a configuration"},
	"C13": {stories, "TestReload TestReloadRefused TestReloadsDuringTraffic TestTLS", ""},
	"C14": {inConfig, "cases " + inHost + ".TestRefusedBeforeTheyRun " + inHost + ".TestPinnedChecksumAndManifest " + stories + ".TestChecksums " + stories + ".TestDoctor", "a plugin without a checksum runs, and the doctor warns of it"},
	"C15": {inConfig, "cases " + stories + ".TestListenersRefused " + inApp + ".TestListenMends", ""},
	"C16": {stories, "TestAnotherAccount TestSecondProcess " + inStore + ".TestANewerJournalIsRefused " + inStore + ".TestNetworkFileSystemsAreKnown " + inStore + ".TestAFailedDiskEndsTheJournal " + inApp + ".TestRoom", "a folder that is missing is made; a disk with little room is a fault the doctor finds, and one without ends the bridge"},
}

// lines are the rows of the command line.
var lines = map[string]row{
	"L1":  {program, "cases TestUsage " + stories + ".TestHelp", "-h and --help are what was asked for, with exit code 0"},
	"L2":  {program, "cases TestUsage " + stories + ".TestHelp", ""},
	"L3":  {stories, "TestOutputNotTaken TestReaderGoesAway TestHelp", "it runs on Linux and macOS, which have no code pages; nothing it prints depends on the width or has colours"},
	"L4":  {stories, "TestDeadLettersCommand TestReplayIsResumed " + inEngine + ".TestReplayTwice", "one process serves one company"},
	"L5":  {stories, "TestEraseCommand TestErasingCustomersUnderLoad " + inEngine + ".TestARunningConversationEndsBeforeItIsErased", ""},
	"L6":  {program, "cases TestUsage " + stories + ".TestConversationsCommand", ""},
	"L7":  {stories, "TestSignals TestSecondSignal TestInterrupts TestReaderGoesAway", "one signal ends a command in peace with exit code 1, or 0 where it runs until then; a hangup ends it at once, as nohup expects"},
	"L8":  {stories, "TestAnotherAccount TestSecondProcess", ""},
	"L9":  {stories, "TestDoctor", ""},
	"L10": {stories, "TestStrangeSurroundings TestDoctor", ""},
}

// operators are the rows of what people at desk and console, and pages in their
// browsers, can do.
var operators = map[string]row{
	"O1":  {inAPI, "TestEveryRouteForEveryProof TestEveryRouteForEveryRole TestForeignConversation TestForeignAgent " + inWeb + ".TestNothingElseIsServed", ""},
	"O2":  {inAPI, "TestCrossSite TestOpening TestPreflight", ""},
	"O3":  {inAPI, "TestCrossSiteSockets TestTickets TestTicketsAreBound TestTicketsExpireAndAreBounded", ""},
	"O4":  {inAPI, "TestSignInRotates TestSignOut TestIdleSignInEnds TestSignInEnds TestStreamsEndWithTheirProof", ""},
	"O5":  {inAPI, "TestGuessing TestGuessersAreBounded TestWrongTokensLookAlike " + inSecret + ".TestEqual", "there are tokens and a provider's sign-ins, no names with passwords to list"},
	"O6":  {inWeb, "TestChatAlone TestCustomerAndAgent TestHeadersAreStrict TestFilesKeepThePolicy", "words, names and answers that would run are seen as text in a browser; a corpus of 300 is not played"},
	"O7":  {inWeb, "TestHeadersAreStrict TestPagesAreNotStored " + inAPI + ".TestAnswersHaveStrictHeaders", ""},
	"O8":  {inAPI, "TestOddQueries TestPages TestFilters", "what is searched for are words, neither expressions nor SQL; a mistake is answered 422"},
	"O9":  {stories, "TestErasingCustomersUnderLoad " + inAPI + ".TestACustomerIsExportedAndErased TestSignals", "an export is JSON lines, in which a formula is a text in quotes; it is written as it is read, and one that is cut short says so"},
	"O10": {inAPI, "TestTwoOperators TestDeadLetters", ""},
	"O11": {inAPI, "TestHubLetsSlowReadersGo TestHubDropsPassingEventsFirst TestStreamGoesOnWhereItEnded TestAStreamDoesNotGoOnBeforeWhatWasDropped", "stored events are not sampled: a reader that is too slow is let go, and goes on where it was; positions are numbers of the journal's, no times"},
	"O12": {inDoors, "TestMask " + inAPI + ".TestACustomerIsExportedAndErased", "what is masked is replaced before it is stored, so nobody can reveal it; whoever reads out a conversation has the role, says why and is in the audit trail"},
	"O13": {inAPI, "TestSignInAtTheProvider TestRefusedAtTheProvider " + stories + ".TestPublicSide", ""},
	"O14": {inAPI, "cases TestBadBodies", "what is well formed and wrong is answered 422"},
	"O15": {stories, "TestPublicSide", ""},
}
