package bridge_test

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The sizes things may have. A file or function that must grow wants to be two.
const (
	fileLines     = 500
	fileUsual     = 300 // nine in ten
	functionLines = 60
	testLines     = 80 // a test may hold its table
	functionUsual = 30 // nine in ten
	functionHalf  = 10 // every second
	methodsUsual  = 3
)

func TestFileSizes(t *testing.T) {
	var sizes []int
	for _, s := range sources(t) {
		if s.generated {
			continue
		}
		if s.lines > fileLines {
			t.Errorf("%s has %d lines, more than %d: one file that grows becomes the place where everything goes", s.path, s.lines, fileLines)
		}
		if !s.test {
			sizes = append(sizes, s.lines)
		}
	}
	share(t, "files", sizes, 90, fileUsual)
}

func TestFunctionSizes(t *testing.T) {
	var sizes []int
	for _, s := range sources(t) {
		if s.generated {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
			limit := functionLines
			if s.test {
				limit = testLines
			}
			if lines > limit {
				t.Errorf("%s: %s has %d lines, more than %d: nobody holds that in mind", s.at(f), f.Name.Name, lines, limit)
			}
			if !s.test {
				sizes = append(sizes, lines)
			}
		}
	}
	share(t, "functions", sizes, 90, functionUsual)
	share(t, "functions", sizes, 50, functionHalf)
}

// share fails when fewer than so many percent of the sizes are within limit.
func share(t *testing.T, what string, sizes []int, percent, limit int) {
	t.Helper()
	slices.Sort(sizes)
	at := (len(sizes)*percent + 99) / 100
	if got := sizes[max(at, 1)-1]; got > limit {
		t.Errorf("%d %% of %s have up to %d lines, more than %d", percent, what, got, limit)
	}
}

// largeInterfaces may have more methods than the rest; each has its reason.
var largeInterfaces = map[string]string{}

// Embedded interfaces do not count: a sum of small ones is how a large one is to
// be made.
func TestInterfacesAreSmall(t *testing.T) {
	for _, s := range code(sources(t)) {
		eachType(s, func(spec *ast.TypeSpec, _ *ast.CommentGroup) {
			face, ok := spec.Type.(*ast.InterfaceType)
			name := s.folder + "." + spec.Name.Name
			if !ok || !spec.Name.IsExported() || largeInterfaces[name] != "" {
				return
			}
			methods := 0
			for _, m := range face.Methods.List {
				methods += len(m.Names)
			}
			if methods > methodsUsual {
				t.Errorf("%s: %s has %d methods, more than %d: the more an interface asks, the fewer can give it", s.at(spec), name, methods, methodsUsual)
			}
		})
	}
}

func eachType(s source, visit func(*ast.TypeSpec, *ast.CommentGroup)) {
	for _, d := range s.file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			continue
		}
		for _, spec := range decl.Specs {
			typ := spec.(*ast.TypeSpec)
			doc := typ.Doc
			if doc == nil {
				doc = decl.Doc
			}
			visit(typ, doc)
		}
	}
}

// A package says once what it is for, where people look for it.
func TestPackageComments(t *testing.T) {
	comments, packages := map[string][]string{}, map[string]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		packages[s.folder] = s.file.Name.Name
		if s.file.Doc != nil && !s.generated {
			comments[s.folder] = append(comments[s.folder], path.Base(s.path))
		}
	}
	for folder, name := range packages {
		files := comments[folder]
		if len(files) != 1 || !slices.Contains([]string{name + ".go", "doc.go", "main.go"}, files[0]) {
			t.Errorf("%s: the package comment is in %v; it belongs in %s.go or doc.go, once", folder, files, name)
		}
	}
}

// vagueNames say nothing about what is inside.
var vagueNames = regexp.MustCompile(`(?i)^(util|utils|common|types|manager|helper|helpers|misc|base|shared|lib)$`)

func TestPackageNames(t *testing.T) {
	for _, s := range sources(t) {
		name := s.file.Name.Name
		if vagueNames.MatchString(name) || vagueNames.MatchString(path.Base(s.folder)) {
			t.Errorf("%s: package %s: packages are named after a thing of the trade", s.path, name)
		}
		if !s.test && name != "main" && name != path.Base(s.folder) {
			t.Errorf("%s: package %s is in a folder of another name", s.path, name)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, s := range code(sources(t)) {
		report := func(n ast.Node, name string) {
			t.Errorf("%s: %s has no comment: say what for, when, in which units, and what goes wrong", s.at(n), name)
		}
		eachType(s, func(spec *ast.TypeSpec, doc *ast.CommentGroup) {
			if spec.Name.IsExported() && doc == nil {
				report(spec, spec.Name.Name)
			}
		})
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && ast.IsExported(receiver(d)) {
					report(d, d.Name.Name)
				}
			case *ast.GenDecl:
				undocumented(d, report)
			}
		}
	}
}

// undocumented reports exported constants and variables without a comment of
// their own, of their line or of their group.
func undocumented(d *ast.GenDecl, report func(ast.Node, string)) {
	if d.Doc != nil || (d.Tok != token.CONST && d.Tok != token.VAR) {
		return
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for _, name := range v.Names {
			if name.IsExported() && v.Doc == nil && v.Comment == nil {
				report(name, name.Name)
			}
		}
	}
}

// receiver is the name of a method's type; a function has "Function", so that it
// counts as exported.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return "Function"
	}
	typ := f.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, s := range code(sources(t)) {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Recv == nil && f.Name.Name == "init" && s.file.Name.Name != "main" {
				t.Errorf("%s: init: to import a package is not to run it", s.at(f))
			}
		}
	}
}

func TestNoPanic(t *testing.T) {
	for _, s := range code(sources(t)) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "panic" {
				t.Errorf("%s: panic: the sender would only send the same again; give an error", s.at(n))
			}
			return true
		})
	}
}

// neverWritten marks a table: a reason must stand with it.
var neverWritten = regexp.MustCompile(`//nolint:gochecknoglobals // \S+ \S+`)

// Package variables are sentinels, patterns, embedded files, compile-time
// guards, or tables that say why they are.
func TestNoMutableVariables(t *testing.T) {
	for _, s := range code(sources(t)) {
		for _, d := range s.file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR || marked(decl.Doc) {
				continue
			}
			for _, spec := range decl.Specs {
				if v := spec.(*ast.ValueSpec); !constant(v) && !marked(v.Doc) {
					t.Errorf("%s: variable %s: state of a package is shared by all who import it; a table says so with //nolint:gochecknoglobals // and why", s.at(v), v.Names[0].Name)
				}
			}
		}
	}
}

// marked reads the comment as written: Text leaves directives out.
func marked(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	return slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return neverWritten.MatchString(c.Text) || strings.HasPrefix(c.Text, "//go:embed ")
	})
}

func constant(v *ast.ValueSpec) bool {
	if v.Names[0].Name == "_" {
		return true
	}
	for _, value := range v.Values {
		call, ok := value.(*ast.CallExpr)
		if !ok {
			return false
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"New", "Errorf", "MustCompile"}, f.Sel.Name) {
			return false
		}
		if x, ok := f.X.(*ast.Ident); !ok || !slices.Contains([]string{"errors", "fmt", "regexp"}, x.Name) {
			return false
		}
	}
	return len(v.Values) > 0
}
