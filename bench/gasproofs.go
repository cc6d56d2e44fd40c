package bench

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier"
)

// gasProofs makes what the contract accepts.
type gasProofs interface {
	prove(ctx context.Context, b gasBatch) (settle.ProofEnvelope, error)
	fold(ctx context.Context, proofs []settle.ProofEnvelope) (settle.ProofEnvelope, error)
	verifiers() []l1.VerifierKey // to register
}

func element(e settle.Element) (x fr.Element, err error) {
	if err := x.SetBytesCanonical(e[:]); err != nil {
		return x, fmt.Errorf("%s: %w", e, err)
	}
	return x, nil
}

func verifierKey(circuit, shape string, vk groth16.VerifyingKey) (l1.VerifierKey, error) {
	words, err := verifier.Words(vk)
	if err != nil {
		return l1.VerifierKey{}, err
	}
	hash, err := verifier.KeyHash(vk)
	return l1.VerifierKey{Circuit: circuit, Shape: shape, Words: words, Hash: hash, UnsafeDev: true}, err
}

// realProofs are of the shape's own circuit, and of an aggregate circuit if one is named.
type realProofs struct {
	engine           *prover.Engine
	shape, aggregate string
	keys             []l1.VerifierKey
}

// newRealProofs makes the keys of the shape if need be; those of an aggregate circuit
// must be there.
func newRealProofs(ctx context.Context, keys shapeKeys, aggregate string) (*realProofs, error) {
	if err := keys.setup(ctx); err != nil {
		return nil, err
	}
	id, err := provingkeys.TransitionID(keys.shape.Name)
	if err != nil {
		return nil, err
	}
	ids := []provingkeys.ID{id}
	if aggregate != "" {
		id, err := provingkeys.AggregateID(keys.dir, aggregate, provingkeys.Committed, keys.options())
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	folder := aggregator.NewFolder(func(shape string) (groth16.VerifyingKey, settle.KeyHash, error) {
		return provingkeys.InnerKey(keys.dir, shape, provingkeys.Committed, keys.options())
	})
	p := &realProofs{shape: keys.shape.Name, aggregate: aggregate, engine: prover.New(prover.Config{
		Circuit: settle.CircuitTransition, Assign: prover.AssignTransition, Fold: folder.Assign, Log: keys.log,
		Keys: provingkeys.NewCache(provingkeys.CacheConfig{Dir: keys.dir, Fingerprint: provingkeys.Committed, Options: keys.options()}),
	})}
	for _, id := range ids {
		vk, _, err := provingkeys.OpenVerifyingKey(keys.dir, id, keys.options())
		if err != nil {
			return nil, err
		}
		key, err := verifierKey(id.Circuit, id.Shape, vk)
		if err != nil {
			return nil, err
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}

func (p *realProofs) verifiers() []l1.VerifierKey { return p.keys }

func (p *realProofs) prove(ctx context.Context, b gasBatch) (settle.ProofEnvelope, error) {
	result, err := p.engine.Prove(ctx, p.shape, b.trace)
	return result.Proof, err
}

func (p *realProofs) fold(ctx context.Context, proofs []settle.ProofEnvelope) (settle.ProofEnvelope, error) {
	result, err := p.engine.Fold(ctx, p.aggregate, proofs)
	return result.Proof, err
}

// toyProofs are of a toy circuit that proves any public inputs under the names of the
// real ones. The contract that verifies them is the same, and what it uses depends
// neither on the circuit nor on the batch; so what large batches use is known without
// hours of proving.
type toyProofs struct {
	shape         circuits.Shape
	slots         int // of the aggregate circuit
	batch, group  *toycircuit.Prover
	batchK, foldK l1.VerifierKey
}

func newToyProofs(shape circuits.Shape, slots int, setup func() (*toycircuit.Prover, error)) (*toyProofs, error) {
	p := &toyProofs{shape: shape, slots: slots}
	for _, key := range []struct {
		prover         **toycircuit.Prover
		key            *l1.VerifierKey
		circuit, shape string
	}{
		{&p.batch, &p.batchK, settle.CircuitTransition, shape.Name},
		{&p.group, &p.foldK, settle.CircuitAggregate, circuits.AggregateShape{Inner: shape.Name, Slots: slots}.Name()},
	} {
		var err error
		if *key.prover, err = setup(); err != nil {
			return nil, err
		}
		if *key.key, err = verifierKey(key.circuit, key.shape, (*key.prover).VerifyingKey); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *toyProofs) verifiers() []l1.VerifierKey { return []l1.VerifierKey{p.batchK, p.foldK} }

func (p *toyProofs) prove(_ context.Context, b gasBatch) (settle.ProofEnvelope, error) {
	inputs, err := b.data.PublicInputs(poseidon.New(), p.shape.Capacity)
	if err != nil {
		return settle.ProofEnvelope{}, err
	}
	return toyProof(p.batch, p.batchK, inputs)
}

func (p *toyProofs) fold(_ context.Context, proofs []settle.ProofEnvelope) (settle.ProofEnvelope, error) {
	var all [][3]fr.Element
	for _, proof := range proofs {
		var in [3]fr.Element
		for i := range in {
			var err error
			if in[i], err = element(proof.Inputs[i]); err != nil {
				return settle.ProofEnvelope{}, err
			}
		}
		all = append(all, in)
	}
	inputs, err := publicdata.AggregateInputs(poseidon.New(), p.slots, all)
	if err != nil {
		return settle.ProofEnvelope{}, err
	}
	return toyProof(p.group, p.foldK, inputs)
}

func toyProof(p *toycircuit.Prover, key l1.VerifierKey, inputs [3]fr.Element) (settle.ProofEnvelope, error) {
	env := settle.ProofEnvelope{
		Circuit: key.Circuit, Shape: key.Shape, KeyHash: key.Hash,
		Inputs: [3]settle.Element{inputs[0].Bytes(), inputs[1].Bytes(), inputs[2].Bytes()},
	}
	var err error
	env.Proof, err = p.Prove(env.Inputs)
	return env, err
}
