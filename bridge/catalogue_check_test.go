package bridge_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// seed says where the cases of rows begin: one table that a test and a fuzz target
// have in common.
type seed struct{ rows, folder, target, table string }

// TestCatalogue: every row of the catalogue is automated where it says, or says why
// not.
func TestCatalogue(t *testing.T) {
	total := 0
	for _, letter := range catalogue() {
		total += letter.rows
		for n := 1; n <= letter.rows; n++ {
			name := fmt.Sprint(letter.name, n)
			t.Run(name, func(t *testing.T) {
				r, listed := letter.table[name]
				if !listed || r.tests == "" && r.not == "" {
					t.Fatal("is neither automated nor said not to apply")
				}
				for test := range strings.FieldsSeq(r.tests) {
					automated(t, name, r.folder, test)
				}
			})
		}
		if len(letter.table) != letter.rows {
			t.Errorf("%s has %d rows, the catalogue %d", letter.name, len(letter.table), letter.rows)
		}
	}
	if total != 131 {
		t.Errorf("%d rows", total)
	}
}

// automated looks for one test, or for the cases, of a row.
func automated(t *testing.T, name, folder, test string) {
	t.Helper()
	if at := strings.LastIndexByte(test, '.'); at >= 0 {
		folder, test = test[:at], test[at+1:]
	}
	wanted := regexp.MustCompile("(?m)^func " + regexp.QuoteMeta(test) + `\(`)
	if test == "cases" {
		wanted = isCase(name)
	}
	if !tells(t, folder, wanted) {
		t.Errorf("%s has no %s", folder, test)
	}
}

// TestSeeds: the cases of a row that go to a parser are the first things its fuzz
// target is given; a row with cases names one, or has no parser of ours.
func TestSeeds(t *testing.T) {
	seeded := map[string]bool{}
	for _, s := range seeds() {
		files := parsed(t, s.folder)
		if !feeds(files, s.target, s.table) {
			t.Errorf("%s in %s does not begin with %s", s.target, s.folder, s.table)
		}
		for name := range strings.FieldsSeq(s.rows) {
			seeded[name] = true
			if !says(t, s.folder, files, s.table, name) {
				t.Errorf("%s in %s has no case of %s", s.table, s.folder, name)
			}
		}
	}
	for _, letter := range catalogue() {
		for _, name := range slices.Sorted(maps.Keys(letter.table)) {
			without := slices.Contains(strings.Fields(letter.unparsed), name)
			if seeded[name] == without {
				t.Errorf("%s: seeds a fuzz target: %v; said to have no parser of ours: %v", name, seeded[name], without)
			}
		}
	}
}

// parsed reads the tests of a folder.
func parsed(t *testing.T, folder string) []*ast.File {
	t.Helper()
	var files []*ast.File
	for _, name := range testFiles(t, folder) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// feeds reports whether the target adds something from within a loop over the table.
func feeds(files []*ast.File, target, table string) bool {
	found := false
	for _, file := range files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != target {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if loop, ok := n.(*ast.RangeStmt); ok && mentions(loop.X, table) && mentions(loop.Body, "Add") {
					found = true
				}
				return true
			})
		}
	}
	return found
}

func mentions(n ast.Node, name string) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// says reports whether the table, a function or a variable, has a case of the row, a
// comment that it is the row's, or a file whose lines name it.
func says(t *testing.T, folder string, files []*ast.File, table, name string) bool {
	t.Helper()
	isRow := regexp.MustCompile(`\b` + name + `\b`)
	for _, file := range files {
		for _, d := range file.Decls {
			doc, found := docOf(d, table)
			if !found {
				continue
			}
			if isRow.MatchString(doc) {
				return true
			}
			said := false
			ast.Inspect(d, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok {
					value := strings.Trim(lit.Value, "`\"")
					said = said || strings.HasPrefix(value, name+" ") ||
						strings.HasPrefix(value, "testdata/") && has(t, filepath.Join(root, folder, value), isCase(name))
				}
				return true
			})
			return said
		}
	}
	return false
}

// docOf is the comment on the declaration of a table, and whether this is it.
func docOf(d ast.Decl, table string) (string, bool) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc.Text(), d.Name.Name == table
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && v.Names[0].Name == table {
				return d.Doc.Text(), true
			}
		}
	}
	return "", false
}

// isCase is a case of the row: a text that begins with its name.
func isCase(name string) *regexp.Regexp { return regexp.MustCompile(`[{\t ]"` + name + ` `) }

// tells reports whether a test file of the folder, or a corpus of it, has the
// expression.
func tells(t *testing.T, folder string, wanted *regexp.Regexp) bool {
	t.Helper()
	corpora, err := filepath.Glob(filepath.Join(root, folder, "testdata", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(append(testFiles(t, folder), corpora...), func(name string) bool { return has(t, name, wanted) })
}

func has(t *testing.T, file string, wanted *regexp.Regexp) bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return wanted.Match(data)
}

func testFiles(t *testing.T, folder string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no tests in %s: %v", folder, err)
	}
	return names
}
