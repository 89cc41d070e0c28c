package simvendor

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// bodyLimit is what is read of a request.
const bodyLimit = 64 << 20

// Call is one request while it is dealt with; its Body may be read, too.
type Call struct {
	*http.Request
	// Data is the body, and Fields what stands in its object of JSON or its form.
	Data   []byte
	Fields map[string]any
	// Files are those of a form.
	Files []File

	shown string // what its Record says of the body
}

// File is a file of a form, in the field of that name.
type File struct {
	Field, Name, MIME string
	Data              []byte
}

// Text is a field, its numbers and truths written out; "" where there is none.
func (c *Call) Text(name string) string {
	switch v := c.Fields[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// Number is a field that is a whole number, 0 where it is none.
func (c *Call) Number(name string) int {
	n, err := strconv.Atoi(c.Text(name))
	if err != nil {
		return 0
	}
	return n
}

// read takes a body of JSON or a form apart; what is neither has no fields.
func read(r *http.Request) (*Call, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	c := &Call{Request: r, Data: data, Fields: map[string]any{}}
	switch kind, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "multipart/form-data":
		c.parts(multipart.NewReader(bytes.NewReader(data), parameters["boundary"]))
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(data))
		for name := range form {
			c.Fields[name] = form.Get(name)
		}
	default:
		var fields map[string]any
		if json.Unmarshal(data, &fields) == nil && fields != nil {
			c.Fields = fields
		}
	}
	c.shown = c.summary()
	return c, nil
}

// parts reads a form until it ends or makes no sense.
func (c *Call) parts(form *multipart.Reader) {
	for {
		part, err := form.NextPart()
		if err != nil {
			return
		}
		data, err := io.ReadAll(part)
		switch {
		case err != nil:
			return
		case part.FileName() == "":
			c.Fields[part.FormName()] = string(data)
		default:
			c.Files = append(c.Files, File{Field: part.FormName(), Name: part.FileName(), MIME: part.Header.Get("Content-Type"), Data: data})
		}
	}
}

func (c *Call) summary() string {
	switch {
	case len(c.Files) == 0:
		return string(c.Data)
	case len(c.Fields) == 0:
		return "form"
	}
	return "form of " + strings.Join(slices.Sorted(maps.Keys(c.Fields)), " ")
}

// Sign is the HMAC-SHA256 of parts put together, in hex.
func Sign(secret string, parts ...string) string {
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum.Sum(nil))
}
