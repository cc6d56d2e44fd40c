package transition

import (
	"maps"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// forgeShape is tiny with a second fee slot and a few spare slots.
func forgeShape() Shape {
	return Shape{Name: "forge", WindowBits: 4, Capacity: settle.Capacity{Transfers: 2, Accounts: 5, Nodes: 24, FeeAccounts: 2, Opens: 2, Exits: 2}}
}

// leafValues is a leaf as field elements, free of the widths that Account's
// types impose.
type leafValues struct{ owner, token, nonce, balance, l1 fr.Element }

func valuesOf(a state.Account) leafValues {
	e := func(v any) (x fr.Element) {
		if _, err := x.SetInterface(v); err != nil {
			panic(err)
		}
		return x
	}
	return leafValues{a.Owner, e(uint64(a.Token)), e(uint64(a.Nonce)), e(a.Balance.Big()), e(address(a.L1))}
}

func (l leafValues) digest(h *poseidon.Hasher) fr.Element {
	packed := fr.NewElement(1 << settle.TokenBits)
	packed.Mul(&packed, &l.nonce).Add(&packed, &l.token)
	return h.Leaf([4]fr.Element{l.owner, packed, l.balance, l.l1})
}

func (l leafValues) assign() Leaf {
	return Leaf{Owner: l.owner, Token: l.token, Nonce: l.nonce, Balance: l.balance, L1: l.l1}
}

type cell struct {
	opened, now leafValues
	time        int
}

// forger is a prover without scruples: it keeps batch memory, tree and public
// data consistent around whatever a test makes it claim.
type forger struct {
	*world
	shape  Shape
	hasher *poseidon.Hasher
	tree   *state.Tree
	cells  map[settle.AccountIndex]*cell
	c      *Circuit
	number uint64

	closing map[settle.AccountIndex]fr.Element // digests in the new tree that are not their accounts'

	opens, exits int
}

func newForger(t testing.TB, accounts, tokens int) *forger {
	w := newWorld(t, accounts, tokens, 9)
	f := &forger{
		world: w, shape: forgeShape(), hasher: poseidon.New(), cells: map[settle.AccountIndex]*cell{},
		number: uint64(w.state.Number()) + 1,
	}
	f.tree = state.NewTree(f.hasher)
	var indices []settle.AccountIndex
	var leaves []fr.Element
	for i := range w.keys {
		index := settle.AccountIndex(i)
		indices, leaves = append(indices, index), append(leaves, w.state.Account(index).Leaf(f.hasher))
	}
	f.tree.Update(indices, leaves)
	empty, err := Assign(f.shape, w.batch())
	require.NoError(t, err)
	f.c = empty
	return f
}

// open brings an account into the batch memory as it is in the state.
func (f *forger) open(index settle.AccountIndex) *cell {
	if f.cells[index] == nil {
		l := valuesOf(f.state.Account(index))
		f.cells[index] = &cell{opened: l, now: l}
	}
	return f.cells[index]
}

// claim is one transfer as the forger executes it. The message that is signed
// and what is executed can differ.
type claim struct {
	from, to, fee       settle.AccountIndex
	amount, feeAmount   Float
	amountValue, feePay uint64      // what the memory moves
	newOwner, newL1     fr.Element  // of an open
	kind                settle.Kind // 0: transfer
	signed              func(*state.Transaction)
	message             func(*schnorr.Message) // what is signed beyond what a transaction can say
	edit                func(*TransferSlot)
}

func small(v uint64) Float {
	f := Float{Mantissa: v}
	for i := range f.Exponent {
		f.Exponent[i] = 0
	}
	return f
}

// transfer fills slot i, moves the amounts in memory, and signs.
func (f *forger) transfer(i int, x claim) {
	if x.amount.Mantissa == nil {
		x.amount = small(x.amountValue)
	}
	if x.feeAmount.Mantissa == nil {
		x.feeAmount = small(x.feePay)
	}
	amount, fee := fr.NewElement(x.amountValue), fr.NewElement(x.feePay)
	s := &f.c.Transfers[i]
	if x.kind == 0 {
		x.kind = settle.KindTransfer
	}
	s.Kind, s.From, s.To, s.ValidUntil = assignKind(x.kind), uint64(x.from), uint64(x.to), 0
	s.OpensBefore, s.ExitsBefore = f.opens, f.exits
	s.Amount, s.Fee = x.amount, x.feeAmount

	sender := f.open(x.from)
	s.Token, s.Nonce = sender.now.token, sender.now.nonce
	s.Sender = SenderAccess{PreviousTime: sender.time, Balance: sender.now.balance, L1: sender.now.l1}
	owner := sender.now.owner
	one := fr.One()
	sender.now.nonce.Add(&sender.now.nonce, &one)
	sender.now.balance.Sub(&sender.now.balance, &amount).Sub(&sender.now.balance, &fee)
	sender.time = f.shape.accessTime(i, 1)

	switch x.kind {
	case settle.KindTransfer:
		receiver := f.open(x.to)
		s.ToOwner, s.ToL1 = receiver.now.owner, receiver.now.l1
		s.Receiver = ReceiverAccess{PreviousTime: receiver.time, Nonce: receiver.now.nonce, Balance: receiver.now.balance}
		receiver.now.balance.Add(&receiver.now.balance, &amount)
		receiver.time = f.shape.accessTime(i, 2)
	case settle.KindOpen:
		receiver := f.open(x.to)
		s.ToOwner, s.ToL1 = x.newOwner, x.newL1
		s.Receiver = ReceiverAccess{PreviousTime: receiver.time, Nonce: receiver.now.nonce, Balance: receiver.now.balance}
		token := sender.now.token
		receiver.now = leafValues{x.newOwner, token, receiver.now.nonce, receiver.now.balance, x.newL1}
		receiver.now.balance.Add(&receiver.now.balance, &amount)
		receiver.time = f.shape.accessTime(i, 2)
		f.c.Opens[f.opens] = OpenSlot{Active: 1, Owner: x.newOwner, L1: x.newL1}
		f.opens++
	default:
		s.ToOwner, s.ToL1 = fr.Element{}, sender.now.l1
		s.Receiver = ReceiverAccess{PreviousTime: 0, Nonce: 0, Balance: 0}
		f.c.Exits[f.exits] = ExitSlot{Active: 1, L1: sender.now.l1, Token: sender.now.token, Amount: amount}
		f.exits++
	}

	taker := f.open(x.fee)
	s.FeeTaker = FeeAccess{
		Index: uint64(x.fee), PreviousTime: taker.time, Owner: taker.now.owner, Nonce: taker.now.nonce, Balance: taker.now.balance, L1: taker.now.l1,
	}
	taker.now.balance.Add(&taker.now.balance, &fee)
	taker.time = f.shape.accessTime(i, 3)

	tx := state.Transaction{
		Kind: x.kind, From: x.from, Token: settle.TokenID(uintOf(s.Token)), Nonce: settle.Nonce(uintOf(s.Nonce)),
		Amount: state.Float40(uintOf(packFloat(x.amount, state.AmountMantissaBits))), Fee: state.Float16(uintOf(packFloat(x.feeAmount, state.FeeMantissaBits))),
		ToOwner: element(s.ToOwner), PublicKey: owner,
	}
	toL1 := element(s.ToL1)
	low := toL1.BigInt(new(big.Int))
	low.Mod(low, new(big.Int).Lsh(big.NewInt(1), settle.AddressBits)).FillBytes(tx.ToL1[:])
	switch x.kind {
	case settle.KindTransfer:
		tx.To = x.to
	case settle.KindExitAll:
		tx.Amount, s.Amount = 0, small(0)
	}
	if x.signed != nil {
		x.signed(&tx)
	}
	s.ValidUntil = uint64(tx.ValidUntil)
	message := tx.Message(f.state.Domain())
	if x.message != nil {
		x.message(&message)
	}
	signature, err := schnorr.Sign(f.keys[x.from], message, randReader{f.rand})
	require.NoError(f.t, err)
	s.Signature, err = gadget.AssignSignature(f.shape.WindowBits, tx.PublicKey, message, signature)
	require.NoError(f.t, err)
	if x.edit != nil {
		x.edit(s)
	}
}

// fees lists fee slots in order.
func (f *forger) fees(slots ...FeeSlot) { copy(f.c.FeeAccounts, slots) }

func feeSlot(token, index, uses uint64) FeeSlot {
	return FeeSlot{Active: 1, Token: token, Index: index, Uses: uses}
}

// seal closes the memory into the tree and publishes.
func (f *forger) seal() *Circuit {
	for i := range f.c.Transfers {
		if s := &f.c.Transfers[i]; s.Kind == assignKind(settle.KindNone) {
			s.OpensBefore, s.ExitsBefore = f.opens, f.exits
		}
	}
	indices := slices.Sorted(maps.Keys(f.cells))
	var leaves []fr.Element
	for i, index := range indices {
		c := f.cells[index]
		f.c.Accounts[i] = AccountSlot{Active: 1, Index: uint64(index), Old: c.opened.assign(), New: c.now.assign(), LastTime: c.time}
		leaf, lie := f.closing[index]
		if !lie {
			leaf = c.now.digest(f.hasher)
		}
		leaves = append(leaves, leaf)
	}
	f.c.Header = Header{Number: f.number, OldRoot: f.tree.Root(), Domain: f.state.Domain()}
	nodes := f.tree.Update(indices, leaves)
	f.c.Header.NewRoot = f.tree.Root()
	for i := range f.c.Nodes {
		f.c.Nodes[i] = assignNode(&state.Trace{Nodes: nodes}, i)
	}
	publish(f.t, f.c)
	return f.c
}

func element(v frontend.Variable) (e fr.Element) {
	if _, err := e.SetInterface(v); err != nil {
		panic(err)
	}
	return e
}

func uintOf(v frontend.Variable) uint64 {
	e := element(v)
	return e.Uint64()
}

// weigh is Σ fields[i]·2^shift[i] in the field, whatever the fields' widths.
func weigh(pairs ...any) fr.Element {
	var sum fr.Element
	for i := 0; i < len(pairs); i += 2 {
		var weight, value fr.Element
		weight.SetBigInt(new(big.Int).Lsh(big.NewInt(1), uint(pairs[i+1].(int))))
		value = element(pairs[i])
		sum.Add(&sum, value.Mul(&value, &weight))
	}
	return sum
}

func packFloat(f Float, mantissaBits int) fr.Element {
	pairs := []any{f.Mantissa, 0}
	for i, bit := range f.Exponent {
		pairs = append(pairs, bit, mantissaBits+i)
	}
	return weigh(pairs...)
}

// kindOf returns the sum of the flags and the kind that they say.
func kindOf(f KindFlags) (active, kind fr.Element) {
	return weigh(f.Transfer, 0, f.Open, 0, f.Exit, 0, f.ExitAll, 0),
		weigh(f.Transfer, 0, f.Open, 1, f.Exit, 0, f.Exit, 1, f.ExitAll, 2)
}

// publish sets the public inputs to what the assignment's own wires publish: a
// twin of the public data chip over field elements, so that no forgery is
// refused merely for stale public data.
func publish(t testing.TB, c *Circuit) {
	type word struct{ active, value fr.Element }
	var body []word
	var fees, transfers, opens, exits fr.Element
	for _, s := range c.FeeAccounts {
		active := element(s.Active)
		value := weigh(s.Token, 0, s.Index, settle.TokenBits)
		body = append(body, word{active, *value.Mul(&value, &active)})
		fees.Add(&fees, &active)
	}
	for i := range c.Transfers {
		s := &c.Transfers[i]
		active, kind := kindOf(s.Kind)
		value := weigh(kind, 0, s.From, 4, s.To, 36, packFloat(s.Amount, state.AmountMantissaBits), 68, packFloat(s.Fee, state.FeeMantissaBits), 108)
		value.Mul(&value, &active)
		transfers.Add(&transfers, &active)
		if i%2 == 0 {
			body = append(body, word{active, value})
		} else {
			last := &body[len(body)-1].value
			high := weigh(value, publicdata.TransferRecordBits)
			last.Add(last, &high)
		}
	}
	record := func(active frontend.Variable, count *fr.Element, values ...fr.Element) {
		a := element(active)
		count.Add(count, &a)
		for _, v := range values {
			body = append(body, word{a, *v.Mul(&v, &a)})
		}
	}
	for _, s := range c.Opens {
		record(s.Active, &opens, element(s.Owner), element(s.L1))
	}
	for _, s := range c.Exits {
		record(s.Active, &exits, weigh(s.L1, 0, s.Token, settle.AddressBits), element(s.Amount))
	}
	header := []fr.Element{
		element(c.Header.Number), element(c.Header.OldRoot), element(c.Header.NewRoot), element(c.Header.Domain),
		weigh(fees, 0, transfers, 64, opens, 96, exits, 128),
	}
	h := poseidon.New()
	length := fr.NewElement(publicdata.HeaderWords)
	padded := make([]fr.Element, len(body))
	for i, w := range body {
		padded[i] = w.value
		length.Add(&length, &w.active)
	}
	commitment := h.Hash4([4]fr.Element{h.Sponge(publicdata.HeaderTag, header), h.Sponge(publicdata.BodyTag, padded), length, poseidon.Tag(publicdata.CTag)})

	zeta := fr.NewElement(0xabcdef0123456789)
	v, weight, one := fr.Element{}, fr.One(), fr.One()
	add := func(value, active fr.Element) {
		value.Mul(&value, &weight)
		v.Add(&v, &value)
		var step fr.Element
		step.Sub(&zeta, &one).Mul(&step, &active).Add(&step, &one)
		weight.Mul(&weight, &step)
	}
	for _, w := range header {
		add(w, one)
	}
	for _, w := range body {
		add(w.value, w.active)
	}
	c.C, c.Zeta, c.V = commitment, zeta, v
}
