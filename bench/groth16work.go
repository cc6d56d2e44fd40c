package bench

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zksettle/settle/circuits/diagnosis"
)

// Parts of a Groth16 proof, in the order in which it is made.
const (
	partSolve        = "solve" // without the commitment
	partCommitment   = "msm commitment"
	partKnowledge    = "msm proof of knowledge"
	partInverse      = "fft inverse"       // three
	partCoset        = "fft coset"         // three
	partQuotient     = "quotient"          // a·b - c, point by point
	partInverseCoset = "fft inverse coset" // one
	partGather       = "gather scalars"    // copies of the wires without those whose point is at infinity
	partG1A          = "msm G1 A"
	partG1B          = "msm G1 B"
	partG1K          = "msm G1 K"
	partG1Z          = "msm G1 Z"
	partG2B          = "msm G2 B"
)

// part is what one piece of a proof took when it had the machine to itself.
type part struct {
	name   string
	took   spent
	points int     // of a multi-exponentiation, or elements of all transforms; else 0
	zero   float64 // share of a multi-exponentiation's scalars that are 0
	short  float64 // and of those that are not 0 and below 2^64
}

// unavoidable reports whether any Groth16 prover over gnark-crypto does this work.
func (p part) unavoidable() bool { return p.name != partSolve && p.name != partGather }

// errWork reports a system that the work is not taken apart for.
var errWork = errors.New("the work of a proof is taken apart for one commitment to private wires only")

// groth16Work makes proofs as gnark's backend/groth16/bn254 does, of the same
// multi-exponentiations and transforms over gnark-crypto and with the same key, but
// one piece after another, so that each can be timed on all cores.
type groth16Work struct {
	system *cs.R1CS
	key    *groth16bn254.ProvingKey
}

// prove makes a proof with the blinding factors r = s = 1: it verifies, and hides
// nothing. Each of the pieces goes into it, so that whoever verifies it has checked
// that they are those of a real proof.
func (w *groth16Work) prove(full witness.Witness) (*groth16bn254.Proof, []part, error) {
	var parts workParts
	proof := new(groth16bn254.Proof)
	solution, err := w.solve(full, proof, &parts)
	if err != nil {
		return nil, nil, err
	}
	wires := []fr.Element(solution.W)
	h, err := parts.quotient(solution, &w.key.Domain)
	if err != nil {
		return nil, nil, err
	}

	var scalarsA, scalarsB, scalarsK []fr.Element
	if err := parts.time(partGather, func() {
		scalarsA = finite(wires, w.key.InfinityA, int(w.key.NbInfinityA))
		scalarsB = finite(wires, w.key.InfinityB, int(w.key.NbInfinityB))
		scalarsK = w.uncommitted(wires)
	}); err != nil {
		return nil, nil, err
	}
	k := w.key
	scalarsZ := h[:k.Domain.Cardinality-1] // the quotient's degree is n - 2
	var a, b1, c, z bn254.G1Jac
	var b2 bn254.G2Jac
	if err := errors.Join(
		parts.msmG1(partG1A, &a, k.G1.A, scalarsA), parts.msmG1(partG1B, &b1, k.G1.B, scalarsB), parts.msmG1(partG1K, &c, k.G1.K, scalarsK),
		parts.msmG1(partG1Z, &z, k.G1.Z, scalarsZ), parts.msmG2(partG2B, &b2, k.G2.B, scalarsB),
	); err != nil {
		return nil, nil, err
	}

	// A = α + Σ + rδ, B = β + Σ + sδ, C = Σ + sA + rB - rsδ
	a.AddMixed(&k.G1.Alpha).AddMixed(&k.G1.Delta)
	b1.AddMixed(&k.G1.Beta).AddMixed(&k.G1.Delta)
	b2.AddMixed(&k.G2.Beta).AddMixed(&k.G2.Delta)
	var minusDelta bn254.G1Affine
	minusDelta.Neg(&k.G1.Delta)
	c.AddAssign(&z).AddAssign(&a).AddAssign(&b1).AddMixed(&minusDelta)
	proof.Ar.FromJacobian(&a)
	proof.Bs.FromJacobian(&b2)
	proof.Krs.FromJacobian(&c)
	return proof, parts, nil
}

