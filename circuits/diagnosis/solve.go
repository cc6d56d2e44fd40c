package diagnosis

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	fcs "github.com/consensys/gnark/frontend/cs"
)

// UnsatisfiedError is a constraint that a witness does not satisfy.
type UnsatisfiedError struct {
	Constraint int    // its number in the system
	Detail     string // the values, by gnark
}

// Error implements error.
func (e *UnsatisfiedError) Error() string { return e.Detail }

// WithCommitment has the solver ask hint for the challenge that a Groth16 prover
// hashes from the commitment. Its inputs are the commitment's number, the public and
// then the private committed values.
func WithCommitment(hint solver.Hint) solver.Option {
	return solver.OverrideHint(solver.GetHintID(fcs.Bsb22CommitmentComputePlaceholder), hint)
}

// Solve solves a system for a full witness without proving anything, to find out
// what is wrong with the witness: nil, *UnsatisfiedError, or what a hint refused. The
// challenge, which in a proof is hashed from the commitment, is hashed from the
// committed values themselves, as no key is at hand.
func Solve(system constraint.ConstraintSystem, full witness.Witness) error {
	_, err := system.Solve(full, WithCommitment(func(_ *big.Int, in, out []*big.Int) error {
		h := sha256.New()
		for _, v := range in {
			var e fr.Element
			b := e.SetBigInt(v).Bytes()
			h.Write(b[:])
		}
		var challenge fr.Element
		challenge.SetBytes(h.Sum(nil))
		challenge.BigInt(out[0])
		return nil
	}))
	var unsatisfied *cs.UnsatisfiedConstraintError
	if errors.As(err, &unsatisfied) {
		return &UnsatisfiedError{unsatisfied.CID, unsatisfied.Error()}
	}
	if err != nil {
		return fmt.Errorf("solve: %w", err)
	}
	return nil
}
