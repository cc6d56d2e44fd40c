package aggregate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/logger"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// inner is a toy inner circuit with keys of a ceremony, in which γ and the base of
// the commitment are one point: the keys that the merged-equation attack needs.
type inner struct {
	testing.TB
	prover *toycircuit.Prover
	vk     *groth16bn254.VerifyingKey
	key    *Key
}

func newInner(t testing.TB) *inner {
	t.Helper()
	logger.Disable()
	prover, err := toycircuit.Ceremony()
	require.NoError(t, err)
	vk := prover.VerifyingKey.(*groth16bn254.VerifyingKey)
	key, err := NewKey(vk, settle.KeyHash{1, 2, 3})
	require.NoError(t, err)
	return &inner{t, prover, vk, key}
}

// prove returns valid proofs of random inputs.
func (in *inner) prove(n int) []settle.ProofEnvelope {
	in.Helper()
	proofs := make([]settle.ProofEnvelope, n)
	for i := range proofs {
		for k := range proofs[i].Inputs {
			var e fr.Element
			e.MustSetRandom()
			proofs[i].Inputs[k] = e.Bytes()
		}
		var err error
		proofs[i].Proof, err = in.prover.Prove(proofs[i].Inputs)
		require.NoError(in, err)
	}
	return proofs
}

// statement is what a slot claims, natively.
type statement struct {
	groth16bn254.Proof
	inputs [3]fr.Element
}

func (in *inner) statements(n int) []statement {
	in.Helper()
	return in.read(in.prove(n))
}

func (in *inner) read(envelopes []settle.ProofEnvelope) []statement {
	in.Helper()
	out := make([]statement, len(envelopes))
	for i, envelope := range envelopes {
		_, err := out[i].ReadFrom(bytes.NewReader(envelope.Proof))
		require.NoError(in, err)
		for k := range out[i].inputs {
			out[i].inputs[k].SetBytes(envelope.Inputs[k][:])
		}
	}
	return out
}

// statementsHashed are statements of provers who hash the commitment after a change
// of its encoding.
func (in *inner) statementsHashed(n int, change func([]byte) []byte) []statement {
	in.Helper()
	envelopes := in.prove(n)
	for i := range envelopes {
		w, err := toycircuit.Witness(envelopes[i].Inputs)
		require.NoError(in, err)
		proof, err := groth16.Prove(in.prover.System, in.prover.ProvingKey, w,
			backend.WithProverHashToFieldFunction(&changedHash{Hash: sha256.New(), change: change}))
		require.NoError(in, err)
		var raw bytes.Buffer
		_, err = proof.WriteRawTo(&raw)
		require.NoError(in, err)
		envelopes[i].Proof = raw.Bytes()
	}
	return in.read(envelopes)
}

// changedHash hashes what change makes of its input.
type changedHash struct {
	hash.Hash
	change func([]byte) []byte
}

func (h *changedHash) Write(data []byte) (int, error) {
	_, err := h.Hash.Write(h.change(data))
	return len(data), err
}

// addModulus adds p to the first coordinate of an encoded point.
func addModulus(data []byte) []byte {
	x := new(big.Int).SetBytes(data[:32])
	out := append([]byte{}, data...)
	x.Add(x, fp.Modulus()).FillBytes(out[:32])
	return out
}

// assign2 is assign with a slot that is not used.
func (in *inner) assign2(statements []statement) *Circuit {
	in.Helper()
	c := in.assign(statements)
	unused := c.Slots[0]
	unused.Active = 0
	inputs := make([][3]fr.Element, len(statements))
	for i := range statements {
		inputs[i] = statements[i].inputs
	}
	c.Slots = append(c.Slots, unused)
	public, err := publicdata.AggregateInputs(poseidon.New(), len(c.Slots), inputs)
	require.NoError(in, err)
	c.C, c.Z, c.V = public[0], public[1], public[2]
	return c
}

// assign is Assign for statements that need not be true.
func (in *inner) assign(statements []statement) *Circuit {
	in.Helper()
	envelopes := make([]settle.ProofEnvelope, len(statements))
	for i := range statements {
		var raw bytes.Buffer
		_, err := statements[i].WriteRawTo(&raw)
		require.NoError(in, err)
		envelopes[i].Proof = raw.Bytes()
		for k := range statements[i].inputs {
			envelopes[i].Inputs[k] = statements[i].inputs[k].Bytes()
		}
	}
	c, err := Assign(len(statements), envelopes)
	require.NoError(in, err)
	return c
}

// solve runs the circuit without some rules. The pairing check, half of the time, is
// made natively on the points that the circuit hands it.
func (in *inner) solve(assignment *Circuit, without ...string) error {
	c := New(in.key, len(assignment.Slots))
	c.without, c.decide = without, nativeCheck{}
	return test.IsSolved(c, assignment, ecc.BN254.ScalarField())
}

var errPairing = errors.New("the pairing check fails")

// nativeCheck makes the pairing check on the values that gnark's test engine computes with.
type nativeCheck struct{}

