package baseline

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/twistededwards/eddsa"

	"github.com/zksettle/settle"
)

// Account is one token of one owner.
type Account struct {
	Owner   eddsa.PublicKey
	Token   settle.TokenID
	Nonce   settle.Nonce
	Balance settle.Amount
}

// Rollup is the state, natively: what the circuit is tested against. It is not for
// concurrent use.
type Rollup struct {
	domain   fr.Element
	operator settle.AccountIndex
	accounts []Account
	owners   []fr.Element // hashes of the owners' keys
	tree     *tree
}

// NewRollup returns a rollup of accounts numbered from 0 in a tree of depth Depth.
// The operator's account takes the fees; batches are of its token. A key off the
// prime-order subgroup, a last nonce or an operator that does not exist is refused.
func NewRollup(domain fr.Element, operator settle.AccountIndex, accounts []Account) (*Rollup, error) {
	return newRollup(Depth, domain, operator, accounts)
}

func newRollup(depth int, domain fr.Element, operator settle.AccountIndex, accounts []Account) (*Rollup, error) {
	if int(operator) >= len(accounts) || len(accounts) > 1<<depth {
		return nil, settle.Refuse(settle.CodeUnknownAccount, "operator %d among %d accounts, %d fit", operator, len(accounts), 1<<depth)
	}
	r := &Rollup{domain: domain, operator: operator}
	leaves := make([]fr.Element, len(accounts))
	for i, a := range accounts {
		if a.Owner.A.IsZero() || !a.Owner.A.IsInSubGroup() || a.Nonce > settle.MaxNonce {
			return nil, settle.Refuse(settle.CodeInvalidField, "account %d: nonce %d above %d, or a key outside the group", i, a.Nonce, settle.MaxNonce)
		}
		r.accounts, r.owners = append(r.accounts, a), append(r.owners, ownerOf(&a.Owner))
		leaves[i] = leafOf(r.owners[i], a.Token, a.Nonce, a.Balance.Big())
	}
	var err error
	r.tree, err = newTree(depth, leaves)
	return r, err
}

// Root is the root of the tree.
func (r *Rollup) Root() fr.Element { return r.tree.root() }

// Account returns an account; ok is false if there is none at the index.
func (r *Rollup) Account(i settle.AccountIndex) (a Account, ok bool) {
	if int(i) >= len(r.accounts) {
		return Account{}, false
	}
	return r.accounts[i], true
}

// Apply executes transfers one after another, pays their fees to the operator, and
// returns what the circuit proves. The first bad transfer is returned as a Refusal,
// and then nothing has changed.
func (r *Rollup) Apply(transfers []Transfer) (*Batch, error) {
	b := &Batch{Domain: r.domain, OldRoot: r.Root(), Token: r.accounts[r.operator].Token}
	before := map[settle.AccountIndex]Account{}
	if err := r.apply(b, transfers, before); err != nil {
		for i, a := range before {
			if undo := r.set(i, a); undo != nil {
				return nil, fmt.Errorf("undo of %w: %w", err, undo)
			}
		}
		return nil, err
	}
	b.NewRoot = r.Root()
	return b, nil
}

// apply fills b in and keeps what accounts were before the batch.
func (r *Rollup) apply(b *Batch, transfers []Transfer, before map[settle.AccountIndex]Account) error {
	if len(transfers) == 0 {
		return settle.Refuse(settle.CodeInvalidField, "a batch has at least one transfer")
	}
	fees := new(big.Int)
	for i := range transfers {
		step, err := r.step(&transfers[i], b.Token, before)
		if err != nil {
			return fmt.Errorf("transfer %d: %w", i, err)
		}
		b.Steps, fees = append(b.Steps, step), fees.Add(fees, transfers[i].fee())
	}
	var err error
	b.Operator, err = r.credit(r.operator, fees, before)
	return err
}

func (r *Rollup) step(t *Transfer, token settle.TokenID, before map[settle.AccountIndex]Account) (Step, error) {
	sender, ok := r.Account(t.From)
	receiver, known := r.Account(t.To)
	switch {
	case !ok || !known:
		return Step{}, settle.Refuse(settle.CodeUnknownAccount, "from %d to %d, there are %d accounts", t.From, t.To, len(r.accounts))
	case t.Token != token || sender.Token != token || receiver.Token != token:
		return Step{}, settle.Refuse(settle.CodeWrongToken, "token %d from an account of %d to one of %d in a batch of %d", t.Token, sender.Token, receiver.Token, token)
	case t.Amount >= 1<<settle.AmountBits:
		return Step{}, settle.Refuse(settle.CodeInvalidField, "amount %d has more than %d bits", t.Amount, settle.AmountBits)
	case t.Nonce < sender.Nonce:
		return Step{}, settle.Refuse(settle.CodeStaleNonce, "nonce %d, expected %d", t.Nonce, sender.Nonce)
	case t.Nonce > sender.Nonce || t.Nonce >= settle.MaxNonce:
		return Step{}, settle.Refuse(settle.CodeNonceTooFar, "nonce %d, expected %d below %d", t.Nonce, sender.Nonce, settle.MaxNonce)
	}
	if err := t.verify(r.domain, &sender.Owner); err != nil {
		return Step{}, err
	}
	left, err := settle.AmountFromBig(new(big.Int).Sub(sender.Balance.Big(), new(big.Int).Add(t.amount(), t.fee())))
	if err != nil {
		return Step{}, settle.Refuse(settle.CodeInsufficientBalance, "account %d has %s, needs %s and a fee of %s", t.From, sender.Balance, t.amount(), t.fee())
	}
	step := Step{Transfer: *t, Key: sender.Owner, Sender: r.open(t.From)}
	sender.Balance = left
	sender.Nonce++
	if err := r.change(t.From, sender, before); err != nil {
		return Step{}, err
	}
	step.Receiver, err = r.credit(t.To, t.amount(), before)
	return step, err
}

// credit opens an account and adds to its balance.
func (r *Rollup) credit(i settle.AccountIndex, amount *big.Int, before map[settle.AccountIndex]Account) (Opening, error) {
	opening, a := r.open(i), r.accounts[i]
	var err error
	if a.Balance, err = settle.AmountFromBig(new(big.Int).Add(a.Balance.Big(), amount)); err != nil {
		return Opening{}, settle.Refuse(settle.CodeBalanceOverflow, "account %d: %v", i, err)
	}
	return opening, r.change(i, a, before)
}

func (r *Rollup) open(i settle.AccountIndex) Opening {
	a := r.accounts[i]
	return Opening{Index: i, Owner: r.owners[i], Nonce: a.Nonce, Balance: a.Balance, Path: r.tree.path(int(i))}
}

func (r *Rollup) change(i settle.AccountIndex, a Account, before map[settle.AccountIndex]Account) error {
	if _, ok := before[i]; !ok {
		before[i] = r.accounts[i]
	}
	return r.set(i, a)
}

func (r *Rollup) set(i settle.AccountIndex, a Account) error {
	r.accounts[i] = a
	return r.tree.set(int(i), leafOf(r.owners[i], a.Token, a.Nonce, a.Balance.Big()))
}
