package main

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

	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/state"
)

// jsonOutputs are all values that commands write as JSON, by file and expression.
var jsonOutputs = map[string]any{
	"bench_compare.go found":                  record.Comparison{},
	"circuits.go out":                         circuitStats{},
	"claims.go listed":                        []wire.Claim{},
	"claims.go claimReport":                   claimReport{},
	"demo.go r":                               demoReport{},
	"deploy.go deployment":                    l1.Deployment{},
	"jobs.go shown":                           []jobView{},
	"keys.go manifest":                        provingkeys.Manifest{},
	"keys.go v":                               nil, // printJSON itself
	"rebuild.go report":                       rebuildReport{},
	"rebuild.go rows":                         []rebuiltAccount{},
	"refused.go shown":                        []refusedView{},
	"replay.go r":                             replayReport{},
	"status_view.go p":                        pipeline{},
	"verifier.go viewOf(registration, known)": verifierView{},
	"verifier.go views":                       []verifierView{},
	"wallet.go accounts":                      []wire.Account{},
	"wallet.go client.Address":                client.Address{},
	"wallet.go genesis":                       state.Genesis{},
	"wallet.go w":                             walletFile{},
	"wallet_journal.go journalFile":           journalFile{},
	"wallet_send.go receipt":                  wire.Receipt{},
}

// TestJSONIsSnakeCase: every field of what commands write as JSON is named, in snake case.
func TestJSONIsSnakeCase(t *testing.T) {
	t.Parallel()
	written := map[string]bool{}
	for _, where := range jsonWriters(t) {
		written[where] = true
		require.Contains(t, jsonOutputs, where, "a new JSON output: list it in jsonOutputs")
	}
	for where, value := range jsonOutputs {
		require.True(t, written[where], "%s is written no more: take it from the list", where)
		if value != nil {
			requireSnakeCase(t, where, reflect.TypeOf(value), map[reflect.Type]bool{})
		}
	}
	requireSnakeCase(t, "results of benchmarks", reflect.TypeFor[record.File](), map[reflect.Type]bool{})
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
			case "printJSON", "Encode", "MarshalIndent", "Marshal":
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
	switch typ.Kind() {
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
