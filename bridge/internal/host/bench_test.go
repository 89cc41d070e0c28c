package host

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
	"github.com/footbridge/footbridge/bridge/event"
)

// chatTurn is a turn with a chat frame of 400 bytes.
func chatTurn() adapter.Turn {
	t := request("")
	t.Account.Settings = json.RawMessage(`{"mode":"routing","region":"eu"}`)
	r := t.Input.(adapter.Request)
	r.Body = fmt.Appendf(nil, `{"thread":"6f1c2f0e-6a3b-4f7d-9a55-0d1f6e2a9c11","type":"message","text":%q}`,
		"I ordered a kettle three weeks ago and it has not come; the tracking page says it is at the depot in Leipzig, "+
			"and nobody there picks up the phone. Could somebody please tell me when it will be here, or send another one? "+
			"The order number is 4711-0815 and my post code is 04109. Thank you very much for your help, Ada.")
	t.Input = r
	return t
}

// BenchmarkTurn measures one turn with a chat frame: in this process, over the
// stream to a plugin, and for comparison the same bytes echoed over a bare unix
// socket. "busy" has 64 turns under way, "alone" one.
func BenchmarkTurn(b *testing.B) {
	turn := chatTurn()
	b.Run("in-process", func(b *testing.B) {
		d := adapter.Definition{Manifest: adapter.Manifest{StateVersion: 1}, Adapter: adapter.Func(benchHandle)}
		for b.Loop() {
			if out := adapter.Run(d, turn); out.Err != "" {
				b.Fatal(out.Err)
			}
		}
	})
	h := started(b, Options{}, "echo")
	hop := func(b *testing.B) {
		if out, err := h.Turn(context.Background(), "echo", turn); err != nil || len(out.Effects) != 2 {
			b.Errorf("%v %+v", err, out)
		}
	}
	b.Run("stream/alone", func(b *testing.B) {
		for b.Loop() {
			hop(b)
		}
	})
	b.Run("stream/busy", func(b *testing.B) { busy(b, 64, func() { hop(b) }) })
	b.Run("raw socket/alone", func(b *testing.B) {
		echo := rawEcho(b, turn)
		for b.Loop() {
			echo()
		}
	})
	b.Run("raw socket/busy", func(b *testing.B) {
		var pool sync.Pool
		pool.New = func() any { return rawEcho(b, turn) }
		busy(b, 64, func() {
			echo := pool.Get().(func())
			echo()
			pool.Put(echo)
		})
	})
}

// BenchmarkStart measures a process from its making to its start line.
func BenchmarkStart(b *testing.B) {
	for _, mode := range []string{SandboxOff, SandboxAuto} {
		b.Run(mode, func(b *testing.B) {
			h := newHost(b, Options{Dir: plugins(b, map[string]string{"echo": ""}), Sandbox: mode})
			p, err := h.install("echo")
			if err != nil {
				b.Fatal(err)
			}
			defer p.image.close()
			for b.Loop() {
				ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
				r, err := h.handshake(ctx, p, h.log)
				if err != nil {
					b.Fatal(err)
				}
				cancel()
				r.kill()
				r.gone(endGrace)
				r.remove()
			}
		})
	}
}

// busy runs f b.N times, at most n at once.
func busy(b *testing.B, n int, f func()) {
	var workers sync.WaitGroup
	work := make(chan struct{}, n)
	for range n {
		workers.Go(func() {
			for range work {
				f()
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	workers.Wait()
}

func benchHandle(tx *adapter.Tx, s *struct{ Turns int }, in adapter.Input) error {
	s.Turns++
	r := in.(adapter.Request)
	var frame struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(r.Body, &frame); err != nil {
		return err
	}
	tx.Emit(adapter.Emission{Body: event.MessageCreated{Content: event.Plain(frame.Text)}, Actor: event.Actor{Role: event.RoleCustomer}})
	tx.Reply(r.ID, adapter.Reply{Status: 200, Body: r.Body})
	return nil
}

// rawEcho gives a function that sends the bytes of a turn over a unix socket of
// its own and waits for them to come back.
func rawEcho(b *testing.B, turn adapter.Turn) func() {
	b.Helper()
	m, err := adapterpb.EncodeTurn(turn)
	if err != nil {
		b.Fatal(err)
	}
	data, err := proto.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(b.TempDir(), "s"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		if far, err := l.Accept(); err == nil {
			_, _ = io.Copy(struct{ io.Writer }{far}, struct{ io.Reader }{far})
			far.Close()
		}
	}()
	near, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { near.Close() })
	answer := make([]byte, len(data))
	return func() {
		if _, err := near.Write(data); err != nil {
			b.Error(err)
		}
		if _, err := io.ReadFull(near, answer); err != nil {
			b.Error(err)
		}
	}
}
