package state

import (
	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
)

// L2TimeBase separates the access times of L1 operations (1..q) from those of
// L2 transactions, whatever the shape's number of L1 slots; circuits.Assign
// maps them to the shape's own. Transaction t (from 0) accesses its sender,
// receiver and fee account at L2TimeBase + 3t + 1, + 2, + 3.
const L2TimeBase = 1 << 16

// AccessesPerTransaction is the number of memory accesses of an L2 transaction.
const AccessesPerTransaction = 3

// Access is one access to an account in the batch memory: what was read, and
// the time of the write that it read (0: the account as it entered the batch).
type Access struct {
	Index        settle.AccountIndex
	PreviousTime uint32
	Before       Account
}

// TransactionTrace is one executed transaction and its accesses. Receiver is the
// zero Access for exits, which make none. Paid is the exact amount that an exit
// pays on L1, 0 for the other kinds; for exit-all it is the balance less the fee.
type TransactionTrace struct {
	Transaction Transaction
	Paid        settle.Amount
	Sender      Access
	Receiver    Access
	Fee         Access
}

// AccountTrace is an account that the batch touched. LastTime is the time of
// the last write.
type AccountTrace struct {
	Index    settle.AccountIndex
	Old, New Account
	LastTime uint32
}

// FeeTrace is a fee account of the batch and the number of transactions that
// paid into it, at least one.
type FeeTrace struct {
	publicdata.FeeAccount
	Uses uint32
}

// Trace is a sealed batch with everything that the circuit's witness is made
// of. Accounts are in strictly increasing order of index, fee accounts of
// token, nodes of (level, position).
type Trace struct {
	Header       publicdata.Header
	Transactions []TransactionTrace
	Accounts     []AccountTrace
	Nodes        []NodeUpdate
	FeeAccounts  []FeeTrace
}

// Usage counts the slots that the trace needs.
func (t *Trace) Usage() settle.Usage {
	u := settle.Usage{
		Transfers: len(t.Transactions), Accounts: len(t.Accounts), Nodes: len(t.Nodes), FeeAccounts: len(t.FeeAccounts),
	}
	for i := range t.Transactions {
		countRecords(&u, &t.Transactions[i].Transaction)
	}
	return u
}

// countRecords counts the records that a transaction has in D beside its own.
func countRecords(u *settle.Usage, tx *Transaction) {
	switch {
	case tx.Kind == settle.KindOpen:
		u.Opens++
	case tx.IsExit():
		u.Exits++
	}
}

// Data returns D of the batch.
func (t *Trace) Data() *publicdata.Data {
	d := &publicdata.Data{Header: t.Header}
	for _, f := range t.FeeAccounts {
		d.FeeAccounts = append(d.FeeAccounts, f.FeeAccount)
	}
	for i := range t.Transactions {
		tx := &t.Transactions[i].Transaction
		to, _ := tx.Receiver()
		d.Transfers = append(d.Transfers, publicdata.Transfer{
			Kind: tx.Kind, From: tx.From, To: to, Amount: uint64(tx.Amount), Fee: uint16(tx.Fee),
		})
		switch {
		case tx.Kind == settle.KindOpen:
			d.Opens = append(d.Opens, publicdata.Open{Owner: tx.ToOwner, L1: tx.ToL1})
		case tx.IsExit():
			d.Exits = append(d.Exits, publicdata.Exit{L1: tx.ToL1, Token: tx.Token, Amount: t.Transactions[i].Paid})
		}
	}
	return d
}
