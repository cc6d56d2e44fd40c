package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// source is the text of a file's nodes.
type source func(ast.Node) (text string, from, to int)

func (at source) text(n ast.Node) string {
	text, _, _ := at(n)
	return text
}

// replace is an edit of a node; %s in by stands for its text.
func (at source) replace(n ast.Node, by, what string) edit {
	text, from, to := at(n)
	return edit{from, to, strings.ReplaceAll(by, "%s", text), what}
}

// narrowed lists the constraints of a function that still stand and say less: a width of
// one bit more, a rule for all but one of several flags, a word less in a hash.
func narrowed(function *ast.FuncDecl, at source) (all []edit) {
	looped := map[ast.Node]bool{} // literals that a loop runs over
	ast.Inspect(function.Body, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.RangeStmt:
			looped[x.X] = true
			all = append(all, skipped(x, function.Name.Name, at)...)
		case *ast.CallExpr:
			all = append(all, wider(x, at)...)
			all = append(all, unpacked(x, at)...)
			if name := called(x); name == "Eval" || name == "AssertEvalIsZero" {
				return false // terms of a formula, of which none is a word
			}
		case *ast.CompositeLit:
			all = append(all, lessWords(x, looped[x], at)...)
		case *ast.SelectorExpr:
			all = append(all, lessFlags(x, at)...)
		case *ast.ReturnStmt:
			all = append(all, sameChallenge(function, x, at)...)
		}
		return true
	})
	return all
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// wider gives a range check one bit more.
func wider(call *ast.CallExpr, at source) []edit {
	n := len(call.Args)
	switch name := called(call); {
	case name == "Width" && n == 3, name == "Increasing" && n == 5, name == "Check" && n == 2:
		return []edit{at.replace(call.Args[n-1], "(%s)+1", at.text(call)+" with a bit more")}
	}
	return nil
}

// unpacked takes a field out of a packed word.
func unpacked(call *ast.CallExpr, at source) (all []edit) {
	name := called(call)
	if name != "pack" && name != "Pack" || call.Ellipsis.IsValid() || len(call.Args) < 2 {
		return nil
	}
	for i, arg := range call.Args {
		what := fmt.Sprintf("field %d of %s(…): %s", i, at.text(call.Fun), at.text(arg))
		if literal, ok := arg.(*ast.CompositeLit); ok && len(literal.Elts) == 2 && name == "pack" {
			if at.text(literal.Elts[0]) == "0" {
				continue
			}
			all = append(all, at.replace(literal.Elts[0], "func(...any) int { return 0 }(%s)", what))
		} else if name == "Pack" {
			zero := strings.TrimSuffix(at.text(call.Fun), "Pack") + "U(0, (%s).Bits)"
			all = append(all, at.replace(arg, zero, what))
		}
	}
	return all
}

// lessWords leaves an element out of a list that is hashed or run over, or puts 0 there.
func lessWords(literal *ast.CompositeLit, looped bool, at source) (all []edit) {
	array, ok := literal.Type.(*ast.ArrayType)
	if !ok || len(literal.Elts) < 2 {
		return nil
	}
	zero := map[string]string{
		"frontend.Variable": "func(...any) frontend.Variable { return 0 }(%s)", "fr.Element": "func(...any) fr.Element { return fr.Element{} }(%s)",
	}[at.text(array.Elt)]
	if !looped && zero == "" {
		return nil
	}
	for i, element := range literal.Elts {
		if _, lists := array.Elt.(*ast.ArrayType); lists {
			all = append(all, dropped(element, at)...)
		}
		if text := at.text(element); text == "0" || text == "{}" {
			continue
		}
		what := fmt.Sprintf("word %d of %s{…}: %s", i, at.text(array), at.text(element))
		if !looped {
			all = append(all, at.replace(element, zero, what))
			continue
		}
		by := fmt.Sprintf("func() %s { l := %%s; return append(l[:%d:%d], l[%d:]...) }()", at.text(array), i, i, i+1)
		all = append(all, at.replace(literal, by, what))
	}
	return all
}

// dropped leaves an element out of a list in a list.
func dropped(element ast.Expr, at source) (all []edit) {
	if list, ok := element.(*ast.CompositeLit); ok && len(list.Elts) > 1 {
		for i, e := range list.Elts {
			all = append(all, without(list, i, fmt.Sprintf("word %d of %s: %s", i, at.text(list), at.text(e)), at))
		}
	}
	return all
}

