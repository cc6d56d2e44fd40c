package gadget

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle/schnorr"
)

// AssignSignature returns the witness of a signature. It refuses what native
// verification refuses, as no circuit could be solved with it.
func AssignSignature(windowBits int, public fr.Element, message schnorr.Message, sig schnorr.Signature) (SignatureWires, error) {
	if err := schnorr.Verify(public, message, sig); err != nil {
		return SignatureWires{}, fmt.Errorf("assign signature: %w", err)
	}
	table, err := tableOf(windowBits)
	if err != nil {
		return SignatureWires{}, err
	}
	publicY, okA := schnorr.EvenY(public)
	ry, okR := schnorr.EvenY(sig.RX)
	if !okA || !okR {
		return SignatureWires{}, fmt.Errorf("assign signature: %w", schnorr.ErrSignature)
	}
	w := SignatureWires{PublicKey: public, PublicY: publicY, R: Point{sig.RX, ry}}
	w.Windows = table.assign(new(big.Int).SetBytes(sig.S[:]))
	return w, nil
}

// assign returns the rows that encode s.
func (t *windowTable) assign(s *big.Int) []Point {
	windows := make([]Point, len(t.widths))
	for i, value := range t.values(s) {
		windows[i] = t.row(i, value)
	}
	return windows
}

func (t *windowTable) row(window, value int) Point {
	p := t.rows[window][value]
	return Point{fr.Element(p.X), fr.Element(p.Y)}
}
