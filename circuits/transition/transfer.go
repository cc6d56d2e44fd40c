package transition

import (
	"math/big"
	"math/bits"

	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/state"
)

// TransferSlot is one L2 transaction. Fields that two accounts must share are
// one wire: the receiver's owner and l1 are the signed ToOwner and ToL1, the
// token of all three accounts is the signed Token.
type TransferSlot struct {
	Active     frontend.Variable // also the kind: 1 is transfer
	From, To   frontend.Variable
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
}

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

// transfers executes each slot against the batch memory and returns its record.
func (k *chips) transfers(slots []TransferSlot, header Header, shape Shape, signatures *gadget.SignatureVerifier) ([]wordPair, error) {
	active, records := make([]frontend.Variable, len(slots)), make([]wordPair, len(slots))
	for i := range slots {
		s := &slots[i]
		active[i] = s.Active
		flag := k.boolean("transfer: active is boolean", s.Active)
		amount, fee := k.float("amount", s.Amount, state.AmountMantissaBits), k.float("fee", s.Fee, state.FeeMantissaBits)
		k.checkWidths(s)
		k.checkExpiry(s, header.Number)
		k.access(s, flag, amount.value, fee.value, shape, i)
		message := gadget.SignedMessage{
			M: k.packMessage(s, amount, fee), Domain: header.Domain, ToOwner: s.ToOwner, ToL1: s.ToL1,
		}
		if err := signatures.Verify(s.Signature, message); err != nil {
			return nil, err
		}
		records[i] = wordPair{active: s.Active, word: k.api.Mul(s.Active, k.packRecord(s, amount, fee))}
	}
	k.prefix("transfer: active slots are a prefix", active)
	return records, nil
}

// decodedFloat is a float's value and its packed encoding.
type decodedFloat struct{ value, packed frontend.Variable }

// float checks the widths of mantissa and exponent apart, as 35 + 5 bits packed
// tightly would let them trade bits. The value stays below 2^139: no wrap.
func (k *chips) float(name string, f Float, mantissaBits int) decodedFloat {
	api := k.api
	k.width("transfer: "+name+" mantissa fits", f.Mantissa, mantissaBits)
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
	k.width("transfer: from has 32 bits", s.From, settle.IndexBits)
	k.width("transfer: to has 32 bits", s.To, settle.IndexBits)
	k.width("transfer: token has 32 bits", s.Token, settle.TokenBits)
	k.width("transfer: nonce has 40 bits", s.Nonce, settle.NonceBits)
	k.width("transfer: validUntil has 32 bits", s.ValidUntil, settle.BatchBits)
}

// checkExpiry enforces validUntil = 0 or number ≤ validUntil; both have 32 bits.
func (k *chips) checkExpiry(s *TransferSlot, number frontend.Variable) {
	limited := k.api.Sub(1, k.api.IsZero(s.ValidUntil))
	k.width("transfer: not expired", k.api.Mul(limited, k.api.Sub(s.ValidUntil, number)), settle.BatchBits)
}

