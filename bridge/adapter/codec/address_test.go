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

func TestWebAddress(t *testing.T) {
	for text, name := range map[string]string{
		"https://a.example/x/sam%20lee.png?q=1": "sam lee.png", "http://a.example/b/": "b", "https://a.example/": "", "https://a.example": "",
	} {
		if codec.WebAddress(text) != text || codec.FileName(text) != name {
			t.Errorf("%q: %q, %q", text, codec.WebAddress(text), codec.FileName(text))
		}
	}
	for _, text := range []string{"", "/uploads/a.png", "a.example/a.png", "ftp://a.example/a", "javascript:alert(1)", "https:///a", "https://a b/", "%zz"} {
		if got := codec.WebAddress(text); got != "" {
			t.Errorf("%q is no address of the web: %q", text, got)
		}
	}
	if got := codec.FileName("%zz"); got != "" {
		t.Errorf("%q of what cannot be read", got)
	}
}

func TestMediaType(t *testing.T) {
	for text, want := range map[string][2]string{
		"image/png": {"image", "image/png"}, "Audio/OGG; codecs=opus": {"audio", "audio/ogg"}, "video/mp4": {"video", "video/mp4"},
		"application/pdf": {"file", "application/pdf"}, "imagery": {"file", "imagery"}, "": {"file", ""}, "image/png;;": {"file", ""},
	} {
		if kind, name := codec.MediaType(text); kind != want[0] || name != want[1] {
			t.Errorf("%q: %s %q, want %v", text, kind, name, want)
		}
	}
}
