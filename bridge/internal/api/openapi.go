package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/desk"
)

// Types that stand for others in the description.
type (
	signInBody struct {
		Token string `json:"token"`
	}
	agentSchema = desk.Agent
	eventSchema = event.Event
)

type object = map[string]any

// getDescription answers with the OpenAPI description of what is served.
func (a *API) getDescription(w http.ResponseWriter, _ *http.Request, _ principal) error {
	return answer(w, http.StatusOK, Description())
}

// Description is the OpenAPI 3.1 description of the API, made from its routes and
// the types they answer with.
func Description() map[string]any {
	s := schemas{defs: object{}}
	paths := object{}
	for _, r := range routes() {
		path, _ := paths[Base+r.path].(object)
		if path == nil {
			path = object{}
			paths[Base+r.path] = path
		}
		path[strings.ToLower(r.method)] = s.operation(r)
	}
	s.of(reflect.TypeFor[Problem]())
	return object{
		"openapi": "3.1.0",
		"info": object{"title": "Footbridge native API", "version": "1",
			"description": "Version 1 only adds: skip kinds and fields you do not know. Errors are problem documents; act on their code."},
		"paths": paths,
		"components": object{"schemas": s.defs,
			"securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer"}, "cookie": object{"type": "apiKey", "in": "cookie", "name": "__Host-footbridge"}}},
	}
}

// schemas collects the types that were described.
type schemas struct{ defs object }

func (s schemas) operation(r route) object {
	good := object{"description": r.summary}
	if r.result != nil {
		good["content"] = object{"application/json": object{"schema": s.of(reflect.TypeOf(r.result))}}
	}
	op := object{"summary": r.summary, "operationId": operationID(r), "parameters": parameters(r),
		"responses": object{strconv.Itoa(r.status): good, "default": object{"description": "A problem document.",
			"content": object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}}}}}
	if r.body != nil {
		schema := s.of(reflect.TypeOf(r.body))
		if r.socket {
			op["x-messages"] = object{"takes": schema, "sends": s.of(reflect.TypeOf(r.result))}
		} else {
			op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": schema}}}
		}
	}
	if r.file {
		op["requestBody"] = object{"required": true, "content": object{"*/*": object{"schema": object{"type": "string", "format": "binary"}}}}
	}
	if r.roles != nil {
		op["security"] = []object{{"bearer": []string{}}, {"cookie": []string{}}}
		op["x-roles"] = r.roles
	}
	return op
}

func operationID(r route) string {
	id := strings.ToLower(r.method)
	for part := range strings.SplitSeq(r.path, "/") {
		if part = strings.Trim(part, "{}"); part != "" {
			id += "_" + strings.NewReplacer("-", "_", ".", "_").Replace(part)
		}
	}
	return id
}

func parameters(r route) []object {
	all := []object{}
	for part := range strings.SplitSeq(r.path, "/") {
		if name := strings.Trim(part, "{}"); name != part {
			all = append(all, parameter(name, "path", true))
		}
	}
	for _, name := range r.query {
		all = append(all, parameter(name, "query", false))
	}
	if r.method == http.MethodPost && strings.HasSuffix(r.path, "/events") {
		all = append(all, parameter("Idempotency-Key", "header", false))
	}
	return all
}

func parameter(name, in string, required bool) object {
	return object{"name": name, "in": in, "required": required, "schema": object{"type": "string"}}
}

// plainTypes are the types that are not described by their fields.
//
//nolint:gochecknoglobals // a table that is never written.
var plainTypes = map[string]object{
	"time.Time":       {"type": "string", "format": "date-time"},
	"json.RawMessage": {},
	"jsontext.Value":  {},
}

//nolint:gochecknoglobals // a table that is never written.
var plainKinds = map[reflect.Kind]string{
	reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number",
}

// of describes a type; structs are described once and referred to.
func (s schemas) of(t reflect.Type) object {
	if plain, ok := plainTypes[t.String()]; ok {
		return plain
	}
	if kind, ok := plainKinds[t.Kind()]; ok {
		return object{"type": kind}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return object{"anyOf": []object{s.of(t.Elem()), {"type": "null"}}}
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.named(t)
	}
	return object{}
}

func (s schemas) named(t reflect.Type) object {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	if _, done := s.defs[name]; !done {
		s.defs[name] = object{} // against types that hold themselves
		switch t {
		case reflect.TypeFor[event.Event]():
			s.defs[name] = s.event()
		case reflect.TypeFor[event.Content]():
			s.defs[name] = s.content()
		case reflect.TypeFor[event.InsightObserved]():
			s.defs[name] = s.insight()
		default:
			s.defs[name] = s.fields(t)
		}
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func (s schemas) fields(t reflect.Type) object {
	properties, needed := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		properties[name] = s.of(f.Type)
		if options == "" {
			needed = append(needed, name)
		}
	}
	slices.Sort(needed)
	return object{"type": "object", "properties": properties, "required": needed}
}

// event describes the one representation of an event; its bodies by kind.
func (s schemas) event() object {
	kinds := []string{}
	for _, k := range event.Kinds() {
		kinds = append(kinds, string(k))
	}
	slices.Sort(kinds)
	bodies := object{}
	for _, k := range kinds {
		body, err := event.DecodeBody(event.Kind(k), json.RawMessage("{}"))
		if err == nil {
			bodies[k] = s.of(reflect.TypeOf(body))
		}
	}
	text := object{"type": "string"}
	return object{"type": "object", "required": []string{"kind", "actor", "body"}, "x-bodies": bodies, "properties": object{
		"id": text, "conversation": text, "seq": object{"type": "integer"}, "time": s.of(reflect.TypeFor[time.Time]()),
		"kind": object{"type": "string", "examples": kinds}, "actor": s.of(reflect.TypeFor[event.Actor]()),
		"via": s.of(reflect.TypeFor[event.Via]()), "ref": text, "body": object{"type": "object"},
		"vendor": object{"type": "object"},
	}}
}

// content describes what a message says, by its type.
func (s schemas) content() object {
	var arms []object
	for _, part := range []event.Part{event.Text{}, event.Media{}, event.Choices{}, event.Form{}, event.FormResponse{},
		event.Card{}, event.Carousel{}, event.Location{}, event.Link{}} {
		kind := object{"type": "object", "required": []string{"type"}, "properties": object{"type": object{"const": part.Type()}}}
		arms = append(arms, object{"allOf": []object{kind, s.of(reflect.TypeOf(part))}})
	}
	return object{"oneOf": arms}
}

// insight describes what an observer found out, by its type.
func (s schemas) insight() object {
	insights := event.Insights()
	slices.SortFunc(insights, func(a, b event.Insight) int { return strings.Compare(a.InsightType(), b.InsightType()) })
	arms := make([]object, 0, len(insights))
	for _, i := range insights {
		kind := object{"type": "object", "required": []string{"type"}, "properties": object{"type": object{"const": i.InsightType()}}}
		arms = append(arms, object{"allOf": []object{kind, s.of(reflect.TypeOf(i))}})
	}
	return object{"oneOf": arms}
}
