package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// weakened lists how each condition of a function of a native package can refuse less, and
// each hash take less. Operands stay in the text, so that the file compiles.
func weakened(function *ast.FuncDecl, at source) (all []edit) {
	looped := map[ast.Node]bool{}
	ast.Inspect(function.Body, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.IfStmt:
			if returns(x.Body.List) {
				all = append(all, conditions(x.Cond, at)...)
			}
		case *ast.SwitchStmt:
			if x.Tag != nil {
				return true
			}
			for _, clause := range x.Body.List {
				if c, ok := clause.(*ast.CaseClause); ok && returns(c.Body) {
					for _, condition := range c.List {
						all = append(all, conditions(condition, at)...)
					}
				}
			}
		case *ast.RangeStmt:
			looped[x.X] = true
		case *ast.ReturnStmt:
			if len(x.Results) == 1 {
				if b, ok := x.Results[0].(*ast.BinaryExpr); ok && (b.Op == token.LAND || b.Op == token.LOR) {
					all = append(all, operands(b, at)...)
				}
			}
		case *ast.CompositeLit:
			all = append(all, lessWords(x, looped[x], at)...)
		case *ast.CallExpr:
			all = append(all, unpacked(x, at)...)
			all = append(all, lessBytes(x, at)...)
		case *ast.ExprStmt:
			if call, ok := x.X.(*ast.CallExpr); ok && writes(at.text(call.Fun)) {
				all = append(all, at.replace(call, "_ = func() { %s }", at.text(call)))
			}
		}
		return true
	})
	return all
}

// returns reports whether statements end in one that leaves the function.
func returns(body []ast.Stmt) bool {
	if len(body) == 0 {
		return false
	}
	_, ok := body[len(body)-1].(*ast.ReturnStmt)
	return ok
}

// writes are calls that put a word into what is hashed.
func writes(call string) bool {
	name := call[strings.LastIndexByte(call, '.')+1:]
	return name == "Write" || name == "write" || name == "copy" || strings.HasPrefix(name, "PutUint")
}

// conditions are a refusal's condition that never holds, each of its operands that does
// not count, bounds that admit one value more, and comparisons of half of two values.
func conditions(condition ast.Expr, at source) []edit {
	if failed(condition, at) {
		return nil
	}
	all := []edit{at.replace(condition, "(%s) && false", "never: "+at.text(condition))}
	ast.Inspect(condition, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.BinaryExpr:
			switch x.Op {
			case token.LOR, token.LAND:
				all = append(all, operands(x, at)...)
			case token.NEQ:
				all = append(all, halves(x, at)...)
			case token.LSS, token.GTR, token.LEQ, token.GEQ:
				all = append(all, offByOne(x, at))
			case token.SHR:
				all = append(all, at.replace(x.Y, "(%s+1)", at.text(condition)+" with a bit more"))
			default: // decides nothing by itself
			}
		case *ast.CallExpr:
			if method, ok := x.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Equal" && len(x.Args) == 1 {
				if other, ok := x.Args[0].(*ast.UnaryExpr); ok && other.Op == token.AND {
					by := "(" + at.text(method.X) + ".Bits()[0] == " + at.text(other.X) + ".Bits()[0])"
					all = append(all, at.replace(x, by, at.text(x)+" in its low word"))
				}
			}
		case *ast.FuncLit:
			return false
		}
		return true
	})
	return all
}

// failed reports whether a condition is that a call failed: what is refused there is
// decided elsewhere.
func failed(condition ast.Expr, at source) bool {
	text := at.text(condition)
	return text == "err != nil" || text == "w.err != nil" || text == "r.err != nil"
}

func operands(x *ast.BinaryExpr, at source) []edit {
	not := func(dropped, kept ast.Expr) edit {
		neutral := " && false)"
		if x.Op == token.LAND {
			neutral = " || true)"
		}
		text, from, to := at(x)
		by := "(" + at.text(kept) + ") " + x.Op.String() + " ((" + at.text(dropped) + ")" + neutral
		if dropped.Pos() < kept.Pos() { // what is on the right may need what is on the left
			by = "((" + at.text(dropped) + ")" + neutral + " " + x.Op.String() + " (" + at.text(kept) + ")"
		}
		return edit{from, to, "(" + by + ")", text + " without " + at.text(dropped)}
	}
	return []edit{not(x.X, x.Y), not(x.Y, x.X)}
}

func offByOne(x *ast.BinaryExpr, at source) edit {
	other := map[token.Token]string{token.LSS: "<=", token.GTR: ">=", token.LEQ: "<", token.GEQ: ">"}[x.Op]
	return at.replace(x, at.text(x.X)+" "+other+" "+at.text(x.Y), at.text(x)+" as "+other)
}

// halves compares two values by half of their text.
func halves(x *ast.BinaryExpr, at source) (all []edit) {
	left, right := at.text(x.X), at.text(x.Y)
	if _, literal := x.Y.(*ast.BasicLit); literal || right == "nil" || strings.HasPrefix(left, "len(") || strings.HasPrefix(right, "len(") {
		return nil
	}
	for _, number := range []string{"Token", "Kind", "KindExitAll", "L1ForcedExit", "token"} { // shorter than half of the text
		if strings.HasSuffix(left, "."+number) || strings.HasSuffix(right, "."+number) || right == number {
			return nil
		}
	}
	for _, half := range []struct{ name, slice string }{{"first", "[:len(s)/2]"}, {"last", "[len(s)/2:]"}} {
		by := fmt.Sprintf("func() bool { half := func(v any) string { s := fmt.Sprintf(%q, v); return s%s }; return half(%s) %s half(%s) }()", "%064v", half.slice, left, x.Op, right)
		_, from, to := at(x)
		all = append(all, edit{from, to, by, at.text(x) + " by the " + half.name + " half"})
	}
	return all
}

// lessBytes reads a number from one byte less.
func lessBytes(call *ast.CallExpr, at source) []edit {
	if called(call) != "SetBytes" || len(call.Args) != 1 {
		return nil
	}
	slice, ok := call.Args[0].(*ast.SliceExpr)
	if !ok {
		return nil
	}
	shorter := "(%s)[1:]"
	return []edit{
		at.replace(slice, shorter, at.text(call)+" without its first byte"),
		at.replace(slice, "func(b []byte) []byte { return b[:len(b)-1] }(%s)", at.text(call)+" without its last byte"),
		at.replace(slice, "func(b []byte) []byte { return b[len(b)-1:] }(%s)", at.text(call)+" from its last byte"),
	}
}
