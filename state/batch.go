package state

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
)

// ErrStale reports a batch whose state has moved on since Begin.
var ErrStale = errors.New("the state has moved on since the batch began")

// ErrExhausted reports that 32 bits name no further batch, or no further account
// behind the highest one.
var ErrExhausted = errors.New("the rollup's numbers are exhausted")

// ErrFeeAccount reports a fee account that is empty or holds another token. It is
// no Refusal: whoever configured the state was wrong, not the sender.
var ErrFeeAccount = errors.New("a fee account cannot be credited")

// ErrSlotTaken reports an open whose assigned slot is not empty. It is no
// Refusal: whoever assigned the slot was wrong, not the sender.
var ErrSlotTaken = errors.New("the slot assigned to an open is taken")

// Batch executes transactions one by one on top of a state, which changes only
// when the batch is sealed. Dropping a batch costs nothing.
type Batch struct {
	state        *State
	number       settle.BatchNumber
	accounts     map[settle.AccountIndex]memoryCell
	fees         map[settle.TokenID]*FeeTrace
	nodes        map[nodeKey]struct{}
	transactions []TransactionTrace
	records      settle.Usage // opens and exits alone
	next         uint64
}

// memoryCell is an account in the batch memory. lastTime is the time of the last
// write, 0 when there was none.
type memoryCell struct {
	old, current Account
	lastTime     uint32
}

type nodeKey struct {
	level    int
	position uint32
}

// Begin opens the next batch.
func (s *State) Begin() *Batch {
	return &Batch{
		state: s, number: s.number + 1,
		accounts: map[settle.AccountIndex]memoryCell{}, fees: map[settle.TokenID]*FeeTrace{}, nodes: map[nodeKey]struct{}{},
		next: s.next,
	}
}

// NextIndex returns the slot that follows the highest account, for the next open,
// or ErrExhausted when the highest has the last index. Giving indices in sequence is
// the sequencer's rule; any empty slot would do.
func (b *Batch) NextIndex() (settle.AccountIndex, error) {
	if b.next>>settle.IndexBits != 0 {
		return 0, fmt.Errorf("%w: account %d exists, and no index is behind it", ErrExhausted, b.next-1)
	}
	return settle.AccountIndex(b.next), nil
}

// Number returns the number that the batch will have.
func (b *Batch) Number() settle.BatchNumber { return b.number }

// Len returns the number of executed transactions.
func (b *Batch) Len() int { return len(b.transactions) }

// Account returns an account as the batch has it now.
func (b *Batch) Account(index settle.AccountIndex) Account {
	return b.cell(index).current
}

func (b *Batch) cell(index settle.AccountIndex) memoryCell {
	if c, ok := b.accounts[index]; ok {
		return c
	}
	a := b.state.Account(index)
	return memoryCell{old: a, current: a}
}

// Usage counts the slots used so far.
func (b *Batch) Usage() settle.Usage {
	return settle.Usage{
		Transfers: len(b.transactions), Accounts: len(b.accounts), Nodes: max(1, len(b.nodes)), FeeAccounts: len(b.fees),
		Opens: b.records.Opens, Exits: b.records.Exits,
	}
}

// UsageWith counts the slots that the batch would use with one more transaction.
func (b *Batch) UsageWith(tx Transaction) settle.Usage {
	u := b.Usage()
	u.Transfers++
	countRecords(&u, &tx)
	touched := []settle.AccountIndex{tx.From}
	if receiver, ok := tx.Receiver(); ok {
		touched = append(touched, receiver)
	}
	if fee, ok := b.state.feeAccounts[tx.Token]; ok {
		touched = append(touched, fee)
	}
	if b.fees[tx.Token] == nil {
		u.FeeAccounts++
	}
	fresh := map[nodeKey]struct{}{}
	for i, index := range touched {
		if _, ok := b.accounts[index]; ok || slices.Contains(touched[:i], index) {
			continue
		}
		u.Accounts++
		b.eachNewNode(index, func(k nodeKey) { fresh[k] = struct{}{} })
	}
	u.Nodes = max(1, len(b.nodes)+len(fresh))
	return u
}

