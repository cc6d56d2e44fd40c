package l1

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// underWay reports whether another transaction may follow this one: a node has taken
// it, and it is ours, so that we know the next nonce.
func (s *Submitter) underWay(live *store.Settlement) bool {
	return live != nil && live.Status == store.SettlementSent && live.Sender == s.Address()
}

// forget drops what was noted of transactions that are no longer under way.
func (s *Submitter) forget(works []store.SettlementWork) {
	live := map[settle.Hash]bool{}
	for i := range works {
		if works[i].Live != nil {
			live[works[i].Live.TxHash] = true
		}
	}
	for hash := range s.taken {
		if !live[hash] {
			delete(s.taken, hash)
			delete(s.shown, hash)
		}
	}
}

// behind makes a transaction for the last of works, at the nonce after the one before
// it. On the state of the head its call fails, as its number is not the next; so its
// gas is bounded by what others have used, and its proof is shown to the verifier alone.
// Whatever is not known for certain waits until those before it are mined.
func (s *Submitter) behind(ctx context.Context, works []store.SettlementWork) (Action, error) {
	work, before := &works[len(works)-1], works[len(works)-2].Live
	if err := s.learn(ctx, works); err != nil {
		return "", err
	}
	if like, known := s.gas[gasKindOf(work.Proof)]; !known || like.wrong {
		return Waiting, nil
	}
	data, err := s.calldata(ctx, *work)
	if err == nil {
		err = s.checkProof(ctx, *work)
	}
	switch {
	case MayPass(err):
		return "", err
	case worthless(err):
		return s.refused(ctx, *work, err)
	}
	gas, known := s.boundGas(*work, data)
	if err != nil || !known {
		return Waiting, nil //nolint:nilerr // when it is first in line its simulation says what is wrong
	}
	return s.make(ctx, work, before.Nonce+1, data, gas)
}

// checkProof asks the verifier on L1 for its judgement, which does not depend on what is
// settled.
func (s *Submitter) checkProof(ctx context.Context, work store.SettlementWork) error {
	entry, err := s.entry(ctx, work.Proof)
	if err != nil {
		return err
	}
	proof, err := calldataProof(work.Proof)
	if err != nil {
		return err
	}
	inputs := work.Proof.Inputs
	if len(work.Parts) == 0 { // those that the contract computes; a group's are compared with its batches when it is packed
		if inputs, err = inputsOf(work); err != nil {
			return err
		}
	}
	contract, to := bindings.NewGroth16Verifier(), common.Address(entry.Verifier)
	call := ethereum.CallMsg{From: common.Address(s.cfg.Rollup), To: &to,
		Data: contract.PackVerify(proof, [3]*big.Int{integer(inputs[0]), integer(inputs[1]), integer(inputs[2])})}
	if _, err := s.wallet.node.CallContract(ctx, call, nil); err != nil {
		return fmt.Errorf("ask the verifier on L1: %w", callError(err))
	}
	return nil
}

// inputsOf computes c, ζ and v of a batch as the contract does.
func inputsOf(work store.SettlementWork) (inputs [3]settle.Element, err error) {
	words, c, err := GroupBatch{Commitment: work.Proof.Inputs[0], Words: work.Words}.elements()
	if err != nil {
		return inputs, err
	}
	zeta := publicdata.Challenge(c, words)
	v := publicdata.Evaluate(words, zeta)
	return [3]settle.Element{c.Bytes(), zeta.Bytes(), v.Bytes()}, nil
}

// isGasLimit reports a refusal of the gas limit, which another estimate mends.
func isGasLimit(err error) bool {
	return contains(err, "exceeds block gas limit", "gas limit too high", "gas limit is too high", "intrinsic gas too low", "exceeds the gas limit", "floor data gas")
}
