package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxBody  = 256 << 10
	maxDepth = 64
)

// readBody reads a JSON body strictly into v.
func readBody(w http.ResponseWriter, r *http.Request, v any) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || kind != "application/json" || charset != "" && charset != "utf-8" {
		return fault(codeMediaType)
	}
	if r.Header.Get("Content-Encoding") != "" {
		return fault(codeMediaType).mending("send the body without Content-Encoding")
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault(codeTooLarge)
	}
	if err != nil {
		return fault(codeMalformed).mending("send the whole body")
	}
	return strict(data, v)
}

// strict decodes one JSON object: no duplicate or unknown names, valid UTF-8, not
// too deep, nothing after it.
func strict(data []byte, v any) error {
	if deep(data) {
		return fault(codeMalformed)
	}
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] != '{' {
		return fault(codeMalformed)
	}
	err := jsonv2.Unmarshal(data, v, jsonv2.RejectUnknownMembers(true))
	var semantic *jsonv2.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &semantic) && errors.Is(err, jsonv2.ErrUnknownName):
		return invalid(field(semantic.JSONPointer), "take it out: the field is not known here")
	case errors.As(err, &semantic):
		return invalid(field(semantic.JSONPointer), "give it the type openapi.json says")
	}
	return fault(codeMalformed)
}

// field writes a JSON pointer as people name fields.
func field(p jsontext.Pointer) string {
	return strings.ReplaceAll(strings.TrimPrefix(string(p), "/"), "/", ".")
}

// deep tells whether a document nests deeper than is allowed. Where it is broken
// it is for the decoder to say so.
func deep(data []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.ReadToken(); err != nil {
			return false
		}
		if d.StackDepth() > maxDepth {
			return true
		}
	}
}
