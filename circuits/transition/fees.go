package transition

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
)

// FeeSlot names the one account that takes the fees of a token in this batch.
type FeeSlot struct {
	Active frontend.Variable
	Token  frontend.Variable
	Index  frontend.Variable
	Uses   frontend.Variable // number of transfers that pay into it
}

// fees sends each (token, fee account) pair as often as transfers use it. With
// strictly increasing tokens there is one account per token, so D names where
// every fee went.
func (k *chips) fees(slots []FeeSlot) []wordPair {
	api := k.api
	active, words := make([]frontend.Variable, len(slots)), make([]wordPair, len(slots))
	for i, s := range slots {
		active[i] = s.Active
		k.boolean("fee: active is boolean", s.Active)
		k.Width("fee: token has 32 bits", s.Token, settle.TokenBits)
		k.Width("fee: index has 32 bits", s.Index, settle.IndexBits)
		if i > 0 {
			k.Increasing("fee: tokens increase", s.Active, slots[i-1].Token, s.Token, settle.TokenBits)
		}
		k.Zero("fee: an inactive slot is not used", api.Mul(api.Sub(1, s.Active), s.Uses))
		k.NonZero("fee: a listed account is used", s.Active, s.Uses)
		k.bus.Fee.List(bus.Times(k.bus.Free(s.Uses)), bus.FeeAccount{Token: k.bus.Free(s.Token).Expr(), Index: k.bus.Free(s.Index).Expr()})
		packed := api.Add(s.Token, api.Mul(s.Index, 1<<settle.TokenBits))
		words[i] = wordPair{active: s.Active, word: api.Mul(s.Active, packed)}
	}
	k.Prefix("fee: active slots are a prefix", active)
	return words
}
