package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

// link is one running plugin and the stream of its turns. It is used until dead
// is closed and never after.
type link struct {
	proc     *running
	conn     *grpc.ClientConn
	client   adapterpb.AdapterClient
	manifest adapter.Manifest
	out      *adapterpb.Outbox[*adapterpb.TurnRequest]
	cancel   context.CancelFunc // ends the stream
	loops    sync.WaitGroup

	answered atomic.Int64 // when a turn was last answered, Unix nanoseconds
	dead     chan struct{}

	mu      sync.Mutex
	cause   error  // why it is dead
	last    uint64 // turns asked for
	given   uint64 // and answered
	pending map[uint64]chan *adapterpb.Outcome
}

// window is the flow-control window of a stream and of the connection.
const window = 4 << 20

// connect makes the acquaintance of a running plugin, until ctx ends. When it
// fails the process is not ended.
func connect(ctx context.Context, proc *running, name string) (*link, error) {
	conn, err := grpc.NewClient("passthrough:///plugin",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", proc.address.String())
		}),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(adapterpb.MaxResponse), grpc.MaxCallSendMsgSize(adapterpb.MaxRequest)))
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	l := &link{proc: proc, conn: conn, client: adapterpb.NewAdapterClient(conn), dead: make(chan struct{}),
		out: adapterpb.NewOutbox[*adapterpb.TurnRequest](), pending: make(map[uint64]chan *adapterpb.Outcome)}
	if err := l.describe(ctx, name); err != nil {
		_ = conn.Close()
		return nil, err
	}
	if err := l.open(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return l, nil
}

func (l *link) describe(ctx context.Context, name string) error {
	res, err := l.client.Describe(ctx, &adapterpb.DescribeRequest{Features: adapterpb.Features()})
	if err != nil {
		return fmt.Errorf("describe: %s", clip(err.Error()))
	}
	if err := json.Unmarshal(res.GetManifest(), &l.manifest); err != nil {
		return fmt.Errorf("describe: manifest: %w", err)
	}
	if l.manifest.Name != name {
		return fmt.Errorf("describe: the executable is the adapter %s", clip(l.manifest.Name))
	}
	return nil
}

// open begins the stream and everything that runs as long as it.
func (l *link) open() error {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := l.client.Turns(ctx)
	if err != nil {
		cancel()
		return fmt.Errorf("open stream: %s", clip(err.Error()))
	}
	l.cancel = cancel
	l.loops.Go(func() {
		// What went wrong with the stream is said to the receiver.
		_ = l.out.Run(ctx, func(turns []*adapterpb.TurnRequest) error {
			return stream.Send(&adapterpb.TurnRequests{Turns: turns})
		})
	})
	l.loops.Go(func() { l.receive(stream) })
	l.loops.Go(func() { l.discardOutput(ctx) })
	l.loops.Go(func() {
		<-l.proc.done
		l.fail(fmt.Errorf("%w: %s", ErrDied, l.proc.exit))
	})
	return nil
}

func (l *link) receive(stream grpc.BidiStreamingClient[adapterpb.TurnRequests, adapterpb.TurnResponses]) {
	for {
		batch, err := stream.Recv()
		if err != nil {
			l.broken(err)
			return
		}
		l.answered.Store(time.Now().UnixNano())
		for _, r := range batch.GetTurns() {
			if !l.deliver(r) {
				l.fail(fmt.Errorf("%w: it answered turn %d, which it was not given, or again", ErrDied, r.GetId()))
				return
			}
		}
	}
}

// discardOutput reads what a plugin made with go-plugin alone prints, and does
// not keep: unread, the prints of such a plugin would block it. Other plugins
// have no such service, or nothing to say there.
func (l *link) discardOutput(ctx context.Context) {
	stream, err := l.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err != nil {
		return
	}
	err = errors.Join(stream.SendMsg(&emptypb.Empty{}), stream.CloseSend())
	for err == nil {
		err = stream.RecvMsg(&emptypb.Empty{})
	}
}

// broken ends the link after its stream failed. A process that has just ended
// says more about it than the stream.
func (l *link) broken(err error) {
	if l.proc.gone(outputGrace) {
		l.fail(fmt.Errorf("%w: %s", ErrDied, l.proc.exit))
		return
	}
	l.fail(fmt.Errorf("%w: its stream broke: %s", ErrDied, clip(err.Error())))
}

