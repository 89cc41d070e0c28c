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

// What a result says of its call, for each way a call ends.
func TestResultSaysWhatBecameOfTheCall(t *testing.T) {
	for _, c := range []struct {
		result         adapter.Result
		refused, acted bool
	}{
		{adapter.Result{Status: 200}, false, true},
		{adapter.Result{Status: 302}, false, false},
		{adapter.Result{Status: 400}, true, false},
		{adapter.Result{Status: 404}, true, false},
		{adapter.Result{Status: 429}, false, false},
		{adapter.Result{Status: 499}, true, false},
		{adapter.Result{Status: 500}, false, true},
		{adapter.Result{Reason: adapter.ReasonUnknown}, false, true},
		{adapter.Result{Reason: adapter.ReasonUnknown, Status: 404}, false, true}, // of the read-back
		{adapter.Result{Reason: adapter.ReasonTooLarge}, false, true},
		{adapter.Result{Reason: adapter.ReasonNotAllowed}, true, false},
		{adapter.Result{Reason: adapter.ReasonBreakerOpen}, false, false},
		{adapter.Result{Reason: adapter.ReasonTimeout, Status: 500}, false, false},
		{adapter.Result{Reason: adapter.ReasonRefused}, false, false},
		{adapter.Result{Reason: adapter.ReasonCancelled}, false, false},
	} {
		if c.result.Refused() != c.refused || c.result.MayHaveActed() != c.acted {
			t.Errorf("%+v: refused %v, may have acted %v", c.result, c.result.Refused(), c.result.MayHaveActed())
		}
	}
}
