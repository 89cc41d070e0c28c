package event

import (
	"go/ast"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// The tables, the constants and the types have the same kinds.
func TestEveryKindIsWhole(t *testing.T) {
	constants, bodies := map[Kind]bool{}, map[string]bool{}
	for _, file := range packageFiles(t) {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				kindConstants(t, d, constants)
			case *ast.FuncDecl:
				if d.Name.Name == "Kind" && d.Recv != nil {
					bodies[d.Recv.List[0].Type.(*ast.Ident).Name] = true
				}
			}
		}
	}
	delete(bodies, "Event")
	delete(bodies, "Unknown")
	for kind, decode := range decoders {
		body, err := decode([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if body.Kind() != kind {
			t.Errorf("the decoder of %s gives a %T, which is %s", kind, body, body.Kind())
		}
		if !constants[kind] {
			t.Errorf("%s has no constant", kind)
		}
		delete(constants, kind)
		delete(bodies, reflect.TypeOf(body).Name())
	}
	if len(constants) > 0 || len(bodies) > 0 {
		t.Errorf("no decoder for kinds %v, bodies %v", constants, bodies)
	}
}

func kindConstants(t *testing.T, d *ast.GenDecl, into map[Kind]bool) {
	t.Helper()
	if d.Tok != token.CONST {
		return
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if typ, ok := v.Type.(*ast.Ident); !ok || typ.Name != "Kind" {
			continue
		}
		kind, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		into[Kind(kind)] = true
	}
}

// Kinds are facts, noun.past, but for the one that is whatever its vendor says.
func TestKindsAreFacts(t *testing.T) {
	fact := regexp.MustCompile(`^[a-z]+\.[a-z]+$`)
	for _, kind := range kinds() {
		if !fact.MatchString(string(kind)) && kind != KindExtension {
			t.Errorf("%s is not noun.past", kind)
		}
	}
	if all := kinds(); len(slices.Compact(all)) != len(decoders) {
		t.Errorf("Kinds lists %d of %d kinds", len(all), len(decoders))
	}
}

func TestEveryContentTypeIsWhole(t *testing.T) {
	left := receiversOf(t, "Type")
	delete(left, "UnknownContent")
	for name, decode := range contentDecoders {
		part, err := decode([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if part.Type() != name {
			t.Errorf("the decoder of %s gives a %T, which is %s", name, part, part.Type())
		}
		delete(left, reflect.TypeOf(part).Name())
	}
	if len(left) > 0 {
		t.Errorf("no decoder for %v", left)
	}
}

func TestEveryInsightIsWhole(t *testing.T) {
	left := receiversOf(t, "InsightType")
	delete(left, "UnknownInsight")
	for name, decode := range insightDecoders {
		insight, err := decode([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if insight.InsightType() != name {
			t.Errorf("the decoder of %s gives a %T, which is %s", name, insight, insight.InsightType())
		}
		delete(left, reflect.TypeOf(insight).Name())
	}
	if len(left) > 0 || len(Insights()) != len(insightDecoders) {
		t.Errorf("no decoder for %v; Insights has %d of %d", left, len(Insights()), len(insightDecoders))
	}
}

// receiversOf are the types that have a method.
func receiversOf(t *testing.T, method string) map[string]bool {
	t.Helper()
	types := map[string]bool{}
	for _, file := range packageFiles(t) {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Name.Name == method && d.Recv != nil {
				types[d.Recv.List[0].Type.(*ast.Ident).Name] = true
			}
		}
	}
	return types
}
