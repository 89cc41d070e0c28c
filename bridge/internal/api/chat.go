package api

import "net/http"

// Chat is how the chat of a customer account looks and speaks.
type Chat struct {
	// Title is at its head while nobody in particular speaks; "" is the text title.
	Title string `json:"title,omitempty"`
	// Color and ColorDark are as #rrggbb; "" is the chat's own.
	Color     string `json:"color,omitempty"`
	ColorDark string `json:"color_dark,omitempty"`
	// Theme is auto, light or dark.
	Theme string `json:"theme,omitempty"`
	// Survey says to ask for a rating when a conversation has ended.
	Survey bool `json:"survey"`
	// Language is the account's own.
	Language string `json:"language,omitempty"`
	// Pictures are the sites pictures of people may come from, beside the bridge.
	Pictures []string `json:"pictures,omitempty"`
	// Texts are words by language and key, in place of the chat's own.
	Texts map[string]map[string]string `json:"texts"`
}

// getChat tells a page what it needs before it opens a conversation. Nothing of it
// is secret: a page of another site has to be an allowed one all the same.
func (a *API) getChat(w http.ResponseWriter, r *http.Request, _ principal) error {
	key, name := r.URL.Query().Get("publishable_key"), r.URL.Query().Get("account")
	for account, site := range a.setup.Load().Sites {
		if key != "" && key != site.PublishableKey || key == "" && name != account {
			continue
		}
		if site.Chat.Texts == nil {
			site.Chat.Texts = map[string]map[string]string{}
		}
		if err := a.fromSite(site, r); err != nil {
			w.Header().Set("Access-Control-Allow-Origin", "*") // so that its makers are told why there is no chat
			return err
		}
		return answer(w, http.StatusOK, site.Chat)
	}
	return fault(codeNotFound).at("publishable_key").mending("use the publishable_key of a native customer account, or its name as account")
}
