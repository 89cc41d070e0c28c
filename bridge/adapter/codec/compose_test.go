package codec_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

func TestCompose(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{map[string]any{"b": "<&>", "a": []any{1, true, nil}}, `{"a":[1,true,null],"b":"<&>"}`},
		{json.RawMessage(`{"as":"read"}`), `{"as":"read"}`},
		{math.NaN(), `{}`},
		{map[string]any{"f": func() {}}, `{}`},
	} {
		if got := string(codec.Compose(c.v)); got != c.want {
			t.Errorf("Compose(%v) is %s, not %s", c.v, got, c.want)
		}
	}
}
