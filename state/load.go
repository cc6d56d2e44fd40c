package state

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

// ErrDamaged reports an account whose fields do not hash to the digest that it was
// loaded with: one of the two was changed where it was stored.
var ErrDamaged = errors.New("an account does not hash to its stored digest")

// Loader builds a state from accounts and the digests of their leaves, and hashes
// inner nodes alone: a third of a hash for each account instead of one and a third.
//
// Digests are believed until State; then whoever compares the root knows that they
// are right, and that there are no more and no fewer accounts. That the fields are
// those of the digests is looked at when a batch first uses an account (ErrDamaged),
// or by State.Verify. Not safe for concurrent use.
type Loader struct {
	state *State
	last  int64
}

// NewLoader begins a state after batch number.
func NewLoader(h *poseidon.Hasher, domain fr.Element, number settle.BatchNumber) *Loader {
	return &Loader{last: -1, state: &State{
		hasher: h, domain: domain, number: number, tree: NewTree(h), accounts: newLedger(),
	}}
}

// Add takes the next account, which is not empty, in strictly increasing order of
// index, and the digest of its leaf.
func (l *Loader) Add(index settle.AccountIndex, a Account, leaf fr.Element) error {
	if err := l.follows(index, a); err != nil {
		return err
	}
	l.state.accounts.setUnverified(index, a)
	l.state.tree.set(0, uint32(index), leaf)
	return nil
}

func (l *Loader) follows(index settle.AccountIndex, a Account) error {
	if int64(index) <= l.last {
		return fmt.Errorf("accounts out of order: %d after %d", index, l.last)
	}
	if a.IsEmpty() {
		return fmt.Errorf("account %d is empty", index)
	}
	l.last = int64(index)
	return nil
}

// State hashes inner nodes on all cores and returns the state; the Loader is used
// up. feeAccounts names the fee account of each token. The caller compares Root with
// the root that it expects.
func (l *Loader) State(feeAccounts map[settle.TokenID]settle.AccountIndex) (*State, error) {
	s := l.state
	s.feeAccounts, s.next = maps.Clone(feeAccounts), uint64(l.last+1)
	s.tree.hashAll()
	for token, index := range feeAccounts {
		if a := s.Account(index); a.IsEmpty() || a.Token != token {
			return nil, fmt.Errorf("fee account %d of token %d does not hold that token", index, token)
		}
	}
	return s, nil
}

// Load builds the state after batch number from its non-empty accounts, in
// strictly increasing order of index, and the fee account of each token. It hashes
// leaves and inner nodes. The caller compares Root with the root that it expects.
func Load(h *poseidon.Hasher, domain fr.Element, number settle.BatchNumber, accounts []Indexed, feeAccounts map[settle.TokenID]settle.AccountIndex) (*State, error) {
	leaves := make([]fr.Element, len(accounts))
	const chunk = 256
	inParallel((len(accounts)+chunk-1)/chunk, func(i int) {
		for j := i * chunk; j < min(len(accounts), (i+1)*chunk); j++ {
			leaves[j] = accounts[j].Leaf(h)
		}
	})
	l := NewLoader(h, domain, number)
	for i, a := range accounts {
		if err := l.follows(a.Index, a.Account); err != nil {
			return nil, err
		}
		l.state.accounts.set(a.Index, a.Account)
		l.state.tree.set(0, uint32(a.Index), leaves[i])
	}
	return l.State(feeAccounts)
}

// Verify returns ErrDamaged unless the account's fields hash to its leaf. What was
// verified once, or written by a batch, costs nothing.
func (s *State) Verify(index settle.AccountIndex) error {
	if !s.accounts.isUnverified(index) {
		return nil
	}
	stored := s.Leaf(index)
	if have := s.Account(index).Leaf(s.hasher); !have.Equal(&stored) {
		return fmt.Errorf("%w: account %d has %s, its fields hash to %s", ErrDamaged, index, hexOf(stored), hexOf(have))
	}
	s.accounts.setVerified(index)
	return nil
}

// Damaged verifies all accounts, on all cores, and returns those that Verify reports,
// by index.
func (s *State) Damaged() []settle.AccountIndex {
	pages := slices.Sorted(maps.Keys(s.accounts.pages))
	found := make([][]settle.AccountIndex, len(pages))
	inParallel(len(pages), func(i int) {
		first := settle.AccountIndex(pages[i] << pageBits)
		for slot := range settle.AccountIndex(1 << pageBits) {
			if s.Verify(first|slot) != nil {
				found[i] = append(found[i], first|slot)
			}
		}
	})
	return slices.Concat(found...)
}

// BuildTree returns the tree with these leaves, given in strictly increasing order
// of index, and hashes inner nodes on all cores: the tree that Update makes of an
// empty one, faster and without the list of its nodes.
func BuildTree(h *poseidon.Hasher, indices []settle.AccountIndex, leaves []fr.Element) *Tree {
	t := NewTree(h)
	for i, index := range indices {
		t.set(0, uint32(index), leaves[i])
	}
	t.hashAll()
	return t
}

// hashAll computes every inner node from the leaves, level by level.
func (t *Tree) hashAll() {
	const parents = 1 << pageBits / arity // per page
	for level := 1; level <= levels; level++ {
		below := slices.Collect(maps.Keys(t.pages[level-1]))
		for _, number := range below {
			t.writable(level, parents*number) // so that only its digests are written below
		}
		// Pages below one page of this level write to different parts of it.
		inParallel(len(below), func(i int) { t.hashPage(level, below[i]) })
	}
}

// hashPage computes the parents, at level, of one page of the level below.
func (t *Tree) hashPage(level int, number uint32) {
	children := &t.pages[level-1][number].digests
	const parents = 1 << pageBits / arity
	first := parents * number
	out := t.pages[level][first>>pageBits].digests[first&(1<<pageBits-1):][:parents]
	empty := t.empty[level-1]
	for i := range out {
		four := [arity]fr.Element(children[arity*i:])
		if four == [arity]fr.Element{empty, empty, empty, empty} {
			continue // the page was made of empty subtrees
		}
		out[i] = t.hasher.Node(four)
	}
}

// inParallel calls f for 0..n-1 on all cores.
func inParallel(n int, f func(int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	workers.Wait()
}
