package aggregate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/circuits/rules"
)

// Inputs of zero, proofs with A and B negated (as true as they were) and equal proofs
// are no special case of the sums.
func TestHonestSpecialCases(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	envelopes := in.prove(1)
	envelopes[0].Inputs = [3]settle.Element{}
	var err error
	envelopes[0].Proof, err = in.prover.Prove(envelopes[0].Inputs)
	require.NoError(t, err)
	zero := in.read(envelopes)[0]
	negated := zero
	negated.Ar.Neg(&negated.Ar)
	negated.Bs.Neg(&negated.Bs)
	require.NoError(t, in.verify(negated))
	require.NoError(t, in.solve(in.assign([]statement{zero, negated, zero})))
}

// leavingLines is nativeCheck that leaves lines behind, as gnark's PairingCheck does.
type leavingLines struct{ nativeCheck }

func (l leavingLines) PairingCheck(p []*pointG1, q []*sw_bn254.G2Affine) error {
	_, _, _, g2 := bn254.Generators()
	for i := range q {
		if q[i].Lines == nil {
			q[i].Lines = sw_bn254.NewG2AffineFixed(g2).Lines
		}
	}
	return l.nativeCheck.PairingCheck(p, q)
}

// A circuit is the same after Define: lines that stay in it would be free wires of a
// second compilation, and B another point than that of the pairing.
func TestDefineLeavesNoLines(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	c := New(in.key, 1)
	c.decide = leavingLines{}
	before, err := frontend.NewSchema(ecc.BN254.ScalarField(), New(in.key, 1))
	require.NoError(t, err)
	require.NoError(t, test.IsSolved(c, in.assign(in.statements(1)), ecc.BN254.ScalarField()))
	after, err := frontend.NewSchema(ecc.BN254.ScalarField(), c)
	require.NoError(t, err)
	require.Equal(t, before.NbSecret, after.NbSecret)
}

// The witness is the flags, the inputs and the points: nothing of the key and of what
// is there for tests.
func TestWitnessWires(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	schema, err := frontend.NewSchema(ecc.BN254.ScalarField(), New(in.key, 2))
	require.NoError(t, err)
	const limbs, coordinates = 4, 4*2 + 4
	require.Equal(t, 3, schema.NbPublic)
	require.Equal(t, 2*(1+innerInputs+limbs*coordinates), schema.NbSecret)
}

// compiled is the constraint system of a part of the circuit. gnark's test engine does
// not check the widths of a witness; this does.
func compiled(t *testing.T, c frontend.Circuit) constraint.ConstraintSystem {
	t.Helper()
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	require.NoError(t, err)
	return ccs
}

func solvedBy(t *testing.T, ccs constraint.ConstraintSystem, assignment frontend.Circuit) error {
	t.Helper()
	w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	require.NoError(t, err)
	_, err = ccs.Solve(w)
	return err
}

// bareDifferCircuit gives assertDifferent a witness that nothing else has touched.
type bareDifferCircuit struct{ U, V baseElement }

func (c *bareDifferCircuit) Define(api frontend.API) error {
	cv, err := newCurve(api, rules.New(api))
	if err != nil {
		return err
	}
	cv.assertDifferent(&c.U, &c.V)
	cv.close()
	return nil
}

// v + 2p has 255 bits and would pass for different from v.
func TestAssertDifferentEnforcesWidths(t *testing.T) {
	t.Parallel()
	logger.Disable()
	ccs := compiled(t, new(bareDifferCircuit))
	v := big.NewInt(12345)
	require.NoError(t, solvedBy(t, ccs, &bareDifferCircuit{limbs(big.NewInt(12346)), limbs(v)}))
	for k := range int64(3) {
		u := new(big.Int).Mul(big.NewInt(k), fp.Modulus())
		u.Add(u, v)
		require.Error(t, solvedBy(t, ccs, &bareDifferCircuit{limbs(u), limbs(v)}), "u = v + %d·p", k)
		require.Error(t, solvedBy(t, ccs, &bareDifferCircuit{limbs(v), limbs(u)}), "v = u + %d·p", k)
	}
}

// wordsCircuit is the transcript's packing of a proof.
type wordsCircuit struct {
	Proof Proof
	Words [18]frontend.Variable
}

