// Command footbridge-adapter-zendesk is the adapter for Zendesk's messaging.
package main

import (
	"github.com/footbridge/footbridge/adapters/zendesk"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(zendesk.Definition()) }
