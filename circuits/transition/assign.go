package transition

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// ErrCapacity reports a batch that does not fit the shape.
var ErrCapacity = errors.New("batch exceeds the shape")

// Assign turns a batch's trace into the circuit's assignment: values in the
// slots that the batch uses, padding in the rest. Returns ErrCapacity when the
// batch does not fit the shape.
func Assign(shape Shape, trace *state.Trace) (*Circuit, error) {
	if u := trace.Usage(); !shape.Fits(u) {
		return nil, fmt.Errorf("%w %q: it needs %+v of %+v", ErrCapacity, shape.Name, u, shape.Capacity)
	}
	data := trace.Data()
	inputs, err := data.PublicInputs(poseidon.New(), shape.Capacity)
	if err != nil {
		return nil, err
	}
	c := New(shape)
	c.C, c.Zeta, c.V = inputs[0], inputs[1], inputs[2]
	c.Header = Header{Number: number(trace.Header.Number), OldRoot: trace.Header.OldRoot, NewRoot: trace.Header.NewRoot, Domain: trace.Header.Domain}
	for i := range c.Accounts {
		c.Accounts[i] = assignAccount(shape, trace, i)
	}
	for i := range c.Nodes {
		c.Nodes[i] = assignNode(trace, i)
	}
	for i := range c.FeeAccounts {
		c.FeeAccounts[i] = assignFee(trace, i)
	}
	for i := range c.Opens {
		c.Opens[i] = assignOpen(data, i)
	}
	for i := range c.Exits {
		c.Exits[i] = assignExit(data, i)
	}
	for i := range c.Transfers {
		if c.Transfers[i], err = assignTransfer(shape, trace, i); err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
	}
	return c, nil
}

func assignLeaf(a state.Account) Leaf {
	return Leaf{Owner: a.Owner, Token: number(a.Token), Nonce: number(a.Nonce), Balance: a.Balance.Big(), L1: address(a.L1)}
}

// number turns a vocabulary type into what gnark's witness accepts.
func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64](v T) uint64 { return uint64(v) }

func address(a settle.Address) *big.Int { return new(big.Int).SetBytes(a[:]) }

// slotTime maps a time of the trace, whose L2 transactions start at a fixed
// base, to the shape's own numbering.
func slotTime(shape Shape, time uint32) int {
	if time > state.L2TimeBase {
		return shape.L1Ops + int(time-state.L2TimeBase)
	}
	return int(time)
}

func assignAccount(shape Shape, trace *state.Trace, i int) AccountSlot {
	if i >= len(trace.Accounts) {
		empty := assignLeaf(state.Account{})
		return AccountSlot{Active: 0, Index: 0, Old: empty, New: empty, LastTime: 0}
	}
	a := trace.Accounts[i]
	return AccountSlot{Active: 1, Index: number(a.Index), Old: assignLeaf(a.Old), New: assignLeaf(a.New), LastTime: slotTime(shape, a.LastTime)}
}

