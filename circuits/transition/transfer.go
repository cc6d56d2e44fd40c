package transition

import (
	"math/big"

	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/circuits/rules"
	"github.com/zksettle/settle/state"
)

// TransferSlot is one L2 transaction. Fields that two accounts must share are
// one wire: a receiver's owner and l1 are the signed ToOwner and ToL1, the token
// of all three accounts is the signed Token.
type TransferSlot struct {
	Kind       KindFlags
	From, To   frontend.Variable // To is the receiver's index, also that of an open; 0 for exits
	Token      frontend.Variable
	Amount     Float
	Fee        Float
	Nonce      frontend.Variable
	ValidUntil frontend.Variable // 0 for no limit
	ToOwner    frontend.Variable
	ToL1       frontend.Variable

	Signature gadget.SignatureWires // holds the sender's owner as the public key

	Sender   SenderAccess
	Receiver ReceiverAccess
	FeeTaker FeeAccess

	OpensBefore frontend.Variable // opens in the slots before this one
	ExitsBefore frontend.Variable // exits of both kinds in the slots before this one
}

// KindFlags is the kind of a transaction, one-hot; all are 0 in an unused slot.
type KindFlags struct{ Transfer, Open, Exit, ExitAll frontend.Variable }

// Float is an amount as signed: mantissa and the bits of the decimal exponent.
type Float struct {
	Mantissa frontend.Variable
	Exponent [state.ExponentBits]frontend.Variable
}

// SenderAccess holds what is read of the sender beyond the signed fields.
type SenderAccess struct{ PreviousTime, Balance, L1 frontend.Variable }

// ReceiverAccess holds what is read of the receiver beyond the signed fields.
type ReceiverAccess struct{ PreviousTime, Nonce, Balance frontend.Variable }

// FeeAccess holds what is read of the fee account beyond the token.
type FeeAccess struct{ Index, PreviousTime, Owner, Nonce, Balance, L1 frontend.Variable }

// slotFlags are the flags of a slot: active is the sum of the kinds, receives
// says that there is a receiver's access, exits that the slot pays out on L1.
// All follow from the committed kinds.
type slotFlags struct {
	KindFlags
	active, receives, exits frontend.Variable
	number                  frontend.Variable // the kind as a number

	// The same, as flags of tuples.
	tuples struct{ active, receives, opens, exits rules.Bool }
}

func (k *chips) kinds(f KindFlags) slotFlags {
	api := k.api
	transfer := k.boolean("transfer: kinds are boolean", f.Transfer).Bool
	open := k.boolean("transfer: kinds are boolean", f.Open).Bool
	exit := k.boolean("transfer: kinds are boolean", f.Exit).Bool
	exitAll := k.boolean("transfer: kinds are boolean", f.ExitAll).Bool
	out := slotFlags{KindFlags: f, receives: api.Add(f.Transfer, f.Open), exits: api.Add(f.Exit, f.ExitAll)}
	out.active = api.Add(out.receives, out.exits)
	out.number = api.Add(f.Transfer, api.Mul(f.Open, int(settle.KindOpen)), api.Mul(f.Exit, int(settle.KindExit)), api.Mul(f.ExitAll, int(settle.KindExitAll)))
	kinds := k.OneHot("transfer: at most one kind", transfer, open, exit, exitAll)
	out.tuples.active = kinds.Any(transfer, open, exit, exitAll)
	out.tuples.receives = kinds.Any(transfer, open)
	out.tuples.opens = open
	out.tuples.exits = kinds.Any(exit, exitAll)
	return out
}

// transfers executes each slot against the batch memory and returns its record.
func (k *chips) transfers(slots []TransferSlot, header Header, shape Shape, signatures *gadget.SignatureVerifier) ([]wordPair, error) {
	active, records := make([]frontend.Variable, len(slots)), make([]wordPair, len(slots))
	opens, exits := frontend.Variable(0), frontend.Variable(0)
	for i := range slots {
		s := &slots[i]
		f := k.kinds(s.Kind)
		active[i] = f.active
		amount, fee := k.float("amount", s.Amount, state.AmountMantissaBits), k.float("fee", s.Fee, state.FeeMantissaBits)
		k.checkWidths(s)
		k.checkExpiry(s, header.Number)
		k.checkExit(s, f, amount)
		k.access(s, f, amount.value, fee.value, shape, i)
		k.Zero("transfer: opens are counted", k.api.Sub(s.OpensBefore, opens))
		k.Zero("transfer: exits are counted", k.api.Sub(s.ExitsBefore, exits))
		opens, exits = k.api.Add(s.OpensBefore, f.Open), k.api.Add(s.ExitsBefore, f.exits)
		message := gadget.SignedMessage{
			M: k.packMessage(s, f, amount, fee), Domain: header.Domain, ToOwner: s.ToOwner, ToL1: s.ToL1,
		}
		if err := signatures.Verify(s.Signature, message); err != nil {
			return nil, err
		}
		records[i] = wordPair{active: f.active, word: k.api.Mul(f.active, k.packRecord(s, f, amount, fee))}
	}
	k.Prefix("transfer: active slots are a prefix", active)
	return records, nil
}

