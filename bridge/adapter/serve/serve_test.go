package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// definition is an adapter that does what a timer's name says.
func definition(orders map[string]func(tx *adapter.Tx) error) adapter.Definition {
	return adapter.Definition{
		Manifest: adapter.Manifest{Name: "sample", Title: "Sample", Version: "0.1.0", StateVersion: 1},
		Configure: func(a adapter.Account) (adapter.Profile, error) {
			switch a.Name {
			case "panic":
				panic("on order")
			case "refused":
				return adapter.Profile{}, errors.New("settings.region: use eu or us")
			}
			return adapter.Profile{Hosts: []string{a.Name}}, nil
		},
		Adapter: adapter.Func(func(tx *adapter.Tx, _ *struct{}, in adapter.Input) error {
			fired, ok := in.(adapter.Fired)
			if !ok {
				return adapter.ErrUnsupported
			}
			return orders[fired.Timer](tx)
		}),
	}
}

// client talks to the service over a connection in memory.
func client(t *testing.T, d adapter.Definition) adapterpb.AdapterClient {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	s := grpc.NewServer(ServerOptions(nil)...)
	adapterpb.RegisterAdapterServer(s, New(d))
	go func() { _ = s.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		s.Stop()
	})
	return adapterpb.NewAdapterClient(conn)
}

func TestDescribeAndConfigure(t *testing.T) {
	c := client(t, definition(nil))
	res, err := c.Describe(t.Context(), &adapterpb.DescribeRequest{Features: adapterpb.Features()})
	if err != nil {
		t.Fatal(err)
	}
	var m adapter.Manifest
	if err := json.Unmarshal(res.GetManifest(), &m); err != nil || m.Name != "sample" || len(res.GetFeatures()) == 0 {
		t.Errorf("manifest %s, features %v, %v", res.GetManifest(), res.GetFeatures(), err)
	}
	for name, want := range map[string]string{"good": "", "refused": "use eu or us", "panic": "panic: on order"} {
		res, err := c.Configure(t.Context(), &adapterpb.ConfigureRequest{Account: &adapterpb.Account{Name: name}})
		if err != nil || !strings.Contains(res.GetError(), want) || (want == "") != (res.GetError() == "") {
			t.Errorf("configure %s: %v %v", name, res, err)
		}
	}
}

// perform sends turns on one stream and collects the outcomes by id.
func perform(t *testing.T, c adapterpb.AdapterClient, turns ...*adapterpb.TurnRequest) map[uint64]*adapterpb.Outcome {
	t.Helper()
	stream, err := c.Turns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.Send(&adapterpb.TurnRequests{Turns: turns}), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	outcomes := make(map[uint64]*adapterpb.Outcome)
	for {
		batch, err := stream.Recv()
		if err != nil {
			break
		}
		for _, r := range batch.GetTurns() {
			outcomes[r.GetId()] = r.GetOutcome()
		}
	}
	if len(outcomes) != len(turns) {
		t.Errorf("%d outcomes of %d turns", len(outcomes), len(turns))
	}
	return outcomes
}

func fired(id uint64, timer string) *adapterpb.TurnRequest {
	return &adapterpb.TurnRequest{Id: id, Turn: &adapterpb.Turn{Input: &adapterpb.Turn_Fired{Fired: &adapterpb.Fired{Timer: timer}}}}
}

