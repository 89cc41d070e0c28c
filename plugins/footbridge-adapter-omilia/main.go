// Command footbridge-adapter-omilia is the adapter for Omilia Agent Assist.
package main

import (
	"github.com/footbridge/footbridge/adapters/omilia"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(omilia.Definition()) }
