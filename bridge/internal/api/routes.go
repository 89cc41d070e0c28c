package api

import (
	"net/http"
	"slices"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
	"github.com/footbridge/footbridge/bridge/internal/media"
)

// route is one row of the API.
type route struct {
	method, path string
	// roles are whom it is for; nil is everybody, also without a token.
	roles []string
	// stream says a ticket opens it, socket that it is a WebSocket.
	stream, socket bool
	// file says its body is a file's bytes.
	file   bool
	handle func(*API, http.ResponseWriter, *http.Request, principal) error

	// What openapi.json says of it.
	summary string
	query   []string
	body    any
	status  int
	result  any
}

// routes is the whole API.
func routes() []route {
	return slices.Concat(signingIn(), talking(), atTheDesk(), operating())
}

func staff() []string { return []string{roleLiveAgent, roleSupervisor, roleOperator} }

func anyone() []string { return append([]string{roleCustomer}, staff()...) }

func watchers() []string { return []string{roleSupervisor, roleOperator} }

func list() []string { return []string{"limit", "after"} }

func follow() []string { return []string{"after", "conversation", "kind", "agent", "ticket"} }

// signingIn is how callers say who they are.
func signingIn() []route {
	return []route{
		{method: "GET", path: "/openapi.json", handle: (*API).getDescription, summary: "This description.", status: 200},
		{method: "POST", path: "/session", handle: (*API).postSession, summary: "Sign a browser in with a token.", body: signInBody{}, status: 200, result: Me{}},
		{method: "DELETE", path: "/session", handle: (*API).deleteSession, summary: "Sign a browser out; with everywhere=true all that are signed in with the same token.", query: []string{"everywhere"}, status: 204},
		{method: "GET", path: "/session/start", handle: (*API).startSignIn, summary: "Send a browser to the OpenID Connect provider to sign in.", query: []string{"next"}, status: 303},
		{method: "GET", path: "/session/finish", handle: (*API).finishSignIn, summary: "Where the provider sends it back to.", query: []string{"code", "state", "iss", "error"}, status: 303},
		{method: "GET", path: "/me", roles: anyone(), handle: (*API).getMe, summary: "Who the caller is.", status: 200, result: Me{}},
		{method: "POST", path: "/tickets", roles: anyone(), handle: (*API).postTicket, summary: "A ticket that opens one stream or socket, once, within 30 seconds.", status: 201, result: Ticket{}},
	}
}

// talking is conversations, their events and files, and following them.
func talking() []route {
	return []route{
		{method: "GET", path: "/chat", handle: (*API).getChat, summary: "How an account's chat looks and speaks; for pages that may open a conversation there.",
			query: []string{"publishable_key", "account"}, status: 200, result: Chat{}},
		{method: "GET", path: "/conversations", roles: staff(), handle: (*API).listConversations, summary: "Conversations, newest first; with left=true those where a message the customer left waits.",
			query: append(list(), "state", "owner", "queue", "account", "agent", "route", "since", "left", "q"), status: 200, result: ConversationList{}},
		{method: "POST", path: "/conversations", handle: (*API).postConversation, summary: "Open a conversation as a customer, with an account's publishable key, or for one, with a token.",
			body: Opening{}, status: 201, result: Opened{}},
		{method: "GET", path: "/conversations/{id}", roles: anyone(), handle: (*API).getConversation, summary: "One conversation.", status: 200, result: Conversation{}},
		{method: "GET", path: "/conversations/{id}/events", roles: anyone(), handle: (*API).listEvents, summary: "A conversation's events, oldest first; a customer's own view for a customer.",
			query: append(list(), "kind", "since"), status: 200, result: EventList{}},
		{method: "POST", path: "/conversations/{id}/events", roles: anyone(), handle: (*API).postEvent, summary: "Say something in a conversation. A live agent takes up a message that was left with handoff.accepted, and says with wrapup.completed that it is dealt with. With Idempotency-Key, once in 24 hours.",
			body: Saying{}, status: 201, result: eventSchema{}},
		{method: "GET", path: "/conversations/{id}/frames", roles: watchers(), handle: (*API).listFrames, summary: "What vendors sent for a conversation, in order of arrival.",
			query: list(), status: 200, result: FrameList{}},
		{method: "GET", path: "/conversations/{id}/trace", roles: watchers(), handle: (*API).getTrace, summary: "How a conversation went, turn by turn: what came, the events it became, what was sent and how that went, for as long as raw frames are kept.",
			query: list(), status: 200, result: Trace{}},

		{method: "POST", path: "/media", roles: []string{roleCustomer, roleLiveAgent}, handle: (*API).postFile, file: true,
			summary: "Give a file to a conversation: its bytes are the body, its type the Content-Type. The answer is the content of the message to send.",
			query:   []string{"conversation", "name"}, status: 201, result: event.Media{}},
		{method: "GET", path: "/media/{handle}", roles: anyone(), handle: (*API).getFile, summary: "A link to a file of a conversation, good for an hour; its url may be relative.",
			status: 200, result: media.Link{}},

		{method: "GET", path: "/events", roles: anyone(), stream: true, handle: (*API).getEvents, summary: "Events as they are stored, as server-sent events; id is the position to go on from. A customer's positions are their conversation's own.",
			query: follow(), status: 200},
		{method: "GET", path: "/socket", roles: anyone(), stream: true, socket: true, handle: (*API).getSocket, summary: "The same both ways over a WebSocket: sends Told, takes Spoken.",
			query: follow(), status: 101, body: Spoken{}, result: Told{}},
	}
}

