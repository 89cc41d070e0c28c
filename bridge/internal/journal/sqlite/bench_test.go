package sqlite

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// BenchmarkCommit stores turns of one 500-byte event each, alone and from 64
// writers with a conversation each.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) { benchmarkCommits(b, writers) })
	}
}

func benchmarkCommits(b *testing.B, writers int) {
	j := openJournal(b, b.TempDir(), Options{})
	text := strings.Repeat("words ", 80)
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		all.Go(func() {
			c := newTurn(fmt.Sprintf("conversation-%d", w))
			for ; left.Add(-1) >= 0; c.Version++ {
				seq := c.Version + 1
				c.Events = []event.Event{said(c.Conversation, seq, text)}
				if err := j.Commit(context.Background(), c); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// BenchmarkAcceptFrame stores 500-byte frames, alone and from 64 writers.
func BenchmarkAcceptFrame(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) { benchmarkFrames(b, writers) })
	}
}

func benchmarkFrames(b *testing.B, writers int) {
	j := openJournal(b, b.TempDir(), Options{})
	data := []byte(strings.Repeat("bytes ", 80))
	for w := range writers {
		commit(b, j, newTurn(fmt.Sprintf("conversation-%d", w)))
	}
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		all.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				id := fmt.Sprintf("frame-%012d", n)
				f := journal.Frame{ID: id, Conversation: fmt.Sprintf("conversation-%d", w), Leg: "leg", Account: "web",
					Endpoint: "in", Received: time.Now(), Data: data, Dedup: id}
				if _, err := j.AcceptFrame(context.Background(), f); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}

// BenchmarkFindLeg looks a leg up by its vendor's key.
func BenchmarkFindLeg(b *testing.B) {
	j := openJournal(b, b.TempDir(), Options{})
	c := newTurn("c")
	c.Keys = []journal.Key{{Account: "web", Key: "visitor", Leg: "c/1"}}
	commit(b, j, c)
	for b.Loop() {
		if _, err := j.FindLeg(context.Background(), "web", "visitor"); err != nil {
			b.Fatal(err)
		}
	}
}
