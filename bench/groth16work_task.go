package bench

import (
	"context"
	"fmt"

	"github.com/zksettle/settle/bench/record"
)

// PieceName is the measurement of one piece of a proof, labelled with its shape and
// piece ("msm G1 A", "fft coset", …).
const PieceName = "piece"

// pieces measures the work of a proof piece by piece, and a whole proof beside it in
// each repetition, and counts what lies in memory.
func (p *proveShape) pieces() record.Task {
	t := p.task("pieces of a proof")
	t.Prepares, t.Takes = p.setupGuess(), 2*t.Takes
	var batches *rawBatches
	t.Prepare = func(ctx context.Context, s *record.Sample) (err error) {
		if batches, err = p.rawBatches(ctx); err != nil {
			return err
		}
		p.sampleMemory(s, batches.keys)
		return nil
	}
	t.Run = func(_ context.Context, s *record.Sample) error {
		full := batches.take()
		whole, err := batches.prove(full)
		if err != nil {
			return err
		}
		work := groth16Work{batches.keys.System, batches.keys.ProvingKey}
		proof, parts, err := work.prove(full)
		if err != nil {
			return err
		}
		if err := verifyProof(proof, batches.keys.VerifyingKey, full); err != nil {
			return fmt.Errorf("the pieces make no proof: %w", err)
		}
		p.samplePieces(s, parts, whole)
		return nil
	}
	t.Close = func() error {
		batches = nil
		return release()
	}
	return t
}

func (p *proveShape) samplePieces(s *record.Sample, parts []part, whole spent) {
	var needed, all spent
	for _, piece := range parts {
		labels := p.label("piece", piece.name)
		s.Seconds(PieceName, piece.took.clock, labels...)
		s.Seconds("piece, processor time", piece.took.cores, labels...)
		share(s, "share of a proof", shareOf(piece.took, whole), labels...)
		if piece.points > 0 {
			s.Count("size of a piece", "elements", record.Lower, float64(piece.points), labels...)
		}
		if piece.zero+piece.short > 0 {
			share(s, "scalars that are 0", piece.zero, labels...)
			share(s, "scalars from 1 to 2^64", piece.short, labels...)
		}
		all = all.plus(piece.took)
		if piece.unavoidable() {
			needed = needed.plus(piece.took)
		}
	}
	for _, sum := range []struct {
		name string
		took spent
	}{{"whole proof beside its pieces", whole}, {"all pieces", all}, {"msm and fft", needed}} { // the last is in every Groth16 prover over gnark-crypto
		s.Seconds(sum.name, sum.took.clock, p.label()...)
		s.Seconds(sum.name+", processor time", sum.took.cores, p.label()...)
	}
	share(s, "msm and fft of a proof", shareOf(needed, whole), p.label()...)
}

// shareOf compares by the time of all cores, which other work on the machine hardly
// moves.
func shareOf(piece, whole spent) float64 { return piece.cores.Seconds() / whole.cores.Seconds() }

// share adds a measured share, of which neither more nor less is better.
func share(s *record.Sample, name string, v float64, labels ...string) {
	s.Add(record.Value{Name: name, Labels: labelled(labels), Unit: "ratio", Source: record.Measured, Value: v})
}

func labelled(list []string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}
