package main

import (
	"fmt"
	"maps"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mutant is one contract's file in which one thing is missing or says less.
type mutant struct {
	name string // file, function, what is changed: the same as long as the code is
	file string
	text string // of the whole file
}

// edit replaces source[from:to].
type edit struct {
	from, to int
	by, what string
}

// finder looks for the sites of one file.
type finder struct {
	source  string
	structs map[string][]node // members by the type's name, of all files
	edits   []edit
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// find lists the mutants of all files, in the order of their names and of the source.
func find(asts map[string]node, texts map[string]string) (all []mutant) {
	structs := map[string][]node{}
	for _, file := range keys(asts) {
		walk(asts[file], func(n node) bool {
			if n.kind() == "StructDefinition" {
				structs[n.text("canonicalName")] = n.children("members")
			}
			return true
		})
	}
	for _, file := range keys(asts) {
		seen := map[string]int{}
		forms := map[string]bool{}
		for _, contract := range asts[file].children("nodes") {
			for _, part := range contract.children("nodes") {
				f := finder{source: texts[file], structs: structs}
				f.declaration(part)
				slices.SortStableFunc(f.edits, func(a, b edit) int { return a.from - b.from })
				for _, e := range f.edits {
					if generated(file) && !first(forms, e.what) {
						continue
					}
					name := fmt.Sprintf("%s %s: %s", file, called(part), strings.Join(strings.Fields(e.what), " "))
					if seen[name]++; seen[name] > 1 {
						name += fmt.Sprintf(" (%d)", seen[name])
					}
					all = append(all, mutant{name, file, texts[file][:e.from] + e.by + texts[file][e.to:]})
				}
			}
		}
	}
	return all
}

// generated are files of unrolled rounds that a Go test compares with their generator: one mutant of each form of
// statement is enough.
func generated(file string) bool { return file == "Poseidon2Permutation.sol" }

var constants = regexp.MustCompile(`0x[0-9a-f]{60,}`)

// first reports whether a form was not seen before, whatever constants of a round stand in it.
func first(seen map[string]bool, what string) bool {
	form := constants.ReplaceAllString(what, "…")
	if seen[form] {
		return false
	}
	seen[form] = true
	return true
}

func called(part node) string {
	if name := part.text("name"); name != "" {
		return name
	}
	return part.text("kind")
}

func (f *finder) text(n node) string {
	from, to := n.at()
	return f.source[from:to]
}

// replace records an edit of a node; what it was leads its description.
func (f *finder) replace(n node, by, what string) {
	from, to := n.at()
	f.edits = append(f.edits, edit{from, to, by, what})
}

func (f *finder) declaration(part node) {
	switch part.kind() {
	case "FunctionDefinition", "ModifierDefinition":
		for _, m := range part.children("modifiers") {
			if m.text("kind") == "modifierInvocation" {
				f.replace(m, "", "without "+f.text(m))
			}
		}
		if body := part.child("body"); body != nil {
			walk(body, f.visit)
		}
	case "VariableDeclaration":
		if value := part.child("value"); part["constant"] == true && strings.HasPrefix(part.typeOf(), "uint") {
			f.replace(value, "("+f.text(value)+") + 1", f.text(value)+", one more")
			if f.text(value) != "0" {
				f.replace(value, "("+f.text(value)+") - 1", f.text(value)+", one less")
			}
		}
	}
}

func (f *finder) visit(n node) bool {
	switch n.kind() {
	case "IfStatement":
		f.condition(n)
	case "ForStatement", "WhileStatement":
		f.rounds(n)
		walk(n.child("body"), f.visit)
		return false // its own condition and step: a loop that never ends shows nothing
	case "Conditional":
		f.replace(n, "("+f.text(n.child("trueExpression"))+")", f.text(n)+": always the first")
		f.replace(n, "("+f.text(n.child("falseExpression"))+")", f.text(n)+": always the second")
	case "BinaryOperation":
		f.operation(n)
	case "ExpressionStatement":
		f.statement(n.child("expression"))
	case "EmitStatement":
		f.replace(n, "0", "without "+f.text(n))
		f.zeroed(n.child("eventCall"))
	case "Return":
		if e := n.child("expression"); e != nil && e.typeOf() == "bool" {
			f.replace(e, "true", f.text(n)+": always")
		}
	case "FunctionCall":
		f.call(n)
	case "RevertStatement":
		return false
	case "InlineAssembly":
		walk(n.child("AST"), f.yul)
		return false
	}
	return true
}

// condition makes one hold never and, where it is not one of a refusal, always.
func (f *finder) condition(n node) {
	c := n.child("condition")
	f.replace(c, "("+f.text(c)+") && false", "never: "+f.text(c))
	if !refuses(n.child("trueBody")) {
		f.replace(c, "("+f.text(c)+") || true", "always: "+f.text(c))
	}
}

// rounds leaves out the first and the last round of a loop from 0 to below a bound.
func (f *finder) rounds(n node) {
	start, c, step := n.child("initializationExpression").child("initialValue"), n.child("condition"), "1"
	if by := n.child("loopExpression").child("expression").child("rightHandSide"); by != nil {
		step = f.text(by)
	}
	if start == nil || f.text(start) != "0" || c.text("operator") != "<" {
		return
	}
	f.replace(start, step, f.text(c)+" without its first round")
	left := c.child("leftExpression")
	f.replace(left, f.text(left)+" + "+step, f.text(c)+" without its last round")
}

func refuses(body node) (found bool) {
	walk(body, func(n node) bool {
		found = found || n.kind() == "RevertStatement"
		return true
	})
	return found
}

// operation drops an operand, shifts a boundary, compares less or reads other bits.
func (f *finder) operation(n node) {
	left, right := n.child("leftExpression"), n.child("rightExpression")
	a, b, all := f.text(left), f.text(right), f.text(n)
	switch op := n.text("operator"); op {
	case "&&", "||", "&", "|":
		f.replace(n, "("+a+")", all+" without "+b)
		f.replace(n, "("+b+")", all+" without "+a)
	case "%", "+":
		f.replace(n, "("+a+")", all+" without "+op+" "+b)
	case "<", ">":
		f.replace(n, a+" "+op+"= "+b, all+" as "+op+"=")
	case "<=", ">=":
		f.replace(n, a+" "+op[:1]+" "+b, all+" as "+op[:1])
	case ">>", "<<":
		if right.kind() == "Literal" {
			f.replace(right, b+" + 1", all+", a bit more")
			f.replace(right, b+" - 1", all+", a bit less")
		}
	case "==", "!=":
		for _, less := range narrowed(n.child("commonType").text("typeString")) {
			if less.bits != 0 && f.width(left) <= less.bits {
				continue // these are all of its bits
			}
			f.replace(n, fmt.Sprintf(less.form, a)+" "+op+" "+fmt.Sprintf(less.form, b), all+" by "+less.what)
		}
	}
}

// width is how many bits an expression can have, as far as its form tells.
func (f *finder) width(n node) int {
	amount, err := strconv.Atoi(n.child("rightExpression").text("value"))
	switch {
	case strings.HasSuffix(f.text(n), ".length"):
		return 64
	case n.text("operator") == "&" && err == nil:
		return bits.Len(uint(amount))
	case n.text("operator") == ">>" && err == nil:
		return 256 - amount
	}
	return 256
}

// narrower is a form of an expression, what it leaves, and how many of the low bits that are, if it leaves these.
type narrower struct {
	form, what string
	bits       int
}

// narrowed lists how values of a type can be compared in part.
func narrowed(kind string) []narrower {
	switch size, err := strconv.Atoi(strings.TrimPrefix(kind, "uint")); {
	case kind == "bytes32":
		return []narrower{{"bytes16(bytes32(%s))", "its first half", 0}, {"uint128(uint256(bytes32(%s)))", "its last half", 0}}
	case kind == "address":
		return []narrower{{"bytes10(bytes20(address(%s)))", "its first half", 0}, {"uint80(uint160(address(%s)))", "its last half", 0}}
	case kind == "uint256":
		return []narrower{{"uint256(%s) >> 128", "its high bits", 0}, {"uint160(uint256(%s))", "its low 160 bits", 160}, {"uint128(uint256(%s))", "its low 128 bits", 128}}
	case err == nil && size > 8:
		half := strconv.Itoa(size / 2)
		return []narrower{{kind + "(%s) >> " + half, "its high bits", 0}, {"uint" + half + "(" + kind + "(%s))", "its low bits", size / 2}}
	}
	return nil
}

// statement takes out an assignment, a deletion or a call that stands alone.
func (f *finder) statement(e node) {
	switch {
	case e.kind() == "Assignment", e.kind() == "FunctionCall", e.text("operator") == "delete":
		f.replace(e, "0", "without "+f.text(e))
	}
}

// call narrows casts and what is hashed, and leaves words out.
func (f *finder) call(n node) {
	name, arguments := f.text(n.child("expression")), n.children("arguments")
	switch n.text("kind") {
	case "typeConversion":
		size, err := strconv.Atoi(strings.TrimPrefix(name, "uint"))
		if from, is := strconv.Atoi(strings.TrimPrefix(arguments[0].typeOf(), "uint")); is == nil && from <= size/2 {
			return // it has no more than that
		}
		if err == nil && size > 8 && !strings.HasPrefix(arguments[0].typeOf(), "int_const") {
			f.replace(n, fmt.Sprintf("%s(uint%d(%s))", name, size/2, f.text(n)), f.text(n)+" of half as many bits")
		}
	case "structConstructorCall":
		f.zeroed(n)
	case "functionCall":
		if name == "keccak256" || name == "sha256" {
			f.hashed(n, arguments[0])
		}
	}
}

// zeroed puts a zero in place of each argument.
func (f *finder) zeroed(n node) {
	for _, a := range n.children("arguments") {
		if zero := zeroOf(a.typeOf()); zero != "" && f.text(a) != zero {
			f.replace(a, zero, f.text(n)+" without "+f.text(a))
		}
	}
}

func zeroOf(kind string) string {
	switch {
	case kind == "bool":
		return "false"
	case strings.HasPrefix(kind, "uint"), strings.HasPrefix(kind, "bytes") && kind != "bytes" && !strings.Contains(kind, " "), kind == "address":
		return kind + "(0)"
	case strings.HasPrefix(kind, "contract "):
		return strings.TrimPrefix(kind, "contract ") + "(address(0))"
	}
	return ""
}

// hashed leaves out each word of what a hash takes, and most bits of what it gives.
func (f *finder) hashed(n, preimage node) {
	f.replace(n, "bytes32(uint256(uint64(uint256("+f.text(n)+"))))", f.text(n)+" of 64 bits")
	if preimage.kind() == "IndexRangeAccess" {
		start, end := preimage.child("startExpression"), preimage.child("endExpression")
		f.replace(start, "("+f.text(start)+") + 32", f.text(n)+" without its first word")
		f.replace(end, "("+f.text(end)+") - 32", f.text(n)+" without its last word")
	}
	if preimage.kind() != "FunctionCall" {
		return
	}
	arguments := preimage.children("arguments")
	encode := f.text(preimage.child("expression"))
	for i, a := range arguments {
		with := func(by string) string {
			var kept []string
			for j, other := range arguments {
				switch {
				case j != i:
					kept = append(kept, f.text(other))
				case by != "":
					kept = append(kept, by)
				}
			}
			return encode + "(" + strings.Join(kept, ", ") + ")"
		}
		if len(arguments) > 1 {
			f.replace(preimage, with(""), f.text(n)+" without "+f.text(a))
		}
		for _, part := range f.parts(a) {
			f.replace(preimage, with(part.form), f.text(n)+" without "+part.what)
		}
	}
}

// parts lists an argument of a hash with one of its own words missing.
func (f *finder) parts(a node) (all []narrower) {
	kind, text := a.typeOf(), f.text(a)
	switch name, isStruct := strings.CutPrefix(kind, "struct "); {
	case isStruct:
		name, _, _ = strings.Cut(name, " ")
		members := f.structs[name]
		for i, m := range members {
			var fields []string
			for j, other := range members {
				field := text + "." + other.text("name")
				if i == j {
					field = zeroOf(other.typeOf())
				}
				fields = append(fields, field)
			}
			all = append(all, narrower{name + "(" + strings.Join(fields, ", ") + ")", text + "." + m.text("name"), 0})
		}
	case kind == "uint256[3] calldata":
		for i := range 3 {
			elements := []string{text + "[0]", text + "[1]", text + "[2]"}
			what := elements[i]
			elements[i] = "uint256(0)"
			all = append(all, narrower{"[uint256(" + elements[0] + "), " + elements[1] + ", " + elements[2] + "]", what, 0})
		}
	case kind == "bytes calldata":
		for first := 0; first < 384; first += 64 {
			all = append(all, narrower{fmt.Sprintf("bytes.concat(%s[:%d], %s[%d:])", text, first, text, first+64), fmt.Sprintf("%s[%d:%d]", text, first, first+64), 0})
		}
	}
	return all
}
