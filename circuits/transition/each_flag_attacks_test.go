package transition

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// eachFlagAttacks need one flag of several that is no flag, whichever it is.
func eachFlagAttacks() []attack {
	all := []attack{
		{name: "kind -1 makes an open of an exit", rules: []string{"transfer: kinds are boolean"},
			forge: func(t *testing.T) *Circuit {
				// Kinds -1, 2 and 3 are an exit that is published as exit-all of an amount, with
				// an open that nobody executes and that has no owner.
				f := exiting(t, func(_ *forger, x *claim) {
					x.signed = func(tx *state.Transaction) { tx.Kind = settle.KindExitAll }
					x.edit = func(s *TransferSlot) { s.Kind = KindFlags{Transfer: minus(1), Open: 1, Exit: 1, ExitAll: 0} }
				})
				f.opens = 1
				return then(f, func(c *Circuit) { c.Opens[0] = OpenSlot{Active: 1, Owner: 0, L1: c.Transfers[0].ToL1} })
			}},
		{name: "kind -3 burns the balance of an exit", rules: []string{"transfer: kinds are boolean"},
			forge: func(t *testing.T) *Circuit {
				// Kinds 1, -3 and 4 take all that the sender has, and pay it to nobody.
				f := one(t, func(_ *forger, x *claim) {
					x.amountValue = 0
					x.signed = func(tx *state.Transaction) { tx.Kind = settle.KindOpen }
					x.edit = func(s *TransferSlot) { s.Kind = KindFlags{Transfer: 1, Open: 0, Exit: minus(1), ExitAll: 1} }
				})
				f.cells[3].now.balance = fr.Element{}
				return f.seal()
			}},
	}
	// Child 1 is tried among the tree's. Below node 1 only the receiver is touched.
	for _, child := range []settle.AccountIndex{0, 2, 3} {
		all = append(all, attack{name: fmt.Sprintf("an untouched child %d is replaced", child), rules: []string{"tree: an untouched child stays"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, func(_ *forger, x *claim) { x.to = 5 })
				rich := f.state.Account(4 + child)
				rich.Balance = settle.Amount{Hi: 1}
				return then(f, func(c *Circuit) { f.replaceUntouched(c, uint64(4+child), rich.Leaf(f.hasher)) })
			}})
	}
	for child := range settle.AccountIndex(3) {
		all = append(all, attack{name: fmt.Sprintf("a second root mints its child %d", child), rules: []string{"tree: an inactive entry receives nothing"},
			forge: func(t *testing.T) *Circuit { return secondRoot(t, child, (child+1)%3) }})
	}
	for _, x := range []struct{ child, back, fee settle.AccountIndex }{{3, 0, 1}, {3, 1, 0}, {2, 3, 0}} {
		all = append(all, attack{name: fmt.Sprintf("a second root pays back by its child %d", x.back), rules: []string{"tree: touched is boolean"},
			forge: func(t *testing.T) *Circuit { return paidBack(t, x.child, x.back, x.fee) }})
	}
	// Bit 0 is tried among the widths. The bit after the last is in the field that m has next.
	for bit := 1; bit < state.ExponentBits; bit++ {
		scale := uint64(1)
		for range 1 << bit {
			scale *= 10
		}
		value, last := 7*(2*scale-1), bit == state.ExponentBits-1
		all = append(all, attack{name: fmt.Sprintf("exponent bit %d of an amount is 2", bit), rules: []string{"transfer: amount exponent is bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, x *claim) {
					f.setLeaf(3, func(l *leafValues) { l.balance = power(100) })
					x.amount, x.amountValue = small(7), value
					x.amount.Exponent[bit] = 2
					if last {
						x.signed = func(tx *state.Transaction) { tx.Amount, tx.Fee = 7, tx.Fee+1 }
					}
				}).seal()
			}}, attack{name: fmt.Sprintf("exponent bit %d of a fee is 2", bit), rules: []string{"transfer: fee exponent is bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, x *claim) {
					f.setLeaf(3, func(l *leafValues) { l.balance = power(100) })
					x.feeAmount, x.feePay = small(7), value
					x.feeAmount.Exponent[bit] = 2
					if last {
						x.signed = func(tx *state.Transaction) { tx.Fee, tx.Nonce = 7, tx.Nonce+1 }
					}
				}).seal()
			}})
	}
	return all
}

// eachKindAttacks try rules of all kinds where no other attack tries them.
func eachKindAttacks() []attack {
	gap := func(x claim) func(t *testing.T) *Circuit {
		return func(t *testing.T) *Circuit {
			f := newForger(t, 10, 1)
			x.from, x.fee, x.feePay, x.newOwner, x.newL1 = 3, 0, 1, newOwner(), fr.NewElement(77)
			f.transfer(1, x)
			f.fees(feeSlot(0, 0, 1))
			return then(f, func(c *Circuit) { c.Transfers[0].OpensBefore, c.Transfers[0].ExitsBefore = 0, 0 })
		}
	}
	return []attack{
		{name: "a gap before an open", rules: []string{"transfer: active slots are a prefix"},
			forge: gap(claim{kind: settle.KindOpen, to: 11, amountValue: 10})},
		{name: "a gap before an exit", rules: []string{"transfer: active slots are a prefix"},
			forge: gap(claim{kind: settle.KindExit, amountValue: 10})},
		{name: "a gap before exit-all", rules: []string{"transfer: active slots are a prefix"},
			forge: gap(claim{kind: settle.KindExitAll, amountValue: 1_000_000 - 1})},
		{name: "an empty slot takes the fee of an open", rules: []string{"transfer: fee account exists"},
			forge: func(t *testing.T) *Circuit {
				return opening(t, func(f *forger, x *claim) { x.fee = 13; f.fees(feeSlot(0, 13, 1)) }).seal()
			}},
		{name: "an empty slot takes the fee of exit-all", rules: []string{"transfer: fee account exists"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(f *forger, x *claim) {
					x.kind, x.amountValue = settle.KindExitAll, 1_000_000-1
					x.fee = 13
					f.fees(feeSlot(0, 13, 1))
				}).seal()
			}},
	}
}

func minus(v uint64) fr.Element {
	e := fr.NewElement(v)
	return *e.Neg(&e)
}
