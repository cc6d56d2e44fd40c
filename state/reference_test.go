package state_test

// An independent reading of the specification: maps and big.Int, the whole tree
// recomputed by recursion. It shares nothing with package state but the types
// that its inputs have.

import (
	"maps"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

var two128 = new(big.Int).Exp(big.NewInt(2), big.NewInt(128), nil)

type naiveAccount struct {
	owner, balance, l1 *big.Int
	token, nonce       uint64
}

func naive(a state.Account) naiveAccount {
	return naiveAccount{
		owner: a.Owner.BigInt(new(big.Int)), token: uint64(a.Token), nonce: uint64(a.Nonce),
		balance: a.Balance.Big(), l1: new(big.Int).SetBytes(a.L1[:]),
	}
}

func (a naiveAccount) exists() bool { return a.owner != nil && a.owner.Sign() != 0 }

func (a naiveAccount) leaf(h *poseidon.Hasher) fr.Element {
	var x [4]fr.Element
	if a.exists() {
		tokenAndNonce := new(big.Int).Mul(new(big.Int).SetUint64(a.nonce), big.NewInt(1<<32))
		x[0].SetBigInt(a.owner)
		x[1].SetBigInt(tokenAndNonce.Add(tokenAndNonce, new(big.Int).SetUint64(a.token)))
		x[2].SetBigInt(a.balance)
		x[3].SetBigInt(a.l1)
	}
	return h.Leaf(x)
}

// naiveRoot hashes the tree of 4^16 leaves from the top down.
func naiveRoot(accounts map[settle.AccountIndex]naiveAccount) *big.Int {
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
			d = accounts[settle.AccountIndex(first)].leaf(h)
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

// naiveWorld is the state while batch number is executed.
type naiveWorld struct {
	number   uint64
	accounts map[settle.AccountIndex]naiveAccount
	fees     map[settle.TokenID]settle.AccountIndex
}

// naiveFloat is the value of a float whose mantissa has the given width.
func naiveFloat(f uint64, mantissaBits int) *big.Int {
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

// apply returns the world after a transaction, or the code that refuses it.
func (w naiveWorld) apply(tx state.Transaction) (naiveWorld, settle.Code) {
	feeIndex, hasFee := w.fees[tx.Token]
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
	if tx.ValidUntil > 0 && w.number > uint64(tx.ValidUntil) {
		return w, settle.CodeExpired
	}
	if uint64(tx.Amount) >= 1<<40 {
		return w, settle.CodeAmountEncoding
	}
	amount, fee := naiveFloat(uint64(tx.Amount), 35), naiveFloat(uint64(tx.Fee), 11)
	if amount.Cmp(two128) >= 0 {
		return w, settle.CodeAmountUnfit
	}
	next := naiveWorld{w.number, maps.Clone(w.accounts), w.fees}

	sender := next.accounts[tx.From]
	if !sender.exists() {
		return w, settle.CodeUnknownAccount
	}
	if sender.owner.Cmp(tx.PublicKey.BigInt(new(big.Int))) != 0 {
		return w, settle.CodeBadSignature
	}
	if sender.token != uint64(tx.Token) {
		return w, settle.CodeWrongToken
	}
	if uint64(tx.Nonce) < sender.nonce {
		return w, settle.CodeStaleNonce
	}
	if uint64(tx.Nonce) > sender.nonce || sender.nonce == 1<<40-1 {
		return w, settle.CodeNonceTooFar
	}
	paid := amount
	if tx.Kind == exitAll && sender.balance.Cmp(fee) >= 0 {
		paid = new(big.Int).Sub(sender.balance, fee)
	}
	cost := new(big.Int).Add(paid, fee)
	if sender.balance.Cmp(cost) < 0 {
		return w, settle.CodeInsufficientBalance
	}
	if tx.Kind >= exit {
		if sender.l1.Cmp(new(big.Int).SetBytes(tx.ToL1[:])) != 0 {
			return w, settle.CodeReceiverMismatch
		}
		if paid.Sign() == 0 {
			return w, settle.CodeZeroAmount
		}
	}
	sender.balance = new(big.Int).Sub(sender.balance, cost)
	sender.nonce++
	next.accounts[tx.From] = sender

	type payment struct {
		to  settle.AccountIndex
		sum *big.Int
	}
	payments := []payment{{feeIndex, fee}}
	switch tx.Kind {
	case transfer:
		if code := next.receives(tx); code != "" {
			return w, code
		}
		payments = []payment{{tx.To, amount}, {feeIndex, fee}}
	case open:
		next.accounts[tx.Assigned] = naiveAccount{
			owner: tx.ToOwner.BigInt(new(big.Int)), balance: amount, l1: new(big.Int).SetBytes(tx.ToL1[:]), token: uint64(tx.Token),
		}
	}
	for _, c := range payments {
		a := next.accounts[c.to]
		a.balance = new(big.Int).Add(a.balance, c.sum)
		if a.balance.Cmp(two128) >= 0 {
			return w, settle.CodeBalanceOverflow
		}
		next.accounts[c.to] = a
	}
	return next, ""
}

// receives returns the code that refuses the receiver of a transfer.
func (w naiveWorld) receives(tx state.Transaction) settle.Code {
	receiver := w.accounts[tx.To]
	if !receiver.exists() {
		return settle.CodeUnknownAccount
	}
	if receiver.owner.Cmp(tx.ToOwner.BigInt(new(big.Int))) != 0 || receiver.l1.Cmp(new(big.Int).SetBytes(tx.ToL1[:])) != 0 {
		return settle.CodeReceiverMismatch
	}
	if receiver.token != uint64(tx.Token) {
		return settle.CodeWrongToken
	}
	return ""
}
