package bench

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/consensys/gnark/backend/witness"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits/baseline"
)

// OverBaselineName is the measurement of Settle's transfers per second divided by those
// of the plain circuit in the same repetition, labelled with shape and domain.
const OverBaselineName = "settle over baseline"

// baselineAccounts is the size of the plain rollup whose batches are proven. Its circuit
// costs the same for any.
const baselineAccounts = 1024

// besideBaseline proves, in turn, a batch of the shape and one of the plain circuit of
// the most transfers that fit the same domain, by groth16.Prove alone. Where not one
// fits, it counts 0 transfers and measures nothing.
func (p *proveShape) besideBaseline() record.Task {
	t := p.task("beside the baseline")
	log := bits.TrailingZeros64(p.domain)
	labels := p.label("domain", power(p.domain))
	// Both keys are loaded, one proof at a time is made, and the keys may have to be made.
	t.Memory = max(2*p.memory, setupBytes*p.domain+p.memory)
	t.Prepares, t.Takes = p.setupGuess()+guess(setupTime, p.domain), 2*t.Takes
	var ours *rawBatches
	var plain *baselineKeys
	var witnesses []witness.Witness
	t.Prepare = func(ctx context.Context, s *record.Sample) (err error) {
		plain, err = newBaselineStore(p.cfg.KeysDir, p.cfg.Log).open(ctx, log)
		if errors.Is(err, baseline.ErrDomain) { // its tables for SHA-256 alone are larger
			s.Count("baseline transfers", "transfers", record.Neither, 0, labels...)
			return nil
		}
		if err != nil {
			return err
		}
		for seed := range uint64(2) {
			batch, err := baseline.Random(p.cfg.Seed+seed, baselineAccounts, plain.Transfers)
			if err != nil {
				return fmt.Errorf("batch of the baseline: %w", err)
			}
			full, err := baseline.Witness(batch)
			if err != nil {
				return fmt.Errorf("batch of the baseline: %w", err)
			}
			witnesses = append(witnesses, full)
		}
		s.Seconds("baseline compile", plain.Compile, labels...)
		if plain.Setup > 0 {
			s.Seconds("baseline setup", plain.Setup, labels...)
		}
		s.Count("baseline transfers", "transfers", record.Neither, float64(plain.Transfers), labels...)
		s.Count("baseline constraints", "constraints", record.Neither, float64(plain.System.GetNbConstraints()), labels...)
		s.Count("baseline constraints per transfer", "constraints", record.Neither, float64(baseline.ConstraintsPerTransfer(plain.System, plain.Transfers)), labels...)
		ours, err = p.rawBatches(ctx)
		return err
	}
	turn := 0
	t.Run = func(_ context.Context, s *record.Sample) error {
		if plain == nil {
			return nil
		}
		our, err := ours.prove(ours.take())
		if err != nil {
			return err
		}
		full := witnesses[turn%len(witnesses)]
		turn++
		proof, their, err := timedProof(plain.System, plain.ProvingKey, full)
		if err != nil {
			return fmt.Errorf("baseline of %d transfers: %w", plain.Transfers, err)
		}
		if err := verifyProof(proof, plain.VerifyingKey, full); err != nil {
			return fmt.Errorf("the baseline's proof: %w", err)
		}
		s.Seconds("settle proof beside the baseline", our.clock, labels...)
		s.Seconds("baseline proof", their.clock, labels...)
		s.Seconds("settle proof beside the baseline, processor time", our.cores, labels...)
		s.Seconds("baseline proof, processor time", their.cores, labels...)
		s.Rate("settle transfers per second beside the baseline", p.rate(our.clock), labels...)
		plainRate := func(d time.Duration) float64 { return float64(plain.Transfers) / d.Seconds() }
		s.Add(record.Value{
			Name: "baseline transfers per second", Labels: labelled(labels), Unit: "1/s", Source: record.Measured, Value: plainRate(their.clock),
		})
		s.Ratio(OverBaselineName, p.rate(our.clock)/plainRate(their.clock), labels...)
		s.Ratio("settle over baseline, per core-second", p.rate(our.cores)/plainRate(their.cores), labels...)
		return nil
	}
	t.Close = func() error {
		ours, plain, witnesses = nil, nil, nil
		return release()
	}
	return t
}
