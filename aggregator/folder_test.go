package aggregator_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/publicdata"
)

func TestFolderAssignsProofsThatVerify(t *testing.T) {
	toy, err := toycircuit.Setup()
	require.NoError(t, err)
	hash, err := provingkeys.KeyHash(toy.VerifyingKey)
	require.NoError(t, err)
	loads := 0
	folder := aggregator.NewFolder(func(shape string) (groth16.VerifyingKey, settle.KeyHash, error) {
		if shape == "demo-2" {
			return nil, settle.KeyHash{}, errors.New("no such keys")
		}
		loads++
		return toy.VerifyingKey, hash, nil
	})
	var proofs []settle.ProofEnvelope
	var inputs [][3]fr.Element
	for i := range byte(2) {
		p := settle.ProofEnvelope{Circuit: settle.CircuitTransition, Shape: "tiny", KeyHash: hash, Inputs: [3]settle.Element{{31: i + 1}, {31: 5}, {31: 7}}}
		p.Proof, err = toy.Prove(p.Inputs)
		require.NoError(t, err)
		proofs = append(proofs, p)
		var in [3]fr.Element
		for j := range in {
			in[j].SetBytes(p.Inputs[j][:])
		}
		inputs = append(inputs, in)
	}
	full, err := folder.Assign("tiny-3", proofs)
	require.NoError(t, err)
	public, err := full.Public()
	require.NoError(t, err)
	want, err := publicdata.AggregateInputs(poseidon.New(), 3, inputs)
	require.NoError(t, err)
	require.Equal(t, fr.Vector(want[:]), public.Vector())
	_, err = folder.Assign("tiny-2", proofs)
	require.NoError(t, err)
	_, err = folder.Assign("tiny-3", proofs)
	require.NoError(t, err)
	require.Equal(t, 2, loads, "one for each shape")

	_, err = folder.Assign("tiny-2", append(proofs, proofs[0]))
	require.ErrorIs(t, err, publicdata.ErrCapacity)
	_, err = folder.Assign("tiny-2", nil)
	require.ErrorIs(t, err, publicdata.ErrCapacity)
	_, err = folder.Assign("demo-2", proofs)
	require.ErrorContains(t, err, "no such keys")
	_, err = folder.Assign("tiny", proofs)
	require.Error(t, err)
	for name, change := range map[string]func(*settle.ProofEnvelope){
		"other inputs":  func(p *settle.ProofEnvelope) { p.Inputs[0][31]++ },
		"other key":     func(p *settle.ProofEnvelope) { p.KeyHash[0]++ },
		"other circuit": func(p *settle.ProofEnvelope) { p.Circuit = settle.CircuitAggregate },
		"no proof":      func(p *settle.ProofEnvelope) { p.Proof = nil },
	} {
		bad := []settle.ProofEnvelope{proofs[0], proofs[1]}
		change(&bad[1])
		_, err := folder.Assign("tiny-2", bad)
		require.ErrorIs(t, err, aggregator.ErrProof, name)
		require.ErrorContains(t, err, "number 2 of 2", name)
	}
}

// TestFolderRefusesForgedPoK: a proof that a verifier with equal coefficients would take
// (verifier, TestForgedPoKIsRefused), and bytes that claim more than they are.
func TestFolderRefusesForgedPoK(t *testing.T) {
	toy, err := toycircuit.Ceremony()
	require.NoError(t, err)
	hash, err := provingkeys.KeyHash(toy.VerifyingKey)
	require.NoError(t, err)
	folder := aggregator.NewFolder(func(string) (groth16.VerifyingKey, settle.KeyHash, error) { return toy.VerifyingKey, hash, nil })
	honest := settle.ProofEnvelope{Circuit: settle.CircuitTransition, Shape: "tiny", KeyHash: hash, Inputs: [3]settle.Element{{31: 1}, {31: 5}, {31: 7}}}
	honest.Proof, err = toy.Prove(honest.Inputs)
	require.NoError(t, err)
	_, err = folder.Assign("tiny-2", []settle.ProofEnvelope{honest})
	require.NoError(t, err)

	forged := honest
	forged.Inputs[2][31]++
	forged.Proof, err = toy.ForgePoK(honest.Proof, honest.Inputs, forged.Inputs, fr.One())
	require.NoError(t, err)
	_, err = folder.Assign("tiny-2", []settle.ProofEnvelope{honest, forged})
	require.ErrorIs(t, err, aggregator.ErrProof)

	hostile := honest
	hostile.Proof = bytes.Clone(honest.Proof)
	copy(hostile.Proof[256:], []byte{0x10, 0, 0, 0}) // commitments: 16 GiB of them
	require.Less(t, heap.Allocated(func() { _, err = folder.Assign("tiny-2", []settle.ProofEnvelope{hostile}) }), uint64(16<<20))
	require.ErrorIs(t, err, aggregator.ErrProof)
	parsed, err := circuits.ParseAggregateShape("tiny-2")
	require.NoError(t, err)
	require.Less(t, heap.Allocated(func() { _, err = circuits.AssignAggregate(parsed, []settle.ProofEnvelope{hostile}) }), uint64(16<<20))
	require.Error(t, err, "unverified")
}
