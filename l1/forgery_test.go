package l1_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// TestForgedPoKSettlesNothing gives a batch that is proven another new root, and lets
// the proof of knowledge absorb what that changes in ζ and v. On a ceremony's key a
// verifier that joins its two checks with equal coefficients takes it for proven
// (verifier, TestForgedPoKIsRefused). Neither we nor the chain do.
func TestForgedPoKSettlesNothing(t *testing.T) {
	for name, keys := range map[string]func() (*toycircuit.Prover, error){"ceremony": toycircuit.Ceremony, "setup": toycircuit.Setup} {
		t.Run(name, func(t *testing.T) {
			prover, err := keys()
			require.NoError(t, err)
			h := newHarnessFor(t, prover)
			h.prove(1, 2)
			honest := h.rows.batches[0].work

			forged := honest
			forged.Words = append([]settle.Element{}, honest.Words...)
			forged.Words[2] = settle.Element{31: 66}
			forged.Batch.NewRoot = forged.Words[2]
			var c fr.Element
			c.SetBytes(honest.Proof.Inputs[0][:])
			words, integers := make([]fr.Element, len(forged.Words)), make([]*big.Int, len(forged.Words))
			for i := range words {
				words[i].SetBytes(forged.Words[i][:])
				integers[i] = new(big.Int).SetBytes(forged.Words[i][:])
			}
			zeta := publicdata.Challenge(c, words)
			v := publicdata.Evaluate(words, zeta)
			forged.Proof.Inputs[1], forged.Proof.Inputs[2] = zeta.Bytes(), v.Bytes()
			forged.Proof.Proof, err = prover.ForgePoK(honest.Proof.Proof, honest.Proof.Inputs, forged.Proof.Inputs, fr.One())
			require.NoError(t, err)
			require.NoError(t, verifier.Verify(honest.Proof, prover.VerifyingKey))
			_, refused := settle.AsRefusal(verifier.Verify(forged.Proof, prover.VerifyingKey))
			require.True(t, refused)

			h.rows.batches[0].work = forged
			s := h.submitter()
			h.step(s, l1.Failed)
			require.Len(t, h.rows.refused, 1)
			require.Contains(t, h.rows.refused[0], "InvalidProof")
			require.Equal(t, settle.BatchSealed, h.rows.batches[0].status)
			require.Empty(t, h.node.sent)

			// An operator who asks nobody.
			proof, err := verifier.Calldata(forged.Proof.Proof)
			require.NoError(t, err)
			to := common.Address(h.deployment.Rollup)
			h.sendAs(2, 0, &to, bindings.NewRollup().PackSettle(word32(shape), 1, c.BigInt(new(big.Int)), integers, proof))
			h.chain.Commit()
			nonce, err := h.client.NonceAt(t.Context(), common.Address(address(h.chain.Keys()[2])), nil)
			require.NoError(t, err)
			require.EqualValues(t, 1, nonce, "it is in the chain, and reverted")
			h.requireOnChain(0)

			h.rows.batches[0].work, h.rows.batches[0].status = honest, settle.BatchProven
			h.step(s, l1.Sent)
			h.chain.Commit()
			h.step(s, l1.Recorded)
			h.requireOnChain(1)
		})
	}
}
