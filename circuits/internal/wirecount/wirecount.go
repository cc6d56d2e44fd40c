// Package wirecount counts what a Groth16 prover multiplies points by: the wires that stand in the left and in
// the right factors of a constraint system.
package wirecount

import (
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Count is of one system. A wire counts once for each side, however often it stands there; the constant wire counts too.
type Count struct {
	A int // in left factors: points of G1
	B int // in right factors: points of G1 and of G2
}

// Of counts the wires of a system of rank-1 constraints over BN254; of any other kind it returns zeros.
func Of(ccs constraint.ConstraintSystem) Count {
	system, ok := ccs.(*cs.R1CS)
	if !ok {
		return Count{}
	}
	internal, secret, public := ccs.GetNbVariables()
	left, right := make(wires, internal+secret+public), make(wires, internal+secret+public)
	constraints := system.GetR1CIterator()
	for c := constraints.Next(); c != nil; c = constraints.Next() {
		left.add(c.L)
		right.add(c.R)
	}
	return Count{A: left.count(), B: right.count()}
}

type wires []bool

func (w wires) add(sum constraint.LinearExpression) {
	for _, term := range sum {
		w[term.WireID()] = true
	}
}

func (w wires) count() int {
	n := 0
	for _, used := range w {
		if used {
			n++
		}
	}
	return n
}
