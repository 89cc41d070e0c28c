package convocoresim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// Client is a chat client of one conversation. It holds no connection: each turn
// has its own. Its methods may be called at any time.
type Client struct {
	address, secret, convo string
}

// NewClient makes a client of the socket at address; an empty secret sends none.
func NewClient(address, secret, convo string) *Client {
	return &Client{address: address, secret: secret, convo: convo}
}

// Frame is one thing the server sent (spec).
type Frame struct {
	Type     string `json:"type"`
	Chunk    string `json:"chunk"`
	Index    int    `json:"chunkIndex"`
	UI       bool   `json:"ui_engine"`
	Turns    []Turn `json:"turns"`
	Metadata struct {
		Turns   []Turn `json:"turns"`
		LLMUsed string `json:"llmUsed"`
	} `json:"metadata"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

// Reply is what came of a turn.
type Reply struct {
	Frames []Frame
	// Code is what the connection was closed with, -1 when it was lost.
	Code int
}

// Text is what a client shows of the turn: chunks put together, and the words of
// the last snapshot where there is one.
func (r Reply) Text() string {
	shown := ""
	for _, f := range r.Frames {
		var t Turn
		switch {
		case f.Type == "chunk" && !f.UI:
			shown += f.Chunk
		case f.Type == "chunk" && json.Unmarshal([]byte(f.Chunk), &t) == nil:
			shown = strings.Join(words([]Turn{t}, "bot"), "\n\n")
		}
	}
	return shown
}

// Summed are the texts in the turns of metadata, which is all an old client reads.
func (r Reply) Summed() []string {
	var all []string
	for _, f := range r.Frames {
		if f.Type == "metadata" {
			all = append(all, words(f.Metadata.Turns, "bot")...)
		}
	}
	return all
}

// History are the texts of sync_chat_history by one author, bot or human.
func (r Reply) History(from string) []string {
	var all []string
	for _, f := range r.Frames {
		if f.Type == "sync_chat_history" {
			all = append(all, words(f.Turns, from)...)
		}
	}
	return all
}

// Whole says the turn ended as it should: metadata last, close 1000.
func (r Reply) Whole() bool {
	n := len(r.Frames)
	return r.Code == int(websocket.StatusNormalClosure) && n > 0 && r.Frames[n-1].Type == "metadata"
}

// Handoff says that people were asked for.
func (r Reply) Handoff() bool {
	for _, f := range r.Frames {
		if f.Type == "action" && f.Action.Type == "request_handoff" {
			return true
		}
	}
	return false
}

// Exchange is a turn under way.
type Exchange struct {
	client *Client
	conn   *websocket.Conn
}

// Begin opens a connection and sends an object; Wait must follow. The agent, the
// bucket and the conversation are filled in.
func (c *Client) Begin(ctx context.Context, o Object) (*Exchange, error) {
	header := http.Header{}
	if c.secret != "" {
		header.Set("Authorization", "Bearer "+c.secret)
	}
	conn, _, err := websocket.Dial(ctx, c.address, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		return nil, fmt.Errorf("dial interact: %w", err)
	}
	conn.SetReadLimit(1 << 20)
	x := &Exchange{client: c, conn: conn}
	if err := x.send(ctx, o); err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return x, nil
}

func (x *Exchange) send(ctx context.Context, o Object) error {
	o.AgentID, o.ConvoID, o.Bucket = "agent", x.client.convo, "voiceglow-eu"
	data, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode an object: %w", err)
	}
	if err := x.conn.Write(ctx, websocket.MessageText, data); err != nil {
		return fmt.Errorf("send an object: %w", err)
	}
	return nil
}

// Cancel asks the server to stop answering (spec, @cancel).
func (x *Exchange) Cancel(ctx context.Context, reason string) error {
	return x.send(ctx, Object{Prompt: "@cancel:" + reason})
}

// Wait reads until the connection ends.
func (x *Exchange) Wait(ctx context.Context) Reply {
	var r Reply
	for {
		_, data, err := x.conn.Read(ctx)
		if err != nil {
			_ = x.conn.CloseNow()
			r.Code = int(websocket.CloseStatus(err))
			return r
		}
		var f Frame
		if json.Unmarshal(data, &f) == nil {
			r.Frames = append(r.Frames, f)
		}
	}
}

// Turn sends an object and waits for the end of its connection.
func (c *Client) Turn(ctx context.Context, o Object) (Reply, error) {
	x, err := c.Begin(ctx, o)
	if err != nil {
		return Reply{}, err
	}
	return x.Wait(ctx), nil
}

// Say says words under an id; said again under it they are the same words.
func (c *Client) Say(ctx context.Context, mid, said string) (Reply, error) {
	return c.Turn(ctx, Object{Prompt: said, ActionMetadata: &ActionMetadata{mid}})
}

// History asks for what was said before: an object without a prompt.
func (c *Client) History(ctx context.Context) (Reply, error) { return c.Turn(ctx, Object{}) }
