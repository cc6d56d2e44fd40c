package transition

import (
	"cmp"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// oddShape has an odd number of transfers, and exactly the nodes and accounts
// that touching all of strangeIndices takes.
func oddShape() Shape {
	return Shape{Name: "odd", WindowBits: 4, Capacity: settle.Capacity{Transfers: 3, Accounts: 7, Nodes: 55, FeeAccounts: 2}}
}

// roomyShape is odd, with slots to spare for opens and exits.
func roomyShape() Shape {
	return Shape{Name: "roomy", WindowBits: 4, Capacity: settle.Capacity{Transfers: 3, Accounts: 10, Nodes: 103, FeeAccounts: 2, Opens: 3, Exits: 3}}
}

// vacant are slots for opens, empty at first.
var vacant = []settle.AccountIndex{2, 1 << 20, 1<<32 - 5, 9, 10, 11, 12}

var strangeIndices = []settle.AccountIndex{0, 1, 5, 1 << 16, 1 << 31, 1<<32 - 2, 1<<32 - 1}

// strange is a state of extreme accounts. Its accounts share two keys, so that
// several have one owner, and few l1 addresses.
type strange struct {
	keys     []schnorr.PrivateKey
	accounts []state.Indexed
	fees     map[settle.TokenID]settle.AccountIndex
	domain   fr.Element
	number   settle.BatchNumber // of the state
}

func (s *strange) load(t testing.TB) *state.State {
	out, err := state.Load(poseidon.New(), s.domain, s.number, s.accounts, s.fees)
	require.NoError(t, err)
	return out
}

func amountOf(exponent uint, less int64) settle.Amount {
	a, err := settle.AmountFromBig(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), exponent), big.NewInt(less)))
	if err != nil {
		panic(err)
	}
	return a
}

// offCurve is an owner that no key has. Execution does not mind.
func offCurve() fr.Element {
	for x := fr.NewElement(1); ; x.Double(&x) {
		if !schnorr.OnCurve(x) {
			return x
		}
	}
}

func drawStrange(t testing.TB, rt *rapid.T) *strange {
	s := &strange{fees: map[settle.TokenID]settle.AccountIndex{}}
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 3))
	for range 2 {
		key, err := schnorr.GenerateKey(randReader{r})
		require.NoError(t, err)
		s.keys = append(s.keys, key)
	}
	s.domain = publicdata.Domain(rapid.SampledFrom([]uint64{0, 1, 1<<64 - 1}).Draw(rt, "chain"), settle.Address{0: 255, 19: 1})
	s.number = rapid.SampledFrom([]settle.BatchNumber{0, 41, 1<<32 - 3}).Draw(rt, "number")
	tokens := []settle.TokenID{0, 1<<32 - 1}
	one := rapid.Bool().Draw(rt, "one token")
	for i, index := range strangeIndices {
		token := tokens[i%2]
		if one {
			token = tokens[rapid.IntRange(0, 1).Draw(rt, "token")]
		}
		s.accounts = append(s.accounts, state.Indexed{Index: index, Account: state.Account{
			Owner:   rapid.SampledFrom([]fr.Element{s.keys[0].Public().X, s.keys[0].Public().X, s.keys[1].Public().X, offCurve()}).Draw(rt, "owner"),
			Token:   token,
			Nonce:   rapid.SampledFrom([]settle.Nonce{0, 5, 1 << 32, settle.MaxNonce - 2, settle.MaxNonce - 1, settle.MaxNonce}).Draw(rt, "nonce"),
			Balance: rapid.SampledFrom([]settle.Amount{{}, settle.NewAmount(1000), amountOf(64, 0), amountOf(127, 0), amountOf(128, 2049), amountOf(128, 1)}).Draw(rt, "balance"),
			L1:      rapid.SampledFrom([]settle.Address{{}, {0: 255}, {19: 1}}).Draw(rt, "l1"),
		}})
	}
	for _, i := range rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6}).Draw(rt, "fee accounts") {
		s.fees[s.accounts[i].Token] = s.accounts[i].Index
	}
	return s
}

