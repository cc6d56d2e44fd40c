package importrules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// CheckSource returns one line for each init function, each file of testdata that is
// embedded, and each package-level variable that is neither a sentinel, an embedded file,
// an assertion nor an unexported table that its package never writes. Generated files are
// left out.
func CheckSource(p Package, rules SourceRules) ([]string, error) {
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		if !ast.IsGenerated(f) {
			files = append(files, f)
		}
	}
	return checkFiles(set, files, rules), nil
}

func checkFiles(set *token.FileSet, files []*ast.File, rules SourceRules) []string {
	var broken []string
	report := func(at token.Pos, format string, args ...any) {
		broken = append(broken, fmt.Sprintf("%s: %s", set.Position(at), fmt.Sprintf(format, args...)))
	}
	for _, f := range files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//go:embed ") && strings.Contains(c.Text, "testdata") {
					report(c.Pos(), "embedded testdata: %s", rules.EmbedReason)
				}
			}
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					report(d.Pos(), "init function: %s", rules.InitReason)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					v, ok := spec.(*ast.ValueSpec)
					if !ok || d.Tok != token.VAR || isEmbed(d.Doc) || isEmbed(v.Doc) {
						continue
					}
					for i, name := range v.Names {
						constant := i < len(v.Values) && (isCallOf(v.Values[i], rules.Constructors) || isSentinel(name, v.Values[i]))
						if name.Name == "_" || constant && !isWritten(files, name) {
							continue
						}
						if name.IsExported() || len(v.Values) == 0 || isWritten(files, name) {
							report(name.Pos(), "package-level variable %s: %s", name.Name, rules.VariableReason)
						}
					}
				}
			}
		}
	}
	return broken
}

func isEmbed(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// isSentinel: another package's sentinel under this package's name.
func isSentinel(name *ast.Ident, value ast.Expr) bool {
	selector, ok := value.(*ast.SelectorExpr)
	return ok && strings.HasPrefix(name.Name, "Err") && strings.HasPrefix(selector.Sel.Name, "Err")
}

func isCallOf(value ast.Expr, functions []string) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := selector.X.(*ast.Ident)
	return ok && slices.Contains(functions, pkg.Name+"."+selector.Sel.Name)
}

// isWritten reports whether a function assigns to the variable, to a part of
// it, or takes its address. Methods that change their receiver go unseen.
func isWritten(files []*ast.File, variable *ast.Ident) bool {
	written := false
	mark := func(e ast.Expr) {
		if id := root(e); id != nil && id.Name == variable.Name && isPackageLevel(files, id) {
			written = true
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						mark(e)
					}
				}
			case *ast.IncDecStmt:
				mark(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					mark(n.X)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear" || f.Name == "copy") && len(n.Args) > 0 {
					mark(n.Args[0])
				}
			}
			return true
		})
	}
	return written
}

// root is the variable that an expression is a part of.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isPackageLevel reports whether the parser resolved id to a declaration of its
// file's top level, or to none in its file (then another file declares it).
func isPackageLevel(files []*ast.File, id *ast.Ident) bool {
	if id.Obj == nil {
		return true
	}
	for _, f := range files {
		if f.Scope.Lookup(id.Name) == id.Obj {
			return true
		}
	}
	return false
}
