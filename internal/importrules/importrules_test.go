package importrules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestModuleKeepsRules(t *testing.T) {
	packages, err := Load(t.Context(), ".")
	require.NoError(t, err)
	require.NotEmpty(t, packages)
	broken := CheckImports(packages, Layers(), Bans())
	for _, p := range packages {
		lines, err := CheckSource(p, Source())
		require.NoError(t, err)
		broken = append(broken, lines...)
	}
	require.Empty(t, broken, strings.Join(broken, "\n"))
}

func TestBansHaveReasons(t *testing.T) {
	for _, b := range Bans() {
		require.NotEmpty(t, b.Reason, b.Import)
	}
}

func pkg(folder string, imports ...string) Package {
	p := Package{ImportPath: Module + "/" + folder, Imports: imports, Deps: imports}
	if folder == "." {
		p.ImportPath = Module
	}
	return p
}

func own(folder string) string { return Module + "/" + folder }

func TestImports(t *testing.T) {
	for name, c := range map[string]struct {
		packages []Package
		want     string // part of the one line expected; "" for none
	}{
		"downward":                     {[]Package{pkg("state", Module, own("poseidon"))}, ""},
		"upward":                       {[]Package{pkg("poseidon", own("state"))}, "not below it"},
		"sideways":                     {[]Package{pkg("sequencer", own("l1"))}, "not below it"},
		"own subfolder":                {[]Package{pkg("verifier", own("verifier/contracts/bindings"))}, ""},
		"subfolder with its own place": {[]Package{pkg("circuits/bus", own("circuits/gadget"))}, "not below it"},
		"no place":                     {[]Package{pkg("misc")}, "has no place"},
		"helper below":                 {[]Package{pkg("state", own("internal/x")), pkg("internal/x", own("poseidon"))}, ""},
		"helper above":                 {[]Package{pkg("state", own("internal/x")), pkg("internal/x", own("internal/y")), pkg("internal/y", own("store"))}, "not below it"},
		"root and standard library":    {[]Package{pkg(".", "encoding/json")}, ""},
		"root and a module":            {[]Package{pkg(".", "golang.org/x/crypto/sha3")}, "standard library only"},
		"command":                      {[]Package{pkg("cmd/settle", own("api"), pgx+"/v5")}, ""},
		"command and devchain":         {[]Package{pkg("cmd/settle-dev", own("api"), own("l1/devchain"))}, ""},
		"settle and devchain":          {[]Package{{ImportPath: own("cmd/settle"), Deps: []string{own("l1/devchain")}}}, "operators run settle"},
		"settle and a node":            {[]Package{{ImportPath: own("cmd/settle"), Deps: []string{goEthereum + "/core/vm"}}}, "operators run settle"},

		"state and gnark":                {[]Package{pkg("state", gnark+"/backend")}, "specification"},
		"state and gnark-crypto":         {[]Package{pkg("state", "github.com/consensys/gnark-crypto/ecc/bn254/fr")}, ""},
		"state and pgx":                  {[]Package{pkg("state", pgx+"/v5")}, "function of its inputs"},
		"state and net/http":             {[]Package{pkg("state", "net/http")}, "offline"},
		"state and net/url":              {[]Package{pkg("state", "net/url")}, ""},
		"state and gnark at a distance":  {[]Package{{ImportPath: own("state"), Deps: []string{gnark + "/constraint"}}}, "specification"},
		"store and gnark at a distance":  {[]Package{{ImportPath: own("store"), Deps: []string{gnark + "/constraint"}}}, "change of proof system"},
		"prover and backend":             {[]Package{pkg("prover", gnark+"/backend/groth16")}, ""},
		"prover and frontend":            {[]Package{pkg("prover", gnark+"/frontend")}, "frontend.API stays"},
		"frontend in a test":             {[]Package{{ImportPath: own("prover"), XTestImports: []string{gnark + "/frontend/cs/r1cs"}}}, "toys of keys"},
		"circuits and frontend":          {[]Package{pkg("circuits/bus", gnark+"/frontend")}, ""},
		"API and gnark":                  {[]Package{pkg("api", gnark+"/backend/witness")}, "envelopes of bytes"},
		"jobs and devchain":              {[]Package{pkg("api", own("l1/devchain"))}, "JSON-RPC"},
		"devchain in a test":             {[]Package{{ImportPath: own("jobs"), TestImports: []string{own("l1/devchain")}}}, ""},
		"SQL in the API":                 {[]Package{pkg("api", pgx+"/v5/pgxpool")}, "SQL lives in store"},
		"SQL in jobs":                    {[]Package{pkg("jobs", pgx+"/v5")}, "SQL lives in store"},
		"go-ethereum in the sequencer":   {[]Package{pkg("sequencer", goEthereum+"/common")}, "LGPL"},
		"huma in the sequencer":          {[]Package{pkg("sequencer", "github.com/danielgtaylor/huma/v2")}, "HTTP ends"},
		"kong in the API":                {[]Package{pkg("api", "github.com/alecthomas/kong")}, "flags and environment"},
		"testify in production code":     {[]Package{pkg("api", "github.com/stretchr/testify/require")}, "linked into the binary"},
		"schema validator at a distance": {[]Package{{ImportPath: own("api"), Deps: []string{"github.com/santhosh-tekuri/jsonschema/v6"}}}, "linked into the binary"},
		"schema validator in a test":     {[]Package{{ImportPath: own("api"), XTestImports: []string{"github.com/santhosh-tekuri/jsonschema/v6"}}}, ""},
		"testing in production code":     {[]Package{pkg("api", "testing")}, "linked into the binary"},
	} {
		t.Run(name, func(t *testing.T) {
			got := CheckImports(c.packages, Layers(), Bans())
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.NotEmpty(t, got)
			require.Contains(t, strings.Join(got, "\n"), c.want)
		})
	}
}

