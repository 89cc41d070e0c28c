package event

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write docs/event.schema.json anew")

const schemaPath = "../../docs/event.schema.json"

type object = map[string]any

// TestSchema compares the JSON Schema of events with the Go types it is made of.
func TestSchema(t *testing.T) {
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(schemaOf(t)); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaPath, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s does not say what the Go types say: run go test ./bridge/event -run TestSchema -update and read the change", schemaPath)
	}
}

// schema makes definitions of Go types as it meets them.
type schema struct {
	docs map[string]string
	defs object
}

func schemaOf(t *testing.T) object {
	s := &schema{docs: docsOf(t), defs: object{}}
	envelope := s.structure(reflect.TypeFor[wire]())
	properties := envelope["properties"].(object)
	properties["body"] = object{"description": "What the kind carries; see oneOf."}
	for field, doc := range map[string]string{"id": "Event.ID", "conversation": "Event.Conversation", "seq": "Event.Seq", "time": "Event.Time",
		"kind": "Kind", "ref": "Event.Ref", "vendor": "Event.Vendor"} {
		properties[field].(object)["description"] = s.docs[doc]
	}
	envelope["oneOf"] = s.arms("kind", kinds(), func(k Kind) object {
		body, err := DecodeBody(k, nil)
		if err != nil {
			t.Fatal(err)
		}
		return object{"properties": object{"kind": object{"const": k}, "body": s.ref(reflect.TypeOf(body))}}
	})
	s.content(t)
	s.insight(t)
	envelope["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	envelope["$id"] = "https://github.com/footbridge/footbridge/docs/event.schema.json"
	envelope["title"] = "Footbridge event"
	envelope["description"] = s.docs["Event"] + " Readers skip fields, kinds and content types they do not know. Made from package bridge/event; do not edit."
	envelope["$defs"] = s.defs
	return envelope
}

// arms is a sum: an arm for each name, and one for all others.
func (s *schema) arms(tag string, names []Kind, arm func(Kind) object) []object {
	arms := make([]object, 0, len(names)+1)
	for _, name := range names {
		arms = append(arms, arm(name))
	}
	return append(arms, object{"title": "unknown", "properties": object{tag: object{"not": object{"enum": names}}}})
}

// content defines Content; the zero Content is null.
func (s *schema) content(t *testing.T) {
	arms := s.arms("type", named(partNames()), func(name Kind) object {
		part, err := contentDecoders[string(name)]([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		arm := s.structure(reflect.TypeOf(part))
		arm["properties"].(object)["type"] = object{"const": name}
		s.defs[reflect.TypeOf(part).Name()] = arm
		return object{"$ref": "#/$defs/" + reflect.TypeOf(part).Name()}
	})
	s.defs["Content"] = object{"description": s.docs["Content"], "type": []string{"object", "null"}, "required": []string{"type"},
		"properties": object{"type": object{"type": "string"}}, "oneOf": arms}
}

// insight defines InsightObserved; the zero one is an object without fields.
func (s *schema) insight(t *testing.T) {
	arms := s.arms("type", named(insightNames()), func(name Kind) object {
		insight, err := insightDecoders[string(name)]([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		arm := s.ref(reflect.TypeOf(insight))
		arm["required"], arm["properties"] = []string{"type"}, object{"type": object{"const": name}}
		return arm
	})
	s.defs["InsightObserved"] = object{"description": s.docs["InsightObserved"], "type": "object",
		"properties": object{"type": object{"type": "string"}}, "oneOf": arms}
}

func named(names []string) []Kind {
	kinds := make([]Kind, 0, len(names))
	for _, name := range names {
		kinds = append(kinds, Kind(name))
	}
	return kinds
}

func (s *schema) ref(typ reflect.Type) object {
	if _, known := s.defs[typ.Name()]; !known && typ != reflect.TypeFor[Content]() && typ != reflect.TypeFor[InsightObserved]() {
		s.defs[typ.Name()] = object{}
		s.defs[typ.Name()] = s.structure(typ)
	}
	return object{"$ref": "#/$defs/" + typ.Name()}
}

// structure requires what is always written.
func (s *schema) structure(typ reflect.Type) object {
	properties, required := object{}, []string{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		property := s.value(f.Type, options != "")
		if doc := s.docs[typ.Name()+"."+f.Name]; doc != "" {
			property["description"] = doc
		}
		properties[name] = property
		if options == "" {
			required = append(required, name)
		}
	}
	out := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	if doc := s.docs[typ.Name()]; doc != "" {
		out["description"] = doc
	}
	return out
}

// value is the schema of a field; a list or map that is always written may be
// null.
func (s *schema) value(typ reflect.Type, optional bool) object {
	switch typ {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[*time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return s.value(typ.Elem(), optional)
	case reflect.Struct:
		return s.ref(typ)
	case reflect.Slice:
		return object{"type": orNull("array", optional), "items": s.value(typ.Elem(), true)}
	case reflect.Map:
		return object{"type": orNull("object", optional), "additionalProperties": s.value(typ.Elem(), true)}
	}
	return object{"type": map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer",
		reflect.Int64: "integer", reflect.Float64: "number"}[typ.Kind()]}
}

func orNull(name string, optional bool) any {
	if optional {
		return name
	}
	return []string{name, "null"}
}

// docsOf reads the comments of the package's types ("Event") and of their fields
// ("Event.Seq").
func docsOf(t *testing.T) map[string]string {
	docs := map[string]string{}
	for _, file := range packageFiles(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				return true
			}
			for _, spec := range decl.Specs {
				typ := spec.(*ast.TypeSpec)
				docs[typ.Name.Name] = oneLine(decl.Doc)
				structure, ok := typ.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, f := range structure.Fields.List {
					for _, name := range f.Names {
						docs[typ.Name.Name+"."+name.Name] = oneLine(f.Doc)
					}
				}
			}
			return true
		})
	}
	return docs
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

func packageFiles(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// Every event we write is one by the schema.
func TestSchemaAcceptsEvents(t *testing.T) {
	v := validatorOf(t)
	if err := v.event([]byte(example)); err != nil {
		t.Errorf("the example: %v", err)
	}
	for _, kind := range append(kinds(), "future.happened") {
		t.Run(string(kind), rapid.MakeCheck(func(t *rapid.T) {
			data := encode(t, drawEvent(t, kind))
			if err := v.event(data); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
		}))
		zero, err := DecodeBody(kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.event(encode(t, Event{Body: zero})); err != nil {
			t.Errorf("%s with nothing in it: %v", kind, err)
		}
	}
}

func TestSchemaRefusesOthers(t *testing.T) {
	v := validatorOf(t)
	for _, change := range [][2]string{
		{`"kind":"message.created",`, ``},
		{`"message.created"`, `7`},
		{`"message.created"`, `"handoff.accepted.not`},
		{`"role":"customer",`, ``},
		{`"seq":7`, `"seq":"7"`},
		{`"seq":7`, `"seq":7.5`},
		{`"text":"hello"`, `"text":["hello"]`},
		{`"text":"hello",`, ``},
		{`"type":"text",`, ``},
		{`{"type":"text","text":"hello","format":"plain"}`, `"hello"`},
		{`{"type":"text","text":"hello","format":"plain"}`, `{"type":"choices","options":{}}`},
		{`{"type":"text","text":"hello","format":"plain"}`, `{"type":"location","latitude":"1","longitude":2}`},
		{`"body":{"content":`, `"bodies":{"content":`},
	} {
		data := strings.Replace(example, change[0], change[1], 1)
		if data == example {
			t.Fatalf("the example has no %s", change[0])
		}
		if err := v.event([]byte(data)); err == nil {
			t.Errorf("%s was accepted", data)
		}
	}
	for _, body := range []string{`{"type":"call","status":7}`, `{"type":"utterance","final":"yes"}`, `{"type":"sound_level"}`, `{"type":"dialog","utterances":[{"index":"1"}]}`} {
		if err := v.event([]byte(`{"kind":"insight.observed","actor":{"role":"observer"},"body":` + body + `}`)); err == nil {
			t.Errorf("insight %s was accepted", body)
		}
	}
}
