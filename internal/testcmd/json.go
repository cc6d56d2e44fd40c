package testcmd

import (
	"encoding"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// RequireSnakeCase holds every field of what a command writes as JSON to a name in snake
// case. outputs are all values that the package under test writes so, by file and
// expression; nil is one that is no output of the command's own.
func RequireSnakeCase(t *testing.T, outputs map[string]any) {
	t.Helper()
	written := map[string]bool{}
	for _, where := range jsonWriters(t) {
		written[where] = true
		require.Contains(t, outputs, where, "a new JSON output: list it")
	}
	for where, value := range outputs {
		require.True(t, written[where], "no longer written: %s", where)
		if value != nil {
			requireSnakeCase(t, where, reflect.TypeOf(value), map[reflect.Type]bool{})
		}
	}
}

// jsonWriters are the places of this package's code that encode JSON.
func jsonWriters(t *testing.T) (places []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch selector.Sel.Name {
			case "PrintJSON", "Encode", "MarshalIndent", "Marshal":
				what := call.Args[0]
				if literal, ok := what.(*ast.CompositeLit); ok {
					what = literal.Type
				}
				places = append(places, name+" "+types.ExprString(what))
			}
			return true
		})
	}
	return places
}

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func requireSnakeCase(t *testing.T, where string, typ reflect.Type, seen map[reflect.Type]bool) {
	t.Helper()
	for _, own := range []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if typ.Implements(own) || reflect.PointerTo(typ).Implements(own) {
			return
		}
	}
	if seen[typ] {
		return
	}
	seen[typ] = true
	switch typ.Kind() { //nolint:exhaustive // the others hold no fields
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		requireSnakeCase(t, where, typ.Elem(), seen)
	case reflect.Struct:
		for i := range typ.NumField() {
			f := typ.Field(i)
			tag, tagged := f.Tag.Lookup("json")
			if tag == "-" || !f.IsExported() && !f.Anonymous {
				continue
			}
			if !f.Anonymous || tagged {
				name, _, _ := strings.Cut(tag, ",")
				require.Regexp(t, snakeCase, name, "%s: field %s of %s", where, f.Name, typ)
			}
			requireSnakeCase(t, where, f.Type, seen)
		}
	}
}
