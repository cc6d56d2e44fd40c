package state

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// ErrRebuild reports data of a batch that does not continue the state, or whose
// records do not lead to the root that it states. What a proof was accepted for
// never gives it: then the data is of another rollup, or was damaged.
var ErrRebuild = errors.New("the data does not continue the state")

// Rebuilder computes the state from genesis and D of each batch, as anybody can
// from L1's calldata alone. Signatures, nonces and expiry are not in D: that they
// were right is what the proof of a batch says. Not safe for concurrent use.
type Rebuilder struct {
	hasher   *poseidon.Hasher
	domain   fr.Element
	number   settle.BatchNumber
	accounts ledger
	tree     *Tree
}

// NewRebuilder starts at genesis under a domain; ErrGenesis when it is none.
func NewRebuilder(h *poseidon.Hasher, g *Genesis, domain fr.Element) (*Rebuilder, error) {
	s, err := g.State(h, domain)
	if err != nil {
		return nil, err
	}
	return &Rebuilder{hasher: h, domain: domain, accounts: s.accounts, tree: s.tree}, nil
}

// Root returns the state root after the last batch.
func (r *Rebuilder) Root() fr.Element { return r.tree.Root() }

// Number returns the number of the last batch; 0 at genesis.
func (r *Rebuilder) Number() settle.BatchNumber { return r.number }

// Accounts returns the accounts that are not empty, by index.
func (r *Rebuilder) Accounts() []Indexed {
	var out []Indexed
	for index, a := range r.accounts.all() {
		out = append(out, Indexed{index, a})
	}
	return out
}

// Apply executes the records of the next batch. It checks number, domain and old
// root before and the new root after; any error is ErrRebuild and leaves the
// state as it was.
func (r *Rebuilder) Apply(d *publicdata.Data) error {
	if err := r.apply(d); err != nil {
		return fmt.Errorf("%w: batch %d: %w", ErrRebuild, d.Header.Number, err)
	}
	return nil
}

func (r *Rebuilder) apply(d *publicdata.Data) error {
	have := r.Root()
	switch {
	case d.Header.Number != r.number+1 || d.Header.Number == 0:
		return fmt.Errorf("expected batch %d", uint64(r.number)+1)
	case !d.Header.Domain.Equal(&r.domain):
		return fmt.Errorf("it was made under domain %s, expected %s", hexOf(d.Header.Domain), hexOf(r.domain))
	case !d.Header.OldRoot.Equal(&have):
		return fmt.Errorf("it begins at root %s, the state is at %s", hexOf(d.Header.OldRoot), hexOf(have))
	case len(d.L1Ops) != 0:
		return fmt.Errorf("it has %d L1 operations, which no circuit has rules for yet", len(d.L1Ops))
	}
	b, err := r.replay(d)
	if err != nil {
		return err
	}
	// On a fork, which is dropped when the root is wrong.
	tree, indices := r.tree.Fork(), slices.Sorted(maps.Keys(b.written))
	leaves := make([]fr.Element, len(indices))
	for i, index := range indices {
		leaves[i] = b.written[index].Leaf(r.hasher)
	}
	tree.Update(indices, leaves)
	if got := tree.Root(); !got.Equal(&d.Header.NewRoot) {
		return fmt.Errorf("its records lead to root %s, it states %s", hexOf(got), hexOf(d.Header.NewRoot))
	}
	for index, a := range b.written {
		r.accounts.set(index, a)
	}
	r.tree, r.number = tree, d.Header.Number
	return nil
}

func hexOf(e fr.Element) settle.Element { return e.Bytes() }

// replay executes all records on top of the state, which it does not change.
func (r *Rebuilder) replay(d *publicdata.Data) (*replay, error) {
	b := &replay{
		state: r.accounts, written: map[settle.AccountIndex]Account{}, fees: map[settle.TokenID]settle.AccountIndex{},
		opens: d.Opens, exits: d.Exits,
	}
	for _, f := range d.FeeAccounts {
		if _, twice := b.fees[f.Token]; twice {
			return nil, fmt.Errorf("token %d has two fee accounts", f.Token)
		}
		b.fees[f.Token] = f.Index
	}
	for i, t := range d.Transfers {
		if err := b.record(t); err != nil {
			return nil, fmt.Errorf("record %d (%s from account %d): %w", i, t.Kind, t.From, err)
		}
	}
	if len(b.opens) != 0 || len(b.exits) != 0 {
		return nil, fmt.Errorf("%d opens and %d exits belong to no record", len(b.opens), len(b.exits))
	}
	return b, nil
}

