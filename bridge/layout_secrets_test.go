package bridge_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"testing"
)

// guarded are the folders in which proofs are checked.
var guarded = []string{"bridge/internal/api", "bridge/internal/credential", "bridge/internal/ingress", "bridge/internal/media", "bridge/internal/openid",
	"bridge/internal/signature"}

// secretName is how what must not be guessed is called there, as a value or as what
// makes one.
var secretName = regexp.MustCompile(`(?i)^(.*secret|.*token|signature|mac|.*proof|.*proofOf|nonce|verifier|digest|sign|sum|sum256|reveal|given|password|shown)$`)

// TestSecretsAreComparedInConstantTime: where proofs are checked no operator and no
// function that ends at the first difference meets one. crypto/subtle and
// hmac.Equal do, over all of it: constant time by construction, which is more than
// measuring could show.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	constant := 0
	for _, s := range code(sources(t)) {
		if !slices.Contains(guarded, s.folder) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			for _, pair := range compared(n) {
				if secretive(pair[0]) && !literal(pair[1]) || secretive(pair[1]) && !literal(pair[0]) {
					t.Errorf("%s: a secret is compared in a time that tells how much of it is right: use Secret.Matches, hmac.Equal or crypto/subtle", s.at(n))
				}
			}
			if call, ok := n.(*ast.CallExpr); ok && slices.Contains([]string{"hmac.Equal", "subtle.ConstantTimeCompare"}, called(call)) {
				constant++
			}
			return true
		})
	}
	if constant < 8 {
		t.Errorf("%d comparisons take constant time; where did the others go?", constant)
	}
}

// compared are the pairs a node compares and stops at the first difference.
func compared(n ast.Node) (pairs [][2]ast.Expr) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			return [][2]ast.Expr{{n.X, n.Y}}
		}
	case *ast.CallExpr:
		if early := []string{"bytes.Equal", "bytes.Compare", "bytes.HasPrefix", "strings.EqualFold", "strings.Compare", "strings.HasPrefix", "slices.Equal", "slices.Contains",
			"cmp.Compare", "reflect.DeepEqual"}; slices.Contains(early, called(n)) && len(n.Args) == 2 {
			return [][2]ast.Expr{{n.Args[0], n.Args[1]}}
		}
	case *ast.SwitchStmt:
		for _, c := range n.Body.List {
			for _, value := range c.(*ast.CaseClause).List {
				if n.Tag != nil {
					pairs = append(pairs, [2]ast.Expr{n.Tag, value})
				}
			}
		}
	}
	return pairs
}

// called is package.Function of a call, or "".
func called(call *ast.CallExpr) string {
	if f, ok := call.Fun.(*ast.SelectorExpr); ok {
		if p, ok := f.X.(*ast.Ident); ok {
			return p.Name + "." + f.Sel.Name
		}
	}
	return ""
}

// secretive tells whether a value is, or is made of, something with such a name.
// How long it is, and what a call of another name makes of it, is not.
func secretive(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return secretName.MatchString(e.Name)
	case *ast.SelectorExpr:
		return secretName.MatchString(e.Sel.Name)
	case *ast.IndexExpr:
		return secretive(e.X)
	case *ast.SliceExpr:
		return secretive(e.X)
	case *ast.ParenExpr:
		return secretive(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (secretive(e.X) || secretive(e.Y))
	case *ast.CallExpr:
		conversion := false
		switch f := e.Fun.(type) {
		case *ast.ArrayType:
			conversion = true
		case *ast.Ident:
			conversion = f.Name == "string"
		}
		return secretive(e.Fun) || conversion && secretive(e.Args[0])
	}
	return false
}

// literal tells whether a value is written there, or nothing.
func literal(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil"
	}
	return false
}
