package transition

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
)

// Leaf holds the five fields of an account as field elements.
type Leaf struct {
	Owner   frontend.Variable // x-coordinate; 0 iff the slot is empty
	Token   frontend.Variable // 32 bits
	Nonce   frontend.Variable // 40 bits
	Balance frontend.Variable // 128 bits
	L1      frontend.Variable // 160 bits
}

// AccountSlot is an account that the batch touches: opened once, closed once.
type AccountSlot struct {
	Active   frontend.Variable
	Index    frontend.Variable
	Old, New Leaf
	LastTime frontend.Variable // time of the last access
}

// memoryLeaf holds the bus wires of a leaf.
type memoryLeaf struct{ owner, token, nonce, balance, l1 bus.Expr }

func (k *chips) freeLeaf(l Leaf) memoryLeaf {
	return memoryLeaf{
		owner: k.bus.Free(l.Owner).Expr(), token: k.bus.Free(l.Token).Expr(), nonce: k.bus.Free(l.Nonce).Expr(),
		balance: k.bus.Free(l.Balance).Expr(), l1: k.bus.Free(l.L1).Expr(),
	}
}

// memory is the tuple of the memory channel.
func memory(index, time bus.Expr, l memoryLeaf) bus.Access {
	return bus.Access{Index: index, Time: time, Owner: l.owner, Token: l.token, Nonce: l.nonce, Balance: l.balance, L1: l.l1}
}

// accounts opens each touched account from the old tree into the batch memory
// and closes it from the memory into the new tree. Token and nonce share a
// field of the leaf, so they are unpacked here once, both range-checked, old
// and new: else (token 1, nonce 5) could be read as (token 1 + 2^32, nonce 4).
func (k *chips) accounts(slots []AccountSlot) error {
	active := make([]frontend.Variable, len(slots))
	for i, s := range slots {
		active[i] = s.Active
		flag := k.boolean("account: active is boolean", s.Active)
		index := k.bus.Free(s.Index).Expr()
		if i > 0 {
			// Second defence: the tree chip alone already gives each leaf one entry.
			k.Increasing("account: indices increase", s.Active, slots[i-1].Index, s.Index, settle.IndexBits)
		}
		oldLeaf, err := k.leaf("old", s.Old)
		if err != nil {
			return err
		}
		newLeaf, err := k.leaf("new", s.New)
		if err != nil {
			return err
		}
		k.bus.Tree.Send(flag, bus.Node{Level: bus.Const(0), Position: index, Old: k.bus.Derived(oldLeaf).Expr(), New: k.bus.Derived(newLeaf).Expr()})
		k.bus.Memory.Send(flag, memory(index, bus.Const(0), k.freeLeaf(s.Old)))
		k.bus.Memory.Receive(flag, memory(index, k.bus.Free(s.LastTime).Expr(), k.freeLeaf(s.New)))
	}
	k.Prefix("account: active slots are a prefix", active)
	return nil
}

func (k *chips) leaf(side string, l Leaf) (frontend.Variable, error) {
	k.Width("account: "+side+" token has 32 bits", l.Token, settle.TokenBits)
	k.Width("account: "+side+" nonce has 40 bits", l.Nonce, settle.NonceBits)
	packed := k.api.Add(l.Token, k.api.Mul(l.Nonce, 1<<settle.TokenBits))
	return k.poseidon.Leaf([4]frontend.Variable{l.Owner, packed, l.Balance, l.L1})
}
