package gadget

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/rangecheck"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/schnorr"
)

// SignatureWires is the witness of one signature.
type SignatureWires struct {
	PublicKey frontend.Variable // A.x: the signer's owner
	PublicY   frontend.Variable // A.y, of either sign
	R         Point             // of either sign of y
	Windows   []Point           // table rows that encode s, low window first
}

// SignedMessage is schnorr.Message in circuit.
type SignedMessage struct{ M, Domain, ToOwner, ToL1 frontend.Variable }

// NewSignatureWires returns wires for tables of the given window width, to compile.
func NewSignatureWires(windowBits int) SignatureWires {
	return SignatureWires{Windows: make([]Point, len(WindowWidths(windowBits)))}
}

// SignatureVerifier verifies signatures of package schnorr. All signatures of a
// circuit share one, and with it one table.
type SignatureVerifier struct {
	curve
	poseidon *Poseidon
	ranges   frontend.Rangechecker
	base     *fixedBase
	beta     *big.Int
}

// NewSignatureVerifier returns the verifier of a circuit. windowBits trades
// constraints for each signature against table rows (cost.BestWindow).
func NewSignatureVerifier(api frontend.API, b *bus.Bus, poseidon *Poseidon, windowBits int) (*SignatureVerifier, error) {
	base, err := newFixedBase(api, b, windowBits)
	if err != nil {
		return nil, err
	}
	beta := schnorr.Beta()
	return &SignatureVerifier{
		curve: curve{api}, poseidon: poseidon, ranges: rangecheck.New(api), base: base, beta: beta.BigInt(new(big.Int)),
	}, nil
}

// Verify constrains s·G = ±R ± e·A for the wires' s, R and A and the message's e.
// docs/adr/0002-signature.md argues for each incomplete addition, for either
// sign, and that s modulo q may be any of its readings below 2^254.
func (v *SignatureVerifier) Verify(w SignatureWires, m SignedMessage) error {
	a := Point{w.PublicKey, w.PublicY}
	xSquared := v.assertOnCurve(a)
	v.assertOnCurve(w.R)
	h, err := v.challenge(w, m)
	if err != nil {
		return err
	}
	bits, err := LowBits(v.api, v.ranges, h)
	if err != nil {
		return err
	}
	if err := v.base.lookup(w.Windows); err != nil {
		return err
	}
	v.equation(v.base.sum(w.Windows), w.R, v.endomorphismMul(a, xSquared, bits, v.beta))
	return nil
}

// Close sends the table to the bus, after the last Verify and before Bus.Close.
func (v *SignatureVerifier) Close() error { return v.base.close() }

// challenge returns h = P8(R.x, A.x, m, domain, toOwner, toL1, TAG, 0)[0] + R.x.
func (v *SignatureVerifier) challenge(w SignatureWires, m SignedMessage) (frontend.Variable, error) {
	lanes, err := v.poseidon.Permute8([8]frontend.Variable{
		w.R.X, w.PublicKey, m.M, m.Domain, m.ToOwner, m.ToL1, schnorr.Tag(), 0,
	})
	if err != nil {
		return nil, fmt.Errorf("challenge: %w", err)
	}
	return v.api.Add(lanes[0], w.R.X), nil
}

// LowBits returns the low 128 bits of h, low bit first. hi is defined by h = lo + 2^128·hi in
// the field; that hi and (r >> 128) - hi both have 126 bits leaves h + r as a
// second reading only for h < 2^128. With hi's width alone, a third of all h
// would have one.
func LowBits(api frontend.API, ranges frontend.Rangechecker, h frontend.Variable) ([]frontend.Variable, error) {
	bits, err := api.Compiler().NewHint(lowBitsHint, schnorr.EndomorphismBits, h)
	if err != nil {
		return nil, fmt.Errorf("low bits of h: %w", err)
	}
	lo := frontend.Variable(0)
	for i, bit := range bits {
		api.AssertIsBoolean(bit)
		lo = api.Add(lo, api.Mul(bit, new(big.Int).Lsh(big.NewInt(1), uint(i))))
	}
	shift, top := new(big.Int).Lsh(big.NewInt(1), schnorr.EndomorphismBits), new(big.Int).Rsh(fr.Modulus(), schnorr.EndomorphismBits)
	hi := api.Mul(api.Sub(h, lo), new(big.Int).ModInverse(shift, fr.Modulus()))
	ranges.Check(hi, top.BitLen())
	ranges.Check(api.Sub(top, hi), top.BitLen())
	return bits, nil
}

// equation constrains sG = r + eA.
func (v *SignatureVerifier) equation(sG, r, eA Point) {
	sum := v.add(eA, r)
	v.api.AssertIsEqual(sG.X, sum.X)
	v.api.AssertIsEqual(sG.Y, sum.Y)
}

// lowBitsHint gives the low bits of its input, low bit first.
func lowBitsHint(_ *big.Int, inputs, outputs []*big.Int) error {
	for i := range outputs {
		outputs[i].SetUint64(uint64(inputs[0].Bit(i)))
	}
	return nil
}

// Hints lists the hints of this package, for registration with the solver.
func Hints() []solver.Hint { return []solver.Hint{lowBitsHint, countRowsHint} }
