package baseline

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

// Depth is the number of levels of the tree above its leaves: 2^32 accounts, as
// Settle's 16 levels of arity 4.
const Depth = 32

var (
	// ErrSystem reports a compiled system other than the one that is compared.
	ErrSystem = errors.New("constraint system is not the baseline's")
	// ErrDomain reports a domain that is too small for one transfer.
	ErrDomain = errors.New("domain is too small for one transfer")
)

// Compile returns the constraint system of a batch of transfers over a tree of
// depth Depth, on BN254's scalar field.
func Compile(transfers int) (constraint.ConstraintSystem, error) {
	if transfers < 1 {
		return nil, fmt.Errorf("%w: %d transfers", ErrSystem, transfers)
	}
	return compile(New(transfers))
}

func compile(c *Circuit) (constraint.ConstraintSystem, error) {
	// Compile ignores unknown tag options: a misspelt "public" would be secret.
	if _, err := frontend.NewSchema(ecc.BN254.ScalarField(), c); err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	if err != nil {
		return nil, fmt.Errorf("compile baseline: %w", err)
	}
	commitments, ok := ccs.GetCommitments().(constraint.Groth16Commitments)
	if n := ccs.GetNbPublicVariables() - 1; n != 1 || !ok || len(commitments) != 1 { // the constant wire counts as public
		return nil, fmt.Errorf("%w: %d public inputs, commitments %T", ErrSystem, n, ccs.GetCommitments())
	}
	return ccs, nil
}

// ConstraintsPerTransfer is a system's constraints divided by its transfers, rounded
// up: what Settle's shapes are described by. Everything that a batch pays once is in it.
func ConstraintsPerTransfer(ccs constraint.ConstraintSystem, transfers int) int {
	return (ccs.GetNbConstraints() + transfers - 1) / transfers
}

// LargestWithin returns the largest number of transfers whose system fits an FFT
// domain of 2^domainLog, or ErrDomain. Groth16's domain is the next power of two of
// the number of constraints; public inputs and the commitment add none. It compiles
// the answer, the number above it and a few others.
func LargestWithin(domainLog int) (int, error) {
	return largestWithin(1<<domainLog, func(transfers int) (int, error) {
		ccs, err := Compile(transfers)
		if err != nil {
			return 0, err
		}
		return ccs.GetNbConstraints(), nil
	})
}

// largestWithin searches a growing size that is nearly a straight line: SHA-256's
// blocks make steps, and range checks choose their table by what they check.
func largestWithin(limit int, size func(int) (int, error)) (int, error) {
	one, err := size(1)
	if err != nil {
		return 0, err
	}
	if one > limit {
		return 0, fmt.Errorf("%w: %d constraints, %d fit", ErrDomain, one, limit)
	}
	low, lowSize := 1, one // fits
	high := limit + 1      // does not: a transfer is more than one constraint
	for next := 2; high-low > 1; {
		s, err := size(next)
		if err != nil {
			return 0, err
		}
		slope := max(1, (s-one)/(next-1))
		if s <= limit {
			low, lowSize = next, s
		} else {
			high = next
		}
		next = min(max(low+(limit-lowSize)/slope, low+1), high-1)
	}
	return low, nil
}
