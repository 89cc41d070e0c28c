// Code generated from the folders adapters/*/*sim; DO NOT EDIT.

package main

import (
	"github.com/footbridge/footbridge/adapters/aisera/aiserasim"
	"github.com/footbridge/footbridge/adapters/chatwoot/chatwootsim"
	"github.com/footbridge/footbridge/adapters/convocore/convocoresim"
	"github.com/footbridge/footbridge/adapters/libredesk/libredesksim"
	"github.com/footbridge/footbridge/adapters/omilia/omiliasim"
	"github.com/footbridge/footbridge/adapters/slack/slacksim"
	"github.com/footbridge/footbridge/adapters/vonage/vonagesim"
	"github.com/footbridge/footbridge/adapters/zendesk/zendesksim"
)

// simulators are the simulated vendors by name.
func simulators() map[string]simulator {
	return map[string]simulator{
		"aisera":    aiserasim.Simulate,
		"chatwoot":  chatwootsim.Simulate,
		"convocore": convocoresim.Simulate,
		"libredesk": libredesksim.Simulate,
		"omilia":    omiliasim.Simulate,
		"slack":     slacksim.Simulate,
		"vonage":    vonagesim.Simulate,
		"zendesk":   zendesksim.Simulate,
	}
}