// checkExit enforces what an exit signs: no receiver, the account's own l1, and
// for exit-all no amount.
func (k *chips) checkExit(s *TransferSlot, f slotFlags, amount decodedFloat) {
	api := k.api
	k.Zero("exit: to is 0", api.Mul(f.exits, s.To))
	k.Zero("exit: toOwner is 0", api.Mul(f.exits, s.ToOwner))
	k.Zero("exit: to the account's own l1", api.Mul(f.exits, api.Sub(s.ToL1, s.Sender.L1)))
	k.Zero("exit-all: signs amount 0", api.Mul(f.ExitAll, amount.packed))
}

// decodedFloat is a float's value and its packed encoding.
type decodedFloat struct{ value, packed frontend.Variable }

// float checks the widths of mantissa and exponent apart, as 35 + 5 bits packed
// tightly would let them trade bits. The value stays below 2^139: no wrap.
func (k *chips) float(name string, f Float, mantissaBits int) decodedFloat {
	api := k.api
	k.Width("transfer: "+name+" mantissa fits", f.Mantissa, mantissaBits)
	k.bus.Commit(f.Mantissa)
	value, packed := f.Mantissa, f.Mantissa
	for i, bit := range f.Exponent {
		k.boolean("transfer: "+name+" exponent is bits", bit)
		factor := new(big.Int).Exp(big.NewInt(10), big.NewInt(1<<i), nil)
		value = api.Mul(value, api.Add(1, api.Mul(bit, factor.Sub(factor, big.NewInt(1)))))
		packed = api.Add(packed, api.Mul(bit, 1<<(mantissaBits+i)))
	}
	return decodedFloat{value, packed}
}

func (k *chips) checkWidths(s *TransferSlot) {
	k.Width("transfer: from has 32 bits", s.From, settle.IndexBits)
	k.Width("transfer: to has 32 bits", s.To, settle.IndexBits)
	k.Width("transfer: token has 32 bits", s.Token, settle.TokenBits)
	k.Width("transfer: nonce has 40 bits", s.Nonce, settle.NonceBits)
	k.Width("transfer: validUntil has 32 bits", s.ValidUntil, settle.BatchBits)
}

// checkExpiry enforces validUntil = 0 or number ≤ validUntil; both have 32 bits.
func (k *chips) checkExpiry(s *TransferSlot, number frontend.Variable) {
	limited := k.api.Sub(1, k.api.IsZero(s.ValidUntil))
	k.Width("transfer: not expired", k.api.Mul(limited, k.api.Sub(s.ValidUntil, number)), settle.BatchBits)
}

// access makes the slot's three accesses to the batch memory, one after
// another: debit sender, credit receiver, credit fee account. Each reads the
// latest write, so any of the three may be the same account. An exit has no
// receiver; what it pays is received by the exits chip.
func (k *chips) access(s *TransferSlot, f slotFlags, amount, fee frontend.Variable, shape Shape, slot int) {
	b, api := k.bus, k.api
	free := func(v frontend.Variable) bus.Expr { return b.Free(v).Expr() }
	derived := func(v frontend.Variable) bus.Expr { return b.Derived(v).Expr() }
	active := b.DerivedFlag(f.tuples.active)
	token, toOwner, toL1 := free(s.Token), free(s.ToOwner), free(s.ToL1)

	// exit-all pays the balance less the fee; its signed amount is 0.
	paid := api.Add(amount, api.Mul(f.ExitAll, api.Sub(s.Sender.Balance, fee)))
	sender := memoryLeaf{
		owner: free(s.Signature.PublicKey), token: token, nonce: free(s.Nonce),
		balance: free(s.Sender.Balance), l1: free(s.Sender.L1),
	}
	debited := sender
	debited.nonce = sender.nonce.Add(bus.Const(1))
	debited.balance = k.balance("sender", api.Sub(s.Sender.Balance, paid, fee))
	k.readWrite(active, free(s.From), s.Sender.PreviousTime, shape, slot, 1, sender, debited)

	k.receive(s, f, free(s.To), token, toOwner, toL1, amount, shape, slot)

	k.NonZero("transfer: fee account exists", f.active, s.FeeTaker.Owner)
	taker := memoryLeaf{
		owner: free(s.FeeTaker.Owner), token: token, nonce: free(s.FeeTaker.Nonce),
		balance: free(s.FeeTaker.Balance), l1: free(s.FeeTaker.L1),
	}
	credited := taker
	credited.balance = k.balance("fee account", api.Add(s.FeeTaker.Balance, fee))
	feeIndex := free(s.FeeTaker.Index)
	k.readWrite(active, feeIndex, s.FeeTaker.PreviousTime, shape, slot, 3, taker, credited)
	b.Fee.Lookup(active, bus.FeeAccount{Token: token, Index: feeIndex})

	k.NonZero("exit: pays something", f.exits, paid)
	b.Opens.Send(b.DerivedFlag(f.tuples.opens), bus.Open{Number: free(s.OpensBefore), Owner: toOwner, L1: toL1})
	b.Exits.Send(b.DerivedFlag(f.tuples.exits), bus.Exit{Number: free(s.ExitsBefore), L1: sender.l1, Token: token, Amount: derived(paid)})
}

