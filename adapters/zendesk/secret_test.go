package zendesk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/zendesk"
	"github.com/footbridge/footbridge/bridge/adapter"
)

// TestSecretOfTheWebhook: Zendesk shows the secrets of webhooks to whoever reads or makes
// them. A check keeps none of it, reports none, and sends none on.
func TestSecretOfTheWebhook(t *testing.T) {
	const hook = `{"id":"w1","target":"https://bridge.example/in/desk/webhook","triggers":[],"secret":"canary-4711","Secret":"canary-4711"}`
	answers := map[string]string{
		"check/app":    `{"app":{"displayName":"Acme"}}`,
		"check/boards": `{"switchboards":[{"id":"b1","enabled":true}]}`,
		"check/find":   `{"integrations":[{"id":"i0","displayName":"other","webhooks":[` + hook + `]}]}`,
		"check/make":   `{"integration":{"id":"i1","webhooks":[` + hook + `]}}`,
		"check/join":   `{}`,
		"check/hook":   `{"webhook":` + hook + `}`,
	}
	for name, more := range map[string][2]string{
		"nothing is there":     {`{"switchboardIntegrations":[{"name":"zd-agentWorkspace"}]}`, `{"webhooks":[]}`},
		"the webhook is there": {`{"switchboardIntegrations":[{"name":"footbridge","integrationId":"i1","deliverStandbyEvents":true},{"name":"zd-agentWorkspace"}]}`, `{"webhooks":[` + hook + `]}`},
		"the webhook is another": {`{"switchboardIntegrations":[{"name":"footbridge","integrationId":"i1","deliverStandbyEvents":true},{"name":"zd-agentWorkspace"}]}`,
			`{"webhooks":[` + strings.Replace(hook, "bridge.example", "other.example", 1) + `]}`},
	} {
		t.Run(name, func(t *testing.T) {
			answers["check/members"], answers["check/hooks"] = more[0], more[1]
			shown := checked(t, answers)
			if !strings.Contains(shown, "canary-4711") {
				return
			}
			t.Errorf("the secret is in what the check leaves: %s", shown)
		})
	}
}

// checked has an account prove itself, and gives all that the adapter leaves of it.
func checked(t *testing.T, answers map[string]string) string {
	t.Helper()
	var all strings.Builder
	var state []byte
	a, steps := account(), 0
	a.PublicURL = "https://bridge.example/in/desk"
	for inputs := []adapter.Input{adapter.Check{ID: "check", Create: true}}; len(inputs) > 0; inputs = inputs[1:] {
		out := adapter.Run(zendesk.Definition(), adapter.Turn{Account: a, State: state, StateVersion: 1, Input: inputs[0]})
		state = out.State
		fmt.Fprintf(&all, "%s %v %s\n", state, out.Unknown, out.Err)
		for _, effect := range out.Effects {
			switch x := effect.(type) {
			case adapter.Calling:
				steps++
				fmt.Fprintf(&all, "%s %s %v %s\n", x.Tag, x.Call.URL, x.Call.Header, x.Call.Content())
				inputs = append(inputs, adapter.Result{Tag: x.Tag, Status: 200, Body: []byte(answers[x.Tag])})
			case adapter.Answer:
				all.Write(x.Reply.Body)
				if steps < 4 {
					t.Errorf("it ended after %d calls: %s", steps, all.String())
				}
				return all.String()
			}
		}
	}
	t.Fatalf("no report: %s", all.String())
	return ""
}