func (c *wordsCircuit) Define(api frontend.API) error {
	d, err := newDefinition(api, &Circuit{})
	if err != nil {
		return err
	}
	words := d.proofWords(&c.Proof)
	if len(words) != len(c.Words) {
		return errors.New("another number of words")
	}
	for i, w := range words {
		api.AssertIsEqual(c.Words[i], w)
	}
	return nil
}

// Limbs that pack to the same words as those of a proof are those of the proof.
func TestTranscriptEnforcesWidths(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	s := in.statements(1)[0]
	ccs := compiled(t, new(wordsCircuit))
	assign := func() *wordsCircuit {
		c := &wordsCircuit{Proof: proofOf(&s.Proof)}
		var words []fr.Element
		for _, coordinates := range [][]fp.Element{
			{s.Ar.X, s.Ar.Y}, {s.Bs.X.A0, s.Bs.X.A1, s.Bs.Y.A0, s.Bs.Y.A1}, {s.Krs.X, s.Krs.Y},
			{s.Commitments[0].X, s.Commitments[0].Y}, {s.CommitmentPok.X, s.CommitmentPok.Y},
		} {
			words = append(words, packLimbs(coordinates)...)
		}
		for i := range words {
			c.Words[i] = words[i]
		}
		return c
	}
	require.NoError(t, solvedBy(t, ccs, assign()))
	for name, coordinate := range map[string]func(*Proof) (*baseElement, fp.Element){
		"B.x": func(p *Proof) (*baseElement, fp.Element) { return &p.B.P.X.A0, s.Bs.X.A0 },
		"C.y": func(p *Proof) (*baseElement, fp.Element) { return &p.C.Y, s.Krs.Y },
	} {
		c := assign()
		wire, value := coordinate(&c.Proof)
		*wire = limbs(value.BigInt(new(big.Int)))
		require.NoError(t, solvedBy(t, ccs, c), name)
		// The same integer with a limb of 65 bits.
		low, next := wire.Limbs[0].(*big.Int), wire.Limbs[1].(*big.Int)
		low.SetBit(low, 64, 1)
		next.Sub(next, big.NewInt(1))
		require.Error(t, solvedBy(t, ccs, c), name)
	}
}

// challengeCircuit is the hash of one commitment.
type challengeCircuit struct {
	Point   pointG1
	Hash    frontend.Variable
	without []string // rules to leave out
}

func (c *challengeCircuit) Define(api frontend.API) error {
	d, err := newDefinition(api, &Circuit{without: c.without})
	if err != nil {
		return err
	}
	h, err := d.challenge(&c.Point)
	if err != nil {
		return err
	}
	api.AssertIsEqual(c.Hash, h)
	return nil
}

// The challenge as constraints, where SHA-256 of the padding is folded into constants:
// it is gnark's hash of the commitment, in whichever way its coordinates are given.
func TestChallengeInConstraints(t *testing.T) {
	t.Parallel()
	logger.Disable()
	ccs := compiled(t, new(challengeCircuit))
	var p bn254.G1Affine
	shifted := new(big.Int)
	for i := 0; shifted.BitLen() != 254 || p.IsInfinity(); i++ {
		p = point(fmt.Sprintf("commitment %d", i))
		shifted.Add(p.X.BigInt(new(big.Int)), fp.Modulus())
	}
	digest := sha256.Sum256(p.Marshal())
	var want fr.Element
	want.SetBytes(digest[:])
	c := &challengeCircuit{Point: sw_bn254.NewG1Affine(p), Hash: want}
	require.NoError(t, solvedBy(t, ccs, c))
	c = &challengeCircuit{Point: sw_bn254.NewG1Affine(p), Hash: want}
	c.Point.X = limbs(shifted)
	require.NoError(t, solvedBy(t, ccs, c), "x + p")
	one := fr.One()
	c = &challengeCircuit{Point: sw_bn254.NewG1Affine(p), Hash: *want.Add(&want, &one)}
	require.Error(t, solvedBy(t, ccs, c))
}

