package l1

import (
	"context"
	"errors"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/store"
)

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
	s.observeSize(gasKindOf(work.Proof), sizeOf(work), data, gas)
}

func (s *Submitter) observeSize(kind gasKind, used gasUsed, data []byte, gas uint64) {
	base := gasTransaction + gasPerToken*tokens(data)
	if gas <= base || s.gas[kind].wrong {
		return
	}
	used.gas = gas - base
	s.gas[kind] = used
}

// learn finds out what the kind of the last of works costs, if this process has not seen
// it: from the last mined settlement of the kind in the store, or from the limit of one
// under way before it, which was an estimate and a fifth, or a bound. The store is asked
// once for a kind: what is settled later is seen.
func (s *Submitter) learn(ctx context.Context, works []store.SettlementWork) error {
	kind := gasKindOf(works[len(works)-1].Proof)
	if _, known := s.gas[kind]; known {
		return nil
	}
	if !s.asked[kind] {
		like, err := s.rows.LastSettlement(ctx, kind.circuit, kind.shape, kind.key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		s.asked[kind] = true
		tx := new(types.Transaction)
		if err == nil && like.Receipt != nil && tx.UnmarshalBinary(like.RawTx) == nil { // else none of ours
			s.observeSize(kind, sizeOfWords(like.Words...), tx.Data(), like.Receipt.GasUsed)
			return nil
		}
	}
	for _, work := range works[:len(works)-1] {
		tx := new(types.Transaction)
		if gasKindOf(work.Proof) == kind && tx.UnmarshalBinary(work.Live.RawTx) == nil {
			s.observe(work, tx.Data(), work.Live.GasLimit-work.Live.GasLimit/6)
		}
	}
	return nil
}

// ranOut reports whether a reverted transaction has used up its gas: a call inside leaves
// its caller a 64th of what there is.
func ranOut(used, limit uint64) bool { return used >= limit-limit/16 }

// distrust ends the bounding of gas for the kind of a settlement that has run out of it.
func (s *Submitter) distrust(work store.SettlementWork) {
	s.gas[gasKindOf(work.Proof)] = gasUsed{wrong: true}
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

func sizeOf(work store.SettlementWork) gasUsed {
	if len(work.Parts) == 0 {
		return sizeOfWords(work.Words)
	}
	words := make([][]settle.Element, len(work.Parts))
	for i, part := range work.Parts {
		words[i] = part.Words
	}
	return sizeOfWords(words...)
}

// sizeOfWords is the size of a settlement of batches with these words each.
func sizeOfWords(batches ...[]settle.Element) (size gasUsed) {
	for _, words := range batches {
		size.batches, size.words, size.exits = size.batches+1, size.words+len(words), size.exits+exitsOf(words)
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