// atTheDesk is the live agents and what they work with.
func atTheDesk() []route {
	return []route{
		{method: "GET", path: "/agents", roles: staff(), handle: (*API).listAgents, summary: "Everybody at the desk.", status: 200, result: AgentList{}},
		{method: "GET", path: "/agents/{id}/state", roles: staff(), handle: (*API).getAgentState, summary: "One live agent.", status: 200, result: agentSchema{}},
		{method: "PUT", path: "/agents/{id}/state", roles: []string{roleLiveAgent, roleSupervisor}, handle: (*API).putAgentState, summary: "Declare a live agent's state.",
			body: Declaration{}, status: 200, result: agentSchema{}},
		{method: "GET", path: "/desk", roles: staff(), handle: (*API).getDesk, summary: "What live agents are given to work with.", status: 200, result: Tools{}},
		{method: "GET", path: "/queues", roles: staff(), handle: (*API).listQueues, summary: "The desk's queues.", status: 200, result: QueueList{}},
		{method: "GET", path: "/availability", roles: anyone(), handle: (*API).getAvailability, summary: "Whether the desk takes hand-offs now.", query: []string{"queue"}, status: 200, result: Availability{}},
	}
}

// operating is how the bridge stands, and what may be done about it and what it keeps.
func operating() []route {
	return []route{
		{method: "GET", path: "/accounts", roles: staff(), handle: (*API).listAccounts, summary: "How the accounts stand.", status: 200, result: AccountList{}},
		{method: "POST", path: "/accounts/{name}/drain", roles: []string{roleOperator}, handle: (*API).drainAccount, summary: "Let an account take nothing new: no conversation, no hand-off. What it has goes on. It holds until it is resumed.", status: 200, result: Account{}},
		{method: "POST", path: "/accounts/{name}/resume", roles: []string{roleOperator}, handle: (*API).resumeAccount, summary: "Let a drained account take what is new again.", status: 200, result: Account{}},
		{method: "GET", path: "/adapters", roles: watchers(), handle: (*API).listAdapters, summary: "How the plugins stand.", status: 200, result: AdapterList{}},
		{method: "GET", path: "/matrix", roles: watchers(), handle: (*API).getMatrix, summary: "What passes between the accounts.", status: 200, result: PairingList{}},
		{method: "GET", path: "/dead-letters", roles: watchers(), handle: (*API).listDeadLetters, summary: "Inputs whose turn failed for good.", query: list(), status: 200, result: DeadLetterList{}},
		{method: "POST", path: "/dead-letters/{id}/replay", roles: []string{roleOperator}, handle: (*API).replayDeadLetter, summary: "Give a dead letter to its conversation again.", status: 200, result: Replayed{}},

		{method: "POST", path: "/exports", roles: watchers(), handle: (*API).postExport, summary: "All there is of a conversation or a customer, as JSON lines of Exported; it is recorded who asked.", body: DataSubject{}, status: 200, result: Exported{}},
		{method: "POST", path: "/erasures", roles: watchers(), handle: (*API).postErasure, summary: "End a conversation, or all of a customer's, and destroy their content for good.", body: DataSubject{}, status: 200, result: Erasure{}},
		{method: "GET", path: "/audit", roles: []string{roleOperator}, handle: (*API).listAudit, summary: "Who did what to the bridge and what it keeps, newest first.", query: list(), status: 200, result: AuditList{}},
		{method: "GET", path: "/audit/verification", roles: []string{roleOperator}, handle: (*API).verifyAudit, summary: "What the audit trail begins and ends with, if it is whole.", status: 200, result: journal.AuditEnds{}},
	}
}
