package transition

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

func newOwner() fr.Element { return fr.NewElement(4242) }

// opening is the forger after an open of slot 11 by account 3, edited by x.
func opening(t *testing.T, edit func(f *forger, x *claim)) *forger {
	return one(t, func(f *forger, x *claim) {
		x.kind, x.to, x.newOwner, x.newL1 = settle.KindOpen, 11, newOwner(), fr.NewElement(77)
		edit(f, x)
	})
}

// exiting is the forger after an exit of 10 from account 3, edited by x.
func exiting(t *testing.T, edit func(f *forger, x *claim)) *forger {
	return one(t, func(f *forger, x *claim) {
		x.kind, x.to = settle.KindExit, 0
		edit(f, x)
	})
}

func openAttacks() []attack {
	negated := func(e fr.Element) fr.Element { return *e.Neg(&e) }
	return []attack{
		{name: "an existing account is opened again", implied: "an open reads the empty leaf, and the memory has another",
			forge: func(t *testing.T) *Circuit {
				return opening(t, func(_ *forger, x *claim) { x.to = 5 }).seal()
			}},
		{name: "an account is opened for owner 0", rules: []string{"transfer: receiver exists"},
			forge: func(t *testing.T) *Circuit {
				return opening(t, func(_ *forger, x *claim) { x.newOwner = fr.Element{} }).seal()
			}},
		{name: "a slot with a balance is opened", rules: []string{"open: the slot's balance is 0"},
			forge: func(t *testing.T) *Circuit {
				return opening(t, func(f *forger, _ *claim) {
					f.setLeaf(11, func(l *leafValues) { l.balance = fr.NewElement(500) })
				}).seal()
			}},
		{name: "a slot with a nonce is opened", rules: []string{"open: the slot's nonce is 0"},
			forge: func(t *testing.T) *Circuit {
				return opening(t, func(f *forger, _ *claim) {
					f.setLeaf(11, func(l *leafValues) { l.nonce = fr.NewElement(5) })
				}).seal()
			}},
		{name: "an l1 of 161 bits", rules: []string{"open: l1 has 160 bits"},
			forge: func(t *testing.T) *Circuit {
				return opening(t, func(_ *forger, x *claim) {
					x.newL1 = power(160)
					x.message = func(m *schnorr.Message) { m.ToL1 = power(160) }
				}).seal()
			}},
		{name: "opens published in another order", rules: []string{"transfer: opens are counted"},
			forge: func(t *testing.T) *Circuit {
				f := opening(t, func(f *forger, _ *claim) { f.fees(feeSlot(0, 0, 2)) })
				f.transfer(1, claim{kind: settle.KindOpen, from: 4, to: 12, fee: 0, amountValue: 10, feePay: 1, newOwner: fr.NewElement(4343), newL1: fr.NewElement(78)})
				return then(f, func(c *Circuit) {
					c.Opens[0], c.Opens[1] = c.Opens[1], c.Opens[0]
					c.Transfers[0].OpensBefore, c.Transfers[1].OpensBefore = 1, 0
				})
			}},
		{name: "a gap between opens", rules: []string{"open: active slots are a prefix"},
			implied: "the transfers number their opens from 0 without gaps",
			forge: func(t *testing.T) *Circuit {
				return then(opening(t, func(*forger, *claim) {}), func(c *Circuit) { c.Opens[0], c.Opens[1] = c.Opens[1], c.Opens[0] })
			}},
		{name: "an open that D does not list", implied: "nobody receives it",
			forge: func(t *testing.T) *Circuit {
				return then(opening(t, func(*forger, *claim) {}), func(c *Circuit) { c.Opens[0].Active = 0 })
			}},
		{name: "an open listed twice by flags of 2", rules: []string{"open: active is boolean", "transfer: kinds are boolean"},
			forge: func(t *testing.T) *Circuit {
				// Kinds -1 and 2 sum to one active slot of kind 3. It reads the leaf
				// (-owner, -l1) of account 0 and makes it the signed pair.
				f := newForger(t, 10, 1)
				f.setLeaf(0, func(l *leafValues) { *l = leafValues{owner: negated(newOwner()), l1: negated(fr.NewElement(77))} })
				f.transfer(0, claim{kind: settle.KindOpen, from: 3, to: 0, fee: 6, amountValue: 10, feePay: 1, newOwner: newOwner(), newL1: fr.NewElement(77),
					signed: func(tx *state.Transaction) { tx.Kind = settle.KindExit },
					edit: func(s *TransferSlot) {
						s.Kind = KindFlags{Transfer: negated(fr.One()), Open: 2, Exit: 0, ExitAll: 0}
					}})
				f.fees(feeSlot(0, 6, 1))
				f.opens = 2
				return then(f, func(c *Circuit) { c.Opens[0].Active = 2 })
			}},
	}
}