func TestEveryTurnIsAnswered(t *testing.T) {
	c := client(t, definition(map[string]func(*adapter.Tx) error{
		"good":   func(tx *adapter.Tx) error { tx.Bind("key"); return nil },
		"wrong":  func(*adapter.Tx) error { return errors.New("no such thing") },
		"panic":  func(*adapter.Tx) error { panic("on order") },
		"goexit": func(*adapter.Tx) error { runtime.Goexit(); return nil },
		"odd":    func(tx *adapter.Tx) error { tx.Bind("\xff"); return nil },
		"big": func(tx *adapter.Tx) error {
			tx.Reply("r", adapter.Reply{Body: make([]byte, adapterpb.MaxResponse)})
			return nil
		},
		"many": func(tx *adapter.Tx) error {
			for range adapterpb.MaxEffects + 1 {
				tx.Bind("key")
			}
			return nil
		},
	}))
	unknown := &adapterpb.TurnRequest{Id: 7, Turn: &adapterpb.Turn{State: []byte("kept")}}
	broken := &adapterpb.TurnRequest{Id: 8, Turn: &adapterpb.Turn{Input: &adapterpb.Turn_Deliver{
		Deliver: &adapterpb.Deliver{Event: []byte("{")}}}}
	got := perform(t, c, fired(1, "good"), fired(2, "wrong"), fired(3, "panic"), fired(4, "goexit"), fired(5, "odd"),
		fired(6, "big"), fired(10, "many"), unknown, broken, &adapterpb.TurnRequest{Id: 9})
	if o := got[1]; o.GetError() != "" || len(o.GetEffects()) != 1 {
		t.Errorf("good: %v", o)
	}
	for id, want := range map[uint64]string{2: "no such thing", 3: "panic: on order", 4: "ended its goroutine",
		5: "not UTF-8", 6: "larger than", 10: "1001 effects", 8: "decode turn"} {
		if o := got[id]; !strings.Contains(o.GetError(), want) || len(o.GetEffects()) != 0 {
			t.Errorf("turn %d: %.200s", id, o.GetError())
		}
	}
	if o := got[7]; !o.GetUnsupported() || string(o.GetState()) != "kept" {
		t.Errorf("an input of a newer bridge: %v", o)
	}
	if o := got[9]; !o.GetUnsupported() {
		t.Errorf("no turn: %v", o)
	}
}

func TestTurnsRunAtOnceAndBounded(t *testing.T) {
	var now, most atomic.Int64
	gate := make(chan struct{})
	c := client(t, definition(map[string]func(*adapter.Tx) error{
		"wait": func(*adapter.Tx) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			<-gate
			return nil
		},
	}))
	parallel := int64(2 * runtime.GOMAXPROCS(0))
	go func() {
		for now.Load() < parallel {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond) // time for one too many
		close(gate)
	}()
	var turns []*adapterpb.TurnRequest
	for id := range uint64(5 * parallel) {
		turns = append(turns, fired(id+1, "wait"))
	}
	perform(t, c, turns...)
	if most.Load() != parallel {
		t.Errorf("%d turns at once, want %d", most.Load(), parallel)
	}
}

func TestAlone(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"--manifest", "x"}} {
		var out, err bytes.Buffer
		if code := alone(definition(nil), args, &out, &err); code != 1 || !strings.Contains(err.String(), "Footbridge plugin for Sample") ||
			!strings.Contains(err.String(), `adapter = "sample"`) || out.Len() > 0 {
			t.Errorf("%v: exit %d, %q", args, code, err.String())
		}
	}
	for _, flag := range []string{"--manifest", "--version"} {
		var out, err bytes.Buffer
		code := alone(definition(nil), []string{flag}, &out, &err)
		var m adapter.Manifest
		if e := json.Unmarshal(out.Bytes(), &m); code != 0 || e != nil || m.Version != "0.1.0" || err.Len() > 0 {
			t.Errorf("%s: exit %d, %q, %v", flag, code, out.String(), e)
		}
	}
}

func TestOrphanEnds(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "stdin") // no pipe: says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	synctest.Test(t, func(t *testing.T) {
		began, code := time.Now(), -1
		parent := func() int {
			if time.Since(began) > 5*time.Second {
				return 1
			}
			return 7
		}
		watch(file, parent, func(c int) { code = c })
		if took := time.Since(began); code != 0 || took != 6*time.Second {
			t.Errorf("exit %d after %s", code, took)
		}
	})
}

func TestClosedWatchdogEnds(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan int, 1)
	watch(r, func() int { return 0 }, func(code int) { ended <- code })
	select {
	case <-ended:
		t.Fatal("ended while the bridge lives")
	case <-time.After(20 * time.Millisecond):
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit %d", code)
	}
	_ = r.Close()
}

// TestDefinitionThatLacksSomething: what cannot be run is told when it is loaded, in
// words for its author.
func TestDefinitionThatLacksSomething(t *testing.T) {
	whole := definition(nil)
	for want, change := range map[string]func(*adapter.Definition){
		"has no Configure: set the function": func(d *adapter.Definition) { d.Configure = nil },
		"has no Adapter: set what handles":   func(d *adapter.Definition) { d.Adapter = nil },
		"":                                   func(*adapter.Definition) {},
	} {
		d := whole
		change(&d)
		_, err := client(t, d).Describe(t.Context(), &adapterpb.DescribeRequest{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