var strangeAmounts = []state.Float40{
	0, 31 << 35, 1, 10, 1 << 35, 1000, 999, 1<<35 - 1, 1<<40 - 1, 29<<35 | 1<<34, 27<<35 | 1<<34, 28<<35 | 34028236692, 28<<35 | 34028236693,
}

var strangeFees = []state.Float16{0, 31 << 11, 1, 1 << 11, 1000, 1<<16 - 1}

// draw signs a transaction that a batch may or may not execute.
func (s *strange) draw(rt *rapid.T, b *state.Batch) state.Transaction {
	pick := func(label string) settle.AccountIndex { return rapid.SampledFrom(strangeIndices).Draw(rt, label) }
	tx := state.Transaction{Kind: settle.KindTransfer, From: pick("from"), To: pick("to")}
	if rapid.IntRange(0, 3).Draw(rt, "all one") == 0 {
		tx.From = s.fees[b.Account(tx.From).Token]
		tx.To = tx.From
	}
	sender, receiver := b.Account(tx.From), b.Account(tx.To)
	for i := 0; receiver.Token != sender.Token && i < len(strangeIndices); i++ {
		tx.To = strangeIndices[i]
		receiver = b.Account(tx.To)
	}
	tx.Token, tx.Nonce, tx.ToOwner, tx.ToL1 = sender.Token, sender.Nonce, receiver.Owner, receiver.L1
	tx.Amount = rapid.SampledFrom(strangeAmounts).Draw(rt, "amount")
	if whole, err := state.NewFloat40(sender.Balance); err == nil && rapid.Bool().Draw(rt, "whole balance") {
		tx.Amount = whole
	}
	tx.Fee = rapid.SampledFrom(strangeFees).Draw(rt, "fee")
	tx.ValidUntil = rapid.SampledFrom([]settle.BatchNumber{0, b.Number(), b.Number() + 1, 1<<32 - 1}).Draw(rt, "validUntil")
	switch tx.Kind = rapid.SampledFrom([]settle.Kind{1, 1, 1, 2, 2, 3, 4}).Draw(rt, "kind"); tx.Kind {
	case settle.KindOpen:
		tx.To, tx.Assigned = 0, vacant[slices.IndexFunc(vacant, func(i settle.AccountIndex) bool { return b.Account(i).IsEmpty() })]
		tx.ToOwner = rapid.SampledFrom([]fr.Element{s.keys[0].Public().X, s.keys[1].Public().X, offCurve()}).Draw(rt, "new owner")
		tx.ToL1 = rapid.SampledFrom([]settle.Address{{}, {0: 255}, {19: 1}}).Draw(rt, "new l1")
	case settle.KindExit, settle.KindExitAll:
		tx.To, tx.ToOwner, tx.ToL1 = 0, fr.Element{}, sender.L1
		if tx.Kind == settle.KindExitAll {
			tx.Amount = 0
		}
	}
	signer := sender.Owner
	switch rapid.IntRange(0, 16).Draw(rt, "fault") {
	case 0:
		tx.ValidUntil = b.Number() - 1 // 0 in the first batch
	case 1:
		tx.Nonce = (tx.Nonce + 1) & settle.MaxNonce
	case 2:
		tx.Token ^= 1<<32 - 1
	case 3:
		tx.ToL1[5] ^= 1
	case 4:
		tx.To = 77 // empty
		tx.ToOwner, tx.ToL1 = fr.Element{}, settle.Address{}
	case 6:
		tx.Amount = 31 << 35 // a zero that is not 0
	case 7:
		tx.ToOwner = fr.Element{}
	case 8:
		tx.ToOwner = s.keys[0].Public().X
	case 5:
		signer = s.keys[rapid.IntRange(0, 1).Draw(rt, "signer")].Public().X
	}
	s.sign(rt, &tx, signer)
	return tx
}