// Sums as constraints: two compilations are the same bytes, honest slopes solve them,
// a slope that is off by one does not.
func TestSumInConstraints(t *testing.T) {
	t.Parallel()
	logger.Disable()
	circuit := func() *sumCircuit {
		return &sumCircuit{
			Points: make([]pointG1, 1), Fixed: make([]frontend.Variable, 1), fixed: []bn254.G1Affine{point("k")},
			Bits: [][]frontend.Variable{make([]frontend.Variable, coefficientBits)},
		}
	}
	ccs := compiled(t, circuit())
	var first, second bytes.Buffer
	_, err := ccs.WriteTo(&first)
	require.NoError(t, err)
	_, err = compiled(t, circuit()).WriteTo(&second)
	require.NoError(t, err)
	require.True(t, bytes.Equal(first.Bytes(), second.Bytes()))

	assignment := circuit()
	assignment.Points[0], assignment.Fixed[0] = sw_bn254.NewG1Affine(point("p")), 5
	for i := range assignment.Bits[0] {
		assignment.Bits[0][i] = i % 3 % 2
	}
	w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	require.NoError(t, err)
	hints := solver.WithHints(append(Hints(), gadget.Hints()...)...)
	_, err = ccs.Solve(w, hints)
	require.NoError(t, err)
	for _, hint := range Hints() {
		calls := 0
		hostile := func(field *big.Int, inputs, outputs []*big.Int) error {
			if calls++; calls != 20 {
				return hint(field, inputs, outputs)
			}
			err := hint(field, inputs, outputs)
			outputs[0].Xor(outputs[0], big.NewInt(1))
			return err
		}
		_, err = ccs.Solve(w, hints, solver.OverrideHint(solver.GetHintID(hint), hostile), solver.WithNbTasks(1))
		require.Error(t, err)
		require.GreaterOrEqual(t, calls, 20)
	}
}

// Windows of a fixed point for the scalars at both ends of the field, and for a start
// that is minus the sum: the end is infinity, which no chord reaches.
func TestFixedSumAtTheEnds(t *testing.T) {
	t.Parallel()
	start, k := point("start"), point("k")
	h := new(big.Int).Lsh(big.NewInt(1), 77)
	left := times(start, scalarOf(h))
	minusOne := fr.NewElement(1)
	minusOne.Neg(&minusOne)
	for _, s := range []fr.Element{{}, fr.One(), minusOne} {
		got, err := sumOf([]bn254.G1Affine{start}, []*big.Int{h}, []bn254.G1Affine{k}, []fr.Element{s})
		require.NoError(t, err)
		require.Equal(t, plus(left, times(k, s)), got)
	}
	_, err := sumOf([]bn254.G1Affine{start}, []*big.Int{h}, []bn254.G1Affine{left}, []fr.Element{minusOne})
	require.Error(t, err)
}

// ψ² is gnark's φ, (x, y) ↦ (ωx, -y), on all of the twist: the argument for the
// subgroup takes one for the other.
func TestPsiSquared(t *testing.T) {
	t.Parallel()
	var omega fp.Element
	_, err := omega.SetString("21888242871839275220042445260109153167277707414472061641714758635765020556616")
	require.NoError(t, err)
	for _, l := range append(cofactorPrimes(), fr.Modulus()) {
		q := twistPoint(t, l)
		want := q
		want.X.MulByElement(&q.X, &omega)
		want.Y.Neg(&q.Y)
		require.Equal(t, want, psi(psi(q)), "a point of order %s", l)
	}
}

// pairCircuit is gnark's pairing check of one pair.
type pairCircuit struct {
	P pointG1
	Q sw_bn254.G2Affine
}

func (c *pairCircuit) Define(api frontend.API) error {
	pairing, err := sw_bn254.NewPairing(api)
	if err != nil {
		return err
	}
	return pairing.PairingCheck([]*pointG1{&c.P}, []*sw_bn254.G2Affine{&c.Q})
}

// The check is homogeneous in the residue witness and its companion: all zero would
// pass anything, if gnark did not ask for the witness's inverse.
func TestResidueWitnessIsNotZero(t *testing.T) {
	t.Parallel()
	logger.Disable()
	var id solver.HintID
	for _, hint := range sw_bn254.GetHints() {
		if strings.HasSuffix(solver.GetHintName(hint), "pairingCheckHint") {
			id = solver.GetHintID(hint)
		}
	}
	require.NotZero(t, id)
	calls := 0
	zero := func(_ *big.Int, _, outputs []*big.Int) error {
		calls++
		for i := range outputs {
			outputs[i].SetUint64(0)
		}
		return nil
	}
	_, _, g1, g2 := bn254.Generators()
	err := test.IsSolved(new(pairCircuit), &pairCircuit{sw_bn254.NewG1Affine(g1), sw_bn254.NewG2Affine(g2)},
		ecc.BN254.ScalarField(), test.WithReplacementHint(id, zero))
	require.Error(t, err)
	require.Equal(t, 1, calls)
}
