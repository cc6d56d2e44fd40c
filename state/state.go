// Package state is the specification of the rollup: accounts, transactions,
// the state tree, and Apply, which executes a batch and leaves the trace that
// the circuit's witness is made of. Circuit, sequencer and restore tool must
// agree with it.
package state

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

// State is the executed state after some batch. Not safe for concurrent use.
type State struct {
	hasher      *poseidon.Hasher
	domain      fr.Element
	number      settle.BatchNumber
	accounts    ledger
	feeAccounts map[settle.TokenID]settle.AccountIndex
	tree        *Tree
	next        uint64 // one behind the highest account; 2^32 when no index is left
}

// Indexed is an account with its position.
type Indexed struct {
	Index settle.AccountIndex
	Account
}

// Root returns the state root.
func (s *State) Root() fr.Element { return s.tree.Root() }

// Number returns the number of the last executed batch.
func (s *State) Number() settle.BatchNumber { return s.number }

// Domain returns the domain that signatures are made under.
func (s *State) Domain() fr.Element { return s.domain }

// Account returns the account at an index; empty when none is there. Whoever decides
// on it asks Verify first when the state comes from a Loader.
func (s *State) Account(index settle.AccountIndex) Account { return s.accounts.at(index) }

// Leaf returns the digest of the leaf at an index.
func (s *State) Leaf(index settle.AccountIndex) fr.Element { return s.tree.at(0, uint32(index)) }

// FeeAccount returns the fee account of a token.
func (s *State) FeeAccount(token settle.TokenID) (settle.AccountIndex, bool) {
	index, ok := s.feeAccounts[token]
	return index, ok
}

// Apply executes transactions whose signatures the caller has verified as the
// next batch. It is strict: the first bad transaction fails the batch and
// leaves the state as it was.
func (s *State) Apply(transactions []Transaction) (*Trace, error) {
	b := s.Begin()
	for i := range transactions {
		if err := b.Step(transactions[i]); err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
	}
	return b.Seal()
}
