package config

import "time"

// Account is one configured login at a vendor (or a built-in), served by one adapter in one role.
type Account struct {
	// Adapter names the plugin: footbridge-adapter-NAME.
	Adapter string `toml:"adapter" required:"true" rule:"name"`
	// Role is what the far side of its legs is.
	Role string `toml:"role" required:"true" oneof:"customer,virtual_agent,live_agent,observer"`
	// Settings are the adapter's own, passed on as they stand: strings, int64, float64, bool, []any, map[string]any.
	Settings map[string]any `toml:"settings"`
	// Credentials refer to secrets by the names the adapter's manifest uses.
	Credentials map[string]Ref `toml:"credentials" keys:"name"`
	// Inbound says where callers of unsigned endpoints show the credential named inbound: query:NAME or header:NAME.
	Inbound string `toml:"inbound" rule:"inbound"`
	// AllowUnauthenticated lets unsigned endpoints answer anybody.
	AllowUnauthenticated bool `toml:"allow_unauthenticated" default:"false"`
	// Hosts are the names under which its endpoints are also served at the root; lower case, unique over accounts.
	Hosts []string `toml:"hosts" rule:"host"`
	// AllowedHosts are hosts (or host:port) it may call beyond those of its adapter's manifest.
	AllowedHosts []string `toml:"allowed_hosts" rule:"hostport"`
	// OnUnknown is what becomes of a delivery of which nobody knows whether it arrived: repeat or fail.
	OnUnknown string `toml:"on_unknown" default:"repeat" oneof:"repeat,fail"`
	// Reconcile is how often its legs read back what a vendor that tells nothing twice may have told unheard.
	Reconcile time.Duration `toml:"reconcile" default:"5m" min:"10s" max:"1h"`
	// PublishableKey lets a browser open a conversation; native customers only, unique over accounts.
	PublishableKey string `toml:"publishable_key" rule:"publishable"`
	// AllowedOrigins are the sites whose pages may do so; customers only.
	AllowedOrigins []string `toml:"allowed_origins" rule:"origin"`
	// Language is that of the bridge's own words where a conversation names none.
	Language string `toml:"language" default:"en" rule:"language"`
	// Chat is how /chat and the widget look and speak; native customers only.
	Chat Chat `toml:"chat"`
}

// Chat is how an account's chat, on our page or another site's, looks and speaks.
type Chat struct {
	// Title is at its head while nobody in particular speaks; empty: the text "title".
	Title string `toml:"title" rule:"label"`
	// Color is that of buttons and of the customer's own words; empty: the chat's own.
	Color string `toml:"color" rule:"color"`
	// ColorDark is the same on dark screens; empty: Color.
	ColorDark string `toml:"color_dark" rule:"color"`
	// Theme is auto (as the customer's screen has it), light or dark.
	Theme string `toml:"theme" default:"auto" oneof:"auto,light,dark"`
	// Survey asks for a rating when a conversation has ended.
	Survey bool `toml:"survey" default:"false"`
	// Pictures are the sites pictures of people may come from, beside the bridge.
	Pictures []string `toml:"pictures" rule:"origin"`
	// Texts are its words by language and key, in place of its own or for a further language.
	Texts map[string]map[string]string `toml:"texts" keys:"language,chat-text" rule:"text"`
}

// set tells whether the file says anything of the chat.
func (c Chat) set() bool {
	return c.Title+c.Color+c.ColorDark != "" || c.Theme != "auto" || c.Survey || len(c.Pictures)+len(c.Texts) > 0
}

// Route says which accounts form a conversation.
type Route struct {
	// Name is shown on pages and kept in the journal; unique.
	Name string `toml:"name" required:"true" rule:"name"`
	// Match narrows the route; empty: everything of its entry account.
	Match Match `toml:"match"`
	// Customer is the account the customer comes through; empty where the virtual agent's platform holds them.
	Customer string `toml:"customer" rule:"name"`
	// VirtualAgent is the account that answers first; empty: straight to people.
	VirtualAgent string `toml:"virtual_agent" rule:"name"`
	// LiveAgent are the accounts a handoff goes to, in order.
	LiveAgent []string `toml:"live_agent" required:"true" rule:"name"`
	// Observers are the accounts that listen to its conversations; what they say goes to the live agent alone.
	Observers []Observer `toml:"observers"`
	// TrustCustomerAttributes lets attributes only the customer gave fill {context.NAME} in an observer's address.
	TrustCustomerAttributes bool `toml:"trust_customer_attributes" default:"false"`
	// Fallback is what follows when no live agent takes it: return or leave_message.
	Fallback string `toml:"fallback" default:"return" oneof:"return,leave_message"`
	// Timers bound the waiting.
	Timers Timers `toml:"timers"`
	// Queue is the queue of a handoff that names none; empty: no queue's hours and limits apply.
	Queue string `toml:"queue" rule:"label"`
}

