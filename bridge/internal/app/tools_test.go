package app

import (
	"reflect"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/api"
	"github.com/footbridge/footbridge/bridge/internal/config"
)

// TestTools: agents are given what the file has for them, in its order.
func TestTools(t *testing.T) {
	c, _, err := config.Parse("test.toml", []byte(`
[desk]
dispositions = ["solved", "call back"]
[[desk.replies]]
name = "hello"
text = "Hello {customer}"
language = "en"
[[desk.replies]]
name = "bye"
text = "Bye"
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := api.Tools{Dispositions: []string{"solved", "call back"},
		Replies: []api.CannedReply{{Name: "hello", Text: "Hello {customer}", Language: "en"}, {Name: "bye", Text: "Bye"}}}
	if got := tools(c.Desk); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