// receive credits the receiver. A transfer's receiver is the signed pair; an
// open's is the empty leaf before and the signed pair after, so that the balance
// is set and not added to what a slot held.
func (k *chips) receive(s *TransferSlot, f slotFlags, to, token, toOwner, toL1 bus.Expr, amount frontend.Variable, shape Shape, slot int) {
	b, api := k.bus, k.api
	derived := func(v frontend.Variable) bus.Expr { return b.Derived(v).Expr() }
	k.NonZero("transfer: receiver exists", f.receives, s.ToOwner) // an empty slot is credited by open alone
	k.Zero("open: the slot's nonce is 0", api.Mul(f.Open, s.Receiver.Nonce))
	k.Zero("open: the slot's balance is 0", api.Mul(f.Open, s.Receiver.Balance))
	before := memoryLeaf{
		owner: derived(api.Mul(f.Transfer, s.ToOwner)), token: derived(api.Mul(f.Transfer, s.Token)),
		nonce: b.Free(s.Receiver.Nonce).Expr(), balance: b.Free(s.Receiver.Balance).Expr(), l1: derived(api.Mul(f.Transfer, s.ToL1)),
	}
	after := memoryLeaf{
		owner: toOwner, token: token, nonce: before.nonce, l1: toL1,
		balance: k.balance("receiver", api.Add(s.Receiver.Balance, amount)),
	}
	k.readWrite(b.DerivedFlag(f.tuples.receives), to, s.Receiver.PreviousTime, shape, slot, 2, before, after)
}

// balance range-checks a new balance: amounts are below 2^139 and balances below
// 2^128, so neither underflow nor overflow can wrap back below 2^128.
func (k *chips) balance(name string, v frontend.Variable) bus.Expr {
	k.Width("transfer: "+name+" balance has 128 bits", v, settle.BalanceBits)
	return k.bus.Derived(v).Expr()
}

// readWrite receives the latest write before the access and sends the new one.
// Times strictly increase along the chain of an account's accesses.
func (k *chips) readWrite(flag bus.Flag, index bus.Expr, previous frontend.Variable, shape Shape, slot, which int, before, after memoryLeaf) {
	time := shape.accessTime(slot, which)
	k.Width("transfer: times increase", k.api.Sub(time-1, previous), shape.TimeBits())
	k.bus.Memory.Receive(flag, memory(index, k.bus.Free(previous).Expr(), before))
	k.bus.Memory.Send(flag, memory(index, bus.Const(int64(time)), after))
}

// packed is a variable and its width in bits.
type packed struct {
	v    frontend.Variable
	bits uint
}

// pack places fields low bits first. Widths are checked where each field is
// constrained (checkWidths, float); a kind is below 5.
func (k *chips) pack(fields ...packed) frontend.Variable {
	sum, shift := frontend.Variable(0), uint(0)
	for _, f := range fields {
		sum = k.api.Add(sum, k.api.Mul(f.v, new(big.Int).Lsh(big.NewInt(1), shift)))
		shift += f.bits
	}
	return sum
}

// packMessage packs m as signed: kind 4, from 32, to 32, token 32, amount 40,
// fee 16, nonce 40, validUntil 32 bits. An open signs to = 0: the sequencer
// assigns its index.
func (k *chips) packMessage(s *TransferSlot, f slotFlags, amount, fee decodedFloat) frontend.Variable {
	to := k.api.Sub(s.To, k.api.Mul(f.Open, s.To))
	return k.pack(
		packed{f.number, settle.KindBits}, packed{s.From, settle.IndexBits}, packed{to, settle.IndexBits},
		packed{s.Token, settle.TokenBits}, packed{amount.packed, settle.AmountBits}, packed{fee.packed, settle.FeeBits},
		packed{s.Nonce, settle.NonceBits}, packed{s.ValidUntil, settle.BatchBits},
	)
}

// packRecord packs the published record: kind 4, from 32, to 32, amount 40, fee
// 16 bits.
func (k *chips) packRecord(s *TransferSlot, f slotFlags, amount, fee decodedFloat) frontend.Variable {
	return k.pack(
		packed{f.number, settle.KindBits}, packed{s.From, settle.IndexBits}, packed{s.To, settle.IndexBits},
		packed{amount.packed, settle.AmountBits}, packed{fee.packed, settle.FeeBits},
	)
}