func (s *strange) sign(t require.TestingT, tx *state.Transaction, signer fr.Element) {
	tx.PublicKey = s.keys[0].Public().X // for an owner that nobody has the key of
	for _, key := range s.keys {
		if key.Public().X == signer {
			tx.PublicKey = signer
		}
	}
	for _, key := range s.keys {
		if key.Public().X == tx.PublicKey {
			var err error
			tx.Signature, err = schnorr.Sign(key, tx.Message(s.domain), rand0{})
			require.NoError(t, err)
		}
	}
}

type rand0 struct{}

func (rand0) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// rebuild brings the accounts up to date from the words of D alone, and returns
// their root.
func (s *strange) rebuild(t require.TestingT, words []fr.Element) fr.Element {
	d, err := publicdata.Parse(words)
	require.NoError(t, err)
	fees := map[settle.TokenID]settle.AccountIndex{}
	for _, f := range d.FeeAccounts {
		fees[f.Token] = f.Index
	}
	at := func(index settle.AccountIndex) *state.Account {
		return &s.accounts[slices.IndexFunc(s.accounts, func(a state.Indexed) bool { return a.Index == index })].Account
	}
	opens, exits := d.Opens, d.Exits
	add := func(a *state.Account, amount settle.Amount) {
		var ok bool
		a.Balance, ok = a.Balance.Add(amount)
		require.True(t, ok)
	}
	for _, x := range d.Transfers {
		amount, err := state.Float40(x.Amount).Amount()
		require.NoError(t, err)
		fee := state.Float16(x.Fee).Amount()
		if x.Kind >= settle.KindExit {
			amount, exits = exits[0].Amount, exits[1:]
		}
		sender := at(x.From)
		total, ok := amount.Add(fee)
		require.True(t, ok)
		sender.Balance, ok = sender.Balance.Sub(total)
		require.True(t, ok)
		sender.Nonce++
		token := sender.Token
		switch x.Kind {
		case settle.KindTransfer:
			add(at(x.To), amount)
		case settle.KindOpen:
			s.accounts = append(s.accounts, state.Indexed{Index: x.To, Account: state.Account{
				Owner: opens[0].Owner, Token: token, Balance: amount, L1: opens[0].L1,
			}})
			opens = opens[1:]
		}
		add(at(fees[token]), fee)
	}
	slices.SortFunc(s.accounts, func(x, y state.Indexed) int { return cmp.Compare(x.Index, y.Index) })
	st, err := state.Load(poseidon.New(), d.Header.Domain, d.Header.Number, s.accounts, fees)
	require.NoError(t, err)
	return st.Root()
}

// TestStrangeBatchesAreProvable: what Step accepts, at the edges of every width,
// has a witness under Apply's public inputs, also behind the trace's codec, in an
// odd shape that is full or not. UsageWith foretells Usage, or no batch could be
// sealed in time.
func TestStrangeBatchesAreProvable(t *testing.T) {
	shape := roomyShape()
	ccs := system(t, shape)
	rapid.Check(t, func(rt *rapid.T) {
		s := drawStrange(t, rt)
		st := s.load(t)
		for range 2 {
			b := st.Begin()
			for range rapid.IntRange(0, 8).Draw(rt, "attempts") {
				tx := s.draw(rt, b)
				if b.Len() == shape.Transfers {
					break
				}
				foretold := b.UsageWith(tx)
				if err := b.Step(tx); err != nil {
					_, refused := settle.AsRefusal(err)
					require.True(rt, refused, "%v", err)
					continue
				}
				require.Equal(rt, foretold, b.Usage())
			}
			trace, err := b.Seal()
			require.NoError(rt, err)
			require.Equal(rt, b.Usage(), trace.Usage())
			require.Equal(rt, trace.Header.NewRoot, s.rebuild(t, trace.Data().Words()))
			blob, err := state.EncodeTrace(trace)
			require.NoError(rt, err)
			decoded, err := state.DecodeTrace(blob)
			require.NoError(rt, err)
			c := mustAssign(t, shape, decoded)
			require.NoError(rt, solve(t, ccs, c), "usage %+v", trace.Usage())

			inputs, err := trace.Data().PublicInputs(poseidon.New(), shape.Capacity)
			require.NoError(rt, err)
			require.Equal(rt, inputs, [3]fr.Element{element(c.C), element(c.Zeta), element(c.V)})
			publish(t, c) // the naive twin publishes the same
			require.Equal(rt, inputs[0], element(c.C))
		}
	})
}

