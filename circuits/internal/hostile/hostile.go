// Package hostile re-solves constraint systems as a hostile prover would: with hints
// that lie and with witness values that were changed. It is for tests: what it finds
// accepted is either harmless, for a reason that its caller has written down, or a hole.
package hostile

import (
	"errors"
	"fmt"
	"math/big"
	"path"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
)

// Target is a constraint system over BN254 and the hints that solve it.
type Target struct {
	system *cs.R1CS
	hints  map[solver.HintID]solver.Hint // all that the system uses
	names  map[solver.HintID]string
}

// New returns the target of a compiled R1CS. hints are those that are not registered
// with gnark's solver, among them one in the place of the Groth16 commitment.
func New(system constraint.ConstraintSystem, hints map[solver.HintID]solver.Hint) (*Target, error) {
	r1cs, ok := system.(*cs.R1CS)
	if !ok {
		return nil, fmt.Errorf("a system of type %T, expected an R1CS over BN254", system)
	}
	t := &Target{r1cs, map[solver.HintID]solver.Hint{}, map[solver.HintID]string{}}
	for _, h := range solver.GetRegisteredHints() {
		if id := solver.GetHintID(h); r1cs.MHintsDependencies[id] != "" {
			t.hints[id] = h
		}
	}
	for id, h := range hints {
		if r1cs.MHintsDependencies[id] != "" {
			t.hints[id] = h
		}
	}
	for id, name := range r1cs.MHintsDependencies {
		if t.hints[id] == nil {
			return nil, fmt.Errorf("hint %s is not registered", name)
		}
		t.names[id] = path.Base(name)
	}
	return t, nil
}

// Refused solves for a full witness and reports whether a constraint refuses it. What
// a hint refuses is no refusal, as a hostile prover does not ask: it goes on with what
// it has. It may solve twice, each time with hints of its own, since a lie counts its
// calls; nil stands for none. The error is ours.
func (t *Target) Refused(w witness.Witness, hints func() map[solver.HintID]solver.Hint) (refused bool, err error) {
	if hints == nil {
		hints = func() map[solver.HintID]solver.Hint { return nil }
	}
	// gnark's solver computes some hints itself, quickly, unless they are overridden.
	refused, err = t.solve(w, hints(), false)
	if err != nil {
		refused, err = t.solve(w, hints(), true)
	}
	return refused, err
}

func (t *Target) solve(w witness.Witness, hints map[solver.HintID]solver.Hint, tolerate bool) (refused bool, err error) {
	options := []solver.Option{solver.WithNbTasks(1)}
	for id, honest := range t.hints {
		h := hints[id]
		switch {
		case h == nil && tolerate && t.names[id] == "logderivarg.countHint":
			h = countWhatIsThere
		case h == nil && tolerate:
			h = tolerant(honest)
		case h == nil:
			h = honest
		default:
			h = tolerant(h)
		}
		options = append(options, solver.OverrideHint(id, h))
	}
	_, err = t.system.Solve(w, options...)
	var unsatisfied *cs.UnsatisfiedConstraintError
	if errors.As(err, &unsatisfied) {
		return true, nil
	}
	return false, err
}

// countWhatIsThere counts how often each row of a table is asked for, as gnark's
// countHint does, and passes over what is in no row. Inputs: number of rows, their
// length, the rows, what is asked for.
func countWhatIsThere(_ *big.Int, in, out []*big.Int) error {
	rows, length := int(in[0].Int64()), int(in[1].Int64())
	asked := map[string]int64{}
	key := func(at int) string { return fmt.Sprint(in[at : at+length]) }
	for at := 2 + rows*length; at < len(in); at += length {
		asked[key(at)]++
	}
	for i := range rows {
		out[i].SetInt64(asked[key(2+i*length)])
	}
	return nil
}

// tolerant is a hint that never fails.
func tolerant(h solver.Hint) solver.Hint {
	return func(q *big.Int, in, out []*big.Int) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = nil
			}
		}()
		_ = h(q, in, out) // see Refused
		return nil
	}
}

// parallel runs n jobs on all cores, each worker with a witness of its own. It
// returns all errors.
func parallel(w witness.Witness, n int, job func(w witness.Witness, i int) error) error {
	next, errs := make(chan int), make(chan error, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			own, err := clone(w)
			for i := range next {
				if err == nil {
					err = job(own, i)
				}
			}
			errs <- err
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}

func clone(w witness.Witness) (witness.Witness, error) {
	raw, err := w.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("copy witness: %w", err)
	}
	out, err := witness.New(fr.Modulus())
	if err != nil {
		return nil, fmt.Errorf("copy witness: %w", err)
	}
	if err := out.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("copy witness: %w", err)
	}
	return out, nil
}
