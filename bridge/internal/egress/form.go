package egress

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"sync"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

// ErrNotKept says that a link is of no file the bridge keeps. Adapters may ask for one
// all the same: a customer's picture may lie anywhere, and goes as words where it does.
var ErrNotKept = errors.New("no file that is kept here")

// Given opens a file by the link an adapter was given; the caller closes it. A link
// that is not ours, or no longer good, is ErrNotKept.
type Given func(ctx context.Context, link string) (event.Media, io.ReadCloser, error)

// body is what a call sends: text, and files between it.
type body struct {
	io.Reader
	files []io.Closer
	size  int64
	// kind is the Content-Type it has to have; "" leaves it to the adapter.
	kind string
	once sync.Once
}

// Close closes the files; closing again does nothing more. The transport closes a body
// when it likes, beside whoever made the call.
func (b *body) Close() error {
	b.once.Do(func() {
		for _, f := range b.files {
			_ = f.Close()
		}
	})
	return nil
}

func textBody(text string) *body {
	return &body{Reader: strings.NewReader(text), size: int64(len(text))}
}

// written opens the body of a call. fill puts the secrets into words of the adapter's.
func (e *Egress) written(ctx context.Context, c adapter.Call, fill func(string) (string, error)) (*body, error) {
	switch {
	case len(c.Form) > 0 && c.Upload != "", (len(c.Form) > 0 || c.Upload != "") && len(c.Body) > 0:
		return nil, errors.New("a call has one body: Body, Form or Upload")
	case len(c.Form) > 0:
		return e.form(ctx, c.Form, fill)
	case c.Upload != "":
		return e.upload(ctx, c.Upload)
	}
	text, err := fill(string(c.Body))
	if err != nil {
		return nil, fmt.Errorf("body of a call: %w", err)
	}
	return textBody(text), nil
}

// upload is a body that is one file.
func (e *Egress) upload(ctx context.Context, link string) (*body, error) {
	m, file, err := e.given(ctx, link)
	if err != nil {
		return nil, err
	}
	return &body{Reader: file, files: []io.Closer{file}, size: m.Size, kind: m.MIME}, nil
}

func (e *Egress) given(ctx context.Context, link string) (event.Media, io.ReadCloser, error) {
	if e.o.Given == nil {
		return event.Media{}, nil, errors.New("no files are kept here")
	}
	m, file, err := e.o.Given(ctx, link)
	if err != nil {
		return m, nil, fmt.Errorf("file of a call: %w", err)
	}
	return m, file, nil
}

// form is a body of fields (RFC 7578). Files are read as they leave, so the parts
// between them are made beforehand, and the length is known.
func (e *Egress) form(ctx context.Context, fields []adapter.FormField, fill func(string) (string, error)) (*body, error) {
	var text bytes.Buffer
	w := multipart.NewWriter(&text)
	b := &body{kind: w.FormDataContentType()}
	var parts []io.Reader
	flush := func() {
		b.size += int64(text.Len())
		parts = append(parts, bytes.NewReader(bytes.Clone(text.Bytes())))
		text.Reset()
	}
	for _, f := range fields {
		if f.File == "" {
			value, err := fill(f.Value)
			if err == nil {
				err = w.WriteField(f.Name, value)
			}
			if err != nil {
				return nil, errors.Join(b.Close(), fmt.Errorf("form of a call: %w", err))
			}
			continue
		}
		m, file, err := e.given(ctx, f.File)
		if err != nil {
			return nil, errors.Join(b.Close(), err)
		}
		b.files, b.size = append(b.files, file), b.size+m.Size
		if _, err := w.CreatePart(fileHeader(f, m)); err != nil {
			return nil, errors.Join(b.Close(), fmt.Errorf("form of a call: %w", err))
		}
		flush()
		parts = append(parts, io.LimitReader(file, m.Size))
	}
	if err := w.Close(); err != nil {
		return nil, errors.Join(b.Close(), fmt.Errorf("form of a call: %w", err))
	}
	flush()
	b.Reader = io.MultiReader(parts...)
	return b, nil
}

// fileHeader is what a form says of a file.
func fileHeader(f adapter.FormField, m event.Media) textproto.MIMEHeader {
	name := cmp.Or(f.Filename, m.Name, "file")
	kind := cmp.Or(f.MIME, m.MIME)
	if !plain("Content-Type", kind) || kind == "" {
		kind = "application/octet-stream"
	}
	return textproto.MIMEHeader{"Content-Disposition": {multipart.FileContentDisposition(f.Name, name)}, "Content-Type": {kind}}
}

// carry gives a request its body.
func (b *body) carry(req *http.Request) {
	req.Body, req.ContentLength, req.GetBody = b, b.size, nil
	if b.size == 0 {
		_ = b.Close()
		req.Body = http.NoBody
	}
}
