package transition

import (
	"testing"

	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// widthAttacks execute other amounts than the message that was signed says, or
// trade bits between packed fields.
func widthAttacks() []attack {
	rich := func(f *forger) {
		f.setLeaf(3, func(l *leafValues) { l.balance = power(60) })
	}
	carried := "an index with 33 bits is no leaf of the tree, so the memory channel does not balance"
	return []attack{
		{name: "mantissa 2^35 read for exponent 1", rules: []string{"transfer: amount mantissa fits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, x *claim) { rich(f); x.amount, x.amountValue = small(1<<35), 1<<35 }).seal()
			}},
		{name: "fee mantissa 2^11 read for exponent 1", rules: []string{"transfer: fee mantissa fits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(_ *forger, x *claim) { x.feeAmount, x.feePay = small(1<<11), 1<<11 }).seal()
			}},
		{name: "an exponent bit of 2 read for the next bit", rules: []string{"transfer: amount exponent is bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(_ *forger, x *claim) { x.amount, x.amountValue = small(7), 7*19; x.amount.Exponent[0] = 2 }).seal()
			}},
		{name: "a fee exponent bit of 2 read for the next bit", rules: []string{"transfer: fee exponent is bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(_ *forger, x *claim) { x.feeAmount, x.feePay = small(7), 7*19; x.feeAmount.Exponent[0] = 2 }).seal()
			}},
		{name: "from carries into to", rules: []string{"transfer: from has 32 bits"}, implied: carried,
			forge: func(t *testing.T) *Circuit {
				return then(one(t, plain), func(c *Circuit) {
					s := &c.Transfers[0]
					s.From, s.To = weigh(s.From, 0, 1, 32), weigh(s.To, 0, -1, 0)
				})
			}},
		{name: "to carries into token", rules: []string{"transfer: to has 32 bits"}, implied: carried,
			forge: func(t *testing.T) *Circuit {
				return then(one(t, plain), func(c *Circuit) {
					s := &c.Transfers[0]
					s.To, s.Token = weigh(s.To, 0, 1, 32), weigh(s.Token, 0, -1, 0)
				})
			}},
		{name: "token carries into amount", rules: []string{"transfer: token has 32 bits"},
			implied: "the token is that of an account, where it has 32 bits",
			forge: func(t *testing.T) *Circuit {
				return then(one(t, plain), func(c *Circuit) {
					s := &c.Transfers[0]
					s.Token, s.Amount.Mantissa = weigh(s.Token, 0, 1, 32), weigh(s.Amount.Mantissa, 0, -1, 0)
				})
			}},
		{name: "nonce carries into validUntil", rules: []string{"transfer: nonce has 40 bits"},
			implied: "nonces only rise, and the account's last one has 40 bits",
			forge: func(t *testing.T) *Circuit {
				f := one(t, func(f *forger, x *claim) {
					x.signed = func(tx *state.Transaction) { tx.ValidUntil = settle.BatchNumber(f.number) }
				})
				return then(f, func(c *Circuit) {
					s := &c.Transfers[0]
					s.Nonce, s.ValidUntil = weigh(s.Nonce, 0, 1, settle.NonceBits), weigh(s.ValidUntil, 0, -1, 0)
				})
			}},
		{name: "any amount, made up for by a validUntil that wraps the field",
			rules: []string{"transfer: validUntil has 32 bits", "transfer: not expired"},
			forge: func(t *testing.T) *Circuit {
				// Signed: amount 10. Executed: amount 999.
				return one(t, func(_ *forger, x *claim) {
					x.amountValue = 999
					x.signed = func(tx *state.Transaction) { tx.Amount = 10 }
					x.edit = func(s *TransferSlot) {
						wrap := weigh(10-999, 100)
						unit := power(196)
						s.ValidUntil = *wrap.Div(&wrap, &unit)
					}
				}).seal()
			}},
	}
}

func dataAttacks() []attack {
	bump := func(field func(c *Circuit) *frontend.Variable) func(t *testing.T) *Circuit {
		return func(t *testing.T) *Circuit {
			c := one(t, plain).seal()
			v := field(c)
			*v = weigh(*v, 0, 1, 0)
			return c
		}
	}
	return []attack{
		{name: "c commits to other data", rules: []string{"data: c is the commitment"},
			forge: bump(func(c *Circuit) *frontend.Variable { return &c.C })},
		{name: "v evaluates other data", rules: []string{"data: v is the evaluation"},
			forge: bump(func(c *Circuit) *frontend.Variable { return &c.V })},
		{name: "a batch number of 33 bits", rules: []string{"number: 32 bits"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				f.number += 1 << 32
				return f.seal()
			}},
	}
}