// solve solves the system and puts commitment and proof of knowledge into the proof.
func (w *groth16Work) solve(full witness.Witness, proof *groth16bn254.Proof, parts *workParts) (*cs.R1CSSolution, error) {
	info, ok := w.system.CommitmentInfo.(constraint.Groth16Commitments)
	if !ok || len(info) != 1 || len(w.key.CommitmentKeys) != 1 || len(info[0].PublicAndCommitmentCommitted) != 0 {
		return nil, errWork
	}
	key := &w.key.CommitmentKeys[0]
	committed := make([]fr.Element, len(key.Basis))
	var commitment bn254.G1Affine
	var solved any
	var committing spent
	solving, err := measure(func() (err error) {
		solved, err = w.system.Solve(full, diagnosis.WithCommitment(func(_ *big.Int, in, out []*big.Int) error {
			for i, v := range in[1:] {
				committed[i].SetBigInt(v)
			}
			var err error
			committing, err = measure(func() (err error) {
				commitment, err = key.Commit(committed)
				return err
			})
			if err != nil {
				return err
			}
			sum := sha256.Sum256(constraint.SerializeCommitment(commitment.Marshal(), nil, fr.Bytes))
			var challenge fr.Element
			challenge.SetBytes(sum[:])
			challenge.BigInt(out[0])
			return nil
		}))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("solve: %w", err)
	}
	*parts = append(*parts, part{name: partSolve, took: solving.less(committing)}, scalarPart(partCommitment, committing, committed))
	solution, ok := solved.(*cs.R1CSSolution)
	if !ok {
		return nil, fmt.Errorf("%w: the solution is %T", errWork, solved)
	}
	proof.Commitments = []bn254.G1Affine{commitment}
	knowing, err := measure(func() (err error) {
		proof.CommitmentPok, err = key.ProveKnowledge(committed) // folding one is that one
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("proof of knowledge: %w", err)
	}
	*parts = append(*parts, scalarPart(partKnowledge, knowing, committed))
	return solution, nil
}

// uncommitted returns the private wires that the key has a point in K for: all but
// the committed ones and the challenge.
func (w *groth16Work) uncommitted(wires []fr.Element) []fr.Element {
	info := w.system.CommitmentInfo.(constraint.Groth16Commitments) // as solve has checked
	left := append(slices.Clone(info[0].PrivateCommitted), info[0].CommitmentIndex)
	slices.Sort(left)
	out := make([]fr.Element, 0, len(wires))
	for i := w.system.GetNbPublicVariables(); i < len(wires); i++ {
		if len(left) > 0 && left[0] == i {
			left = left[1:]
			continue
		}
		out = append(out, wires[i])
	}
	return out
}

// finite drops the scalars whose point is at infinity.
func finite(wires []fr.Element, infinite []bool, n int) []fr.Element {
	out := make([]fr.Element, 0, len(wires)-n)
	for i := range wires {
		if !infinite[i] {
			out = append(out, wires[i])
		}
	}
	return out
}

type workParts []part

// time adds a part that cannot fail.
func (p *workParts) time(name string, step func()) error {
	took, err := measure(func() error { step(); return nil })
	*p = append(*p, part{name: name, took: took})
	return err
}

func (p *workParts) msmG1(name string, out *bn254.G1Jac, points []bn254.G1Affine, scalars []fr.Element) error {
	return p.msm(name, scalars, func() error {
		_, err := out.MultiExp(points, scalars, ecc.MultiExpConfig{})
		return err
	})
}

func (p *workParts) msmG2(name string, out *bn254.G2Jac, points []bn254.G2Affine, scalars []fr.Element) error {
	return p.msm(name, scalars, func() error {
		_, err := out.MultiExp(points, scalars, ecc.MultiExpConfig{})
		return err
	})
}

func (p *workParts) msm(name string, scalars []fr.Element, step func() error) error {
	took, err := measure(step)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*p = append(*p, scalarPart(name, took, scalars))
	return nil
}

func scalarPart(name string, took spent, scalars []fr.Element) part {
	zero, short := 0, 0
	for i := range scalars {
		switch {
		case scalars[i].IsZero():
			zero++
		case scalars[i].IsUint64():
			short++
		}
	}
	n := float64(max(1, len(scalars)))
	return part{name, took, len(scalars), float64(zero) / n, float64(short) / n}
}

// quotient is gnark's computeH: H = (A·B - C)/Z on a coset, with Z = x^n - 1. It uses
// the solution up.
func (p *workParts) quotient(solution *cs.R1CSSolution, domain *fft.Domain) ([]fr.Element, error) {
	n := int(domain.Cardinality)
	vectors := [][]fr.Element{solution.A, solution.B, solution.C}
	for i, v := range vectors {
		vectors[i] = append(v, make([]fr.Element, n-len(v))...)
	}
	a, b, c := vectors[0], vectors[1], vectors[2]
	transform := func(name string, count int, step func()) error {
		err := p.time(name, step)
		(*p)[len(*p)-1].points = count * n
		return err
	}
	err := errors.Join(
		transform(partInverse, len(vectors), func() {
			for _, v := range vectors {
				domain.FFTInverse(v, fft.DIF)
			}
		}),
		transform(partCoset, len(vectors), func() {
			for _, v := range vectors {
				domain.FFT(v, fft.DIT, fft.OnCoset())
			}
		}),
		p.time(partQuotient, func() {
			var denominator, one fr.Element
			one.SetOne()
			denominator.Exp(domain.FrMultiplicativeGen, big.NewInt(int64(n)))
			denominator.Sub(&denominator, &one).Inverse(&denominator)
			inRanges(n, func(from, to int) {
				for i := from; i < to; i++ {
					a[i].Mul(&a[i], &b[i]).Sub(&a[i], &c[i]).Mul(&a[i], &denominator)
				}
			})
		}),
		transform(partInverseCoset, 1, func() { domain.FFTInverse(a, fft.DIF, fft.OnCoset()) }),
	)
	return a, err
}

// inRanges splits 0 to n among all cores.
func inRanges(n int, f func(from, to int)) {
	const most = 64 // ranges
	size := (n + most - 1) / most
	var done sync.WaitGroup
	for from := 0; from < n; from += size {
		done.Go(func() { f(from, min(from+size, n)) })
	}
	done.Wait()
}
