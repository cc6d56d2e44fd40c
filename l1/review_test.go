package l1_test

import (
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// TestUnfundedSubmitterDoesNotRaiseItsFees: a transaction that no node took is not
// slow. When ether comes after hours it must not pay the cap.
func TestUnfundedSubmitterDoesNotRaiseItsFees(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.node.onSend = func() error { return errors.New("insufficient funds for gas * price + value: balance 0") }
	for range 10 {
		_, err := s.Step(t.Context())
		require.ErrorContains(t, err, "insufficient funds")
		h.now = h.now.Add(time.Hour)
	}
	require.Len(t, h.rows.rows, 1)
	h.node.onSend = nil
	h.step(s, l1.Resent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	h.requireOnChain(1)
	require.Len(t, h.rows.rows, 1)
}

// TestFastClockDoesNotRaiseFees: the store's clock is an hour behind ours.
func TestFastClockDoesNotRaiseFees(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.step(s, l1.Sent)
	h.rows.rows[0].PreparedAt = h.now.Add(-time.Hour)
	for range 5 {
		h.step(s, l1.Waiting)
	}
	require.Len(t, h.rows.rows, 1)
}

// TestKeyExchangedWhileATransactionIsLive: the old account's transaction was
// dropped by all nodes, and nobody can replace it.
func TestKeyExchangedWhileATransactionIsLive(t *testing.T) {
	for name, used := range map[string]uint64{"fresh account": 0, "account with a higher nonce": 3} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.prove(2, 2)
			for nonce := range used {
				h.sendAs(2, nonce, &common.Address{1}, nil)
				h.chain.Commit()
			}
			h.node.onSend = func() error { return nil } // nowhere
			h.step(h.submitter(), l1.Sent)
			h.operator = h.chain.Keys()[2]
			s := h.submitter()
			h.step(s, l1.Waiting)
			require.Equal(t, []store.SettlementStatus{store.SettlementSent}, h.rows.rowStatuses())
			h.now = h.now.Add(time.Minute)
			h.step(s, l1.Failed)
			require.Contains(t, h.rows.rows[0].Failure, "is not ours")
			h.node.onSend = nil
			for n := settle.BatchNumber(1); n <= 2; n++ {
				h.step(s, l1.Sent)
				h.chain.Commit()
				h.step(s, l1.Recorded)
				h.requireOnChain(n)
			}
			require.Equal(t, address(h.operator), h.rows.rows[1].Sender)
		})
	}
}

// TestTransactionOfTheOldKeyMayWin: it was given up and is mined all the same.
func TestTransactionOfTheOldKeyMayWin(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	h.node.onSend = func() error { return nil }
	h.step(h.submitter(), l1.Sent)
	h.operator = h.chain.Keys()[2]
	s := h.submitter()
	h.now = h.now.Add(time.Minute)
	h.step(s, l1.Failed)
	h.step(s, l1.Sent)
	require.NoError(t, h.client.SendTransaction(t.Context(), h.node.sent[0]))
	h.chain.Commit()
	h.step(s, l1.Recorded)
	require.Equal(t, []store.SettlementStatus{store.SettlementMined, store.SettlementReplaced}, h.rows.rowStatuses())
	h.requireOnChain(1)
}

// TestDivergedRollupStopsTheSubmitter: an operator settled another valid batch of
// the same number. Nothing of ours may be recorded or sent.
func TestDivergedRollupStopsTheSubmitter(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	foreign := h.work(1, genesisRoot, h.deployment.Domain, 0)
	proof, err := verifier.Calldata(foreign.Proof.Proof)
	require.NoError(t, err)
	words := make([]*big.Int, len(foreign.Words))
	for i := range words {
		words[i] = new(big.Int).SetBytes(foreign.Words[i][:])
	}
	to := common.Address(h.deployment.Rollup)
	c := new(big.Int).SetBytes(foreign.Proof.Inputs[0][:])
	h.sendAs(2, 0, &to, bindings.NewRollup().PackSettle(word32(shape), 1, c, words, proof))
	h.chain.Commit()
	s := h.submitter()
	for range 3 {
		_, err = s.Step(t.Context())
		require.ErrorIs(t, err, l1.ErrDeployment)
		require.False(t, l1.IsUnavailable(err))
	}
	require.Empty(t, h.rows.rows)
	require.Empty(t, h.node.sent)
}

