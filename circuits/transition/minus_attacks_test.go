package transition

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
)

// minusAttacks pay 0 to account 20, which the tree does not have: what opens it is
// taken back by a flag of -1. It ends as it began, so that no money is made, but Apply
// refuses the batch.
func minusAttacks() []attack {
	minusOne := fr.One()
	minusOne.Neg(&minusOne)
	paying := func(t *testing.T) (*forger, Leaf, fr.Element) {
		f := newForger(t, 10, 1)
		l := leafValues{owner: newOwner(), balance: fr.NewElement(5)}
		f.cells[20] = &cell{opened: l, now: l}
		f.fees(feeSlot(0, 0, 1))
		f.transfer(0, claim{from: 3, to: 20, fee: 0, amountValue: 0, feePay: 1})
		delete(f.cells, 20) // the true tree never sees it
		return f, l.assign(), l.digest(f.hasher)
	}
	return []attack{
		{name: "an account opened once and minus once", rules: []string{"account: active is boolean"},
			forge: func(t *testing.T) *Circuit {
				f, l, _ := paying(t)
				return then(f, func(c *Circuit) {
					c.Accounts[2] = AccountSlot{Active: 1, Index: 20, Old: l, New: l, LastTime: f.shape.accessTime(0, 2)}
					c.Accounts[3] = AccountSlot{Active: minusOne, Index: 20, Old: l, New: l, LastTime: 0}
				})
			}},
		{name: "a node of the tree once and minus once", rules: []string{"tree: active is boolean"},
			forge: func(t *testing.T) *Circuit {
				f, l, digest := paying(t)
				return then(f, func(c *Circuit) {
					c.Accounts[2] = AccountSlot{Active: 1, Index: 20, Old: l, New: l, LastTime: f.shape.accessTime(0, 2)}
					spare := c.Nodes[len(c.Nodes)-2:]
					for i := range spare {
						spare[i].Level, spare[i].Position = 1, 20/settle.TreeArity
						spare[i].Old[0], spare[i].New[0] = digest, digest
					}
					spare[0].Active, spare[0].Touched[0] = 1, 1
					spare[1].Active = minusOne
				})
			}},
	}
}
