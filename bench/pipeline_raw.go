package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/consensys/gnark/backend/witness"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// rawStored proves stored batches back to back and returns what groth16.Prove took in
// all: their witnesses are assigned ahead.
func (r *rig) rawStored(ctx context.Context, raw *RawProver, batches []settle.BatchNumber) (time.Duration, error) {
	var witnesses []witness.Witness
	for _, n := range batches {
		input, err := r.store.WitnessInput(ctx, n)
		if err != nil {
			return 0, err
		}
		trace, err := state.DecodeTrace(input.Data)
		if err != nil {
			return 0, fmt.Errorf("batch %d: %w", n, err)
		}
		full, err := raw.Assign(trace)
		if err != nil {
			return 0, fmt.Errorf("batch %d: %w", n, err)
		}
		witnesses = append(witnesses, full)
	}
	var sum time.Duration
	for i, full := range witnesses {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		took, err := raw.Prove(full)
		if err != nil {
			return 0, fmt.Errorf("batch %d: %w", batches[i], err)
		}
		sum += took
	}
	return sum, nil
}
