// Command footbridge-adapter-vonage is the adapter for Vonage AI Studio.
package main

import (
	"github.com/footbridge/footbridge/adapters/vonage"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(vonage.Definition()) }
