package transition

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	csbn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/rules"
)

// wireSet is a set of wires of a constraint system; wire 0 is the constant 1.
type wireSet map[int]bool

func (s wireSet) hasAll(l constraint.LinearExpression) bool {
	_, unknown := s.missing(l)
	return unknown == 0
}

// missing returns the number of different wires of l outside s, and the last.
func (s wireSet) missing(l constraint.LinearExpression) (wire, count int) {
	seen := wireSet{}
	for _, t := range l {
		if w := t.WireID(); !s[w] && !seen[w] && t.CoeffID() != constraint.CoeffIdZero {
			seen[w], wire, count = true, w, count+1
		}
	}
	return wire, count
}

func isConstant(l constraint.LinearExpression) bool {
	return wireSet{0: true}.hasAll(l) && len(l) > 0
}

// close adds every wire that follows from the set by a product or a linear
// equation. It never follows a division: a wire that only a factor determines
// stays outside, since 0/0 would leave it open.
func (s wireSet) close(rows []constraint.R1C) {
	for grown := true; grown; {
		grown = false
		for _, row := range rows {
			if s.hasAll(row.L) && s.hasAll(row.R) {
				if w, n := s.missing(row.O); n == 1 {
					s[w], grown = true, true
				}
			}
			for _, side := range [][2]constraint.LinearExpression{{row.L, row.R}, {row.R, row.L}} {
				if isConstant(side[0]) && s.hasAll(row.O) {
					if w, n := s.missing(side[1]); n == 1 {
						s[w], grown = true, true
					}
				}
			}
		}
	}
}

// auditBus checks that whatever the system computes from the challenge falls into
// four classes: values of the challenge alone; products of such a value and one
// that the committed wires determine without challenge and without division;
// quotients whose numerator the committed wires determine and whose denominator
// is a sum of the former; sums of quotients. So no wire that the prover chooses
// after the challenge takes part in a bus argument. Returns the number of
// quotients.
func auditBus(ccs constraint.ConstraintSystem) (quotients int, err error) {
	commitments := ccs.GetCommitments().(constraint.Groth16Commitments)
	if len(commitments) != 1 {
		return 0, fmt.Errorf("%d commitments", len(commitments))
	}
	root := commitments[0].CommitmentIndex
	var before, after []constraint.R1C
	isAfter := func(ls ...constraint.LinearExpression) bool {
		for _, l := range ls {
			for _, t := range l {
				if t.WireID() >= root {
					return true
				}
			}
		}
		return false
	}
	for _, row := range ccs.(*csbn254.R1CS).GetR1Cs() {
		if isAfter(row.L, row.R, row.O) {
			after = append(after, row)
		} else {
			before = append(before, row)
		}
	}
	committed := wireSet{0: true}
	for _, w := range commitments[0].PrivateCommitted {
		committed[w] = true
	}
	committed.close(before)
	challenge := wireSet{0: true, root: true}
	challenge.close(after)

	linear := wireSet{} // what a denominator may be a sum of
	for w := range committed {
		linear[w] = true
	}
	for w := range challenge {
		linear[w] = true
	}
	quotient := wireSet{0: true}
	var sums []constraint.R1C
	for _, row := range after {
		if challenge.hasAll(row.L) && challenge.hasAll(row.R) && challenge.hasAll(row.O) {
			continue
		}
		known := false
		for _, side := range [][2]constraint.LinearExpression{{row.L, row.R}, {row.R, row.L}} {
			if w, n := linear.missing(row.O); n == 1 && challenge.hasAll(side[0]) && committed.hasAll(side[1]) {
				linear[w], known = true, true
				break
			}
			if w, n := linear.missing(side[0]); n == 1 && len(side[0]) == 1 && !isConstant(side[1]) &&
				linear.hasAll(side[1]) && committed.hasAll(row.O) && isAfter(side[1]) {
				quotient[w], known = true, true
				break
			}
		}
		if !known {
			sums = append(sums, row)
		}
	}
	// A sum may name a wire of its own: it is then a term of another sum.
	found, summed := len(quotient)-1, map[int]int{}
	for _, row := range sums {
		if !isConstant(row.R) {
			return 0, fmt.Errorf("a constraint behind the challenge is neither product, quotient nor sum: %v * %v = %v", row.L, row.R, row.O)
		}
		for _, t := range append(append(constraint.LinearExpression{}, row.L...), row.O...) {
			summed[t.WireID()]++
		}
		if w, n := quotient.missing(row.O); n == 1 {
			quotient[w] = true
		}
		if !quotient.hasAll(row.L) || !quotient.hasAll(row.O) {
			return 0, fmt.Errorf("a sum behind the challenge has other terms than quotients: %v * %v = %v", row.L, row.R, row.O)
		}
	}
	for w := range quotient {
		if w == 0 {
			continue
		}
		// Quotients come in one sum each, partial sums in the one that defines
		// them and the one that uses them.
		if summed[w] == 0 || summed[w] > 2 {
			return 0, fmt.Errorf("quotient %d is a term of %d sums", w, summed[w])
		}
	}
	for w := root; w < ccs.GetNbPublicVariables()+ccs.GetNbSecretVariables()+ccs.GetNbInternalVariables(); w++ {
		if !linear[w] && !quotient[w] {
			return 0, fmt.Errorf("wire %d is made after the challenge and nothing determines it", w)
		}
	}
	return found, nil
}

