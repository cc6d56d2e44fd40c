// Package state is the specification of the rollup: accounts, transactions,
// the state tree, and Apply, which executes a batch and leaves the trace that
// the circuit's witness is made of. Circuit, sequencer and restore tool must
// agree with it.
package state

import (
	"fmt"
	"maps"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

// State is the executed state after some batch. Not safe for concurrent use.
type State struct {
	hasher      *poseidon.Hasher
	domain      fr.Element
	number      settle.BatchNumber
	accounts    map[settle.AccountIndex]Account
	feeAccounts map[settle.TokenID]settle.AccountIndex
	tree        *Tree
	next        settle.AccountIndex // one behind the highest account
}

// Indexed is an account with its position.
type Indexed struct {
	Index settle.AccountIndex
	Account
}

// Load builds the state after batch number from its non-empty accounts, in
// strictly increasing order of index, and the fee account of each token.
// The caller compares Root with the root that it expects.
func Load(h *poseidon.Hasher, domain fr.Element, number settle.BatchNumber, accounts []Indexed, feeAccounts map[settle.TokenID]settle.AccountIndex) (*State, error) {
	s := &State{
		hasher: h, domain: domain, number: number, tree: NewTree(h),
		accounts: make(map[settle.AccountIndex]Account, len(accounts)), feeAccounts: maps.Clone(feeAccounts),
	}
	indices, leaves := make([]settle.AccountIndex, len(accounts)), make([]fr.Element, len(accounts))
	for i, a := range accounts {
		if i > 0 && a.Index <= accounts[i-1].Index {
			return nil, fmt.Errorf("accounts out of order: %d after %d", a.Index, accounts[i-1].Index)
		}
		if a.IsEmpty() {
			return nil, fmt.Errorf("account %d is empty", a.Index)
		}
		s.accounts[a.Index] = a.Account
		indices[i], leaves[i] = a.Index, a.Leaf(h)
		s.next = a.Index + 1
	}
	for token, index := range feeAccounts {
		if a := s.accounts[index]; a.IsEmpty() || a.Token != token {
			return nil, fmt.Errorf("fee account %d of token %d does not hold that token", index, token)
		}
	}
	s.tree.Update(indices, leaves)
	return s, nil
}

// Root returns the state root.
func (s *State) Root() fr.Element { return s.tree.Root() }

// Number returns the number of the last executed batch.
func (s *State) Number() settle.BatchNumber { return s.number }

// Domain returns the domain that signatures are made under.
func (s *State) Domain() fr.Element { return s.domain }

// Account returns the account at an index; empty when none is there.
func (s *State) Account(index settle.AccountIndex) Account { return s.accounts[index] }

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
