// Command footbridge-adapter-slack is the adapter for Slack.
package main

import (
	"github.com/footbridge/footbridge/adapters/slack"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(slack.Definition()) }
