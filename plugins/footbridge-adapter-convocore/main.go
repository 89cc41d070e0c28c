// Command footbridge-adapter-convocore is the adapter for Convocore.
package main

import (
	"github.com/footbridge/footbridge/adapters/convocore"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(convocore.Definition()) }
