// Package naive is an independent reading of the specification, for tests to compare
// package state with: maps and big.Int, the whole tree recomputed by recursion. It
// shares nothing with package state but the types that its inputs have.
package naive

import (
	"maps"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

// BalanceLimit returns 2^128, which no balance reaches.
func BalanceLimit() *big.Int { return new(big.Int).Exp(big.NewInt(2), big.NewInt(128), nil) }

// Account is a leaf; the zero value is an empty one.
type Account struct {
	Owner, Balance, L1 *big.Int
	Token, Nonce       uint64
}

// Of returns an account of package state.
func Of(a state.Account) Account {
	return Account{
		Owner: a.Owner.BigInt(new(big.Int)), Token: uint64(a.Token), Nonce: uint64(a.Nonce),
		Balance: a.Balance.Big(), L1: new(big.Int).SetBytes(a.L1[:]),
	}
}

// Exists reports whether somebody owns the slot.
func (a Account) Exists() bool { return a.Owner != nil && a.Owner.Sign() != 0 }

// Leaf returns the digest of the leaf.
func (a Account) Leaf(h *poseidon.Hasher) fr.Element {
	var x [4]fr.Element
	if a.Exists() {
		tokenAndNonce := new(big.Int).Mul(new(big.Int).SetUint64(a.Nonce), big.NewInt(1<<32))
		x[0].SetBigInt(a.Owner)
		x[1].SetBigInt(tokenAndNonce.Add(tokenAndNonce, new(big.Int).SetUint64(a.Token)))
		x[2].SetBigInt(a.Balance)
		x[3].SetBigInt(a.L1)
	}
	return h.Leaf(x)
}

// Root hashes the tree of 4^16 leaves from the top down.
func Root(accounts map[settle.AccountIndex]Account) *big.Int {
	h := poseidon.New()
	empty := map[int]fr.Element{}
	var digest func(level int, first, width uint64) fr.Element
	digest = func(level int, first, width uint64) fr.Element {
		occupied := false
		for index := range accounts {
			occupied = occupied || uint64(index) >= first && uint64(index)-first < width
		}
		if known, ok := empty[level]; ok && !occupied {
			return known
		}
		var d fr.Element
		if level == 0 {
			d = accounts[settle.AccountIndex(first)].Leaf(h)
		} else {
			var children [4]fr.Element
			for i := range uint64(4) {
				children[i] = digest(level-1, first+i*width/4, width/4)
			}
			d = h.Node(children)
		}
		if !occupied {
			empty[level] = d
		}
		return d
	}
	root := digest(16, 0, 1<<32)
	return root.BigInt(new(big.Int))
}

// World is the state while batch Number is executed.
type World struct {
	Number   uint64
	Accounts map[settle.AccountIndex]Account
	Fees     map[settle.TokenID]settle.AccountIndex
}

// SlotTaken is what Apply returns for an open into a slot that is not empty: no
// fault of the sender's, so no code of the rollup's.
const SlotTaken settle.Code = "slot taken"

// Float is the value of a float whose mantissa has the given width.
func Float(f uint64, mantissaBits int) *big.Int {
	base := uint64(1)
	for range mantissaBits {
		base *= 2
	}
	value := new(big.Int).SetUint64(f % base)
	for range f / base {
		value.Mul(value, big.NewInt(10))
	}
	return value
}

// Apply returns the world after a transaction whose signature is right, or the code
// that refuses it, or SlotTaken.
func (w World) Apply(tx state.Transaction) (World, settle.Code) {
	feeIndex, hasFee := w.Fees[tx.Token]
	const transfer, open, exit, exitAll = 1, 2, 3, 4
	switch {
	case tx.Kind < transfer || tx.Kind > exitAll:
		return w, settle.CodeUnsupportedKind
	case tx.Kind != transfer && tx.To != 0,
		tx.Kind == open && tx.ToOwner.IsZero(),
		tx.Kind >= exit && !tx.ToOwner.IsZero(),
		tx.Kind == exitAll && tx.Amount != 0:
		return w, settle.CodeInvalidField
	}
	if !hasFee {
		return w, settle.CodeNoFeeAccount
	}
	if tx.ValidUntil > 0 && w.Number > uint64(tx.ValidUntil) {
		return w, settle.CodeExpired
	}
	if uint64(tx.Amount) >= 1<<40 {
		return w, settle.CodeAmountEncoding
	}
	amount, fee := Float(uint64(tx.Amount), 35), Float(uint64(tx.Fee), 11)
	if amount.Cmp(BalanceLimit()) >= 0 {
		return w, settle.CodeAmountUnfit
	}
	next := World{w.Number, maps.Clone(w.Accounts), w.Fees}

	sender := next.Accounts[tx.From]
	if !sender.Exists() {
		return w, settle.CodeUnknownAccount
	}
	if sender.Owner.Cmp(tx.PublicKey.BigInt(new(big.Int))) != 0 {
		return w, settle.CodeBadSignature
	}
	if sender.Token != uint64(tx.Token) {
		return w, settle.CodeWrongToken
	}
	if uint64(tx.Nonce) < sender.Nonce {
		return w, settle.CodeStaleNonce
	}
	if uint64(tx.Nonce) > sender.Nonce || sender.Nonce == 1<<40-1 {
		return w, settle.CodeNonceTooFar
	}
	paid := amount
	if tx.Kind == exitAll && sender.Balance.Cmp(fee) >= 0 {
		paid = new(big.Int).Sub(sender.Balance, fee)
	}
	cost := new(big.Int).Add(paid, fee)
	if sender.Balance.Cmp(cost) < 0 {
		return w, settle.CodeInsufficientBalance
	}
	if tx.Kind >= exit {
		if sender.L1.Cmp(new(big.Int).SetBytes(tx.ToL1[:])) != 0 {
			return w, settle.CodeReceiverMismatch
		}
		if paid.Sign() == 0 {
			return w, settle.CodeZeroAmount
		}
	}
	sender.Balance = new(big.Int).Sub(sender.Balance, cost)
	sender.Nonce++
	next.Accounts[tx.From] = sender

	type payment struct {
		to  settle.AccountIndex
		sum *big.Int
	}
	payments := []payment{{feeIndex, fee}}
	if tx.Kind == transfer {
		if code := next.receives(tx); code != "" {
			return w, code
		}
		payments = []payment{{tx.To, amount}, {feeIndex, fee}}
	}
	if tx.Kind == open {
		if next.Accounts[tx.Assigned].Exists() {
			return w, SlotTaken
		}
		next.Accounts[tx.Assigned] = Account{
			Owner: tx.ToOwner.BigInt(new(big.Int)), Balance: amount, L1: new(big.Int).SetBytes(tx.ToL1[:]), Token: uint64(tx.Token),
		}
	}
	for _, c := range payments {
		a := next.Accounts[c.to]
		a.Balance = new(big.Int).Add(a.Balance, c.sum)
		if a.Balance.Cmp(BalanceLimit()) >= 0 {
			return w, settle.CodeBalanceOverflow
		}
		next.Accounts[c.to] = a
	}
	return next, ""
}

// receives returns the code that refuses the receiver of a transfer.
func (w World) receives(tx state.Transaction) settle.Code {
	receiver := w.Accounts[tx.To]
	if !receiver.Exists() {
		return settle.CodeUnknownAccount
	}
	if receiver.Owner.Cmp(tx.ToOwner.BigInt(new(big.Int))) != 0 || receiver.L1.Cmp(new(big.Int).SetBytes(tx.ToL1[:])) != 0 {
		return settle.CodeReceiverMismatch
	}
	if receiver.Token != uint64(tx.Token) {
		return settle.CodeWrongToken
	}
	return ""
}
