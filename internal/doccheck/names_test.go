package doccheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// module is what the module's packages declare and say of themselves.
type module struct {
	declared map[string]map[string]bool // names, members and Type.Member by the name of their package
	comments map[string]string          // of packages, by folder
}

func load(t *testing.T) module {
	t.Helper()
	m := module{map[string]map[string]bool{}, map[string]string{}}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		m.comments[folder] += file.Doc.Text()
		if m.declared[file.Name.Name] == nil {
			m.declared[file.Name.Name] = map[string]bool{}
		}
		for _, d := range file.Decls {
			declare(m.declared[file.Name.Name], d)
		}
		return nil
	})
	require.NoError(t, err)
	return m
}

func declare(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names[d.Name.Name] = true
			return
		}
		names[receiver(d.Recv.List[0].Type)+"."+d.Name.Name], names[d.Name.Name] = true, true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names[name.Name] = true
				}
			case *ast.TypeSpec:
				names[spec.Name.Name] = true
				members := new(ast.FieldList)
				switch of := spec.Type.(type) {
				case *ast.StructType:
					members = of.Fields
				case *ast.InterfaceType:
					members = of.Methods
				}
				for _, member := range members.List {
					for _, name := range member.Names {
						names[spec.Name.Name+"."+name.Name] = true
					}
				}
			}
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// prose is what people read about the module: pages and package comments. Decisions are
// left out, which say what was so when they were made, and the changelog.
func prose(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for folder, comment := range load(t).comments {
		texts["package "+folder] = comment
	}
	for _, pattern := range []string{"*.md", "docs/*.md", "reference/*.md"} {
		pages, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		require.NoError(t, err)
		require.NotEmpty(t, pages)
		for _, page := range pages {
			if filepath.Base(page) == "CHANGELOG.md" {
				continue
			}
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			texts[page] = string(text)
		}
	}
	return texts
}

var (
	ofPackage = regexp.MustCompile(`\b([a-z][a-z0-9]*)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)
	ofType    = regexp.MustCompile(`(?:^|[^\w.])([A-Z]\w*)\.([A-Z]\w*)`)
)

// missing returns the names of Go in a text that the module does not have. own is the
// package that the text is about, if it is about one: its types stand without its name.
func (m module) missing(text, own string) []string {
	var missing []string
	for _, found := range ofPackage.FindAllStringSubmatch(text, -1) {
		names, ours := m.declared[found[1]]
		if !ours {
			continue // of another module, or no Go
		}
		if !names[found[2]] || found[3] != "" && !names[found[2]+"."+found[3]] {
			missing = append(missing, found[0])
		}
	}
	for _, found := range ofType.FindAllStringSubmatch(text, -1) {
		if names := m.declared[own]; names[found[1]] && !names[found[1]+"."+found[2]] {
			missing = append(missing, found[1]+"."+found[2])
		}
	}
	return missing
}

// TestNobodyListsImporters: who imports a package is the rules' to say (internal/importrules).
// A list in a package comment is wrong when the next one comes.
func TestNobodyListsImporters(t *testing.T) {
	for folder, comment := range load(t).comments {
		assert.NotContains(t, comment, "imported by", folder)
	}
}

// TestNamesExist: what pages and package comments name of the module's code is there.
func TestNamesExist(t *testing.T) {
	m := load(t)
	require.Equal(t, []string{"state.Perform", "state.Batch.Perform", "Sequencer.Perform"},
		m.missing("`state.Perform`, `state.Batch.Perform`, (Sequencer.Perform), `state.Batch.Step`, Sequencer.Serve, elsewhere.Perform", "sequencer"))
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for name, text := range prose(t) {
		own := ""
		if folder, isPackage := strings.CutPrefix(name, "package "); isPackage {
			own = filepath.Base(folder)
		} else {
			text = strings.Join(code.FindAllString(text, -1), "\n")
		}
		assert.Empty(t, m.missing(text, own), name)
	}
}