// eachNewNode calls f for the nodes above a leaf that the batch has not touched.
func (b *Batch) eachNewNode(index settle.AccountIndex, f func(nodeKey)) {
	position := uint32(index)
	for level := 1; level <= levels; level++ {
		position /= arity
		key := nodeKey{level, position}
		if _, seen := b.nodes[key]; seen {
			return // then all above it are seen too
		}
		f(key)
	}
}

// Step executes one transaction whose signature the caller has verified. A bad
// transaction is a *settle.Refusal. ErrStale, ErrExhausted, ErrSlotTaken,
// ErrFeeAccount and ErrDamaged are none. Any error changes nothing.
func (b *Batch) Step(tx Transaction) error {
	if err := b.checkFresh(); err != nil {
		return err
	}
	if err := checkForm(tx); err != nil {
		return err
	}
	feeIndex, ok := b.state.feeAccounts[tx.Token]
	if !ok {
		return settle.Refuse(settle.CodeNoFeeAccount, "token %d has no fee account, so nothing in it can be executed", tx.Token)
	}
	if tx.ValidUntil != 0 && b.number > tx.ValidUntil {
		return settle.Refuse(settle.CodeExpired, "valid until batch %d, this is batch %d", tx.ValidUntil, b.number)
	}
	if tx.Amount>>settle.AmountBits != 0 {
		return settle.Refuse(settle.CodeAmountEncoding, "amount %#x has more than %d bits", uint64(tx.Amount), settle.AmountBits)
	}
	amount, err := tx.Amount.Amount()
	if err != nil {
		return settle.Refuse(settle.CodeAmountUnfit, "amount reaches 2^128: %v", err)
	}
	fee := tx.Fee.Amount()

	s := step{batch: b, cells: map[settle.AccountIndex]memoryCell{}}
	trace := TransactionTrace{Transaction: tx}
	if trace.Sender, err = s.access(tx.From, 1, func(a *Account) error {
		paid, err := debit(tx, a, amount, fee)
		if tx.IsExit() {
			trace.Paid = paid
		}
		return err
	}); err != nil {
		return err
	}
	if receiver, ok := tx.Receiver(); ok {
		if trace.Receiver, err = s.access(receiver, 2, func(a *Account) error { return receive(tx, a, amount) }); err != nil {
			return err
		}
	}
	if trace.Fee, err = s.access(feeIndex, 3, func(a *Account) error { return receiveFee(tx, feeIndex, a, fee) }); err != nil {
		return err
	}
	s.commit()
	b.countFee(tx.Token, feeIndex)
	countRecords(&b.records, &tx)
	if tx.Kind == settle.KindOpen {
		b.next = max(b.next, uint64(tx.Assigned)+1)
	}
	b.transactions = append(b.transactions, trace)
	return nil
}

// checkForm refuses fields that the kind does not have.
func checkForm(tx Transaction) error {
	switch tx.Kind {
	case settle.KindTransfer:
		return nil
	case settle.KindOpen:
		if tx.To != 0 || tx.ToOwner.IsZero() {
			return settle.Refuse(settle.CodeInvalidField, "an open signs to 0 and the owner of the new account, got to %d and owner %s", tx.To, tx.ToOwner.String())
		}
		return nil
	case settle.KindExit, settle.KindExitAll:
		switch {
		case tx.To != 0 || !tx.ToOwner.IsZero():
			return settle.Refuse(settle.CodeInvalidField, "an exit signs to 0 and to_owner 0, got %d and %s", tx.To, tx.ToOwner.String())
		case tx.Kind == settle.KindExitAll && tx.Amount != 0:
			return settle.Refuse(settle.CodeInvalidField, "exit-all signs amount 0, got the float %#x: it pays the whole balance less the fee", uint64(tx.Amount))
		}
		return nil
	default:
		return settle.Refuse(settle.CodeUnsupportedKind, "kind %s is not executed, expected transfer, open, exit or exit-all", tx.Kind)
	}
}

