package adapter_test

import (
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
)

func TestResultFault(t *testing.T) {
	for _, c := range []struct {
		result     adapter.Result
		credential string
		want       string
	}{
		{adapter.Result{Status: 204}, "key", ""},
		{adapter.Result{Status: 500}, "key", "answered 500"},
		{adapter.Result{Status: 401}, "key", "answered 401: check the account's key"},
		{adapter.Result{Status: 403}, "secret", "answered 403: check the account's secret"},
		{adapter.Result{Status: 403}, "", "answered 403"},
		{adapter.Result{Reason: adapter.ReasonTimeout}, "key", "no answer: timeout"},
		{adapter.Result{Status: 200, Reason: adapter.ReasonTooLarge}, "key", "no answer: too_large"},
	} {
		if got := c.result.Fault(c.credential); got != c.want {
			t.Errorf("%+v: %q, not %q", c.result, got, c.want)
		}
	}
}