func exitAttacks() []attack {
	return []attack{
		{name: "an exit with a receiver's index", rules: []string{"exit: to is 0"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(_ *forger, x *claim) {
					x.to = 7
					x.signed = func(tx *state.Transaction) { tx.To = 7 }
				}).seal()
			}},
		{name: "an exit that signs an owner", rules: []string{"exit: toOwner is 0"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(_ *forger, x *claim) {
					x.signed = func(tx *state.Transaction) { tx.ToOwner = newOwner() }
					x.edit = func(s *TransferSlot) { s.ToOwner = newOwner() }
				}).seal()
			}},
		{name: "an exit signed for another address", rules: []string{"exit: to the account's own l1"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(_ *forger, x *claim) {
					x.signed = func(tx *state.Transaction) { tx.ToL1 = settle.Address{19: 99} }
					x.edit = func(s *TransferSlot) { s.ToL1 = 99 }
				}).seal()
			}},
		{name: "an exit of nothing", rules: []string{"exit: pays something"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(_ *forger, x *claim) { x.amountValue = 0 }).seal()
			}},
		{name: "exit-all of a balance that is the fee", rules: []string{"exit: pays something"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(f *forger, x *claim) {
					x.kind, x.amountValue = settle.KindExitAll, 0
					f.setLeaf(3, func(l *leafValues) { l.balance = fr.One() })
				}).seal()
			}},
		{name: "exit-all with a zero that is not 0", rules: []string{"exit-all: signs amount 0"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(_ *forger, x *claim) {
					x.kind, x.amountValue = settle.KindExitAll, 1_000_000-1
					x.signed = func(tx *state.Transaction) { tx.Amount = 31 << state.AmountMantissaBits }
					x.edit = func(s *TransferSlot) { s.Amount = assignFloat(31<<state.AmountMantissaBits, state.AmountMantissaBits) }
				}).seal()
			}},
		{name: "exit-all below the fee pays a negative amount", rules: []string{"exit: amount has 128 bits"},
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 1)
				f.setLeaf(3, func(l *leafValues) { l.balance = fr.NewElement(1) })
				f.transfer(0, claim{kind: settle.KindExitAll, from: 3, fee: 0, amountValue: 0, feePay: 3})
				f.fees(feeSlot(0, 0, 1))
				// The balance less the fee is -2; nothing stays.
				f.cells[3].now.balance = fr.Element{}
				minusTwo := fr.NewElement(2)
				f.c.Exits[0].Amount = *minusTwo.Neg(&minusTwo)
				return f.seal()
			}},
		{name: "an l1 too wide carries into the token", rules: []string{"exit: l1 has 160 bits"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(f *forger, x *claim) {
					f.setLeaf(3, func(l *leafValues) { l.l1 = power(160) })
					x.message = func(m *schnorr.Message) { m.ToL1 = power(160) }
				}).seal()
			}},
		{name: "a token too wide", rules: []string{"exit: token has 32 bits"}, implied: "the token is the transfer's, which has 32 bits",
			forge: func(t *testing.T) *Circuit {
				return then(exiting(t, func(*forger, *claim) {}), func(c *Circuit) { c.Exits[0].Token = power(32) })
			}},
		{name: "an exit of another amount", implied: "the exits channel does not balance",
			forge: func(t *testing.T) *Circuit {
				return then(exiting(t, func(*forger, *claim) {}), func(c *Circuit) { c.Exits[0].Amount = 11 })
			}},
		{name: "exits published in another order", rules: []string{"transfer: exits are counted"},
			forge: func(t *testing.T) *Circuit {
				f := exiting(t, func(f *forger, _ *claim) { f.fees(feeSlot(0, 0, 2)) })
				f.transfer(1, claim{kind: settle.KindExit, from: 4, fee: 0, amountValue: 20, feePay: 1})
				return then(f, func(c *Circuit) {
					c.Exits[0], c.Exits[1] = c.Exits[1], c.Exits[0]
					c.Transfers[0].ExitsBefore, c.Transfers[1].ExitsBefore = 1, 0
				})
			}},
		{name: "a gap between exits", rules: []string{"exit: active slots are a prefix"},
			implied: "the transfers number their exits from 0 without gaps",
			forge: func(t *testing.T) *Circuit {
				return then(exiting(t, func(*forger, *claim) {}), func(c *Circuit) { c.Exits[0], c.Exits[1] = c.Exits[1], c.Exits[0] })
			}},
		{name: "exit and exit-all at once pay twice", rules: []string{
			"transfer: at most one kind", "exit: active is boolean",
			"account: active is boolean", "tree: touched is boolean", "tree: an untouched child stays",
		},
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 1)
				f.transfer(0, claim{kind: settle.KindExitAll, from: 0, fee: 0, amountValue: 1_000_000 - 1, feePay: 1,
					signed: func(tx *state.Transaction) { tx.Kind = 7 },
					edit:   func(s *TransferSlot) { s.Kind.Exit = 1 }})
				f.fees(feeSlot(0, 0, 2))
				f.exits = 2
				return then(f, func(c *Circuit) { c.Exits[0].Active = 2; double(c, 0) })
			}},
	}
}
