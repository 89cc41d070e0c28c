package codec_test

import (
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

func TestAddress(t *testing.T) {
	for _, value := range []string{"", "host", "https://host", "ftp://host", "wss://", "wss://name:word@host/x", "wss://ho st", "://", "WSS//host"} {
		u, err := codec.Address("socket", value, "wss", "ws")
		if err == nil || !strings.HasPrefix(err.Error(), "setting socket is ") || !strings.HasSuffix(err.Error(), ": use an address such as wss://host/path") {
			t.Errorf("%q is %v, %v", value, u, err)
		}
	}
	for value, host := range map[string]string{"ws://host": "host", "wss://host:8443/path?x=1": "host:8443", "WSS://host/": "host"} {
		if u, err := codec.Address("socket", value, "wss", "ws"); err != nil || u.Host != host {
			t.Errorf("%q is %v, %v", value, u, err)
		}
	}
}
