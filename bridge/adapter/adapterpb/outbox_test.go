package adapterpb_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

func TestOutboxKeepsOrderAndLimits(t *testing.T) {
	o := adapterpb.NewOutbox[int]()
	for i := range 500 {
		o.Put(i, 1<<10)
	}
	o.Put(500, 3<<20)
	o.Close()
	var got []int
	err := o.Run(t.Context(), func(items []int) error {
		if len(items) > 64 || (len(items) > 1 && slices.Contains(items, 500)) {
			t.Errorf("%d items in one message", len(items))
		}
		got = append(got, items...)
		return nil
	})
	if err != nil || len(got) != 501 || !slices.IsSorted(got) {
		t.Errorf("%d items, %v", len(got), err)
	}
}

func TestOutboxSendsWhatManyPut(t *testing.T) {
	o := adapterpb.NewOutbox[int]()
	var putters, runner sync.WaitGroup
	total := 0
	runner.Go(func() {
		if err := o.Run(t.Context(), func(items []int) error { total += len(items); return nil }); err != nil {
			t.Error(err)
		}
	})
	for range 8 {
		putters.Go(func() {
			for i := range 1000 {
				o.Put(i, 1)
			}
		})
	}
	putters.Wait()
	o.Close()
	runner.Wait()
	if total != 8000 {
		t.Errorf("%d of 8000 items were sent", total)
	}
}

func TestOutboxEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := adapterpb.NewOutbox[int]().Run(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	o := adapterpb.NewOutbox[int]()
	o.Put(1, 1)
	broken := errors.New("broken")
	if err := o.Run(t.Context(), func([]int) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("broken stream: %v", err)
	}
}
