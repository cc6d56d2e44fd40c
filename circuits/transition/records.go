package transition

import (
	"math/big"

	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
)

// OpenSlot publishes the owner and l1 of an account that a transfer of kind open
// creates.
type OpenSlot struct {
	Active frontend.Variable
	Owner  frontend.Variable
	L1     frontend.Variable
}

// ExitSlot publishes a payment that is claimable on L1.
type ExitSlot struct {
	Active frontend.Variable
	L1     frontend.Variable
	Token  frontend.Variable
	Amount frontend.Variable // exact
}

// opens receives the opens of the transfers, each under its number in the
// batch, so that D lists all of them once and in order. An l1 that is too wide
// would later carry into the token of an exit record.
func (k *chips) opens(slots []OpenSlot) []wordPair {
	active, words := make([]frontend.Variable, len(slots)), make([]wordPair, 0, 2*len(slots))
	for i, s := range slots {
		active[i] = s.Active
		flag := k.boolean("open: active is boolean", s.Active)
		k.Width("open: l1 has 160 bits", s.L1, settle.AddressBits)
		k.bus.Opens.Receive(flag, bus.Open{Number: bus.Const(int64(i)), Owner: k.bus.Free(s.Owner).Expr(), L1: k.bus.Free(s.L1).Expr()})
		words = append(words, wordPair{s.Active, k.api.Mul(s.Active, s.Owner)}, wordPair{s.Active, k.api.Mul(s.Active, s.L1)})
	}
	k.Prefix("open: active slots are a prefix", active)
	return words
}

// exits receives the exits of the transfers, each under its number in the batch.
func (k *chips) exits(slots []ExitSlot) []wordPair {
	active, words := make([]frontend.Variable, len(slots)), make([]wordPair, 0, 2*len(slots))
	for i, s := range slots {
		active[i] = s.Active
		flag := k.boolean("exit: active is boolean", s.Active)
		k.Width("exit: l1 has 160 bits", s.L1, settle.AddressBits)
		k.Width("exit: token has 32 bits", s.Token, settle.TokenBits)
		k.Width("exit: amount has 128 bits", s.Amount, settle.BalanceBits)
		k.bus.Exits.Receive(flag, bus.Exit{
			Number: bus.Const(int64(i)), L1: k.bus.Free(s.L1).Expr(), Token: k.bus.Free(s.Token).Expr(), Amount: k.bus.Free(s.Amount).Expr(),
		})
		packed := k.api.Add(s.L1, k.api.Mul(s.Token, new(big.Int).Lsh(big.NewInt(1), settle.AddressBits)))
		words = append(words, wordPair{s.Active, k.api.Mul(s.Active, packed)}, wordPair{s.Active, k.api.Mul(s.Active, s.Amount)})
	}
	k.Prefix("exit: active slots are a prefix", active)
	return words
}