func assignNode(trace *state.Trace, i int) NodeSlot {
	s := NodeSlot{Active: 0, Level: 1, Position: 0}
	var node state.NodeUpdate
	if i < len(trace.Nodes) {
		node = trace.Nodes[i]
		s.Active, s.Level, s.Position = 1, node.Level, number(node.Position)
	}
	for j := range settle.TreeArity {
		s.Old[j], s.New[j], s.Touched[j] = node.Old[j], node.New[j], flag(node.Touched[j])
	}
	return s
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func assignFee(trace *state.Trace, i int) FeeSlot {
	if i >= len(trace.FeeAccounts) {
		return FeeSlot{Active: 0, Token: 0, Index: 0, Uses: 0}
	}
	f := trace.FeeAccounts[i]
	return FeeSlot{Active: 1, Token: number(f.Token), Index: number(f.Index), Uses: number(f.Uses)}
}

func assignFloat(f uint64, mantissaBits uint) Float {
	out := Float{Mantissa: f & (1<<mantissaBits - 1)}
	for i := range out.Exponent {
		out.Exponent[i] = f >> (mantissaBits + uint(i)) & 1
	}
	return out
}

// assignTransfer fills a slot. A slot without transaction verifies the padding
// signature: secret key 1 over an all-zero message under the batch's domain.
func assignTransfer(shape Shape, trace *state.Trace, i int) (TransferSlot, error) {
	var t state.TransactionTrace
	tx := &t.Transaction
	if i < len(trace.Transactions) {
		t = trace.Transactions[i]
	} else {
		tx.PublicKey, tx.Signature = schnorr.Padding(trace.Header.Domain)
	}
	signature, err := assignSignature(shape, tx, trace.Header.Domain)
	if err != nil {
		return TransferSlot{}, err
	}
	to, _ := tx.Receiver()
	opens, exits := recordsBefore(trace, i)
	return TransferSlot{
		Kind: assignKind(tx.Kind), OpensBefore: opens, ExitsBefore: exits,
		From: number(tx.From), To: number(to), Token: number(tx.Token),
		Amount: assignFloat(uint64(tx.Amount), state.AmountMantissaBits), Fee: assignFloat(uint64(tx.Fee), state.FeeMantissaBits),
		Nonce: number(tx.Nonce), ValidUntil: number(tx.ValidUntil), ToOwner: tx.ToOwner, ToL1: address(tx.ToL1),
		Signature: signature,
		Sender: SenderAccess{
			PreviousTime: slotTime(shape, t.Sender.PreviousTime), Balance: t.Sender.Before.Balance.Big(), L1: address(t.Sender.Before.L1),
		},
		Receiver: ReceiverAccess{
			PreviousTime: slotTime(shape, t.Receiver.PreviousTime), Nonce: number(t.Receiver.Before.Nonce), Balance: t.Receiver.Before.Balance.Big(),
		},
		FeeTaker: FeeAccess{
			Index: number(t.Fee.Index), PreviousTime: slotTime(shape, t.Fee.PreviousTime), Owner: t.Fee.Before.Owner,
			Nonce: number(t.Fee.Before.Nonce), Balance: t.Fee.Before.Balance.Big(), L1: address(t.Fee.Before.L1),
		},
	}, nil
}

func assignKind(kind settle.Kind) KindFlags {
	return KindFlags{
		Transfer: flag(kind == settle.KindTransfer), Open: flag(kind == settle.KindOpen),
		Exit: flag(kind == settle.KindExit), ExitAll: flag(kind == settle.KindExitAll),
	}
}

// recordsBefore counts the opens and exits of the transactions before slot i.
func recordsBefore(trace *state.Trace, i int) (opens, exits int) {
	for j := range min(i, len(trace.Transactions)) {
		tx := &trace.Transactions[j].Transaction
		opens += flag(tx.Kind == settle.KindOpen)
		exits += flag(tx.IsExit())
	}
	return opens, exits
}

func assignOpen(data *publicdata.Data, i int) OpenSlot {
	if i >= len(data.Opens) {
		return OpenSlot{Active: 0, Owner: 0, L1: 0}
	}
	return OpenSlot{Active: 1, Owner: data.Opens[i].Owner, L1: address(data.Opens[i].L1)}
}

func assignExit(data *publicdata.Data, i int) ExitSlot {
	if i >= len(data.Exits) {
		return ExitSlot{Active: 0, L1: 0, Token: 0, Amount: 0}
	}
	x := data.Exits[i]
	return ExitSlot{Active: 1, L1: address(x.L1), Token: number(x.Token), Amount: x.Amount.Big()}
}

func assignSignature(shape Shape, tx *state.Transaction, domain fr.Element) (gadget.SignatureWires, error) {
	return gadget.AssignSignature(shape.WindowBits, tx.PublicKey, tx.Message(domain), tx.Signature)
}

var _ frontend.Circuit = (*Circuit)(nil)
