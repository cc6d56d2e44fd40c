package bus

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Wire is a circuit variable known to a Bus. The zero value is invalid.
type Wire struct{ id int } // id-1 indexes Bus.wires

// Expr is a linear form over wires with constant coefficients. Writing tuple
// fields as linear forms lets the bus multiply each wire by a power of the
// challenge once, however many tuples share it.
type Expr struct {
	terms    []linearTerm
	constant *big.Int
}

type linearTerm struct {
	wire Wire
	coef *big.Int
}

// Const is a constant field.
func Const(k int64) Expr { return Expr{constant: big.NewInt(k)} }

// ConstElement is a constant field of any size.
func ConstElement(k fr.Element) Expr { return Expr{constant: k.BigInt(new(big.Int))} }

// Expr is the wire itself as a field.
func (w Wire) Expr() Expr {
	return Expr{terms: []linearTerm{{w, big.NewInt(1)}}, constant: new(big.Int)}
}

// Scale multiplies by a constant.
func (e Expr) Scale(k int64) Expr {
	factor := big.NewInt(k)
	out := Expr{constant: new(big.Int).Mul(e.constant, factor)}
	for _, t := range e.terms {
		out.terms = append(out.terms, linearTerm{t.wire, new(big.Int).Mul(t.coef, factor)})
	}
	return out
}

// Add adds another linear form.
func (e Expr) Add(o Expr) Expr {
	out := Expr{constant: new(big.Int).Add(e.constant, o.constant)}
	out.terms = append(append(out.terms, e.terms...), o.terms...)
	return out
}
