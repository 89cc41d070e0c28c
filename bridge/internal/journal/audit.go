package journal

import "time"

// Audit is one record of the audit trail: who did what to the program or to what
// it keeps. It holds no content: no words, no secrets, no customer's name.
type Audit struct {
	// Position counts the records from 1.
	Position int64     `json:"position"`
	At       time.Time `json:"at"`
	// Who did it: "token NAME", or "footbridge" for the program itself.
	Who    string `json:"who"`
	Action string `json:"action"`
	// Subject is what it was done to: a conversation, a dead letter, an account, a token's name.
	Subject string `json:"subject,omitempty"`
	// Reason is what the person gave for it, Detail what came of it.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Chain is the record's link, in hex: noted elsewhere it proves later that
	// nothing before it was changed.
	Chain string `json:"chain"`
}

// The actions of the audit trail. They are added to, never changed.
const (
	AuditSignedIn   = "session.opened"
	AuditSignedOut  = "session.closed"
	AuditRevealed   = "token.revealed"
	AuditReloaded   = "configuration.reloaded"
	AuditNotLoaded  = "configuration.refused"
	AuditReplayed   = "dead_letter.replayed"
	AuditExported   = "conversation.exported"
	AuditErased     = "conversation.erased"
	AuditRestored   = "journal.restored"
	AuditDrained    = "account.drained"
	AuditResumed    = "account.resumed"
	AuditByItself   = "footbridge" // Audit.Who of what the program does by itself
	MostAuditReason = 200          // bytes of Audit.Reason
)

// AuditEnds are what a verified trail begins and ends with.
type AuditEnds struct {
	// First and Last are positions; First is Last+1 where the trail is empty.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Chain is the last record's link, in hex.
	Chain string `json:"chain"`
}