// TestFullToTheLastSlot fills every slot of the odd shape: all accounts, all
// nodes, both fee accounts, all transfers.
func TestFullToTheLastSlot(t *testing.T) {
	shape := oddShape()
	key, err := schnorr.NewPrivateKeyFromInt(big.NewInt(1)) // the key of padding slots, too
	require.NoError(t, err)
	s := &strange{keys: []schnorr.PrivateKey{key}, number: 1<<32 - 2}
	s.fees = map[settle.TokenID]settle.AccountIndex{0: 0, 1<<32 - 1: 1<<32 - 1}
	for i, index := range strangeIndices {
		token := settle.TokenID(0)
		if i >= 5 {
			token--
		}
		s.accounts = append(s.accounts, state.Indexed{Index: index, Account: state.Account{
			Owner: key.Public().X, Token: token, Nonce: settle.MaxNonce - 1, Balance: settle.NewAmount(1 << 40), L1: settle.Address{1},
		}})
	}
	st := s.load(t)
	b := st.Begin()
	for _, p := range []pair{{1, 5}, {1 << 16, 1 << 31}, {1<<32 - 2, 1<<32 - 1}} {
		a := b.Account(p[0])
		tx := state.Transaction{Kind: settle.KindTransfer, From: p[0], To: p[1], Token: a.Token, Nonce: a.Nonce, Amount: 1<<35 - 1, Fee: 1,
			ValidUntil: b.Number(), ToOwner: a.Owner, ToL1: a.L1}
		s.sign(t, &tx, a.Owner)
		require.NoError(t, b.Step(tx))
	}
	trace, err := b.Seal()
	require.NoError(t, err)
	require.Equal(t, shape.Capacity, trace.Usage())
	require.NoError(t, solve(t, system(t, shape), mustAssign(t, shape, trace)))
}

// force executes transactions in the field, whether they are valid or not, and
// builds the circuit's witness around it: memory, tree and public data agree with
// what was executed, and each signature is the signer's.
func (s *strange) force(t testing.TB, shape Shape, txs []state.Transaction) *Circuit {
	return s.forceTo(t, shape, txs, s.fees)
}

// forceTo pays fees to these accounts, whoever they are.
func (s *strange) forceTo(t testing.TB, shape Shape, txs []state.Transaction, fees map[settle.TokenID]settle.AccountIndex) *Circuit {
	st := s.load(t)
	empty, err := st.Apply(nil)
	require.NoError(t, err)
	f := &forger{
		world: &world{t: t, state: st}, shape: shape, hasher: poseidon.New(), cells: map[settle.AccountIndex]*cell{},
		c: mustAssign(t, shape, empty), number: uint64(empty.Header.Number),
	}
	f.tree = state.NewTree(f.hasher)
	var indices []settle.AccountIndex
	var leaves []fr.Element
	for _, a := range s.accounts {
		indices, leaves = append(indices, a.Index), append(leaves, a.Leaf(f.hasher))
	}
	f.tree.Update(indices, leaves)
	uses := map[settle.TokenID]uint64{}
	for i := range txs {
		f.execute(i, &txs[i], fees[txs[i].Token], s.domain)
		uses[txs[i].Token]++
	}
	var slots []FeeSlot
	for _, token := range slices.Sorted(maps.Keys(uses)) {
		slots = append(slots, feeSlot(uint64(token), uint64(fees[token]), uses[token]))
	}
	f.fees(slots...)
	return f.seal()
}

