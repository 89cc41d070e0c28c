package codec_test

import (
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

func TestRows(t *testing.T) {
	rows := codec.Rows{"billing=4", "*=5", "sales=x=y", "bare"}
	for name, want := range map[string]string{"billing": "4", "sales": "x=y", "other": "5", "bare": "5", "": "5"} {
		if got, ok := rows.Value(name); got != want || !ok {
			t.Errorf("%q: got %q %v, want %q", name, got, ok, want)
		}
	}
	if got, ok := (codec.Rows{"billing=4", "=9"}).Value(""); ok {
		t.Errorf("no name has %q", got)
	}
	for row, good := range map[string]bool{"billing=4": true, "*=12": true, "billing": false, "=4": false, "billing=": false, "billing=-1": false, "billing=0": false, "billing=four": false} {
		if err := (codec.Rows{"a=1", row}).CheckNumbers("teams"); (err == nil) != good {
			t.Errorf("%q: %v", row, err)
		}
	}
}

func TestNumberID(t *testing.T) {
	for text, want := range map[string]int64{"17": 17, " 17 ": 17, "0": 0, "-3": 0, "": 0, "x": 0, "1.5": 0, "99999999999999999999": 0} {
		if got := codec.NumberID(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}
