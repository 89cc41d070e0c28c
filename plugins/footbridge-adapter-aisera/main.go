// Command footbridge-adapter-aisera is the adapter for Aisera's conversation socket.
package main

import (
	"github.com/footbridge/footbridge/adapters/aisera"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(aisera.Definition()) }
