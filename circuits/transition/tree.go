package transition

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
)

// NodeSlot is one touched node of the multiproof, hashed before and after.
type NodeSlot struct {
	Active   frontend.Variable
	Level    frontend.Variable // 1..16
	Position frontend.Variable
	Old, New [settle.TreeArity]frontend.Variable // digests of the children
	Touched  [settle.TreeArity]frontend.Variable // which children have an entry of their own
}

// tree authenticates every touched node by its parent, down from the one root.
// Sound by induction: a node's tuple is received by exactly one parent entry,
// level by level, because levels lie in 1..16 and only the root is received
// without a parent.
func (k *chips) tree(slots []NodeSlot, oldRoot, newRoot frontend.Variable) error {
	const levelBits = 4
	api := k.api
	for _, s := range slots {
		active := k.boolean("tree: active is boolean", s.Active)
		level, position := k.bus.Free(s.Level).Expr(), k.bus.Free(s.Position).Expr()
		k.Width("tree: level in 1..16", api.Sub(s.Level, 1), levelBits)
		touched := frontend.Variable(0)
		for i := range settle.TreeArity {
			flag := k.boolean("tree: touched is boolean", s.Touched[i])
			touched = api.Add(touched, s.Touched[i])
			before, after := k.bus.Free(s.Old[i]).Expr(), k.bus.Free(s.New[i]).Expr()
			k.Zero("tree: an untouched child stays", api.Mul(api.Sub(1, s.Touched[i]), api.Sub(s.Old[i], s.New[i])))
			k.bus.Tree.Receive(flag, bus.Node{
				Level: level.Add(bus.Const(-1)), Position: position.Scale(settle.TreeArity).Add(bus.Const(int64(i))), Old: before, New: after,
			})
		}
		// An inactive entry that still receives would be a second root.
		k.Zero("tree: an inactive entry receives nothing", api.Mul(api.Sub(1, s.Active), touched))

		oldNode, err := k.poseidon.Node(s.Old)
		if err != nil {
			return err
		}
		newNode, err := k.poseidon.Node(s.New)
		if err != nil {
			return err
		}
		k.bus.Tree.Send(active, bus.Node{Level: level, Position: position, Old: k.bus.Derived(oldNode).Expr(), New: k.bus.Derived(newNode).Expr()})
	}
	k.bus.Tree.Receive(bus.One(), bus.Node{
		Level: bus.Const(settle.TreeLevels), Position: bus.Const(0), Old: k.bus.Free(oldRoot).Expr(), New: k.bus.Free(newRoot).Expr(),
	})
	return nil
}
