// Command footbridge-adapter-scripted is the built-in virtual agent.
package main

import (
	"github.com/footbridge/footbridge/adapters/scripted"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(scripted.Definition()) }
