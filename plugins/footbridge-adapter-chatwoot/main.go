// Command footbridge-adapter-chatwoot is the adapter for Chatwoot.
package main

import (
	"github.com/footbridge/footbridge/adapters/chatwoot"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(chatwoot.Definition()) }
