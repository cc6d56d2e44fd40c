package cost

import (
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Wires is what a Groth16 prover multiplies points by: the wires that stand in the left and in the right factors of
// a constraint system. A wire counts once for each side, however often it stands there; the constant wire counts too.
type Wires struct {
	A int // in left factors: points of G1
	B int // in right factors: points of G1 and of G2
}

// WiresOf counts the wires of a system of rank-1 constraints over BN254; of any other kind it returns zeros.
func WiresOf(ccs constraint.ConstraintSystem) Wires {
	system, ok := ccs.(*cs.R1CS)
	if !ok {
		return Wires{}
	}
	internal, secret, public := ccs.GetNbVariables()
	left, right := make(wireSet, internal+secret+public), make(wireSet, internal+secret+public)
	constraints := system.GetR1CIterator()
	for c := constraints.Next(); c != nil; c = constraints.Next() {
		left.add(c.L)
		right.add(c.R)
	}
	return Wires{A: left.count(), B: right.count()}
}

type wireSet []bool

func (w wireSet) add(sum constraint.LinearExpression) {
	for _, term := range sum {
		w[term.WireID()] = true
	}
}

func (w wireSet) count() int {
	n := 0
	for _, used := range w {
		if used {
			n++
		}
	}
	return n
}
