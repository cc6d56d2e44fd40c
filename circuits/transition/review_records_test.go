package transition

import (
	"fmt"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// places are all the indices that the batches of this file touch; roomyShape has
// an account slot for each.
func places() []settle.AccountIndex { return append(slices.Clone(strangeIndices), vacant[:3]...) }

// drawOwned is a strange state whose accounts can all be spent from.
func drawOwned(t testing.TB, rt *rapid.T) *strange {
	s := drawStrange(t, rt)
	for i := range s.accounts {
		a := &s.accounts[i].Account
		a.Owner = rapid.SampledFrom(s.keys).Draw(rt, "key").Public().X
		a.Nonce = rapid.SampledFrom([]settle.Nonce{0, 7, settle.MaxNonce - 1}).Draw(rt, "small nonce")
		a.Balance = rapid.SampledFrom([]settle.Amount{settle.NewAmount(1), settle.NewAmount(1000), settle.NewAmount(1 << 40), amountOf(128, 1)}).Draw(rt, "small balance")
	}
	return s
}

// drawRecord signs a transaction of any kind between all places: an account that
// the batch has just opened may send, receive, exit, or be opened once more.
func (s *strange) drawRecord(rt *rapid.T, b *state.Batch) state.Transaction {
	var live, empty []settle.AccountIndex
	for _, i := range places() {
		if b.Account(i).IsEmpty() {
			empty = append(empty, i)
		} else {
			live = append(live, i)
		}
	}
	if opened := slices.DeleteFunc(slices.Clone(live), func(i settle.AccountIndex) bool { return !slices.Contains(vacant, i) }); len(opened) > 0 && rapid.Bool().Draw(rt, "opened") {
		live = opened
	}
	tx := state.Transaction{Kind: rapid.SampledFrom([]settle.Kind{1, 2, 2, 3, 4}).Draw(rt, "kind"), From: rapid.SampledFrom(live).Draw(rt, "from")}
	if rapid.IntRange(0, 5).Draw(rt, "fee account") == 0 {
		tx.From = s.fees[b.Account(tx.From).Token]
	}
	sender := b.Account(tx.From)
	tx.Token, tx.Nonce, tx.ToL1 = sender.Token, sender.Nonce, sender.L1
	tx.Amount = rapid.SampledFrom([]state.Float40{0, 1, 10, 999, 1000}).Draw(rt, "amount")
	if whole, err := state.NewFloat40(sender.Balance); err == nil && rapid.Bool().Draw(rt, "whole balance") {
		tx.Amount = whole
	}
	tx.Fee = rapid.SampledFrom([]state.Float16{0, 0, 1, 999, 1000, 1<<16 - 1}).Draw(rt, "fee")
	switch tx.Kind {
	case settle.KindTransfer:
		same := slices.DeleteFunc(places(), func(i settle.AccountIndex) bool {
			a := b.Account(i)
			return !a.IsEmpty() && a.Token != tx.Token
		})
		tx.To = rapid.SampledFrom(same).Draw(rt, "to")
		tx.ToOwner, tx.ToL1 = b.Account(tx.To).Owner, b.Account(tx.To).L1
	case settle.KindOpen:
		tx.ToOwner, tx.ToL1 = rapid.SampledFrom(s.keys).Draw(rt, "new owner").Public().X, settle.Address{3: 7}
		if taken := rapid.IntRange(0, 5).Draw(rt, "taken") == 0; taken || len(empty) == 0 {
			tx.Assigned = rapid.SampledFrom(places()).Draw(rt, "taken slot")
			if a := b.Account(tx.Assigned); !a.IsEmpty() { // even for the very account that is there
				tx.ToOwner, tx.ToL1 = a.Owner, a.L1
			}
		} else {
			tx.Assigned = rapid.SampledFrom(empty).Draw(rt, "slot")
		}
	case settle.KindExitAll:
		tx.Amount = 0
	}
	s.sign(rt, &tx, sender.Owner)
	return tx
}

// TestRecordsAgreeWithStep: opens, exits and what is done with an account in the
// batch that opens it. The circuit has a witness iff Apply accepts, also where the
// slot of an open is taken; then root, commitment and the state rebuilt from D
// agree, and D is read back as it was written.
func TestRecordsAgreeWithStep(t *testing.T) {
	shape := roomyShape()
	ccs := system(t, shape)
	verdicts := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		s := drawOwned(t, rt)
		b := s.load(t).Begin()
		var txs []state.Transaction
		for range 12 {
			tx := s.drawRecord(rt, b)
			err := b.Step(tx)
			if last := rapid.IntRange(0, 2).Draw(rt, "last") == 0; err == nil || last {
				txs = append(txs, tx)
				if err != nil || len(txs) == shape.Transfers {
					break
				}
			}
		}
		if len(txs) == 0 {
			return
		}
		trace, refused := s.load(t).Apply(txs)
		c := s.force(t, shape, txs)
		solved := solve(t, ccs, c)
		if refused != nil {
			verdict := "slot taken"
			if refusal, ok := settle.AsRefusal(refused); ok {
				verdict = string(refusal.Code)
			} else {
				require.ErrorIs(rt, refused, state.ErrSlotTaken)
			}
			verdicts[verdict]++
			require.Error(rt, solved, "Apply refuses: %v", refused)
			return
		}
		require.NoError(rt, solved)
		verdicts[fmt.Sprintf("accepted, %d opens, %d exits", trace.Usage().Opens, trace.Usage().Exits)]++
		require.Equal(rt, trace.Header.NewRoot, element(c.Header.NewRoot))
		checkData(rt, shape, trace, c)
		require.Equal(rt, trace.Header.NewRoot, s.rebuild(rt, trace.Data().Words()))
	})
	t.Log(verdicts)
}

