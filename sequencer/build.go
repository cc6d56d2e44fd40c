package sequencer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// WitnessVersion is the version of state.EncodeTrace's encoding, stored beside
// the witness input.
const WitnessVersion = state.TraceVersion

// errBuild reports an executed batch that could not be turned into rows: a bug,
// never the database's fault.
var errBuild = errors.New("executed batch cannot be sealed")

// errPanic reports code of ours that panicked.
var errPanic = errors.New("panic")

// guard runs f and turns a panic into errPanic with its stack.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return f()
}

// buildBatch seals b in memory and returns its rows. The state below b has moved
// on afterwards, also when it fails: the caller must commit the rows or drop the
// state.
func buildBatch(h *poseidon.Hasher, b *state.Batch, shape Shape, transactions []store.ExecutedTransaction) (sealed store.SealedBatch, err error) {
	err = guard(func() error {
		trace, err := b.Seal()
		if err != nil {
			return err
		}
		usage := trace.Usage()
		if len(transactions) != usage.Transfers {
			return fmt.Errorf("%d identifiers for %d transactions", len(transactions), usage.Transfers)
		}
		if !shape.Capacity.Fits(usage) {
			return fmt.Errorf("usage %+v exceeds shape %s", usage, shape.Name)
		}
		data := trace.Data()
		c, err := data.Commitment(h, shape.Capacity)
		if err != nil {
			return err
		}
		blob, err := state.EncodeTrace(trace)
		if err != nil {
			return err
		}
		changes, err := accountChanges(trace)
		if err != nil {
			return err
		}
		sealed = store.SealedBatch{
			Number: trace.Header.Number, Shape: shape.Name, KeyHash: shape.KeyHash,
			OldRoot: trace.Header.OldRoot.Bytes(), NewRoot: trace.Header.NewRoot.Bytes(), Commitment: c.Bytes(),
			Words: elements(data.Words()), Usage: usage, Transactions: transactions, Changes: changes,
			Witness: store.WitnessInput{Version: WitnessVersion, Hash: sha256.Sum256(blob), Data: blob},
		}
		return nil
	})
	if err != nil {
		return store.SealedBatch{}, fmt.Errorf("%w: batch %d: %w", errBuild, b.Number(), err)
	}
	return sealed, nil
}

func elements(words []fr.Element) []settle.Element {
	out := make([]settle.Element, len(words))
	for i := range words {
		out[i] = words[i].Bytes()
	}
	return out
}

// accountChanges takes each account's leaf digests from the lowest level of the
// multiproof instead of hashing them again.
func accountChanges(t *state.Trace) ([]store.AccountChange, error) {
	type digests struct{ before, after fr.Element }
	leaves := make(map[settle.AccountIndex]digests, len(t.Accounts))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Level != 1 {
			continue
		}
		for child, touched := range n.Touched {
			if touched {
				leaves[settle.AccountIndex(settle.TreeArity*n.Position)+settle.AccountIndex(child)] = digests{n.Old[child], n.New[child]}
			}
		}
	}
	changes := make([]store.AccountChange, len(t.Accounts))
	for i, a := range t.Accounts {
		leaf, ok := leaves[a.Index]
		if !ok {
			return nil, fmt.Errorf("account %d is not in the multiproof", a.Index)
		}
		changes[i] = store.AccountChange{
			Before: accountToStored(a.Index, a.Old, leaf.before),
			After:  accountToStored(a.Index, a.New, leaf.after),
		}
	}
	return changes, nil
}
