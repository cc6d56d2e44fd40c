package state

import (
	"iter"
	"maps"
	"slices"

	"github.com/zksettle/settle"
)

// ledger holds accounts by index. Indices are given out in sequence, so pages of
// neighbours are dense: a map entry per account would take half as much again.
type ledger struct {
	pages map[uint32]*accountPage
}

type accountPage struct {
	accounts [1 << pageBits]Account
	// A bit is set while an account has not been compared with its leaf (Loader).
	unverified [1 << pageBits / 64]uint64
}

func newLedger() ledger { return ledger{pages: map[uint32]*accountPage{}} }

func (l ledger) at(index settle.AccountIndex) Account {
	if p := l.pages[uint32(index)>>pageBits]; p != nil {
		return p.accounts[index&(1<<pageBits-1)]
	}
	return Account{}
}

func (l ledger) page(index settle.AccountIndex) *accountPage {
	p := l.pages[uint32(index)>>pageBits]
	if p == nil {
		p = new(accountPage)
		l.pages[uint32(index)>>pageBits] = p
	}
	return p
}

func (l ledger) set(index settle.AccountIndex, a Account) {
	l.page(index).accounts[index&(1<<pageBits-1)] = a
}

// setUnverified is set for an account whose leaf was believed.
func (l ledger) setUnverified(index settle.AccountIndex, a Account) {
	l.set(index, a)
	word, bit := unverifiedBit(index)
	l.page(index).unverified[word] |= bit
}

func (l ledger) isUnverified(index settle.AccountIndex) bool {
	p := l.pages[uint32(index)>>pageBits]
	word, bit := unverifiedBit(index)
	return p != nil && p.unverified[word]&bit != 0
}

func (l ledger) setVerified(index settle.AccountIndex) {
	word, bit := unverifiedBit(index)
	l.page(index).unverified[word] &^= bit
}

func unverifiedBit(index settle.AccountIndex) (word int, bit uint64) {
	slot := index & (1<<pageBits - 1)
	return int(slot / 64), 1 << (slot % 64)
}

// all yields the accounts that are not empty, by index.
func (l ledger) all() iter.Seq2[settle.AccountIndex, Account] {
	return func(yield func(settle.AccountIndex, Account) bool) {
		for _, number := range slices.Sorted(maps.Keys(l.pages)) {
			for slot, a := range l.pages[number].accounts {
				if !a.IsEmpty() && !yield(settle.AccountIndex(number<<pageBits|uint32(slot)), a) {
					return
				}
			}
		}
	}
}