// TestRedelegatedVerifierSettlesNothing registers an account that delegates
// (EIP-7702) to an honest verifier, and then points it to code that accepts every
// proof, with no timelock between. Without the code's hash in the entry the
// contract settled the batch.
func TestRedelegatedVerifierSettlesNothing(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	work := h.rows.batches[0].work
	honest := h.deployment.Verifiers[0]
	account := crypto.PubkeyToAddress(h.chain.Keys()[3].PublicKey)
	rollup, to := bindings.NewRollup(), common.Address(h.deployment.Rollup)

	h.delegate(3, common.Address(honest.Verifier))
	r := bindings.RegistryRegistration{Circuit: word32(settle.CircuitTransition), Shape: word32(shape), Version: 2, Verifier: account, KeyHash: honest.KeyHash}
	nonce, err := h.client.NonceAt(t.Context(), common.Address(address(h.chain.Keys()[0])), nil)
	require.NoError(t, err)
	h.sendAs(0, nonce, &to, rollup.PackProposeVerifier(r))
	h.chain.Commit()
	h.sendAs(0, nonce+1, &to, rollup.PackActivateVerifier(r))
	h.chain.Commit()
	_, err = h.reader().Entry(t.Context(), settle.CircuitTransition, shape, 2)
	require.NoError(t, err)

	// PUSH32 key hash; PUSH0; MSTORE; PUSH1 32; PUSH0; RETURN: the answer to every call.
	code := append(append([]byte{0x7f}, honest.KeyHash[:]...), 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3)
	// PUSH1 size; DUP1; PUSH1 9; PUSH0; CODECOPY; PUSH0; RETURN: deploys it.
	deploy := append([]byte{0x60, byte(len(code)), 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3}, code...)
	h.sendAs(0, nonce+2, nil, deploy)
	h.chain.Commit()
	h.delegate(3, crypto.CreateAddress(common.Address(address(h.chain.Keys()[0])), nonce+2))

	words := make([]*big.Int, len(work.Words))
	for i := range words {
		words[i] = new(big.Int).SetBytes(work.Words[i][:])
	}
	call := rollup.PackSettle(word32(shape), 2, big.NewInt(1), words, []byte("no proof at all"))
	require.Equal(t, "VerifierChanged", h.call(call).Name)
}

// delegate sets the code of dev account i by EIP-7702.
func (h *harness) delegate(i int, target common.Address) {
	h.t.Helper()
	key := h.chain.Keys()[i]
	self := crypto.PubkeyToAddress(key.PublicKey)
	nonce, err := h.client.NonceAt(h.t.Context(), self, nil)
	require.NoError(h.t, err)
	zero := common.U2560 // the type's package is no direct dependency of ours
	id := zero.Clone().SetUint64(h.chain.ChainID())
	authorization, err := types.SignSetCode(key, types.SetCodeAuthorization{ChainID: *id, Address: target, Nonce: nonce + 1})
	require.NoError(h.t, err)
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(id.ToBig()), &types.SetCodeTx{
		ChainID: id, Nonce: nonce, To: self, Gas: 1_000_000, GasFeeCap: zero.Clone().SetUint64(100_000_000_000), GasTipCap: zero.Clone().SetUint64(1),
		Value: zero.Clone(), AuthList: []types.SetCodeAuthorization{authorization},
	})
	require.NoError(h.t, err)
	require.NoError(h.t, h.client.SendTransaction(h.t.Context(), tx))
	h.chain.Commit()
	code, err := h.client.CodeAt(h.t.Context(), self, nil)
	require.NoError(h.t, err)
	require.Equal(h.t, types.AddressToDelegation(target), code)
}

func word32(name string) (w [32]byte) {
	copy(w[:], name)
	return w
}

// TestGovernorNeedsAKeyOfItsOwn: else a stolen operator's key is the registry's.
func TestGovernorNeedsAKeyOfItsOwn(t *testing.T) {
	h := newHarness(t)
	key := h.key()
	key.UnsafeDev = false // as one of a ceremony
	deployer, operator := address(h.chain.Keys()[0]), address(h.chain.Keys()[1])
	for _, governor := range []settle.Address{{}, deployer, operator} {
		_, err := l1.Deploy(t.Context(), h.client, h.chain.Keys()[0], l1.DeployConfig{
			Delay: 7 * 24 * time.Hour, Governor: governor, Operators: []settle.Address{operator}, Keys: []l1.VerifierKey{key},
		})
		require.ErrorIs(t, err, l1.ErrHotGovernor)
	}
}

// TestReorgAtTheFeeCap: the same transaction comes out, byte for byte, and the cap
// leaves no room for other fees.
func TestReorgAtTheFeeCap(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	cfg := h.config()
	head, err := h.client.Block(t.Context(), rpc.LatestBlockNumber)
	require.NoError(t, err)
	cfg.MaxFee, err = settle.AmountFromBig(new(big.Int).Add(head.BaseFee, big.NewInt(1_000)))
	require.NoError(t, err)
	s, err := l1.NewSubmitter(t.Context(), h.node, h.rows, cfg)
	require.NoError(t, err)
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	require.NoError(t, h.chain.Reorg(1))
	h.chain.DropPending()
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	h.requireOnChain(1)
	require.Equal(t, []store.SettlementStatus{store.SettlementReorged, store.SettlementMined}, h.rows.rowStatuses())
}