// access makes the slot's three accesses to the batch memory, one after
// another: debit sender, credit receiver, credit fee account. Each reads the
// latest write, so any of the three may be the same account.
func (k *chips) access(s *TransferSlot, flag bus.Wire, amount, fee frontend.Variable, shape Shape, slot int) {
	b, api := k.bus, k.api
	free := func(v frontend.Variable) bus.Expr { return b.Free(v).Expr() }
	token := free(s.Token)

	sender := memoryLeaf{
		owner: free(s.Signature.PublicKey), token: token, nonce: free(s.Nonce),
		balance: free(s.Sender.Balance), l1: free(s.Sender.L1),
	}
	debited := sender
	debited.nonce = sender.nonce.Add(bus.Const(1))
	debited.balance = k.balance("sender", api.Sub(s.Sender.Balance, amount, fee))
	k.readWrite(flag, free(s.From), s.Sender.PreviousTime, shape, slot, 1, sender, debited)

	k.nonZero("transfer: receiver exists", s.Active, s.ToOwner) // an empty slot is credited by open alone
	receiver := memoryLeaf{
		owner: free(s.ToOwner), token: token, nonce: free(s.Receiver.Nonce),
		balance: free(s.Receiver.Balance), l1: free(s.ToL1),
	}
	credited := receiver
	credited.balance = k.balance("receiver", api.Add(s.Receiver.Balance, amount))
	k.readWrite(flag, free(s.To), s.Receiver.PreviousTime, shape, slot, 2, receiver, credited)

	k.nonZero("transfer: fee account exists", s.Active, s.FeeTaker.Owner)
	taker := memoryLeaf{
		owner: free(s.FeeTaker.Owner), token: token, nonce: free(s.FeeTaker.Nonce),
		balance: free(s.FeeTaker.Balance), l1: free(s.FeeTaker.L1),
	}
	paid := taker
	paid.balance = k.balance("fee account", api.Add(s.FeeTaker.Balance, fee))
	feeIndex := free(s.FeeTaker.Index)
	k.readWrite(flag, feeIndex, s.FeeTaker.PreviousTime, shape, slot, 3, taker, paid)
	b.Receive(bus.Fee, flag, token, feeIndex)
}

// balance range-checks a new balance: amounts are below 2^139 and balances below
// 2^128, so neither underflow nor overflow can wrap back below 2^128.
func (k *chips) balance(name string, v frontend.Variable) bus.Expr {
	k.width("transfer: "+name+" balance has 128 bits", v, settle.BalanceBits)
	return k.bus.Derived(v).Expr()
}

// readWrite receives the latest write before the access and sends the new one.
// Times strictly increase along the chain of an account's accesses.
func (k *chips) readWrite(flag bus.Wire, index bus.Expr, previous frontend.Variable, shape Shape, slot, which int, before, after memoryLeaf) {
	time := shape.accessTime(slot, which)
	k.width("transfer: times increase", k.api.Sub(time-1, previous), bits.Len(uint(shape.lastTime())))
	k.bus.Receive(bus.Memory, flag, memory(index, k.bus.Free(previous).Expr(), before)...)
	k.bus.Send(bus.Memory, flag, memory(index, bus.Const(int64(time)), after)...)
}

// packed is a variable and its width in bits.
type packed struct {
	v    frontend.Variable
	bits uint
}

// pack places fields low bits first. Widths are checked where each field is
// constrained (checkWidths, float); active is boolean.
func (k *chips) pack(fields ...packed) frontend.Variable {
	sum, shift := frontend.Variable(0), uint(0)
	for _, f := range fields {
		sum = k.api.Add(sum, k.api.Mul(f.v, new(big.Int).Lsh(big.NewInt(1), shift)))
		shift += f.bits
	}
	return sum
}

// packMessage packs m as signed: kind 4, from 32, to 32, token 32, amount 40,
// fee 16, nonce 40, validUntil 32 bits.
func (k *chips) packMessage(s *TransferSlot, amount, fee decodedFloat) frontend.Variable {
	return k.pack(
		packed{s.Active, settle.KindBits}, packed{s.From, settle.IndexBits}, packed{s.To, settle.IndexBits},
		packed{s.Token, settle.TokenBits}, packed{amount.packed, settle.AmountBits}, packed{fee.packed, settle.FeeBits},
		packed{s.Nonce, settle.NonceBits}, packed{s.ValidUntil, settle.BatchBits},
	)
}

// packRecord packs the published record: kind 4, from 32, to 32, amount 40, fee
// 16 bits.
func (k *chips) packRecord(s *TransferSlot, amount, fee decodedFloat) frontend.Variable {
	return k.pack(
		packed{s.Active, settle.KindBits}, packed{s.From, settle.IndexBits}, packed{s.To, settle.IndexBits},
		packed{amount.packed, settle.AmountBits}, packed{fee.packed, settle.FeeBits},
	)
}