// Observer is an account that listens.
type Observer struct {
	// Account has the role observer.
	Account string `toml:"account" required:"true" rule:"name"`
	// OpenOn is when it begins to listen: when the conversation starts, a person is requested, or one has accepted.
	OpenOn string `toml:"open_on" default:"accepted" oneof:"started,requested,accepted"`
}

// Entry is the account a conversation of this route begins at: the customer's, or else the virtual agent's.
func (r Route) Entry() string {
	if r.Customer != "" {
		return r.Customer
	}
	return r.VirtualAgent
}

// Match is what a conversation must have for a route to take it; what is empty is not asked for.
type Match struct {
	// Queue is the queue asked for.
	Queue string `toml:"queue" rule:"label"`
	// Language is the customer's.
	Language string `toml:"language" rule:"language"`
	// Attributes must all be in the conversation's context with these values.
	Attributes map[string]string `toml:"attributes" keys:"label" rule:"label"`
}

// Timers bound how long a conversation waits in a state.
type Timers struct {
	// Waiting is from a handoff's request until a live agent accepts.
	Waiting time.Duration `toml:"waiting" default:"5m" min:"1s"`
	// AgentSilence is how long the live agent may leave the customer without an answer.
	AgentSilence time.Duration `toml:"agent_silence" default:"25000s" min:"1s"`
	// CustomerSilence is how long the customer may be silent; 0: for ever.
	CustomerSilence time.Duration `toml:"customer_silence" default:"0s"`
	// Total is the longest a conversation may last.
	Total time.Duration `toml:"total" default:"24h" min:"1s"`
}

// Queue is a waiting line for live agents.
type Queue struct {
	// Hours names the opening hours; empty: always open.
	Hours string `toml:"hours" rule:"label"`
	// MaxWaiting is how many may wait at once; 0: no limit.
	MaxWaiting int `toml:"max_waiting" default:"0" min:"0" max:"1000000"`
	// Assign is pull (agents take from the queue) or push (offered to the longest idle).
	Assign string `toml:"assign" default:"pull" oneof:"pull,push"`
	// WhenNoAgent is what follows while nobody is there: queue or fail.
	WhenNoAgent string `toml:"when_no_agent" default:"queue" oneof:"queue,fail"`
}

// Hours are opening hours; ask them with Open.
type Hours struct {
	// Timezone is an IANA name; the week is read on that wall clock.
	Timezone string `toml:"timezone" default:"UTC" rule:"timezone"`
	// Week holds the open ranges of each day.
	Week Week `toml:"week"`
	// Holidays are the dates, year-month-day, closed all day.
	Holidays []string `toml:"holidays" rule:"date"`
}

// Week holds, for each weekday, ranges such as 09:00-17:30 within the day that do not overlap;
// 24:00 ends a day. A day without a range is closed.
type Week struct {
	// Mon is Monday.
	Mon []string `toml:"mon" rule:"range"`
	// Tue is Tuesday.
	Tue []string `toml:"tue" rule:"range"`
	// Wed is Wednesday.
	Wed []string `toml:"wed" rule:"range"`
	// Thu is Thursday.
	Thu []string `toml:"thu" rule:"range"`
	// Fri is Friday.
	Fri []string `toml:"fri" rule:"range"`
	// Sat is Saturday.
	Sat []string `toml:"sat" rule:"range"`
	// Sun is Sunday.
	Sun []string `toml:"sun" rule:"range"`
}

// Day gives the ranges of one weekday.
func (w Week) Day(day time.Weekday) []string {
	return [...][]string{w.Sun, w.Mon, w.Tue, w.Wed, w.Thu, w.Fri, w.Sat}[day]
}
