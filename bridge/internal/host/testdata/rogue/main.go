// Command rogue is a plugin for tests that breaks the protocol: it does without
// the library that keeps plugins honest.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

func main() {
	l, err := net.Listen("unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "rogue"))
	if err != nil {
		fmt.Println("listen:", err)
		os.Exit(1)
	}
	s := grpc.NewServer()
	adapterpb.RegisterAdapterServer(s, server{})
	grpc_health_v1.RegisterHealthServer(s, sick{})
	fmt.Printf("1|%d|unix|%s|grpc\n", adapterpb.ProtocolVersion, l.Addr())
	_ = s.Serve(l)
}

// sick says it is not well, and works.
type sick struct {
	grpc_health_v1.UnimplementedHealthServer
}

// Check says it.
func (sick) Check(context.Context, *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}, nil
}

type server struct {
	adapterpb.UnimplementedAdapterServer
}

// Describe gives a manifest that is as good as any.
func (server) Describe(context.Context, *adapterpb.DescribeRequest) (*adapterpb.DescribeResponse, error) {
	manifest, err := json.Marshal(adapter.Manifest{Name: "rogue", Version: "0.0.1", StateVersion: 1})
	return &adapterpb.DescribeResponse{Manifest: manifest, Features: []string{"what", "nobody", "knows"}}, err
}

// Configure fails with the code that is the account's name, at length.
func (server) Configure(_ context.Context, r *adapterpb.ConfigureRequest) (*adapterpb.ConfigureResponse, error) {
	return nil, failure(r.GetAccount().GetName())
}

func failure(code string) error {
	n, _ := strconv.Atoi(code)
	return status.Error(codes.Code(n), strings.Repeat("long ", 200_000))
}

// Turns answers as each turn orders.
func (server) Turns(stream grpc.BidiStreamingServer[adapterpb.TurnRequests, adapterpb.TurnResponses]) error {
	for {
		batch, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, r := range batch.GetTurns() {
			order := r.GetTurn().GetFired().GetTimer()
			if code, ok := strings.CutPrefix(order, "status "); ok {
				return failure(code)
			}
			if order == "log" {
				for line := range strings.SplitSeq(r.GetTurn().GetKey(), "|") {
					fmt.Fprintln(os.Stderr, "log:", line)
				}
				order = "well"
			}
			if order == "deaf" {
				signal.Ignore(syscall.SIGTERM)
				order = "well"
			}
			for _, answer := range answers(order, r.GetId()) {
				if err := stream.Send(&adapterpb.TurnResponses{Turns: []*adapterpb.TurnResponse{answer}}); err != nil {
					return err
				}
			}
		}
	}
}

func said(body string) *adapterpb.Effect {
	return &adapterpb.Effect{Effect: &adapterpb.Effect_Emission{Emission: &adapterpb.Emission{Kind: "message.created",
		Actor: &adapterpb.Actor{Role: "customer"}, Body: []byte(body)}}}
}

// answers are what a turn gets.
func answers(order string, id uint64) []*adapterpb.TurnResponse {
	one := func(o *adapterpb.Outcome) []*adapterpb.TurnResponse {
		return []*adapterpb.TurnResponse{{Id: id, Outcome: o}}
	}
	with := func(effects ...*adapterpb.Effect) []*adapterpb.TurnResponse {
		return one(&adapterpb.Outcome{Effects: effects})
	}
	const good = `{"content":{"type":"text","text":"well","format":"plain"}}`
	switch order {
	case "well":
		return with(said(good))
	case "nothing":
		return one(nil)
	case "no effect":
		return with(&adapterpb.Effect{})
	case "not UTF-8":
		return with(said("{\"content\":{\"type\":\"text\",\"text\":\"\xff\"}}"))
	case "not JSON":
		return with(said("{\"content\":\x00"))
	case "huge":
		return with(said(`{"content":{"type":"text","text":"` + strings.Repeat("x", 5<<20) + `"}}`))
	case "many":
		many := make([]*adapterpb.Effect, 20_000)
		for i := range many {
			many[i] = said(good)
		}
		return with(many...)
	case "another's id":
		return []*adapterpb.TurnResponse{{Id: id + 1000, Outcome: &adapterpb.Outcome{}}}
	case "no id":
		return []*adapterpb.TurnResponse{{Outcome: &adapterpb.Outcome{}}}
	case "twice":
		return append(with(said(good)), with(said(good))...)
	}
	return nil
}
