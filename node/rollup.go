package node

import (
	"errors"
	"slices"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// registeredShapes are the shapes that both the contract's registry and this binary
// know, smallest first.
func registeredShapes(rollup store.Rollup) ([]sequencer.Shape, error) {
	var shapes []sequencer.Shape
	for _, shape := range circuits.Shapes() {
		i := slices.IndexFunc(rollup.Verifiers, func(v store.Verifier) bool {
			return v.Circuit == settle.CircuitTransition && v.Shape == shape.Name
		})
		if i >= 0 {
			shapes = append(shapes, sequencer.Shape{Name: shape.Name, Capacity: shape.Capacity, KeyHash: rollup.Verifiers[i].KeyHash})
		}
	}
	if len(shapes) == 0 {
		return nil, errors.New("the rollup has no verifier for any shape of this binary: deploy with one of them")
	}
	return shapes, nil
}

// aggregates are the aggregate circuits that the rollup has verifiers for, by the key of
// the proofs that they aggregate; of several for one key the one with the most slots.
func aggregates(rollup store.Rollup) map[settle.KeyHash]aggregator.Circuit {
	inner := map[string]settle.KeyHash{}
	for _, v := range rollup.Verifiers {
		if v.Circuit == settle.CircuitTransition {
			inner[v.Shape] = v.KeyHash
		}
	}
	out := map[settle.KeyHash]aggregator.Circuit{}
	for _, v := range rollup.Verifiers {
		if v.Circuit != settle.CircuitAggregate {
			continue
		}
		shape, err := circuits.ParseAggregateShape(v.Shape)
		key, known := inner[shape.Inner]
		if err != nil || !known || shape.Slots < 2 || shape.Slots <= out[key].Slots {
			continue
		}
		out[key] = aggregator.Circuit{Shape: v.Shape, Slots: shape.Slots, KeyHash: v.KeyHash}
	}
	return out
}

// Deployment is the record of a rollup's deployment, as the database has it.
func Deployment(r store.Rollup) l1.Deployment {
	d := l1.Deployment{
		ChainID: r.ChainID, Rollup: r.Address, Domain: r.Domain, Block: r.DeployBlock,
		GenesisRoot: r.GenesisRoot, GenesisHash: r.GenesisHash, UnsafeDevKeys: r.UnsafeDev,
	}
	for _, v := range r.Verifiers {
		d.Verifiers = append(d.Verifiers, l1.Entry{Circuit: v.Circuit, Shape: v.Shape, Version: 1, Verifier: v.Address, KeyHash: v.KeyHash})
	}
	return d
}