// deliver hands an answer to its turn. An answer nobody waits for any more is
// dropped; one that was never asked for, or more than were, is a fault.
func (l *link) deliver(r *adapterpb.TurnResponse) bool {
	l.mu.Lock()
	answer, waits := l.pending[r.GetId()]
	delete(l.pending, r.GetId())
	l.given++
	known := r.GetId() != 0 && r.GetId() <= l.last && l.given <= l.last
	l.mu.Unlock()
	if waits {
		answer <- r.GetOutcome()
	}
	return known
}

// fail ends the link for a reason, the first one given, and its process at once.
func (l *link) fail(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause == nil {
		l.cause = cause
		close(l.dead)
	}
	l.proc.kill()
}

// worked reports whether the process answered a turn. Then it was no crash loop:
// what ended it was a turn of its own, which becomes a dead letter, and others of
// the adapter are not to wait longer for that.
func (l *link) worked() bool { return l.answered.Load() != 0 }

func (l *link) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// close ends the link and its process in peace, and waits for both.
func (l *link) close() {
	l.proc.end()
	l.release()
}

// release gives back what a link holds once its process has been ended.
func (l *link) release() {
	l.proc.gone(endGrace)
	l.cancel()
	_ = l.conn.Close()
	if l.proc.gone(endGrace) {
		l.loops.Wait()
	}
	l.proc.remove()
}

// turn asks for one turn and waits for its answer.
func (l *link) turn(ctx context.Context, t *adapterpb.Turn, within time.Duration) (*adapterpb.Outcome, error) {
	size := proto.Size(t)
	if size > adapterpb.MaxRequest-64 {
		return &adapterpb.Outcome{Error: fmt.Sprintf("the turn of %d bytes is larger than the %d a plugin takes",
			size, adapterpb.MaxRequest)}, nil
	}
	answer := make(chan *adapterpb.Outcome, 1)
	id, running := l.register(answer)
	if !running {
		return nil, ErrDown
	}
	l.out.Put(&adapterpb.TurnRequest{Id: id, Turn: t}, size)
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case o := <-answer:
		return o, nil
	case <-l.dead:
		return l.late(answer)
	case <-ctx.Done():
		l.forget(id)
		return nil, ctx.Err()
	case <-timer.C:
		if o, err := l.late(answer); err == nil {
			return o, nil
		}
		l.fail(fmt.Errorf("%w: a turn took longer than %s", ErrTimeout, within))
		return nil, ErrTimeout
	}
}

func (l *link) register(answer chan *adapterpb.Outcome) (id uint64, running bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return 0, false
	}
	l.last++
	l.pending[l.last] = answer
	return l.last, true
}

func (l *link) forget(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pending, id)
}

// late takes an answer that came just before the end.
func (l *link) late(answer chan *adapterpb.Outcome) (*adapterpb.Outcome, error) {
	select {
	case o := <-answer:
		return o, nil
	default:
		return nil, ErrDied
	}
}

func (l *link) configure(ctx context.Context, a adapter.Account, within time.Duration) (adapter.Profile, error) {
	var p adapter.Profile
	m, err := adapterpb.EncodeAccount(a)
	if err != nil {
		return p, err
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	res, err := l.client.Configure(limited, &adapterpb.ConfigureRequest{Account: m})
	switch {
	case ctx.Err() != nil:
		return p, ctx.Err()
	case status.Code(err) == codes.DeadlineExceeded:
		l.fail(fmt.Errorf("%w: Configure took longer than %s", ErrTimeout, within))
		return p, ErrTimeout
	case status.Code(err) == codes.Unavailable:
		return p, ErrDied
	case err != nil:
		return p, errors.New(clip(err.Error()))
	case res.GetError() != "":
		return p, errors.New(res.GetError())
	}
	if err := json.Unmarshal(res.GetProfile(), &p); err != nil {
		return p, fmt.Errorf("read profile: %w", err)
	}
	p.Mask = p.Masks() // whoever stores or shows a frame goes by this list alone
	return p, nil
}

// healthy reports whether the plugin answers at all. A turn answered since is
// proof enough; otherwise any reply of gRPC's health service will do, for what
// the plugin is worth is seen by its turns.
func (l *link) healthy(ctx context.Context, since time.Time, within time.Duration) bool {
	if l.answered.Load() > since.UnixNano() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := grpc_health_v1.NewHealthClient(l.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	code := status.Code(err)
	return code != codes.DeadlineExceeded && code != codes.Unavailable
}