// step holds the writes of one transaction until all its accesses have passed.
// They happen one after another: sender, receiver and fee account may be one
// and the same account.
type step struct {
	batch *Batch
	cells map[settle.AccountIndex]memoryCell
}

// access reads an account at the time of access k (1 sender, 2 receiver, 3 fee
// account) and writes what write makes of it.
func (s *step) access(index settle.AccountIndex, k uint32, write func(*Account) error) (Access, error) {
	cell, ok := s.cells[index]
	if !ok {
		if err := s.batch.state.Verify(index); err != nil {
			return Access{}, err
		}
		cell = s.batch.cell(index)
	}
	read := Access{Index: index, PreviousTime: cell.lastTime, Before: cell.current}
	if err := write(&cell.current); err != nil {
		return Access{}, err
	}
	cell.lastTime = L2TimeBase + AccessesPerTransaction*uint32(len(s.batch.transactions)) + k
	s.cells[index] = cell
	return read, nil
}

// commit moves the writes to the batch.
func (s *step) commit() {
	for index, cell := range s.cells {
		s.batch.accounts[index] = cell
		s.batch.eachNewNode(index, func(k nodeKey) { s.batch.nodes[k] = struct{}{} })
	}
}

func (b *Batch) countFee(token settle.TokenID, index settle.AccountIndex) {
	if b.fees[token] == nil {
		b.fees[token] = &FeeTrace{FeeAccount: publicdata.FeeAccount{Token: token, Index: index}}
	}
	b.fees[token].Uses++
}

// debit takes amount and fee from the sender, or for exit-all everything, and
// returns what leaves besides the fee.
func debit(tx Transaction, sender *Account, amount, fee settle.Amount) (paid settle.Amount, err error) {
	if err := checkSender(tx, *sender); err != nil {
		return paid, err
	}
	paid = amount
	if tx.Kind == settle.KindExitAll {
		var covers bool
		if paid, covers = sender.Balance.Sub(fee); !covers {
			paid = settle.Amount{} // refused below: the fee alone is too much
		}
	}
	total, fits := paid.Add(fee)
	rest, enough := sender.Balance.Sub(total)
	switch {
	case !fits || !enough:
		return paid, settle.Refuse(settle.CodeInsufficientBalance, "account %d holds %s, the transaction takes %s and a fee of %s",
			tx.From, sender.Balance, amount, fee)
	case tx.IsExit() && sender.L1 != tx.ToL1:
		return paid, settle.Refuse(settle.CodeReceiverMismatch, "account %d exits to %s alone, the transaction signs %s", tx.From, sender.L1, tx.ToL1)
	case tx.IsExit() && paid.IsZero():
		return paid, settle.Refuse(settle.CodeZeroAmount, "an exit must pay more than nothing; account %d holds %s and the fee is %s", tx.From, sender.Balance, fee)
	}
	sender.Balance, sender.Nonce = rest, sender.Nonce+1
	return paid, nil
}

// receive credits the receiver. An open sets it: the slot must be empty, which
// is the sequencer's duty, so a slot that is not is no fault of the sender.
func receive(tx Transaction, receiver *Account, amount settle.Amount) error {
	if tx.Kind == settle.KindOpen {
		if !receiver.IsEmpty() {
			return fmt.Errorf("%w: %d", ErrSlotTaken, tx.Assigned)
		}
		*receiver = Account{Owner: tx.ToOwner, Token: tx.Token, Balance: amount, L1: tx.ToL1}
		return nil
	}
	if err := checkReceiver(tx, *receiver); err != nil {
		return err
	}
	return credit(tx.To, receiver, amount)
}

// receiveFee credits the fee account, also with a fee of 0. It must exist and hold
// the sender's token whatever the state was made of: else an empty slot would get a
// balance that a later open overwrites, or one token would be paid in another.
func receiveFee(tx Transaction, index settle.AccountIndex, a *Account, fee settle.Amount) error {
	if a.IsEmpty() || a.Token != tx.Token {
		return fmt.Errorf("%w: account %d of token %d, expected an account of token %d", ErrFeeAccount, index, a.Token, tx.Token)
	}
	return credit(index, a, fee)
}

