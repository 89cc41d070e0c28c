package translate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
)

// maxLine is the longest line of input, in bytes; no vendor sends frames of that
// size.
const maxLine = 16 << 20

// line is one line of input, or why there is none.
type line struct {
	data []byte
	err  error
}

// lines reads until the input or ctx ends. The reader may stay in a Read that
// nothing can cut short.
func lines(ctx context.Context, in io.Reader) <-chan line {
	out := make(chan line)
	go func() {
		defer close(out)
		r := bufio.NewReader(in)
		for ctx.Err() == nil {
			data, err := r.ReadBytes('\n')
			next := line{data: data}
			if err != nil && !errors.Is(err, io.EOF) {
				next.err = err
			}
			select {
			case out <- next:
			case <-ctx.Done():
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}

// parse takes a line for a frame, or for an object that holds the path and the
// frame.
func (t *translating) parse(data []byte) (path string, frame []byte, err error) {
	if len(data) > maxLine {
		return "", nil, fmt.Errorf("it has %d bytes, more than %d", len(data), maxLine)
	}
	if !json.Valid(data) {
		if t.raw {
			return "", data, nil
		}
		return "", nil, notJSON(data)
	}
	path, frame, ok := addressed(data)
	if !ok {
		return "", data, nil
	}
	if _, err := url.Parse(path); err != nil {
		return "", nil, fmt.Errorf("path %q is no address: %w", path, err)
	}
	var text string
	if t.raw && json.Unmarshal(frame, &text) == nil {
		frame = []byte(text)
	}
	return path, frame, nil
}

// notJSON says where a line stops being JSON.
func notJSON(data []byte) error {
	var any any
	err := json.Unmarshal(data, &any)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("it is not JSON, which this endpoint takes: %w (byte %d); mend: write one JSON value a line", err, syntax.Offset)
	}
	return fmt.Errorf("it is not JSON, which this endpoint takes: %w", err)
}

// addressed takes {"path":…,"frame":…} apart; false for any other value.
func addressed(data []byte) (path string, frame []byte, ok bool) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return "", nil, false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil || len(members) != 2 || members["frame"] == nil {
		return "", nil, false
	}
	if members["path"] == nil || json.Unmarshal(members["path"], &path) != nil {
		return "", nil, false
	}
	return path, members["frame"], true
}
