// Command footbridge-adapter-libredesk is the adapter for Libredesk.
package main

import (
	"github.com/footbridge/footbridge/adapters/libredesk"
	"github.com/footbridge/footbridge/bridge/adapter/serve"
)

func main() { serve.Main(libredesk.Definition()) }