func credit(index settle.AccountIndex, a *Account, amount settle.Amount) error {
	sum, ok := a.Balance.Add(amount)
	if !ok {
		return settle.Refuse(settle.CodeBalanceOverflow, "account %d would reach 2^128", index)
	}
	a.Balance = sum
	return nil
}

func checkSender(tx Transaction, sender Account) error {
	switch {
	case sender.IsEmpty():
		return settle.Refuse(settle.CodeUnknownAccount, "sender %d does not exist", tx.From)
	case !sender.Owner.Equal(&tx.PublicKey):
		return settle.Refuse(settle.CodeBadSignature, "the signing key does not own account %d", tx.From)
	case sender.Token != tx.Token:
		return settle.Refuse(settle.CodeWrongToken, "account %d holds token %d, the transaction names token %d", tx.From, sender.Token, tx.Token)
	case tx.Nonce < sender.Nonce:
		return settle.Refuse(settle.CodeStaleNonce, "nonce %d is used, account %d is at nonce %d", tx.Nonce, tx.From, sender.Nonce)
	case tx.Nonce > sender.Nonce:
		return settle.Refuse(settle.CodeNonceTooFar, "nonce %d is ahead, account %d is at nonce %d", tx.Nonce, tx.From, sender.Nonce)
	case tx.Nonce >= settle.MaxNonce:
		return settle.Refuse(settle.CodeNonceTooFar, "nonce %d is the last one and cannot be used", tx.Nonce)
	}
	return nil
}

func checkReceiver(tx Transaction, receiver Account) error {
	switch {
	case receiver.IsEmpty():
		return settle.Refuse(settle.CodeUnknownAccount, "receiver %d does not exist", tx.To)
	case !receiver.Owner.Equal(&tx.ToOwner) || receiver.L1 != tx.ToL1:
		return settle.Refuse(settle.CodeReceiverMismatch, "account %d does not belong to the signed pair (owner, l1)", tx.To)
	case receiver.Token != tx.Token:
		return settle.Refuse(settle.CodeWrongToken, "receiver %d holds token %d, the transaction names token %d", tx.To, receiver.Token, tx.Token)
	}
	return nil
}

func (b *Batch) checkFresh() error {
	if b.number == 0 { // 2^32 batches: a number that wraps would revive expired transactions
		return fmt.Errorf("%w: the last batch has the last number", ErrExhausted)
	}
	if b.state.number+1 != b.number {
		return fmt.Errorf("%w: batch %d on state %d", ErrStale, b.number, b.state.number)
	}
	return nil
}

// Seal writes the batch to the state and returns its trace.
func (b *Batch) Seal() (*Trace, error) {
	s := b.state
	if err := b.checkFresh(); err != nil {
		return nil, err
	}
	trace := &Trace{
		Header:       publicdata.Header{Number: b.number, OldRoot: s.Root(), Domain: s.domain},
		Transactions: b.transactions,
	}
	indices := make([]settle.AccountIndex, 0, len(b.accounts))
	for index := range b.accounts {
		indices = append(indices, index)
	}
	slices.Sort(indices)
	leaves := make([]fr.Element, len(indices))
	for i, index := range indices {
		cell := b.accounts[index]
		trace.Accounts = append(trace.Accounts, AccountTrace{Index: index, Old: cell.old, New: cell.current, LastTime: cell.lastTime})
		leaves[i] = cell.current.Leaf(s.hasher)
		s.accounts.set(index, cell.current)
	}
	for _, f := range b.fees {
		trace.FeeAccounts = append(trace.FeeAccounts, *f)
	}
	slices.SortFunc(trace.FeeAccounts, func(x, y FeeTrace) int { return cmp.Compare(x.Token, y.Token) })
	trace.Nodes = s.tree.Update(indices, leaves)
	trace.Header.NewRoot = s.Root()
	s.number, s.next = b.number, b.next
	return trace, nil
}
