package api

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

const (
	maxTrees     = 3
	buildTimeout = 5 * time.Minute
)

// trees holds state trees after the batches that proofs were asked for last, at
// most maxTrees. The first is built from all accounts; each further one is a
// fork of the nearest, moved by the changes between the two, and shares what
// they have in common. Executed batches never change, so a tree is never stale.
//
// Memory: up to 44 MB per tree and 2^20 accounts. Time: the first tree hashes
// every inner node (a third of the number of accounts), a move at most 16 nodes
// per account changed in between. One tree is built at a time.
type trees struct {
	store  Store
	hasher *poseidon.Hasher
	empty  fr.Element    // digest of an empty leaf
	busy   chan struct{} // held by who builds
	mu     sync.Mutex
	recent []placedTree // last used last
}

type placedTree struct {
	batch settle.BatchNumber
	tree  *state.Tree // not written any more
}

func newTrees(s Store) *trees {
	h := poseidon.New()
	return &trees{store: s, hasher: h, empty: state.Account{}.Leaf(h), busy: make(chan struct{}, 1)}
}

// after returns the tree after a batch. A build goes on when ctx ends, so that
// whoever asks again finds it.
func (t *trees) after(ctx context.Context, p store.Point) (*state.Tree, error) {
	if tree := t.known(p.Batch); tree != nil {
		return tree, nil
	}
	select {
	case t.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type result struct {
		tree *state.Tree
		err  error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-t.busy }()
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), buildTimeout)
		defer cancel()
		tree := t.known(p.Batch)
		var err error
		if tree == nil {
			tree, err = t.build(detached, p)
		}
		done <- result{tree, err}
	}()
	select {
	case r := <-done:
		return r.tree, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t *trees) known(n settle.BatchNumber) *state.Tree {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.recent, func(p placedTree) bool { return p.batch == n })
	if i < 0 {
		return nil
	}
	found := t.recent[i]
	t.recent = append(slices.Delete(t.recent, i, i+1), found)
	return found.tree
}

// nearest returns the tree whose batch is the fewest away, or nil.
func (t *trees) nearest(n settle.BatchNumber) (best placedTree) {
	t.mu.Lock()
	defer t.mu.Unlock()
	distance := func(m settle.BatchNumber) settle.BatchNumber { return max(m, n) - min(m, n) }
	for _, p := range t.recent {
		if best.tree == nil || distance(p.batch) < distance(best.batch) {
			best = p
		}
	}
	return best
}

// build makes the tree after a batch, compares its root with the stored one and
// keeps it. The caller holds busy.
func (t *trees) build(ctx context.Context, p store.Point) (*state.Tree, error) {
	var tree *state.Tree
	var err error
	if base := t.nearest(p.Batch); base.tree != nil {
		tree, err = t.move(ctx, base, p.Batch)
	} else {
		tree, err = t.load(ctx, p.Batch)
	}
	if err != nil {
		return nil, err
	}
	if root := tree.Root(); settle.Element(root.Bytes()) != p.Root {
		return nil, fmt.Errorf("accounts after batch %d have root %s, the batch says %s", p.Batch, settle.Element(root.Bytes()), p.Root)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.recent) == maxTrees {
		t.recent = slices.Delete(t.recent, 0, 1)
	}
	t.recent = append(t.recent, placedTree{p.Batch, tree})
	return tree, nil
}

func (t *trees) load(ctx context.Context, n settle.BatchNumber) (*state.Tree, error) {
	var indices []settle.AccountIndex
	var leaves []fr.Element
	err := t.store.EachAccountAt(ctx, n, func(a store.Account) error {
		leaf, err := digest(a.Leaf)
		indices, leaves = append(indices, a.Index), append(leaves, leaf)
		return err
	})
	if err != nil {
		return nil, err
	}
	return state.BuildTree(t.hasher, indices, leaves), nil
}

func (t *trees) move(ctx context.Context, base placedTree, n settle.BatchNumber) (*state.Tree, error) {
	changes, err := t.store.LeavesBetween(ctx, base.batch, n)
	if err != nil {
		return nil, err
	}
	indices, leaves := make([]settle.AccountIndex, len(changes)), make([]fr.Element, len(changes))
	for i, c := range changes {
		indices[i], leaves[i] = c.Index, t.empty
		if !c.Empty {
			if leaves[i], err = digest(c.Digest); err != nil {
				return nil, err
			}
		}
	}
	tree := base.tree.Fork()
	tree.Update(indices, leaves)
	return tree, nil
}

func digest(e settle.Element) (x fr.Element, err error) {
	if err := x.SetBytesCanonical(e[:]); err != nil {
		return x, fmt.Errorf("stored element %s: %w", e, err)
	}
	return x, nil
}
