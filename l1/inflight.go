package l1

import (
	"context"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
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

// gasKind is of settlements that the same verifier takes.
type gasKind struct {
	circuit, shape string
	key            settle.KeyHash
}

func gasKindOf(proof settle.ProofEnvelope) gasKind {
	return gasKind{proof.Circuit, proof.Shape, proof.KeyHash}
}

// gasUsed is what one settlement has cost, without its calldata, and of what size it was.
type gasUsed struct {
	gas     uint64
	batches int
	words   int
	exits   int
	wrong   bool // a bound that came from it was too low
}

// Upper bounds of what more of anything costs beside its calldata. Measured are 62 gas
// for a word and 350 for an exit (PublicData.sol, Exits.sol), 22,100 for the first exit of
// a batch, and some 15,000 for a further batch of a group with its event.
const (
	gasPerWord   = 1_000
	gasPerExit   = 2_000
	gasFirstExit = 30_000
	gasPerBatch  = 50_000
)

// Of calldata: a transaction costs a base and 4 gas a token, where a byte has 1 token if
// it is zero and 4 else; at least 10 gas a token (EIP-7623), for which there is room.
const (
	gasTransaction = 21_000
	gasPerToken    = 4
	gasFloor       = 20
)

// maxGasLimit is that of one transaction (EIP-7825).
const maxGasLimit = 1 << 24

// observe notes what the settlement of a work costs: by the node's estimate, or by its
// receipt.
func (s *Submitter) observe(work store.SettlementWork, data []byte, gas uint64) {
	kind := gasKindOf(work.Proof)
	base := gasTransaction + gasPerToken*tokens(data)
	if gas <= base || s.gas[kind].wrong {
		return
	}
	used := sizeOf(work)
	used.gas = gas - base
	s.gas[kind] = used
}

// distrust ends the bounding of gas for a kind of settlement of which one has run out of it.
func (s *Submitter) distrust(work store.SettlementWork, used, limit uint64) {
	if used < limit-limit/16 {
		return
	}
	kind := gasKindOf(work.Proof)
	if known, ok := s.gas[kind]; ok {
		known.wrong = true
		s.gas[kind] = known
	}
}

// boundGas is a limit that the call of a work stays below; not known when none can be
// told.
func (s *Submitter) boundGas(work store.SettlementWork, data []byte) (limit uint64, known bool) {
	like, ok := s.gas[gasKindOf(work.Proof)]
	if !ok || like.wrong {
		return 0, false
	}
	size := sizeOf(work)
	gas := like.gas + more(size.words, like.words)*gasPerWord + more(size.exits, like.exits)*gasPerExit + more(size.batches, like.batches)*gasPerBatch
	if size.exits > 0 {
		gas += uint64(size.batches) * gasFirstExit
	}
	gas += gas / 2
	calldata := tokens(data)
	limit = gasTransaction + max(gas+gasPerToken*calldata, gasFloor*calldata)
	return limit, limit <= maxGasLimit
}

func more(a, b int) uint64 { return uint64(max(0, a-b)) }

func tokens(data []byte) uint64 {
	var n uint64
	for _, b := range data {
		if n++; b != 0 {
			n += 3
		}
	}
	return n
}

func sizeOf(work store.SettlementWork) (size gasUsed) {
	if len(work.Parts) == 0 {
		return gasUsed{batches: 1, words: len(work.Words), exits: exitsOf(work.Words)}
	}
	for _, part := range work.Parts {
		size.batches, size.words, size.exits = size.batches+1, size.words+len(part.Words), size.exits+exitsOf(part.Words)
	}
	return size
}

// exitsOf counts the exits that a batch shows; as many as it has words if it cannot be read.
func exitsOf(list []settle.Element) int {
	words := make([]fr.Element, len(list))
	for i := range words {
		words[i].SetBytes(list[i][:])
	}
	data, err := publicdata.Parse(words)
	if err != nil {
		return len(list)
	}
	return len(data.Exits)
}

// isGasLimit reports a refusal of the gas limit, which another estimate mends.
func isGasLimit(err error) bool {
	return contains(err, "exceeds block gas limit", "gas limit too high", "gas limit is too high", "intrinsic gas too low", "exceeds the gas limit", "floor data gas")
}
