package gadget

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle/schnorr"
)

const testWindow = 4

func engine(circuit, assignment frontend.Circuit) error {
	return test.IsSolved(circuit, assignment, ecc.BN254.ScalarField())
}

func compileR1CS(t *testing.T, circuit frontend.Circuit) constraint.ConstraintSystem {
	t.Helper()
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, circuit)
	require.NoError(t, err)
	return ccs
}

// override is a hostile hint.
type override struct{ hint, by solver.Hint }

// solveR1CS solves a system with hostile hints. The commitment is a hash of the
// committed values, as in the prover but without a key.
func solveR1CS(t *testing.T, ccs constraint.ConstraintSystem, assignment frontend.Circuit, overrides ...override) error {
	t.Helper()
	w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	require.NoError(t, err)
	commit := func(_ *big.Int, in, out []*big.Int) error {
		h := sha256.New()
		for _, x := range in {
			h.Write(x.FillBytes(make([]byte, 32)))
		}
		out[0].SetBytes(h.Sum(nil)[:31])
		return nil
	}
	options := []solver.Option{
		solver.WithHints(Hints()...),
		solver.OverrideHint(solver.GetHintID(cs.Bsb22CommitmentComputePlaceholder), commit),
	}
	for _, o := range overrides {
		options = append(options, solver.OverrideHint(solver.GetHintID(o.hint), o.by))
	}
	_, err = ccs.Solve(w, options...)
	return err
}

// signed is a signature and its parts, so that attacks can bend each.
type signed struct {
	sk, k *big.Int // with the signs chosen so that both points have even y
	msg   schnorr.Message
	rx    fr.Element
	pub   fr.Element
}

func number(t *testing.T, label string, seed int) *big.Int {
	t.Helper()
	d := sha256.Sum256(fmt.Appendf(nil, "settle/gadget test/%s/%d", label, seed))
	return new(big.Int).SetBytes(d[:])
}

func evenMultiple(k *big.Int) (*big.Int, grumpkin.G1Affine) {
	k = new(big.Int).Mod(k, scalar.Modulus())
	var p grumpkin.G1Affine
	p.ScalarMultiplicationBase(k)
	if p.Y.Bits()[0]&1 == 1 {
		k.Sub(scalar.Modulus(), k)
		p.Neg(&p)
	}
	return k, p
}

func newSigned(t *testing.T, seed int) signed {
	t.Helper()
	lane := func(label string) (e fr.Element) { e.SetBigInt(number(t, label, seed)); return e }
	s := signed{msg: schnorr.Message{M: lane("m"), Domain: lane("domain"), ToOwner: lane("owner"), ToL1: lane("l1")}}
	var a, r grumpkin.G1Affine
	s.sk, a = evenMultiple(number(t, "sk", seed))
	s.k, r = evenMultiple(number(t, "k", seed))
	s.pub, s.rx = fr.Element(a.X), fr.Element(r.X)
	return s
}

func (s signed) h() fr.Element { return schnorr.Challenge(s.rx, s.pub, s.msg) }

// wires signs with scalar e and the given signs of A and R.
func (s signed) wires(t *testing.T, windowBits int, e *big.Int, signA, signR int64) SignatureWires {
	t.Helper()
	sum := new(big.Int).Mul(e, s.sk)
	sum.Mul(sum, big.NewInt(signA)).Add(sum, new(big.Int).Mul(s.k, big.NewInt(signR))).Mod(sum, scalar.Modulus())
	table, err := tableOf(windowBits)
	require.NoError(t, err)
	w := SignatureWires{PublicKey: s.pub, PublicY: signedY(t, s.pub, signA), R: Point{s.rx, signedY(t, s.rx, signR)}}
	w.Windows = table.assign(sum)
	return w
}

func signedY(t *testing.T, x fr.Element, sign int64) fr.Element {
	t.Helper()
	y, ok := schnorr.EvenY(x)
	require.True(t, ok)
	if sign < 0 {
		y.Neg(&y)
	}
	return y
}

func (s signed) honest(t *testing.T, windowBits int) SignatureWires {
	t.Helper()
	e := schnorr.EndomorphismScalar(s.h())
	return s.wires(t, windowBits, e.BigInt(new(big.Int)), 1, 1)
}

func (s signed) message() SignedMessage {
	return SignedMessage{M: s.msg.M, Domain: s.msg.Domain, ToOwner: s.msg.ToOwner, ToL1: s.msg.ToL1}
}

