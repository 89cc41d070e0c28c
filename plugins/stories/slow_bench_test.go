//go:build measure

package stories

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// crawlers are clients that never finish a request: a byte every two seconds, and a
// new connection for every one that is closed on them.
type crawlers struct {
	to           string
	open, closed atomic.Int64
	work         sync.WaitGroup
}

// crawl runs so many of them until ctx ends.
func (c *crawlers) crawl(ctx context.Context, n int) {
	for i := range n {
		c.work.Go(func() {
			time.Sleep(time.Duration(i) * 5 * time.Second / time.Duration(n)) // not all in step
			from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%100))}}
			for ctx.Err() == nil {
				if conn, err := from.DialContext(ctx, "tcp", c.to); err == nil {
					c.one(ctx, conn)
				}
			}
		})
	}
}

func (c *crawlers) one(ctx context.Context, conn net.Conn) {
	c.open.Add(1)
	defer c.open.Add(-1)
	defer conn.Close()
	end := make([]byte, 1)
	for _, b := range []byte("POST /in/front/inbound HTTP/1.1\r\nHost: x\r\nX-Slow: and so on") {
		_, err := conn.Write([]byte{b})
		if err == nil {
			_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
			_, err = conn.Read(end)
		}
		if late, ok := err.(net.Error); (!ok || !late.Timeout()) && ctx.Err() == nil {
			c.closed.Add(1)
			return
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// TestMeasureSlowClients: ten thousand clients that send next to nothing, and how
// long texts take meanwhile. The bridge hangs up on each after five seconds, so that
// on a slow machine they are never all connected at once. Every text must be taken.
func TestMeasureSlowClients(t *testing.T) {
	const sessions, slow, rate = 64, 10_000, 100
	l := newLoad(t, sessions, "FOOTBRIDGE_SERVER__MAX_CONNECTIONS=15000")
	measure := func(what string) {
		ack, end := l.open(sessions, rate, 15*time.Second, what)
		t.Logf("%s, %d texts/s: acknowledged p50 %v p99 %v; at the other vendor p50 %v p99 %v; heap %s, resident %s bytes", what, rate,
			quantile(ack, 50), quantile(ack, 99), quantile(end, 50), quantile(end, 99), l.gauge("go_memstats_heap_alloc_bytes "), l.gauge("process_resident_memory_bytes "))
	}
	measure("alone")
	ctx, stop := context.WithCancel(t.Context())
	c := &crawlers{to: l.public}
	c.crawl(ctx, slow)
	l.eventually("all slow clients connected", func() bool { return c.open.Load() > slow*8/10 })
	measure(fmt.Sprintf("beside %d slow clients", c.open.Load()))
	t.Logf("%d connections were closed on them; %d were open at the end", c.closed.Load(), c.open.Load())
	stop()
	c.work.Wait()
}
