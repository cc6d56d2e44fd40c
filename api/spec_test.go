package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/golden"
	"github.com/zksettle/settle/state"
)

var update = flag.Bool("update", false, "rewrite docs/errors.md and openapi.json")

const (
	errorsFile   = "../docs/errors.md"
	documentFile = "openapi.json"
)

// codeConstants reads the constants of type Code from the root package's source.
func codeConstants(t *testing.T) []settle.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../settle.go", nil, 0)
	require.NoError(t, err)
	var codes []settle.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Code" {
			for _, v := range spec.Values {
				text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				require.NoError(t, err)
				codes = append(codes, settle.Code(text))
			}
		}
		return true
	})
	return codes
}

func TestCatalogueListsEveryCodeOnce(t *testing.T) {
	var listed []settle.Code
	for _, e := range catalogue {
		listed = append(listed, e.code)
		require.NotEmpty(t, e.meaning, e.code)
		require.NotEmpty(t, e.remedy, e.code)
		require.GreaterOrEqual(t, e.status, 400, e.code)
	}
	require.NotEmpty(t, listed)
	require.ElementsMatch(t, codeConstants(t), listed, "add the code to api/catalogue.go and run: go test ./api -run TestErrorsPage -update")
}

func TestErrorsPageIsCurrent(t *testing.T) {
	if *update {
		require.NoError(t, os.WriteFile(errorsFile, []byte(errorsPage()), 0o644))
	}
	page, err := os.ReadFile(errorsFile)
	require.NoError(t, err)
	require.Equal(t, errorsPage(), string(page), "run: go test ./api -run TestErrorsPage -update")
}

// noStore is a store that nothing may be asked of.
type noStore struct{ Store }

// Clients are generated from the committed document: its changes are seen in review.
// It is the one that a build without a version serves.
func TestDocumentIsCurrent(t *testing.T) {
	s, err := New(Config{Store: noStore{}})
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, json.Indent(&text, s.spec, "", "  "))
	text.WriteByte('\n')
	golden.Hold(t, documentFile, text.Bytes(), *update)
}

func TestOnlyOurFailuresAre5xx(t *testing.T) {
	for _, e := range catalogue {
		ours := e.code == settle.CodeInternal || e.code == settle.CodeUnavailable
		require.Equal(t, ours, e.status >= 500, e.code)
	}
}

// The largest amounts named in refusals are exact, and the next larger float is not below 2^128.
func TestLargestFloats(t *testing.T) {
	amount, err := settle.ParseAmount(largestAmount)
	require.NoError(t, err)
	f, err := state.NewFloat40(amount)
	require.NoError(t, err)
	_, err = (f + 1).Amount()
	require.ErrorIs(t, err, settle.ErrAmountRange)

	fee, err := settle.ParseAmount(largestFee)
	require.NoError(t, err)
	packed, err := state.NewFloat16(fee)
	require.NoError(t, err)
	require.Equal(t, state.Float16(0xffff), packed)
}
