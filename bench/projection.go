package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/publicdata"
)

// projectTask foresees what full batches of a shape cost on L1, alone and in groups,
// without proofs of the shape: D is that of batches that were really executed, so
// calldata, evaluation of D, exits and storage are those of real settlements; these
// are accepted for proofs of a toy circuit, by the verifier that real proofs meet;
// and the gas of verification is put in as measured with real proofs.
func (b *gasBench) projectTask(shape circuits.Shape) record.Task {
	most := 1
	if len(b.cfg.Groups) > 0 {
		most = slices.Max(b.cfg.Groups)
	}
	note := fmt.Sprintf("batches of shape %s really executed and settled on the dev chain, but with proofs of a toy circuit; "+
		"gas of verification as measured with proofs of %s", shape.Name, b.cfg.Shape)
	return b.chainTask("projection "+shape.Name, shape,
		func(context.Context) (gasProofs, error) { return newToyProofs(shape, most, toycircuit.Setup) },
		func(ctx context.Context, s *record.Sample, g *gasChain) error {
			verification, err := b.verification(s.File)
			if err != nil {
				return err
			}
			values := gasValues{s, projected, record.Projected, note, shape.Name, routeDirect}
			if err := values.eachLoad(func(l gasLoad) (gasSettled, error) {
				settled, err := g.direct(ctx, l)
				if err != nil {
					return settled, err
				}
				settled.gasUse = settled.withVerification(verification)
				b.check(s, l, settled, shape)
				return settled, nil
			}); err != nil {
				return err
			}
			values.route = routeGroup
			for _, n := range b.cfg.Groups {
				if fits := fittingBatches(shape); n > fits {
					continue // "batches that fit" says so
				}
				if err := values.eachLoad(func(l gasLoad) (gasSettled, error) {
					settled, err := g.group(ctx, l, n)
					if err != nil {
						return settled, err
					}
					settled.gasUse = settled.withVerification(verification)
					return settled, nil
				}); err != nil {
					return fmt.Errorf("group of %d: %w", n, err)
				}
			}
			s.Count("batches that fit one transaction of 131,072 bytes", "batches", record.Higher, float64(fittingBatches(shape)), "shape", shape.Name)
			return nil
		})
}

// envelopeBytes are those of a transaction beside its calldata, at most.
const envelopeBytes = 160

// groupBytes is the size of the calldata of a group.
func groupBytes(batches, words int) int {
	const selector, head, proof = 4, 6, 12
	return selector + 32*(head+1+batches+1+words+1+proof)
}

// fittingBatches is how many full batches one transaction has room for, of whichever
// load.
func fittingBatches(shape circuits.Shape) int {
	words := 0
	_, tokens := population(shape)
	for _, l := range gasLoads() {
		opens, exits := l.counts(shape)
		words = max(words, publicdata.Length(tokens, 0, shape.Transfers, opens, exits))
	}
	n := 0
	for groupBytes(n+1, (n+1)*words)+envelopeBytes <= bytesOfTx {
		n++
	}
	return n
}

// verification is the gas of the verifier as measured with real proofs, by part.
func (b *gasBench) verification(f *record.File) (map[string]int64, error) {
	parts := map[string]int64{}
	for _, part := range []string{gasPairing, gasPoints, gasVerifier} {
		m, ok := f.Find("gas by part", "shape", b.cfg.Shape, "route", routeDirect, "load", string(loadTransfers), "batches", "1", "part", part)
		if !ok {
			return nil, fmt.Errorf("%s was not measured with real proofs", part)
		}
		parts[part] = int64(m.Median)
	}
	return parts, nil
}

// withVerification puts other gas of the verifier in. The floor by calldata stays.
func (u gasUse) withVerification(parts map[string]int64) gasUse {
	u.parts = maps.Clone(u.parts)
	maps.Copy(u.parts, parts)
	u.parts[gasFloor] = 0
	if sum := u.sum(); sum < int64(u.floor) {
		u.parts[gasFloor] = int64(u.floor) - sum
	}
	u.used = uint64(u.sum())
	return u
}

// check compares a projection with the measurement of the same settlement, where
// there is one.
func (b *gasBench) check(s *record.Sample, l gasLoad, settled gasSettled, shape circuits.Shape) {
	m, ok := s.File.Find("gas", "shape", shape.Name, "route", routeDirect, "load", string(l), "batches", "1")
	if !ok {
		return
	}
	s.Add(record.Value{
		Name: "projection over measurement", Labels: map[string]string{"shape": shape.Name, "load": string(l)}, Unit: "ratio",
		Source: record.Projected, Note: "gas of a settlement as projected over its median as measured with real proofs", Value: float64(settled.used) / m.Median,
	})
}

// fitTask says what a word of D costs beyond its calldata, from the smallest and the
// largest batch that were settled.
func (b *gasBench) fitTask() record.Task {
	return record.Task{
		Name: "fit", Memory: 1, Repeats: 1,
		Run: func(_ context.Context, s *record.Sample) error {
			var words, gas []float64
			for _, shape := range b.cfg.Projected {
				labels := []string{"shape", shape, "route", routeDirect, "load", string(loadTransfers), "batches", "1"}
				w, ok := s.File.Find(projected+"words of D", labels...)
				e, found := s.File.Find(projected+"gas by part", append(labels, "part", gasEvaluation)...)
				if !ok || !found {
					return fmt.Errorf("no evaluation of D was measured for %s", shape)
				}
				words, gas = append(words, w.Median), append(gas, e.Median)
			}
			low, high := slices.Index(words, slices.Min(words)), slices.Index(words, slices.Max(words))
			if low == high {
				return nil
			}
			slope := (gas[high] - gas[low]) / (words[high] - words[low])
			note := "from " + strconv.Itoa(int(words[low])) + " and " + strconv.Itoa(int(words[high])) + " words, on the dev chain"
			for name, value := range map[string]float64{"gas of evaluating a word of D": slope, "gas of evaluating D of no words": gas[low] - slope*words[low]} {
				s.Add(record.Value{Name: name, Unit: "gas", Better: record.Lower, Source: record.Measured, Note: note, Value: value})
			}
			return nil
		},
	}
}