// without takes an element out of a list, with its comma.
func without(list *ast.CompositeLit, i int, what string, at source) edit {
	e := at.replace(list.Elts[i], "", what)
	if i+1 < len(list.Elts) {
		_, e.to, _ = at(list.Elts[i+1])
	} else {
		_, _, e.from = at(list.Elts[i-1])
	}
	return e
}

// parts are sums of kinds, and what kinds they are of.
func parts(sum string) []string {
	switch sum {
	case "f.active":
		return []string{"f.Transfer", "f.Open", "f.Exit", "f.ExitAll"}
	case "f.receives":
		return []string{"f.Transfer", "f.Open"}
	case "f.exits":
		return []string{"f.Exit", "f.ExitAll"}
	}
	return nil
}

// lessFlags leaves one kind out of a rule for several kinds.
func lessFlags(x *ast.SelectorExpr, at source) (all []edit) {
	for _, kind := range parts(at.text(x)) {
		all = append(all, at.replace(x, "k.api.Sub(%s, "+kind+")", at.text(x)+" without "+kind))
	}
	return all
}

// sameChallenge hands out one of two challenges twice.
func sameChallenge(function *ast.FuncDecl, x *ast.ReturnStmt, at source) []edit {
	if function.Name.Name != "independentChallenges" || len(x.Results) != 3 || at.text(x.Results[0]) == "nil" {
		return nil
	}
	alpha, beta := x.Results[0], x.Results[1]
	return []edit{at.replace(alpha, at.text(beta), "α = β, both the hash"), at.replace(beta, at.text(alpha), "α = β, both the commitment")}
}

// places are iterations of loops of a fixed number that a mutant skips.
func places(function, ranged string) []string {
	switch ranged {
	case "settle.TreeArity":
		return []string{"0", "1", "2", "3"}
	case "f.Exponent":
		return []string{"0", "1", "2", "3", "4"}
	case "bits":
		switch function {
		case "LowBits":
			return []string{"0", "1", "63", "64", "127"}
		case "value": // of one part of a coefficient
			return []string{"0", "1", "31", "32", "63"}
		}
	}
	return nil
}

// skipped states each constraint of a loop, and adds each term of its sums, for all
// places but one.
func skipped(loop *ast.RangeStmt, function string, at source) (all []edit) {
	index, ok := loop.Key.(*ast.Ident)
	if !ok || index.Name == "_" {
		return nil
	}
	for _, place := range places(function, at.text(loop.X)) {
		for _, statement := range loop.Body.List {
			what := at.text(statement) + ", not at " + place
			switch s := statement.(type) {
			case *ast.ExprStmt:
				all = append(all, at.replace(s, "if "+index.Name+" != "+place+" { %s }", what))
			case *ast.AssignStmt:
				if s.Tok == token.ASSIGN {
					all = append(all, at.replace(s, "if "+index.Name+" != "+place+" { %s }", what))
				} else if call, ok := s.Rhs[0].(*ast.CallExpr); ok && called(call) == "boolean" {
					all = append(all, at.replace(call, unlessAt(call, index.Name, place, at), what))
				}
			}
		}
	}
	return all
}

// unlessAt is a boolean's call that only commits at one place.
func unlessAt(call *ast.CallExpr, index, place string, at source) string {
	receiver := at.text(call.Fun.(*ast.SelectorExpr).X)
	var arguments []string
	for _, a := range call.Args {
		arguments = append(arguments, at.text(a))
	}
	return fmt.Sprintf("func() bus.Flag { if %s == %s { return %s }; return %%s }()", index, place, unstated(receiver, arguments))
}

// together gives two fields of a channel's tuples one power of β, or the channel's number
// and the first field.
func together(channels []channel, at int) (all []edit) {
	if len(channels) > 0 {
		by := "\n\tfields = append([]Expr{}, fields...)\n\tfields[0], ch = fields[0].Add(Const(int64(ch))), 0\n"
		all = append(all, edit{at, at, by, "channel and its first field together"})
	}
	for _, c := range channels {
		for j := range c.fields {
			for i := range j {
				by := fmt.Sprintf("\n\tif ch == %s {\n\t\tfields = append([]Expr{}, fields...)\n\t\tfields[%d], fields[%d] = fields[%d].Add(fields[%d]), Const(0)\n\t}\n", c.name, i, j, i, j)
				all = append(all, edit{at, at, by, fmt.Sprintf("channel %s, fields %s and %s together", c.name, c.fields[i], c.fields[j])})
			}
		}
	}
	return all
}
