package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

// New makes the service of an adapter, as Main serves it, for a gRPC server of
// the caller's own: a test, or a program that is more than a plugin.
func New(d adapter.Definition) adapterpb.AdapterServer {
	return &server{definition: d, parallel: 2 * runtime.GOMAXPROCS(0)}
}

// window is the flow-control window of a stream and of the connection.
const window = 4 << 20

// ServerOptions are the gRPC server options the protocol asks for. first, which may be
// nil, is called before every unary call.
func ServerOptions(first func()) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(adapterpb.MaxRequest),
		grpc.MaxSendMsgSize(adapterpb.MaxResponse),
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(window),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if first != nil {
				first()
			}
			return next(ctx, req)
		}),
	}
}

type server struct {
	adapterpb.UnimplementedAdapterServer
	definition adapter.Definition
	parallel   int
}

func (s *server) Describe(context.Context, *adapterpb.DescribeRequest) (*adapterpb.DescribeResponse, error) {
	if err := s.definition.Check(); err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	manifest, err := json.Marshal(s.definition.Manifest)
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	return &adapterpb.DescribeResponse{Manifest: manifest, Features: adapterpb.Features()}, nil
}

func (s *server) Configure(_ context.Context, r *adapterpb.ConfigureRequest) (res *adapterpb.ConfigureResponse, _ error) {
	defer func() {
		if p := recover(); p != nil {
			res = refusal(fmt.Errorf("panic: %v", p))
		}
	}()
	profile, err := s.definition.Configure(adapterpb.DecodeAccount(r.GetAccount()))
	if err != nil {
		return refusal(err), nil
	}
	data, err := json.Marshal(profile)
	if err != nil {
		return refusal(fmt.Errorf("write profile: %w", err)), nil
	}
	return &adapterpb.ConfigureResponse{Profile: data}, nil
}

func refusal(err error) *adapterpb.ConfigureResponse {
	return &adapterpb.ConfigureResponse{Error: adapterpb.Text(err.Error())}
}

// Turns performs turns, at most parallel at once, and answers each as it is done.
func (s *server) Turns(stream grpc.BidiStreamingServer[adapterpb.TurnRequests, adapterpb.TurnResponses]) error {
	out := adapterpb.NewOutbox[*adapterpb.TurnResponse]()
	var writer, running sync.WaitGroup
	writer.Go(func() {
		// An error of the stream ends Recv below too.
		_ = out.Run(stream.Context(), func(turns []*adapterpb.TurnResponse) error {
			return stream.Send(&adapterpb.TurnResponses{Turns: turns})
		})
	})
	slots := make(chan struct{}, s.parallel)
	err := s.receive(stream, func(r *adapterpb.TurnRequest) {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			s.answer(out, r)
		})
	})
	running.Wait()
	out.Close()
	writer.Wait()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (s *server) receive(stream grpc.BidiStreamingServer[adapterpb.TurnRequests, adapterpb.TurnResponses],
	start func(*adapterpb.TurnRequest)) error {
	for {
		batch, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, r := range batch.GetTurns() {
			start(r)
		}
	}
}

// answer performs one turn and puts its response, whatever becomes of the turn:
// an adapter that ends its goroutine is answered for too.
func (s *server) answer(out *adapterpb.Outbox[*adapterpb.TurnResponse], r *adapterpb.TurnRequest) {
	o := &adapterpb.Outcome{Error: "the adapter ended its goroutine"}
	defer func() {
		res := &adapterpb.TurnResponse{Id: r.GetId(), Outcome: o}
		out.Put(res, proto.Size(res))
	}()
	o = s.perform(r.GetTurn())
}

func (s *server) perform(m *adapterpb.Turn) *adapterpb.Outcome {
	t, err := adapterpb.DecodeTurn(m)
	switch {
	case errors.Is(err, adapterpb.ErrUnknown):
		return &adapterpb.Outcome{State: m.GetState(), StateVersion: m.GetStateVersion(), Unsupported: true}
	case err != nil:
		return &adapterpb.Outcome{Error: adapterpb.Text(err.Error())}
	}
	o, err := adapterpb.EncodeOutcome(adapter.Run(s.definition, t))
	if err != nil {
		return &adapterpb.Outcome{Error: adapterpb.Text(err.Error())}
	}
	if n := len(o.GetEffects()); n > adapterpb.MaxEffects {
		return &adapterpb.Outcome{Error: fmt.Sprintf("the turn has %d effects; the bridge takes %d", n, adapterpb.MaxEffects)}
	}
	// The response has an id around the outcome: 64 bytes are room enough.
	if size := proto.Size(o); size > adapterpb.MaxResponse-64 {
		return &adapterpb.Outcome{Error: fmt.Sprintf("the turn's outcome of %d bytes is larger than the %d the bridge takes",
			size, adapterpb.MaxResponse)}
	}
	return o
}

// registration puts the service on go-plugin's server.
type registration struct {
	plugin.NetRPCUnsupportedPlugin
	adapter adapterpb.AdapterServer
}

// GRPCServer registers the service.
func (r registration) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	adapterpb.RegisterAdapterServer(s, r.adapter)
	return nil
}

// GRPCClient is not for this side.
func (registration) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin has no client")
}
