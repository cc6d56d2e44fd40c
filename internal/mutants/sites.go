package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one copy of a file in which one constraint is missing or says less.
type mutant struct {
	name string // file, function, what is missing: the same as long as the code is
	file string
	text string // of the whole file
}

// find lists the mutants of a package's files, in the order of the source: of a circuit's,
// or of native code's.
func find(dir string, native bool) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("mutants of %s: %w", dir, err)
	}
	var all []mutant
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || unproven(filepath.Base(file)) {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("mutants of %s: %w", dir, err)
		}
		found, err := mutate(filepath.ToSlash(file), string(source), native)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// unproven are files beside circuits that keys do not depend on: parts that stand alone to
// be counted, and those that assign a witness.
func unproven(file string) bool {
	switch file {
	case "alone.go", "assign.go", "signature_assign.go":
		return true
	}
	return false
}

// edit replaces source[from:to].
type edit struct {
	from, to int
	by, what string
}

func mutate(file, text string, native bool) ([]mutant, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("mutants: %w", err)
	}
	var all []mutant
	seen := map[string]int{}
	fields := fieldsOfChannels(parsed)
	for _, declaration := range parsed.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		at := source(func(n ast.Node) (string, int, int) {
			from, to := set.Position(n.Pos()).Offset, set.Position(n.End()).Offset
			return text[from:to], from, to
		})
		var changes []edit
		if native {
			changes = weakened(function, at)
		} else {
			changes = append(edits(function, at), narrowed(function, at)...)
		}
		if function.Name.Name == "add" {
			body := set.Position(function.Body.Lbrace).Offset + 1
			changes = append(changes, append(forget(fields, body), together(fields, body)...)...)
		}
		for _, e := range changes {
			name := fmt.Sprintf("%s %s: %s", file, function.Name.Name, strings.Join(strings.Fields(e.what), " "))
			if seen[name]++; seen[name] > 1 {
				name += fmt.Sprintf(" (%d)", seen[name])
			}
			all = append(all, mutant{name, file, imported(text[:e.from] + e.by + text[e.to:])})
		}
	}
	return all, nil
}

// imported adds the import that comparisons by text need.
func imported(text string) string {
	if !strings.Contains(text, "fmt.Sprintf") || strings.Contains(text, "\t\"fmt\"\n") {
		return text
	}
	header, rest, _ := strings.Cut(text, "\nimport (\n")
	return header + "\nimport (\n\t\"fmt\"\n" + rest
}

// stated are the calls that state a constraint and return nothing that is used.
func stated(name string) bool {
	switch name {
	case "Zero", "Equal", "Width", "Prefix", "Increasing", "NonZero", "Boolean", // rules.Rules
		"AssertIsEqual", "AssertIsBoolean", "AssertIsDifferent", "AssertIsLessOrEqual", "Check", // gnark
		"AssertEvalIsZero", "Inverse", "ToBitsCanonical", // emulated arithmetic, where it stands alone
		"Commit", "assertOnCurve", "assertDifferent":
		return true
	}
	return false
}

// edits lists how each constraint of a function can be taken out. Arguments stay
// evaluated, so that the file compiles.
func edits(function *ast.FuncDecl, at source) (all []edit) {
	alone := map[*ast.CallExpr]bool{}
	ast.Inspect(function.Body, func(n ast.Node) bool {
		if s, ok := n.(*ast.ExprStmt); ok {
			if call, ok := s.X.(*ast.CallExpr); ok {
				alone[call] = true
			}
		}
		return true
	})
	ast.Inspect(function.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		text, from, to := at(call)
		receiver, _, _ := at(method.X)
		var arguments []string
		for _, a := range call.Args {
			argument, _, _ := at(a)
			arguments = append(arguments, argument)
		}
		name := method.Sel.Name
		add := func(by string) { all = append(all, edit{from, to, by, text}) }
		switch {
		case name == "boolean":
			add(unstated(receiver, arguments))
			all = append(all, edit{from, to, receiver + ".bus.DerivedFlag(" + receiver + ".Boolean(" + strings.Join(arguments, ", ") + "))", text + ", not committed"})
		case name == "OneHot":
			add(receiver + ".Without(" + arguments[0] + ").OneHot(" + strings.Join(arguments, ", ") + ")")
		case name == "Any" && len(arguments) > 1:
			for i, argument := range arguments {
				rest := slices.Delete(slices.Clone(arguments), i, i+1)
				all = append(all, edit{from, to, receiver + ".Any(" + strings.Join(rest, ", ") + ")", text + " without " + argument})
			}
		case name == "assertOnCurve" && !alone[call]:
			add(receiver + ".api.Mul(" + arguments[0] + ".X, " + arguments[0] + ".X)")
		case name == "Free" && len(arguments) == 1:
			add(receiver + ".Derived(" + arguments[0] + ")")
		case name == "close" && alone[call] && receiver == "d.curve":
			add("func() {}()")
		case stated(name) && alone[call]:
			add("func(...any) {}(" + strings.Join(arguments, ", ") + ")")
		case name == "Send" || name == "Receive" || name == "List" || name == "Lookup":
			if alone[call] {
				add("func(...any) {}(" + strings.Join(arguments, ", ") + ")")
			}
		}
		return true
	})
	slices.SortStableFunc(all, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	return all
}

// unstated commits what a call of boolean commits, and does not state that it is one.
func unstated(receiver string, arguments []string) string {
	return receiver + ".bus.Flag(" + receiver + ".Without(" + arguments[0] + ").Boolean(" + strings.Join(arguments, ", ") + "))"
}

// channel is a channel of the bus and what the fields of its tuples are called.
type channel struct {
	name   string
	fields []string
}

// fieldsOfChannels reads the structs of tuples: those whose method channel returns the
// name of a channel.
func fieldsOfChannels(file *ast.File) (all []channel) {
	fields := map[string][]string{} // by struct
	ast.Inspect(file, func(n ast.Node) bool {
		if named, ok := n.(*ast.TypeSpec); ok {
			if s, ok := named.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, name := range f.Names {
						fields[named.Name.Name] = append(fields[named.Name.Name], name.Name)
					}
				}
			}
		}
		return true
	})
	for _, declaration := range file.Decls {
		method, ok := declaration.(*ast.FuncDecl)
		if !ok || method.Name.Name != "channel" || method.Recv == nil || method.Body == nil || len(method.Body.List) != 1 {
			continue
		}
		tuple, isNamed := method.Recv.List[0].Type.(*ast.Ident)
		result, returns := method.Body.List[0].(*ast.ReturnStmt)
		if !isNamed || !returns || len(result.Results) != 1 {
			continue
		}
		if name, ok := result.Results[0].(*ast.Ident); ok {
			all = append(all, channel{name.Name, fields[tuple.Name]})
		}
	}
	return all
}

// forget makes the bus forget one field of one channel's tuples, sent and received.
func forget(channels []channel, at int) (all []edit) {
	for _, c := range channels {
		for i, field := range c.fields {
			by := fmt.Sprintf("\n\tif ch == %s {\n\t\tfields = append([]Expr{}, fields...)\n\t\tfields[%d] = Const(0)\n\t}\n", c.name, i)
			all = append(all, edit{at, at, by, "channel " + c.name + ", field " + field})
		}
	}
	return all
}