func (f *forger) execute(i int, tx *state.Transaction, fee settle.AccountIndex, domain fr.Element) {
	var amount, paid fr.Element
	amount.SetBigInt(tx.Amount.Value())
	paid.SetBigInt(tx.Fee.Value())
	s := &f.c.Transfers[i]
	*s = TransferSlot{
		Kind: assignKind(tx.Kind), OpensBefore: f.opens, ExitsBefore: f.exits,
		From: uint64(tx.From), To: uint64(tx.To), Token: uint64(tx.Token), Nonce: uint64(tx.Nonce), ValidUntil: uint64(tx.ValidUntil),
		Amount: assignFloat(uint64(tx.Amount), state.AmountMantissaBits), Fee: assignFloat(uint64(tx.Fee), state.FeeMantissaBits),
		ToOwner: tx.ToOwner, ToL1: address(tx.ToL1), Receiver: ReceiverAccess{PreviousTime: 0, Nonce: 0, Balance: 0},
	}
	one := fr.One()
	sender := f.open(tx.From)
	s.Sender = SenderAccess{PreviousTime: sender.time, Balance: sender.now.balance, L1: sender.now.l1}
	if tx.Kind == settle.KindExitAll {
		amount.Sub(&sender.now.balance, &paid)
	}
	sender.now.nonce.Add(&sender.now.nonce, &one)
	sender.now.balance.Sub(&sender.now.balance, &amount).Sub(&sender.now.balance, &paid)
	sender.time = f.shape.accessTime(i, 1)
	if index, ok := tx.Receiver(); ok {
		receiver := f.open(index)
		s.To, s.Receiver = uint64(index), ReceiverAccess{PreviousTime: receiver.time, Nonce: receiver.now.nonce, Balance: receiver.now.balance}
		if tx.Kind == settle.KindOpen {
			receiver.now.owner, receiver.now.token, receiver.now.l1 = tx.ToOwner, element(s.Token), element(s.ToL1)
			f.c.Opens[f.opens] = OpenSlot{Active: 1, Owner: tx.ToOwner, L1: s.ToL1}
			f.opens++
		}
		receiver.now.balance.Add(&receiver.now.balance, &amount)
		receiver.time = f.shape.accessTime(i, 2)
	} else {
		f.c.Exits[f.exits] = ExitSlot{Active: 1, L1: sender.now.l1, Token: s.Token, Amount: amount}
		f.exits++
	}
	taker := f.open(fee)
	s.FeeTaker = FeeAccess{
		Index: uint64(fee), PreviousTime: taker.time, Owner: taker.now.owner, Nonce: taker.now.nonce, Balance: taker.now.balance, L1: taker.now.l1,
	}
	taker.now.balance.Add(&taker.now.balance, &paid)
	taker.time = f.shape.accessTime(i, 3)
	var err error
	s.Signature, err = gadget.AssignSignature(f.shape.WindowBits, tx.PublicKey, tx.Message(domain), tx.Signature)
	require.NoError(f.t, err)
}

// TestCircuitAgreesWithStep: for transactions of which some are bad in one way or
// another, the circuit has a witness iff Apply accepts the batch, and then it is
// Apply's new root and commitment.
func TestCircuitAgreesWithStep(t *testing.T) {
	shape := roomyShape()
	ccs := system(t, shape)
	verdicts := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		s := drawStrange(t, rt)
		b := s.load(t).Begin()
		var txs []state.Transaction
		for range 8 {
			tx := s.draw(rt, b)
			accepted := b.Step(tx) == nil
			// Most batches are good up to a last transaction that may be bad.
			if last := rapid.IntRange(0, 2).Draw(rt, "last") == 0; accepted || last {
				txs = append(txs, tx)
				if !accepted || last || len(txs) == shape.Transfers {
					break
				}
			}
		}
		if len(txs) == 0 {
			return
		}
		trace, refused := s.load(t).Apply(txs)
		c := s.force(t, shape, txs)
		err := solve(t, ccs, c)
		if refusal, ok := settle.AsRefusal(refused); ok {
			verdicts[string(refusal.Code)]++
			require.Error(rt, err, "Apply refuses: %v", refused)
			return
		}
		require.NoError(rt, refused)
		require.NoError(rt, err)
		verdicts["accepted"]++
		require.Equal(rt, trace.Header.NewRoot, element(c.Header.NewRoot))
		inputs, err := trace.Data().PublicInputs(poseidon.New(), shape.Capacity)
		require.NoError(rt, err)
		require.Equal(rt, inputs[0], element(c.C))
	})
	t.Log(verdicts)
}