// replay holds the writes of one batch, and the opens and exits that no record
// has taken yet.
type replay struct {
	state   ledger
	written map[settle.AccountIndex]Account
	fees    map[settle.TokenID]settle.AccountIndex
	opens   []publicdata.Open
	exits   []publicdata.Exit
}

func (b *replay) account(index settle.AccountIndex) (Account, error) {
	a, ok := b.written[index]
	if !ok {
		a = b.state.at(index)
	}
	if a.IsEmpty() {
		return a, fmt.Errorf("account %d does not exist", index)
	}
	return a, nil
}

// record executes one transfer record: debit the sender, credit the receiver,
// credit the fee account of the sender's token.
func (b *replay) record(t publicdata.Transfer) error {
	sender, err := b.account(t.From)
	if err != nil {
		return err
	}
	amount, err := Float40(t.Amount).Amount()
	if err != nil {
		return err
	}
	fee, token := Float16(t.Fee).Amount(), sender.Token
	if t.Kind == settle.KindExit || t.Kind == settle.KindExitAll {
		if amount, err = b.exit(t.Kind, sender, amount, fee); err != nil {
			return err
		}
	}
	total, fits := amount.Add(fee)
	rest, enough := sender.Balance.Sub(total)
	if !fits || !enough {
		return fmt.Errorf("the account holds %s, the record takes %s and a fee of %s", sender.Balance, amount, fee)
	}
	sender.Balance, sender.Nonce = rest, sender.Nonce+1
	b.written[t.From] = sender
	switch t.Kind {
	case settle.KindTransfer:
		err = b.credit(t.To, token, amount)
	case settle.KindOpen:
		err = b.open(t.To, token, amount)
	case settle.KindExit, settle.KindExitAll: // credit nobody
	default:
		err = fmt.Errorf("unknown kind %d", t.Kind)
	}
	if err != nil {
		return err
	}
	index, ok := b.fees[token]
	if !ok {
		return fmt.Errorf("the batch has no fee account for token %d", token)
	}
	return b.credit(index, token, fee)
}

func (b *replay) credit(index settle.AccountIndex, token settle.TokenID, amount settle.Amount) error {
	a, err := b.account(index)
	if err != nil {
		return err
	}
	sum, ok := a.Balance.Add(amount)
	if a.Token != token || !ok {
		return fmt.Errorf("account %d holds %s of token %d and cannot take %s of token %d", index, a.Balance, a.Token, amount, token)
	}
	a.Balance = sum
	b.written[index] = a
	return nil
}

// open takes the next open record and puts its account into an empty slot.
func (b *replay) open(index settle.AccountIndex, token settle.TokenID, amount settle.Amount) error {
	if _, err := b.account(index); err == nil {
		return fmt.Errorf("account %d exists already", index)
	}
	if len(b.opens) == 0 {
		return errors.New("there is no open for it")
	}
	o := b.opens[0]
	b.opens = b.opens[1:]
	if o.Owner.IsZero() {
		return errors.New("its open has no owner")
	}
	b.written[index] = Account{Owner: o.Owner, Token: token, Balance: amount, L1: o.L1}
	return nil
}

// exit takes the next exit record, which gives the exact amount, and compares it
// with what the account says.
func (b *replay) exit(kind settle.Kind, sender Account, amount, fee settle.Amount) (settle.Amount, error) {
	if len(b.exits) == 0 {
		return amount, errors.New("there is no exit for it")
	}
	x := b.exits[0]
	b.exits = b.exits[1:]
	if kind == settle.KindExitAll {
		var covers bool
		if amount, covers = sender.Balance.Sub(fee); !covers {
			return amount, fmt.Errorf("the account holds %s and cannot pay a fee of %s", sender.Balance, fee)
		}
	}
	if want := (publicdata.Exit{L1: sender.L1, Token: sender.Token, Amount: amount}); x != want {
		return amount, fmt.Errorf("its exit pays %s of token %d to %s, expected %s of token %d to %s", x.Amount, x.Token, x.L1, want.Amount, want.Token, want.L1)
	}
	return amount, nil
}