func TestSource(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   string
	}{
		"sentinel":           {`var ErrX = errors.New("x")`, ""},
		"replaced sentinel":  {`var ErrX = errors.New("x"); func f() { ErrX = nil }`, "ErrX"},
		"foreign sentinel":   {`var ErrX = y.ErrX`, ""},
		"foreign variable":   {`var X = y.X`, "variable X"},
		"pattern":            {`var p = regexp.MustCompile("x")`, ""},
		"assertion":          {`var _ error = x{}`, ""},
		"embedded":           {"//go:embed x\nvar Files embed.FS", ""},
		"embedded testdata":  {"//go:embed x testdata/y\nvar files string", "embedded testdata"},
		"table":              {`var names = map[int]string{1: "a"}`, ""},
		"exported table":     {`var Names = map[int]string{1: "a"}`, "Names"},
		"written table":      {`var names = map[int]string{}; func f() { names[1] = "b" }`, "names"},
		"deleted from table": {`var names = map[int]string{}; func f() { delete(names, 1) }`, "names"},
		"counter":            {`var n = 0; func f() { n++ }`, "variable n"},
		"address":            {`var n = 0; func f() *int { return &n }`, "variable n"},
		"uninitialised":      {`var n int`, "variable n"},
		"shadowed":           {`var n = 0; func f() { n := 1; n++ }`, ""},
		"init":               {`func init() {}`, "init function"},
		"method init":        {`type x struct{}; func (x) init() {}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, "x.go", "package x\n"+c.source, parser.ParseComments)
			require.NoError(t, err)
			got := checkFiles(set, []*ast.File{f}, Source())
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], c.want)
		})
	}
}

func TestWrittenInAnotherFile(t *testing.T) {
	set := token.NewFileSet()
	var files []*ast.File
	for name, source := range map[string]string{"a.go": "package x\nvar n = 0", "b.go": "package x\nfunc f() { n = 1 }"} {
		f, err := parser.ParseFile(set, name, source, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, f)
	}
	require.Len(t, checkFiles(set, files, Source()), 1)
}