// TestPaddingSaysNothing: a prover can put what it likes into unused slots, with a
// signature for it, and publishes the same; a slot cannot be in use by halves.
func TestPaddingSaysNothing(t *testing.T) {
	shape := mustShape(t, "tiny")
	ccs := system(t, shape)
	key, err := schnorr.GenerateKey(randReader{rand.New(rand.NewPCG(1, 1))})
	require.NoError(t, err)
	padded := func(edit func(c *Circuit)) (before, after fr.Element, err error) {
		c := halfFull(t)
		publish(t, c)
		before = element(c.C)
		tx := state.Transaction{Kind: settle.KindNone, From: 7, To: 1<<32 - 1, Token: 5, Amount: 1<<35 - 1, Fee: 1<<16 - 1, Nonce: settle.MaxNonce,
			ValidUntil: 1<<32 - 1, ToL1: settle.Address{1: 2}, ToOwner: fr.NewElement(3), PublicKey: key.Public().X}
		domain := element(c.Header.Domain)
		tx.Signature, err = schnorr.Sign(key, tx.Message(domain), rand0{})
		require.NoError(t, err)
		wires, err := gadget.AssignSignature(shape.WindowBits, tx.PublicKey, tx.Message(domain), tx.Signature)
		require.NoError(t, err)
		c.Transfers[1] = TransferSlot{
			Kind: assignKind(settle.KindNone), OpensBefore: 0, ExitsBefore: 0,
			From: uint64(tx.From), To: uint64(tx.To), Token: uint64(tx.Token), Nonce: uint64(tx.Nonce), ValidUntil: uint64(tx.ValidUntil),
			Amount: assignFloat(uint64(tx.Amount), state.AmountMantissaBits), Fee: assignFloat(uint64(tx.Fee), state.FeeMantissaBits),
			ToOwner: tx.ToOwner, ToL1: address(tx.ToL1), Signature: wires,
			Sender:   SenderAccess{PreviousTime: 1, Balance: amountOf(128, 1).Big(), L1: power(200)},
			Receiver: ReceiverAccess{PreviousTime: 2, Nonce: power(100), Balance: 5},
			FeeTaker: FeeAccess{Index: power(90), PreviousTime: 3, Owner: 9, Nonce: power(80), Balance: 1, L1: 4},
		}
		c.Accounts[4] = AccountSlot{Active: 0, Index: power(99), Old: Leaf{1, 2, 3, power(150), power(220)}, New: Leaf{5, 4, 3, power(160), 1}, LastTime: power(50)}
		edit(c)
		publish(t, c)
		return before, element(c.C), solve(t, ccs, c)
	}
	before, after, err := padded(func(*Circuit) {})
	require.NoError(t, err)
	require.Equal(t, before, after)

	minusOne := power(0)
	minusOne.Neg(&minusOne)
	for name, edit := range map[string]func(c *Circuit){
		"transfer in use":         func(c *Circuit) { c.Transfers[1].Kind.Transfer = 1 },
		"transfer undone":         func(c *Circuit) { c.Transfers[1].Kind.Transfer = minusOne },
		"account in use":          func(c *Circuit) { c.Accounts[4].Active = 1 },
		"account after a gap":     func(c *Circuit) { c.Accounts[3].Active = 0; c.Accounts[4].Active = 1 },
		"node undone":             func(c *Circuit) { c.Nodes[21].Active = minusOne },
		"half of a node":          func(c *Circuit) { c.Nodes[21].Touched[2] = 1 },
		"node received from it":   func(c *Circuit) { c.Nodes[21].Touched[0], c.Nodes[21].Touched[1] = 1, minusOne },
		"fee used less than none": func(c *Circuit) { c.FeeAccounts[0].Uses = minusOne },
		"fee used by nobody":      func(c *Circuit) { c.FeeAccounts[0].Uses = 0 },
		"fee used once too often": func(c *Circuit) { c.FeeAccounts[0].Uses = 2 },
	} {
		_, _, err := padded(edit)
		require.Error(t, err, name)
	}
}
