package importrules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// Package is what `go list -json` says of a package.
type Package struct {
	ImportPath   string
	Dir          string
	Standard     bool
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string // all imports, transitively
}

// folder is the package's folder in the module, "." for the root.
func (p Package) folder() string { return folderOf(p.ImportPath) }

func folderOf(importPath string) string {
	if importPath == Module {
		return "."
	}
	return strings.TrimPrefix(importPath, Module+"/")
}

// Load lists the packages of the module that dir lies in.
func Load(ctx context.Context, dir string) ([]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,Standard,GoFiles,Imports,TestImports,XTestImports,Deps", Module+"/...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("go list: %w", err)
	}
	var packages []Package
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// CheckImports returns one line for each import that breaks a rule.
func CheckImports(packages []Package, layers []string, bans []Ban) []string {
	c := checker{layers: layers, byPath: map[string]Package{}}
	for _, p := range packages {
		c.byPath[p.ImportPath] = p
	}
	for _, p := range packages {
		c.order(p)
		for _, b := range bans {
			c.ban(p, b)
		}
	}
	return c.broken
}

type checker struct {
	layers []string
	byPath map[string]Package
	broken []string
}

func (c *checker) report(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...))
}

// under reports whether path is root or lies below it. The version that ends a
// module's path counts as below.
func under(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func isInternal(folder string) bool { return under(folder, "internal") }

// layer returns the place of a folder, or -1.
func (c *checker) layer(folder string) int {
	for f := folder; ; f = path.Dir(f) {
		if i := slices.Index(c.layers, f); i >= 0 && (f != "." || folder == ".") {
			return i
		}
		if f == "." {
			return -1
		}
	}
}

// height is the layer that importing p amounts to.
func (c *checker) height(importPath string) int {
	if folder := folderOf(importPath); !isInternal(folder) {
		return c.layer(folder)
	}
	height := -1
	for _, i := range c.byPath[importPath].Imports { // acyclic, as Go requires
		if under(i, Module) {
			height = max(height, c.height(i))
		}
	}
	return height
}

func (c *checker) order(p Package) {
	folder := p.folder()
	if isInternal(folder) {
		return
	}
	own := c.layer(folder)
	if own < 0 {
		c.report("%s has no place in the layers: add it to Layers", folder)
		return
	}
	for _, i := range p.Imports {
		switch {
		case folder == "." && strings.Contains(i, "."):
			c.report("the root package imports %s: the vocabulary uses the standard library only, so that anybody can import it", i)
		case !under(i, Module):
		case !isInternal(folderOf(i)) && c.layer(folderOf(i)) == own: // its own subfolder
		case c.height(i) >= own:
			c.report("%s imports %s, which is not below it in the layers", folder, folderOf(i))
		}
	}
}

func (c *checker) ban(p Package, b Ban) {
	folder := p.folder()
	matches := func(roots []string) bool {
		return slices.ContainsFunc(roots, func(root string) bool { return under(folder, root) })
	}
	if under(p.ImportPath, b.Import) || matches(b.Except) || len(b.In) > 0 && !matches(b.In) {
		return
	}
	imports := slices.Clone(p.Imports)
	if b.Transitive {
		imports = append(imports, p.Deps...)
	}
	if b.Tests {
		imports = append(append(imports, p.TestImports...), p.XTestImports...)
	}
	slices.Sort(imports)
	for _, i := range slices.Compact(imports) {
		if b.forbids(i) {
			c.report("%s imports %s: %s", folder, i, b.Reason)
			return
		}
	}
}

// forbids: the standard library's net bans net alone, as net/netip and net/url
// touch no network.
func (b Ban) forbids(importPath string) bool {
	if !strings.Contains(b.Import, ".") {
		return importPath == b.Import
	}
	return under(importPath, b.Import)
}