// checkData checks that D is read back as written and is what the circuit commits.
func checkData(t require.TestingT, shape Shape, trace *state.Trace, c *Circuit) {
	data := trace.Data()
	parsed, err := publicdata.Parse(data.Words())
	require.NoError(t, err)
	require.Equal(t, data, parsed)
	commitment, err := data.Commitment(poseidon.New(), shape.Capacity)
	require.NoError(t, err)
	require.Equal(t, commitment, element(c.C))
}

// TestRecordSlotsExactlyFull fills M and X to the last slot, in batches of an odd
// number of transactions: a chain of opens, each paid by the account before; exits
// of one account, the last exit-all of the fee account itself; an account that is
// opened, exits and is emptied in one batch.
func TestRecordSlotsExactlyFull(t *testing.T) {
	shape := roomyShape()
	ccs := system(t, shape)
	key, err := schnorr.GenerateKey(randReader{newWorld(t, 1, 1, 1).rand})
	require.NoError(t, err)
	s := &strange{keys: []schnorr.PrivateKey{key}, number: 41, fees: map[settle.TokenID]settle.AccountIndex{0: 0}}
	s.accounts = []state.Indexed{
		{Index: 0, Account: state.Account{Owner: key.Public().X, Balance: settle.NewAmount(1_000_000), L1: settle.Address{1}}},
		{Index: 1, Account: state.Account{Owner: key.Public().X, Balance: settle.NewAmount(1_000_000), L1: settle.Address{2}}},
	}
	step := func(b *state.Batch, kind settle.Kind, from, slot settle.AccountIndex, amount state.Float40) {
		a := b.Account(from)
		tx := state.Transaction{Kind: kind, From: from, Assigned: slot, Nonce: a.Nonce, Amount: amount, Fee: 1, ToL1: a.L1}
		if kind == settle.KindOpen {
			tx.ToOwner, tx.ToL1 = a.Owner, settle.Address{19: byte(b.Len() + 3)}
		}
		s.sign(t, &tx, a.Owner)
		require.NoError(t, b.Step(tx))
	}
	for name, x := range map[string]struct {
		fill         func(b *state.Batch)
		opens, exits int
		pays         []uint64
	}{
		"opens": {func(b *state.Batch) {
			step(b, settle.KindOpen, 1, vacant[0], 1000)
			step(b, settle.KindOpen, vacant[0], vacant[1], 500)
			step(b, settle.KindOpen, vacant[1], vacant[2], 499)
		}, 3, 0, nil},
		"exits": {func(b *state.Batch) {
			step(b, settle.KindExit, 0, 0, 10)
			step(b, settle.KindExit, 0, 0, 20)
			step(b, settle.KindExitAll, 0, 0, 0)
		}, 0, 3, []uint64{10, 20, 1_000_000 - 10 - 20 - 1}}, // the fees of the first two came back to it
		"opened and emptied": {func(b *state.Batch) {
			step(b, settle.KindOpen, 1, vacant[0], 1000)
			step(b, settle.KindExit, vacant[0], 0, 300)
			step(b, settle.KindExitAll, vacant[0], 0, 0)
		}, 1, 2, []uint64{300, 698}},
	} {
		t.Run(name, func(t *testing.T) {
			b := s.load(t).Begin()
			x.fill(b)
			trace, err := b.Seal()
			require.NoError(t, err)
			require.Equal(t, [2]int{x.opens, x.exits}, [2]int{trace.Usage().Opens, trace.Usage().Exits})
			c := mustAssign(t, shape, trace)
			require.NoError(t, solve(t, ccs, c))
			checkData(t, shape, trace, c)
			for i, want := range x.pays {
				require.Equal(t, settle.NewAmount(want), trace.Data().Exits[i].Amount)
			}
			short := shape
			short.Opens, short.Exits = max(0, x.opens-1), x.exits
			_, err = Assign(short, trace)
			if x.opens > 0 {
				require.ErrorIs(t, err, ErrCapacity)
			}
			short.Opens, short.Exits = x.opens, max(0, x.exits-1)
			if _, err = Assign(short, trace); x.exits > 0 {
				require.ErrorIs(t, err, ErrCapacity)
			}
		})
	}
}