func (nativeCheck) PairingCheck(p []*pointG1, q []*sw_bn254.G2Affine) error {
	g1, g2 := make([]bn254.G1Affine, len(p)), make([]bn254.G2Affine, len(q))
	for i := range p {
		g1[i] = bn254.G1Affine{X: concrete(&p[i].X), Y: concrete(&p[i].Y)}
		g2[i] = bn254.G2Affine{
			X: bn254.E2{A0: concrete(&q[i].P.X.A0), A1: concrete(&q[i].P.X.A1)},
			Y: bn254.E2{A0: concrete(&q[i].P.Y.A0), A1: concrete(&q[i].P.Y.A1)},
		}
		if !g1[i].IsOnCurve() || !g2[i].IsInSubGroup() {
			return errPairing
		}
	}
	ok, err := bn254.PairingCheck(g1, g2)
	if err == nil && !ok {
		err = errPairing
	}
	return err
}

// concrete is an element's value in gnark's test engine, or as a constant.
func concrete(e *baseElement) fp.Element {
	e.Initialize(ecc.BN254.ScalarField())
	sum := new(big.Int)
	for i, limb := range e.Limbs {
		var v big.Int
		switch l := limb.(type) {
		case *big.Int:
			v.Set(l)
		case big.Int:
			v.Set(&l)
		default:
			panic("no concrete value")
		}
		sum.Add(sum, v.Lsh(&v, uint(64*i)))
	}
	var out fp.Element
	out.SetBigInt(sum)
	return out
}

// coefficients is the native transcript: r_i for each statement, then ρ.
func (in *inner) coefficients(statements []statement, without ...string) []fr.Element {
	words := make([]fr.Element, 3)
	words[0].SetBigInt(in.key.idLow)
	words[1].SetBigInt(in.key.idHigh)
	words[2].SetUint64(uint64(len(statements)))
	for i := range statements {
		s := &statements[i]
		if !slices.Contains(without, "transcript: it holds the proofs") {
			for _, coordinates := range [][]fp.Element{
				{s.Ar.X, s.Ar.Y}, {s.Bs.X.A0, s.Bs.X.A1, s.Bs.Y.A0, s.Bs.Y.A1}, {s.Krs.X, s.Krs.Y},
				{s.Commitments[0].X, s.Commitments[0].Y}, {s.CommitmentPok.X, s.CommitmentPok.Y},
			} {
				words = append(words, packLimbs(coordinates)...)
			}
		}
		if !slices.Contains(without, "transcript: it holds the inputs") {
			words = append(words, s.inputs[:]...)
		}
	}
	h := poseidon.New()
	seed := h.Sponge(transcriptTag, words)
	out := make([]fr.Element, len(statements)+1)
	for k := range out {
		x := [4]fr.Element{seed, {}, poseidon.Tag(coefficientTag), {}}
		x[1].SetUint64(uint64(k))
		digest := h.Hash4(x)
		out[k] = scalarOf(digest.BigInt(new(big.Int)))
	}
	return out
}

// packLimbs packs 64-bit limbs, three to a word.
func packLimbs(coordinates []fp.Element) []fr.Element {
	var limbs []uint64
	for _, c := range coordinates {
		bits := c.Bits()
		limbs = append(limbs, bits[:]...)
	}
	var words []fr.Element
	for start := 0; start < len(limbs); start += 3 {
		word := new(big.Int)
		for k, limb := range limbs[start:min(start+3, len(limbs))] {
			word.Add(word, new(big.Int).Lsh(new(big.Int).SetUint64(limb), uint(64*k)))
		}
		var e fr.Element
		words = append(words, *e.SetBigInt(word))
	}
	return words
}

// scalarOf reads the low 128 bits as a + λb with signed digits.
func scalarOf(h *big.Int) fr.Element {
	part := func(low uint) *big.Int {
		sum := new(big.Int)
		for k := range uint(64) {
			sign := int64(2*h.Bit(int(low+k))) - 1
			sum.Add(sum, new(big.Int).Lsh(big.NewInt(sign), k))
		}
		return sum
	}
	b := part(64)
	sum := b.Mul(b, eigenvalue()).Add(b, part(0))
	var e fr.Element
	e.SetBigInt(sum)
	return e
}

// times is k·p.
func times(p bn254.G1Affine, k fr.Element) bn254.G1Affine {
	var out bn254.G1Affine
	out.ScalarMultiplication(&p, k.BigInt(new(big.Int)))
	return out
}

func plus(p, q bn254.G1Affine) bn254.G1Affine {
	var out bn254.G1Affine
	out.Add(&p, &q)
	return out
}

// verify is gnark's verifier for one statement.
func (in *inner) verify(s statement) error {
	public := fr.Vector(append([]fr.Element{}, s.inputs[:]...))
	return groth16bn254.Verify(&s.Proof, in.vk, public, backend.WithVerifierHashToFieldFunction(sha256.New()))
}
