package aiserasim

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// Client is a chat client (Sample Client Implementation) with one open socket.
type Client struct {
	line        *line
	token, user string

	mu      sync.Mutex
	answers []Answer
	over    bool
}

// Dial opens a chat client's socket and reads it until it ends.
func Dial(ctx context.Context, address, token, user string, o Options) (*Client, error) {
	if o.Transport == "" {
		o.Transport = SocketIO
	}
	if o.Event == "" {
		o.Event = "message"
	}
	l, err := dial(ctx, address, o)
	if err != nil {
		return nil, err
	}
	c := &Client{line: l, token: token, user: user}
	go c.run()
	return c, nil
}

func (c *Client) run() {
	for {
		data, err := c.line.read(context.Background())
		c.mu.Lock()
		if err != nil {
			c.over = true
			c.mu.Unlock()
			return
		}
		var a Answer
		if json.Unmarshal(data, &a) == nil {
			c.answers = append(c.answers, a)
		}
		c.mu.Unlock()
	}
}

// Send sends a frame with the client's token and user (Sample Requests).
func (c *Client) Send(d Data) error {
	return c.line.send(Request{Token: c.token, UserID: c.user, UserEmail: c.user + "@example.com", ChannelID: "simulated", Data: d})
}

// Say sends words (Basic Request).
func (c *Client) Say(text string) error { return c.Send(Data{Text: text, ReqID: text}) }

// Answers are the frames that came, in order.
func (c *Client) Answers() []Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.answers)
}

// Texts are the words that came, in order, whoever's.
func (c *Client) Texts() []string {
	var texts []string
	for _, a := range c.Answers() {
		if a.Text != "" {
			texts = append(texts, a.Text)
		}
	}
	return texts
}

// Open reports whether the socket is.
func (c *Client) Open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.over
}

// Close ends the socket.
func (c *Client) Close() { c.line.close(1000) }