// TestSignatureIsForOneKind: a signature over the same fields under another kind
// executes nothing.
func TestSignatureIsForOneKind(t *testing.T) {
	ccs := system(t, forgeShape())
	kinds := []settle.Kind{settle.KindTransfer, settle.KindOpen, settle.KindExit, settle.KindExitAll}
	for _, executed := range kinds {
		for _, signed := range append([]settle.Kind{0, 5, 6, 7, 15}, kinds...) {
			c := one(t, func(_ *forger, x *claim) {
				x.kind, x.to = executed, 0
				switch executed {
				case settle.KindOpen:
					x.to, x.newOwner, x.newL1 = 11, newOwner(), fr.NewElement(77)
				case settle.KindExitAll:
					x.amountValue = 1_000_000 - 1
				}
				x.signed = func(tx *state.Transaction) { tx.Kind = signed }
			}).seal()
			if err := solve(t, ccs, c); signed == executed {
				require.NoError(t, err, "%s", executed)
			} else {
				require.Error(t, err, "%s executed, %d signed", executed, signed)
			}
		}
	}
}

// TestRecordsAreTheTransfers: an open or exit in D that is not the one executed is
// refused in each of its fields; what stands in an unused record is not published.
func TestRecordsAreTheTransfers(t *testing.T) {
	ccs := system(t, forgeShape())
	minusOne := fr.One()
	minusOne.Neg(&minusOne)
	both := func(edit func(c *Circuit)) (before fr.Element, c *Circuit) {
		f := opening(t, func(f *forger, _ *claim) { f.fees(feeSlot(0, 0, 2)) })
		f.transfer(1, claim{kind: settle.KindExit, from: 4, fee: 0, amountValue: 20, feePay: 1})
		before = element(f.seal().C)
		edit(f.c)
		publish(t, f.c)
		return before, f.c
	}
	before, c := both(func(c *Circuit) {
		c.Opens[1] = OpenSlot{Active: 0, Owner: newOwner(), L1: power(159)}
		c.Exits[1] = ExitSlot{Active: 0, L1: power(159), Token: power(31), Amount: power(127)}
	})
	require.NoError(t, solve(t, ccs, c))
	require.Equal(t, before, element(c.C))
	for name, edit := range map[string]func(c *Circuit){
		"owner":                     func(c *Circuit) { c.Opens[0].Owner = 5 },
		"l1 of an open":             func(c *Circuit) { c.Opens[0].L1 = 5 },
		"l1 of an exit":             func(c *Circuit) { c.Exits[0].L1 = 9 },
		"token":                     func(c *Circuit) { c.Exits[0].Token = 1 },
		"amount":                    func(c *Circuit) { c.Exits[0].Amount = 21 },
		"an exit that none makes":   func(c *Circuit) { c.Exits[1].Active = 1; c.Exits[1].Amount = 1 },
		"an exit twice":             func(c *Circuit) { c.Exits[1] = c.Exits[0] },
		"an exit twice, less once":  func(c *Circuit) { c.Exits[0].Active, c.Exits[1] = 2, c.Exits[0]; c.Exits[1].Active = minusOne },
		"an open twice":             func(c *Circuit) { c.Opens[1] = c.Opens[0] },
		"an exit left out":          func(c *Circuit) { c.Exits[0].Active = 0 },
		"an open and an exit moved": func(c *Circuit) { c.Opens[0].Active, c.Exits[1] = 0, c.Exits[0] },
		"an exit counted from -1":   func(c *Circuit) { c.Transfers[1].ExitsBefore = minusOne; c.Exits[0].Active = 0 },
		"an exit counted beyond":    func(c *Circuit) { c.Transfers[1].ExitsBefore = 2; c.Exits[0].Active = 0 },
		"an open counted after":     func(c *Circuit) { c.Transfers[1].OpensBefore = 0 },
	} {
		_, c := both(edit)
		require.Error(t, solve(t, ccs, c), name)
	}
}

// TestFeeAccountOpenedByItsPayer: the circuit lets the operator name as fee account
// the one that the paying transaction opens, as its third access finds it there.
// No state has such fee accounts at the beginning of a batch, so Apply alone would
// not say so; whoever rebuilds from D must credit the fee after opening.
func TestFeeAccountOpenedByItsPayer(t *testing.T) {
	ccs := system(t, forgeShape())
	c := opening(t, func(f *forger, x *claim) {
		x.fee = 11
		f.fees(feeSlot(0, 11, 1))
	}).seal()
	require.NoError(t, solve(t, ccs, c))

	// A transaction before the open cannot pay it.
	f := newForger(t, 10, 1)
	f.fees(feeSlot(0, 11, 2))
	f.transfer(0, claim{from: 3, to: 4, fee: 11, amountValue: 10, feePay: 0})
	f.transfer(1, claim{kind: settle.KindOpen, from: 4, to: 11, fee: 11, amountValue: 10, feePay: 1, newOwner: newOwner(), newL1: fr.NewElement(77)})
	require.Error(t, solve(t, ccs, f.seal()))
}
