package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/state"
)

// RawProver calls groth16.Prove with the options that Settle proves with, and does
// nothing else. Hints must be registered (circuits.RegisterHints).
type RawProver struct {
	shape circuits.Shape
	keys  *provingkeys.Keys
}

// NewRawProver loads the keys of a shape, and makes development keys where there are
// none.
func NewRawProver(ctx context.Context, keysDir, shape string, log *slog.Logger) (*RawProver, error) {
	s, err := circuits.ShapeByName(shape)
	if err != nil {
		return nil, err
	}
	keys, err := shapeKeys{keysDir, s, log}.open(ctx)
	if err != nil {
		return nil, err
	}
	return &RawProver{s, keys}, nil
}

// Assign makes the witness that Prove takes, outside its time.
func (r *RawProver) Assign(trace *state.Trace) (witness.Witness, error) {
	return circuits.Assign(r.shape, trace)
}

// Prove returns how long groth16.Prove took.
func (r *RawProver) Prove(full witness.Witness) (time.Duration, error) {
	took, err := r.prove(full)
	return took.clock, err
}

func (r *RawProver) prove(full witness.Witness) (spent, error) {
	_, took, err := timedProof(r.keys.System, r.keys.ProvingKey, full)
	return took, err
}

// timedProof makes a proof by groth16.Prove with Settle's commitment hash.
func timedProof(system *cs.R1CS, key *groth16bn254.ProvingKey, full witness.Witness) (proof *groth16bn254.Proof, took spent, err error) {
	took, err = measure(func() (err error) {
		proof, err = groth16bn254.Prove(system, key, full, backend.WithProverHashToFieldFunction(sha256.New()))
		return err
	})
	if err != nil {
		return nil, spent{}, fmt.Errorf("prove: %w", err)
	}
	return proof, took, nil
}

// verifyProof verifies a proof for the public part of its witness.
func verifyProof(proof *groth16bn254.Proof, key *groth16bn254.VerifyingKey, full witness.Witness) error {
	public, err := full.Public()
	if err != nil {
		return fmt.Errorf("public part of the witness: %w", err)
	}
	inputs, ok := public.Vector().(fr.Vector)
	if !ok {
		return fmt.Errorf("public part of the witness is %T", public.Vector())
	}
	return groth16bn254.Verify(proof, key, inputs, backend.WithVerifierHashToFieldFunction(sha256.New()))
}

func (r *RawProver) assignAll(traces []*state.Trace) ([]witness.Witness, error) {
	var witnesses []witness.Witness
	for _, trace := range traces {
		w, err := r.Assign(trace)
		if err != nil {
			return nil, err
		}
		witnesses = append(witnesses, w)
	}
	return witnesses, nil
}

// rawBatches are a prover with the witnesses of a shape's batches.
type rawBatches struct {
	*RawProver
	witnesses []witness.Witness
	next      int
}

// rawBatches loads keys and makes witnesses.
func (p *proveShape) rawBatches(ctx context.Context) (*rawBatches, error) {
	r, err := NewRawProver(ctx, p.cfg.KeysDir, p.shape.Name, p.cfg.Log)
	if err != nil {
		return nil, err
	}
	traces, err := p.traces()
	if err != nil {
		return nil, err
	}
	witnesses, err := r.assignAll(traces)
	return &rawBatches{r, witnesses, 0}, err
}

// take returns the next witness, in turn.
func (b *rawBatches) take() witness.Witness {
	w := b.witnesses[b.next%len(b.witnesses)]
	b.next++
	return w
}

// rate is the transfers of a batch per second.
func (p *proveShape) rate(d time.Duration) float64 { return float64(p.shape.Transfers) / d.Seconds() }

// raw measures groth16.Prove back to back.
func (p *proveShape) raw() record.Task {
	t := p.task(RawProveName)
	t.Prepares = p.setupGuess()
	var batches *rawBatches
	t.Prepare = func(ctx context.Context, _ *record.Sample) (err error) {
		batches, err = p.rawBatches(ctx)
		return err
	}
	t.Run = func(_ context.Context, s *record.Sample) error {
		took, err := batches.prove(batches.take())
		if err != nil {
			return err
		}
		s.Seconds(RawProveName, took.clock, p.label()...)
		s.Seconds("raw prove, processor time", took.cores, p.label()...)
		s.Rate("raw proofs per second", 1/took.clock.Seconds(), p.label()...)
		s.Rate("raw transfers per second", p.rate(took.clock), p.label()...)
		s.Rate("raw transfers per core-second", p.rate(took.cores), p.label()...)
		return nil
	}
	t.Close = func() error {
		batches = nil
		return release()
	}
	return t
}