// TestNothingIsChosenAfterTheChallenge runs the audit on the systems that keys
// are made for.
func TestNothingIsChosenAfterTheChallenge(t *testing.T) {
	for _, name := range []string{"tiny", "demo"} {
		quotients, err := auditBus(system(t, mustShape(t, name)))
		require.NoError(t, err, name)
		require.Greater(t, quotients, 1500, "the audit no longer finds the bus")
	}
}

// lateField sends a tuple whose field is computed from Late, in one of several
// ways that the audit must refuse.
type lateField struct {
	Early, Late frontend.Variable
	field       func(api frontend.API, b *bus.Bus, c *lateField) bus.Wire
}

func (c *lateField) Define(api frontend.API) error {
	b := bus.New(api)
	early := b.Flag(rules.New(api).Boolean("early", c.Early))
	api.AssertIsEqual(api.Mul(c.Late, c.Late), c.Early)
	w := c.field(api, b, c)
	node := bus.Node{Level: bus.Const(0), Position: bus.Const(0), Old: w.Expr(), New: bus.Const(0)}
	b.Tree.Send(early, node)
	b.Tree.Receive(early, node)
	return b.Close()
}

func TestAuditFindsLateFields(t *testing.T) {
	for name, x := range map[string]struct {
		field func(api frontend.API, b *bus.Bus, c *lateField) bus.Wire
		fails bool
	}{
		"committed": {func(_ frontend.API, b *bus.Bus, c *lateField) bus.Wire { return b.Free(c.Late) }, false},
		"product": {func(api frontend.API, b *bus.Bus, c *lateField) bus.Wire {
			return b.Derived(api.Mul(c.Early, c.Early))
		}, false},
		"raw wire": {func(_ frontend.API, b *bus.Bus, c *lateField) bus.Wire { return b.Derived(c.Late) }, true},
		"sum": {func(api frontend.API, b *bus.Bus, c *lateField) bus.Wire {
			return b.Derived(api.Add(c.Early, c.Late))
		}, true},
		"unchecked division": {func(api frontend.API, b *bus.Bus, c *lateField) bus.Wire {
			return b.Derived(api.DivUnchecked(c.Early, api.Sub(c.Early, 1)))
		}, true},
	} {
		ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &lateField{field: x.field})
		require.NoError(t, err, name)
		if _, err = auditBus(ccs); x.fails {
			require.Error(t, err, name)
		} else {
			require.NoError(t, err, name)
		}
	}
}
