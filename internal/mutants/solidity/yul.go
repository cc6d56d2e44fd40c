package main

import "strconv"

// yul visits assembly: each statement is taken out, each condition made constant, each test and mask made less.
func (f *finder) yul(n node) bool {
	switch n.kind() {
	case "YulExpressionStatement", "YulAssignment":
		f.replace(n, "{}", "without "+f.text(n))
	case "YulIf":
		c := n.child("condition")
		f.replace(c, "0", "never: "+f.text(c))
		f.replace(c, "1", "always: "+f.text(c))
	case "YulForLoop":
		walk(n.child("body"), f.yul)
		walk(n.child("pre"), f.yul)
		return false // as in Solidity
	case "YulFunctionCall":
		f.yulCall(n)
	}
	return true
}

func (f *finder) yulCall(n node) {
	var a []string
	arguments := n.children("arguments")
	for _, argument := range arguments {
		a = append(a, f.text(argument))
	}
	all := f.text(n)
	switch name := n.child("functionName").text("name"); name {
	case "and", "or":
		f.replace(n, a[0], all+" without "+a[1])
		f.replace(n, a[1], all+" without "+a[0])
	case "lt", "gt":
		opposite := map[string]string{"lt": "gt", "gt": "lt"}[name]
		f.replace(n, "iszero("+opposite+"("+a[0]+", "+a[1]+"))", all+" or equal")
		f.replace(n, "1", all+": always")
	case "eq":
		f.replace(n, "1", all+": always")
	case "addmod":
		f.replace(n, "add("+a[0]+", "+a[1]+")", all+" not reduced")
	case "mod":
		f.replace(n, a[0], all+" not reduced")
	case "keccak256":
		f.replace(n, "keccak256("+a[0]+", sub("+a[1]+", 0x20))", all+" without its last word")
		f.replace(n, "keccak256(add(0x20, "+a[0]+"), sub("+a[1]+", 0x20))", all+" without its first word") // operands in this order, as Exits.root leaves no room on the stack
	case "shl", "shr":
		if bits, err := strconv.Atoi(a[0]); err == nil {
			f.replace(arguments[0], strconv.Itoa(bits+1), all+", a bit more")
			f.replace(arguments[0], strconv.Itoa(bits-1), all+", a bit less")
		}
	}
}