func assignment(windowBits int, wires SignatureWires, message SignedMessage) *signatureCircuit {
	c := newSignatureCircuit(windowBits, 1)
	c.Signatures[0], c.Messages[0] = wires, message
	return c
}

// Signatures of package schnorr satisfy the circuit, for every window width.
func TestSignatureAgreesWithNative(t *testing.T) {
	for _, windowBits := range []int{3, 4, 5, 6, 8} {
		const n = 3
		c := newSignatureCircuit(windowBits, n)
		for i := range n {
			key, err := schnorr.GenerateKey(nil)
			require.NoError(t, err)
			msg := newSigned(t, i).msg
			sig, err := schnorr.Sign(key, msg, nil)
			require.NoError(t, err)
			public := key.Public().X
			if i == n-1 {
				msg = schnorr.Message{Domain: msg.Domain}
				public, sig = schnorr.Padding(msg.Domain)
			}
			c.Signatures[i], err = AssignSignature(windowBits, public, msg, sig)
			require.NoError(t, err)
			c.Messages[i] = SignedMessage{M: msg.M, Domain: msg.Domain, ToOwner: msg.ToOwner, ToL1: msg.ToL1}
		}
		require.NoError(t, engine(newSignatureCircuit(windowBits, n), c))
		if windowBits == testWindow {
			require.NoError(t, solveR1CS(t, compileR1CS(t, newSignatureCircuit(windowBits, n)), c))
		}
	}
}

func TestAssignRefusesWhatNativeRefuses(t *testing.T) {
	public, sig := schnorr.Padding(fr.NewElement(1))
	_, err := AssignSignature(testWindow, public, schnorr.Message{}, sig)
	require.ErrorIs(t, err, schnorr.ErrSignature)
	_, err = AssignSignature(1, public, schnorr.Message{Domain: fr.NewElement(1)}, sig)
	require.ErrorIs(t, err, ErrWindowBits)
	_, err = AssignSignature(MaxWindowBits+1, public, schnorr.Message{Domain: fr.NewElement(1)}, sig)
	require.ErrorIs(t, err, ErrWindowBits)
}

// stepCircuit computes e·P for given bits, and s·G for given windows.
type stepCircuit struct {
	P, EP   Point
	Bits    [schnorr.EndomorphismBits]frontend.Variable
	Windows []Point
	SG      Point

	windowBits int
}

func (c *stepCircuit) Define(api frontend.API) error {
	return withVerifier(api, c.windowBits, nil, func(v *SignatureVerifier) error {
		for _, bit := range c.Bits {
			api.AssertIsBoolean(bit)
		}
		got := v.endomorphismMul(c.P, v.assertOnCurve(c.P), c.Bits[:], v.beta)
		api.AssertIsEqual(got.X, c.EP.X)
		api.AssertIsEqual(got.Y, c.EP.Y)
		if err := v.base.lookup(c.Windows); err != nil {
			return err
		}
		got = v.base.sum(c.Windows)
		api.AssertIsEqual(got.X, c.SG.X)
		api.AssertIsEqual(got.Y, c.SG.Y)
		return nil
	})
}

func pointOf(p grumpkin.G1Affine) Point { return Point{fr.Element(p.X), fr.Element(p.Y)} }

func TestStepsAgreeWithNative(t *testing.T) {
	blank := func() *stepCircuit {
		return &stepCircuit{Windows: NewSignatureWires(testWindow).Windows, windowBits: testWindow}
	}
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	ccs := compileR1CS(t, blank())
	rapid.Check(t, func(rt *rapid.T) {
		h := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "h"))
		// Few non-zero digits make long chains of equal windows.
		s := new(big.Int).SetBytes(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 0, 0xff, 0xf0, 7, 0x81}), 31, 31).Draw(rt, "s"))
		s.Add(s, big.NewInt(1))
		_, p := evenMultiple(new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "p")))
		if p.IsInfinity() {
			return
		}
		var element fr.Element
		element.SetBigInt(h)
		e := schnorr.EndomorphismScalar(element)
		var ep, sg grumpkin.G1Affine
		ep.ScalarMultiplication(&p, e.BigInt(new(big.Int)))
		sg.ScalarMultiplicationBase(s)
		c := blank()
		c.P, c.EP, c.SG, c.Windows = pointOf(p), pointOf(ep), pointOf(sg), table.assign(s)
		for i := range c.Bits {
			c.Bits[i] = h.Bit(i)
		}
		require.NoError(rt, solveR1CS(t, ccs, c))
	})
}
