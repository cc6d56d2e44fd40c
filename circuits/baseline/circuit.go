package baseline

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/hash/sha2"
	"github.com/consensys/gnark/std/math/uints"
	"github.com/consensys/gnark/std/signature/eddsa"

	"github.com/zksettle/settle"
)

// Circuit proves one batch: that its transfers, applied one after another, lead
// from the old root to the new one, both of which stand in the data that Digest
// binds. Everything else is a private witness.
type Circuit struct {
	Digest frontend.Variable `gnark:",public"` // SHA-256 of the batch's data, modulo the field

	Domain    frontend.Variable // of the rollup: part of every signed message
	OldRoot   frontend.Variable
	Token     frontend.Variable // of every account of the batch, 32 bits
	Transfers []TransferWires
	Operator  AccountWires // takes the fees, after the last transfer

	without string // a rule that is left out: tests show that each is needed
}

// TransferWires is the witness of one transfer. The nonce that the sender signed
// is that of his account.
type TransferWires struct {
	Amount    frontend.Variable // float: 35-bit mantissa, above it a 5-bit exponent of ten
	Fee       frontend.Variable // float: 11-bit mantissa, above it a 5-bit exponent of ten
	Key       eddsa.PublicKey   // of the sender
	Signature eddsa.Signature
	Sender    AccountWires // before the transfer
	Receiver  AccountWires // after the sender has paid
}

// AccountWires is an account as it is opened: its fields, and its siblings from the
// leaf up.
type AccountWires struct {
	Index   frontend.Variable // as many bits as the tree has levels
	Owner   frontend.Variable // hash of the key
	Nonce   frontend.Variable // 40 bits
	Balance frontend.Variable // 128 bits
	Path    []frontend.Variable
}

// New returns a circuit of a number of transfers over a tree of depth Depth, to
// compile; Assign fills one in.
func New(transfers int) *Circuit { return newCircuit(transfers, Depth) }

func newCircuit(transfers, depth int) *Circuit {
	account := func() AccountWires { return AccountWires{Path: make([]frontend.Variable, depth)} }
	c := &Circuit{Transfers: make([]TransferWires, transfers), Operator: account()}
	for i := range c.Transfers {
		c.Transfers[i].Sender, c.Transfers[i].Receiver = account(), account()
	}
	return c
}

// Define implements frontend.Circuit.
func (c *Circuit) Define(api frontend.API) error {
	g, err := newGadgets(api, c.without)
	if err != nil {
		return err
	}
	e, err := c.execute(g)
	if err != nil {
		return err
	}
	data, err := c.header(g, e)
	if err != nil {
		return err
	}
	return g.bind(c.Digest, append(data, e.records...))
}

type executed struct {
	root     frontend.Variable // after the batch
	operator opened
	records  []uints.U8 // what is published of the transfers
}

// execute applies the transfers one after another, then credits the fees.
func (c *Circuit) execute(g *gadgets) (executed, error) {
	g.checkWidth("token width", c.Token, settle.TokenBits)
	root, fees := c.OldRoot, frontend.Variable(0)
	var records []uints.U8
	for i := range c.Transfers {
		r, err := c.transfer(g, &c.Transfers[i], root)
		if err != nil {
			return executed{}, fmt.Errorf("transfer %d: %w", i, err)
		}
		root, fees, records = r.root, g.api.Add(fees, r.fee), append(records, r.record...)
	}
	operator := g.open(c.Operator, c.Token)
	credited := g.api.Add(c.Operator.Balance, fees)
	g.checkWidth("operator's new balance", credited, settle.BalanceBits)
	return executed{g.update(root, operator, c.Operator.Nonce, credited), operator, records}, nil
}

type transferred struct {
	root   frontend.Variable // after the transfer
	fee    frontend.Variable // its value
	record []uints.U8        // what is published
}

// transfer checks one transfer: first the sender pays amount and fee, then the
// receiver is credited in the tree that results, so that both may be one account.
func (c *Circuit) transfer(g *gadgets, t *TransferWires, root frontend.Variable) (transferred, error) {
	api := g.api
	sender, receiver := g.open(t.Sender, c.Token), g.open(t.Receiver, c.Token)
	amount, fee := g.float(t.Amount, settle.AmountBits), g.float(t.Fee, settle.FeeBits)

	message := g.message(c.Domain, t.Sender.Index, t.Receiver.Index, c.Token, t.Amount, t.Fee, t.Sender.Nonce)
	if g.has("owner") {
		api.AssertIsEqual(t.Sender.Owner, g.hash2(t.Key.A.X, t.Key.A.Y))
	}
	if err := g.verify(t.Signature, message, t.Key); err != nil {
		return transferred{}, err
	}

	// A debit above the balance is a negative number, far from the 128 bits in the field.
	paid := api.Sub(t.Sender.Balance, amount.value, fee.value)
	g.checkWidth("sender's new balance", paid, settle.BalanceBits)
	next := api.Add(t.Sender.Nonce, 1)
	g.checkWidth("sender's new nonce", next, settle.NonceBits)
	root = g.update(root, sender, next, paid)

	credited := api.Add(t.Receiver.Balance, amount.value)
	g.checkWidth("receiver's new balance", credited, settle.BalanceBits)
	root = g.update(root, receiver, t.Receiver.Nonce, credited)

	var record []uints.U8
	for _, bits := range [][]frontend.Variable{g.pad(sender.index), g.pad(receiver.index), amount.bits, fee.bits} {
		record = append(record, g.bytesOf(bits)...)
	}
	return transferred{root, fee.value, record}, nil
}

// header is what the data begin with: domain, old root and new root in 32 bytes
// each, the operator's index in 4.
func (c *Circuit) header(g *gadgets, e executed) ([]uints.U8, error) {
	var data []uints.U8
	for _, v := range []frontend.Variable{c.Domain, c.OldRoot, e.root} {
		b, err := g.canonicalBytes(v)
		if err != nil {
			return nil, err
		}
		data = append(data, b...)
	}
	return append(data, g.bytesOf(g.pad(e.operator.index))...), nil
}

// bind asserts that digest is the SHA-256 of data, read as a big-endian number and
// taken modulo the field. At most six digests share a public input, so that two data
// with one input are still about as hard to find as a collision of SHA-256.
func (g *gadgets) bind(digest frontend.Variable, data []uints.U8) error {
	h, err := sha2.New(g.api)
	if err != nil {
		return fmt.Errorf("SHA-256: %w", err)
	}
	h.Write(data)
	sum := frontend.Variable(0)
	for _, b := range h.Sum() {
		sum = g.api.Add(g.api.Mul(sum, 256), g.bytes.Value(b))
	}
	if g.has("digest") {
		g.api.AssertIsEqual(digest, sum)
	}
	return nil
}

// powerOfTwo is the factor that shifts a packed field.
func powerOfTwo(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }
