package vonagesim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// WidgetOptions are a Widget's.
type WidgetOptions struct {
	// Key is the API key its server sends to init, AgentID the agent it asks for.
	Key, AgentID string
	// BaseURL is what it takes for AI Studio: at the bridge
	// https://host/in/ACCOUNT.
	BaseURL string
	// Client is used for init and step; nil is one with a limit of 15 s.
	Client *http.Client
}

// Widget is a client of an HTTP agent, with the server that begins its session:
// pages "Working with HTTP agents" and "Websockets connections for Live agent
// Routing". Its methods are safe for concurrent use, but for Init.
type Widget struct {
	o WidgetOptions
	// Session and Token are what Init was given, or what a test sets.
	Session, Token string
	// Begins and Expires are session_start_time and session_expiration_time.
	Begins, Expires string

	mu     sync.Mutex
	conn   *websocket.Conn
	heard  []stepAnswer
	closed int // the close code, 0 while open
	done   chan struct{}
}

// NewWidget makes a Widget without a session.
func NewWidget(o WidgetOptions) *Widget {
	o.Client = clientOr(o.Client)
	if o.AgentID == "" {
		o.AgentID = "6501fa2b6ae1a7b1c2d3e4f5"
	}
	return &Widget{o: o}
}

// Init begins a session; the Answer is the far side's whatever it is.
func (w *Widget) Init(ctx context.Context) (Answer, error) {
	c := caller{client: w.o.Client, base: w.o.BaseURL, header: http.Header{keyHeader: {w.o.Key}}}
	a, err := c.post(ctx, "/http/init", map[string]string{"agent_id": w.o.AgentID})
	if err != nil || a.Status != http.StatusOK {
		return a, err
	}
	var body struct {
		ID      string `json:"session_id"`
		Begins  string `json:"session_start_time"`
		Expires string `json:"session_expiration_time"`
		Token   string `json:"session_token"`
	}
	if err := json.Unmarshal(a.Body, &body); err != nil || body.ID == "" || body.Token == "" {
		return a, fmt.Errorf("init answered without a session_id and session_token: %w", err)
	}
	w.Session, w.Token, w.Begins, w.Expires = body.ID, body.Token, body.Begins, body.Expires
	return a, nil
}

// Step steps the session and gives the texts of the answer, if it is one. The
// widget of TamirVonage/vonage-chat-widget fetches the first words with an input
// of null; so does an empty one here.
func (w *Widget) Step(ctx context.Context, input string, parameters ...Parameter) (Answer, []string, error) {
	c := caller{client: w.o.Client, base: w.o.BaseURL, header: http.Header{"Authorization": {"Bearer " + w.Token}}}
	body := map[string]any{"input": input}
	if input == "" {
		body["input"] = nil
	}
	if len(parameters) > 0 {
		body["parameters"] = parameters
	}
	a, err := c.post(ctx, "/http/"+url.PathEscape(w.Session)+"/step", body)
	if err != nil || a.Status != http.StatusOK {
		return a, nil, err
	}
	texts, err := w.hear(a.Body)
	return a, texts, err
}

// hear notes what an answer or a frame says.
func (w *Widget) hear(data []byte) ([]string, error) {
	var said stepAnswer
	if err := json.Unmarshal(data, &said); err != nil {
		return nil, fmt.Errorf("read what the agent says: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, said)
	return said.texts(), nil
}

func (a stepAnswer) texts() []string {
	var texts []string
	for _, m := range a.Messages {
		if m.Text != "" {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// Open opens the socket with ?token= and reads it until it ends. A refusal gives
// its status.
func (w *Widget) Open(ctx context.Context) (status int, err error) {
	address := strings.Replace(strings.TrimRight(w.o.BaseURL, "/"), "http", "ws", 1) + "/ws?token=" + url.QueryEscape(w.Token)
	conn, res, err := websocket.Dial(ctx, address, nil)
	if res != nil {
		status = res.StatusCode
	}
	if err != nil {
		return status, fmt.Errorf("open the socket: %w", err)
	}
	conn.SetReadLimit(bodyLimit)
	w.mu.Lock()
	w.conn, w.closed, w.done = conn, 0, make(chan struct{})
	w.mu.Unlock()
	go w.run(conn, w.done)
	return status, nil
}

func (w *Widget) run(conn *websocket.Conn, done chan struct{}) {
	defer close(done)
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			w.over(conn, int(websocket.CloseStatus(err)))
			return
		}
		// A frame that is no answer is nothing to a widget.
		_, _ = w.hear(data)
	}
}

func (w *Widget) over(conn *websocket.Conn, code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == conn {
		w.conn, w.closed = nil, code
	}
}

// ErrClosed says that a Widget has no socket.
var ErrClosed = errors.New("the widget has no socket")

// Say sends words on the socket: page "Websockets connections …", The message
// syntax.
func (w *Widget) Say(input string) error {
	return w.Send(map[string]string{"action": "step", "input": input})
}

// Send sends any frame on the socket.
func (w *Widget) Send(frame any) error {
	w.mu.Lock()
	conn := w.conn
	w.mu.Unlock()
	if conn == nil {
		return ErrClosed
	}
	return (&line{conn: conn}).put(context.Background(), frame)
}

// Texts are all words the agent said, by answer and by socket, in the order they
// came.
func (w *Widget) Texts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var texts []string
	for _, a := range w.heard {
		texts = append(texts, a.texts()...)
	}
	return texts
}

// Ended reports whether the agent said that the session has.
func (w *Widget) Ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.heard, func(a stepAnswer) bool { return a.Status == statusEnded })
}

// Connected reports whether the socket is open; code is how it was closed, -1
// where it broke.
func (w *Widget) Connected() (open bool, code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn != nil, w.closed
}

// Close ends the socket, and waits until it has.
func (w *Widget) Close() {
	w.mu.Lock()
	conn, done := w.conn, w.done
	w.mu.Unlock()
	if conn != nil {
		_ = conn.Close(closeNormal, "")
	}
	if done != nil {
		<-done
	}
}
