package state_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

var (
	l1A = settle.Address{19: 1}
	l1B = settle.Address{19: 2}
)

// fixedState has, of token 0: 0 the fee account, 1 and 2 payers, 3 at the last
// nonce, 4 nearly full; of token 1 the fee account 5; of token 2, which has no
// fee account, 6. It is the state after batch 9.
func fixedState(t testing.TB) *state.State {
	t.Helper()
	full := settle.Amount{Hi: math.MaxUint64, Lo: math.MaxUint64 - 10}
	s, err := state.Load(poseidon.New(), element(42), 9, []state.Indexed{
		{Index: 0, Account: state.Account{Owner: element(10), L1: l1A}},
		{Index: 1, Account: state.Account{Owner: element(11), Balance: settle.NewAmount(1000), L1: l1A, Nonce: 5}},
		{Index: 2, Account: state.Account{Owner: element(12), Balance: settle.NewAmount(1000), L1: l1B}},
		{Index: 3, Account: state.Account{Owner: element(13), Balance: settle.NewAmount(1000), L1: l1A, Nonce: settle.MaxNonce}},
		{Index: 4, Account: state.Account{Owner: element(14), Balance: full, L1: l1A}},
		{Index: 5, Account: state.Account{Owner: element(10), Token: 1, L1: l1A}},
		{Index: 6, Account: state.Account{Owner: element(11), Token: 2, Balance: settle.NewAmount(1000), L1: l1A}},
	}, map[settle.TokenID]settle.AccountIndex{0: 0, 1: 5})
	require.NoError(t, err)
	return s
}

// payment is a good transfer of 100 with a fee of 3 from account 1 to 2.
func payment() state.Transaction {
	return state.Transaction{
		Kind: settle.KindTransfer, From: 1, To: 2, Amount: 100, Fee: 3, Nonce: 5,
		ToOwner: element(12), ToL1: l1B, PublicKey: element(11),
	}
}

// exitOf makes a payment an exit of account 1, good for kind exit.
func exitOf(x *state.Transaction, kind settle.Kind) {
	x.Kind, x.To, x.ToOwner, x.ToL1 = kind, 0, fr.Element{}, l1A
	if kind == settle.KindExitAll {
		x.Amount = 0
	}
}

func TestStepRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*state.Transaction)
		code   settle.Code
		says   string
	}{
		"no kind":       {func(x *state.Transaction) { x.Kind = 0 }, settle.CodeUnsupportedKind, "kind none"},
		"open to":       {func(x *state.Transaction) { x.Kind = settle.KindOpen }, settle.CodeInvalidField, "an open signs to 0"},
		"open owner":    {func(x *state.Transaction) { x.Kind, x.To, x.ToOwner = settle.KindOpen, 0, fr.Element{} }, settle.CodeInvalidField, "the owner of the new account"},
		"exit to":       {func(x *state.Transaction) { exitOf(x, settle.KindExit); x.To = 2 }, settle.CodeInvalidField, "an exit signs to 0"},
		"exit owner":    {func(x *state.Transaction) { exitOf(x, settle.KindExit); x.ToOwner = element(12) }, settle.CodeInvalidField, "to_owner 0"},
		"exit l1":       {func(x *state.Transaction) { exitOf(x, settle.KindExit); x.ToL1 = l1B }, settle.CodeReceiverMismatch, "account 1 exits to"},
		"exit nothing":  {func(x *state.Transaction) { exitOf(x, settle.KindExit); x.Amount = 0 }, settle.CodeZeroAmount, "more than nothing"},
		"all amount":    {func(x *state.Transaction) { exitOf(x, settle.KindExitAll); x.Amount = 1 }, settle.CodeInvalidField, "exit-all signs amount 0"},
		"all but fee":   {func(x *state.Transaction) { exitOf(x, settle.KindExitAll); x.Fee = 1000 }, settle.CodeZeroAmount, "the fee is 1000"},
		"all below fee": {func(x *state.Transaction) { exitOf(x, settle.KindExitAll); x.Fee = 1001 }, settle.CodeInsufficientBalance, "a fee of 1001"},
		"unknown kind":  {func(x *state.Transaction) { x.Kind = 9 }, settle.CodeUnsupportedKind, "kind(9)"},
		"no fees":       {func(x *state.Transaction) { x.From, x.To, x.Token = 6, 6, 2 }, settle.CodeNoFeeAccount, "token 2"},
		"expired":       {func(x *state.Transaction) { x.ValidUntil = 9 }, settle.CodeExpired, "valid until batch 9, this is batch 10"},
		"41 bits":       {func(x *state.Transaction) { x.Amount = 1 << 40 }, settle.CodeAmountEncoding, "more than 40 bits"},
		"2^128":         {func(x *state.Transaction) { x.Amount = 31<<35 | 1<<34 }, settle.CodeAmountUnfit, "2^128"},
		"no sender":     {func(x *state.Transaction) { x.From = 7 }, settle.CodeUnknownAccount, "sender 7"},
		"no receiver":   {func(x *state.Transaction) { x.To = 7 }, settle.CodeUnknownAccount, "receiver 7"},
		"empty pair":    {func(x *state.Transaction) { x.To, x.ToOwner, x.ToL1 = 7, fr.Element{}, settle.Address{} }, settle.CodeUnknownAccount, "receiver 7"},
		"other key":     {func(x *state.Transaction) { x.PublicKey = element(12) }, settle.CodeBadSignature, "does not own account 1"},
		"sender token":  {func(x *state.Transaction) { x.Token = 1 }, settle.CodeWrongToken, "account 1 holds token 0"},
		"to token":      {func(x *state.Transaction) { x.To, x.ToOwner, x.ToL1 = 5, element(10), l1A }, settle.CodeWrongToken, "receiver 5 holds token 1"},
		"old nonce":     {func(x *state.Transaction) { x.Nonce = 4 }, settle.CodeStaleNonce, "nonce 4 is used, account 1 is at nonce 5"},
		"future nonce":  {func(x *state.Transaction) { x.Nonce = 6 }, settle.CodeNonceTooFar, "nonce 6 is ahead, account 1 is at nonce 5"},
		"last nonce":    {func(x *state.Transaction) { x.From, x.PublicKey, x.Nonce = 3, element(13), settle.MaxNonce }, settle.CodeNonceTooFar, "the last one"},
		"too much":      {func(x *state.Transaction) { x.Amount = 998 }, settle.CodeInsufficientBalance, "holds 1000, the transaction takes 998 and a fee of 3"},
		"fee too much":  {func(x *state.Transaction) { x.Amount, x.Fee = 0, 1001 }, settle.CodeInsufficientBalance, "a fee of 1001"},
		"other owner":   {func(x *state.Transaction) { x.ToOwner = element(11) }, settle.CodeReceiverMismatch, "account 2"},
		"other l1":      {func(x *state.Transaction) { x.ToL1 = l1A }, settle.CodeReceiverMismatch, "account 2"},
		"receiver full": {func(x *state.Transaction) { x.To, x.ToOwner, x.ToL1 = 4, element(14), l1A }, settle.CodeBalanceOverflow, "account 4"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixedState(t)
			root := s.Root()
			b := s.Begin()
			tx := payment()
			c.change(&tx)
			err := b.Step(tx)
			refusal, ok := settle.AsRefusal(err)
			require.True(t, ok, "%v", err)
			require.Equal(t, c.code, refusal.Code)
			require.Contains(t, refusal.Detail, c.says)
			require.Equal(t, s.Begin().Usage(), b.Usage())

			good := state.Transaction{
				Kind: settle.KindTransfer, From: 2, To: 0, Amount: 1, ToOwner: element(10), ToL1: l1A, PublicKey: element(12),
			}
			_, err = s.Apply([]state.Transaction{good, tx})
			require.ErrorContains(t, err, "transaction 1: ")
			require.Equal(t, root, s.Root(), "Apply is all or nothing")
			require.Equal(t, settle.BatchNumber(9), s.Number())
			require.NoError(t, b.Step(payment()), "the batch goes on without it")
		})
	}
}

// The debit and both credits reach 2^128 only together.
func TestCostBeyondRange(t *testing.T) {
	tx := payment()
	tx.From, tx.PublicKey, tx.Nonce = 4, element(14), 0
	tx.Amount, tx.Fee = 29<<35|3402823669, 31<<11|2047 // 3.4·10^38, and a fee that brings it over 2^128
	amount, err := tx.Amount.Amount()
	require.NoError(t, err)
	_, fits := amount.Add(tx.Fee.Amount())
	require.False(t, fits)
	refusal, ok := settle.AsRefusal(fixedState(t).Begin().Step(tx))
	require.True(t, ok)
	require.Equal(t, settle.CodeInsufficientBalance, refusal.Code)
}

func TestBoundaries(t *testing.T) {
	for name, change := range map[string]func(*state.Transaction){
		"whole balance":      func(x *state.Transaction) { x.Amount = 997 },
		"nothing, no fee":    func(x *state.Transaction) { x.Amount, x.Fee = 0, 0 },
		"last valid batch":   func(x *state.Transaction) { x.ValidUntil = 10 },
		"fills the receiver": func(x *state.Transaction) { x.To, x.ToOwner, x.ToL1, x.Amount = 4, element(14), l1A, 10 },
		"not canonical":      func(x *state.Transaction) { x.Amount = 1<<35 | 10 }, // refused at admission, the same value here
	} {
		tx := payment()
		change(&tx)
		require.NoError(t, fixedState(t).Begin().Step(tx), name)
	}
}

// One account may be sender, receiver and fee account at once: it only pays its nonce.
func TestOneAccountInAllRoles(t *testing.T) {
	s := fixedState(t)
	trace, err := s.Apply([]state.Transaction{
		{Kind: settle.KindTransfer, From: 1, To: 0, Amount: 50, Nonce: 5, ToOwner: element(10), ToL1: l1A, PublicKey: element(11)},
		{Kind: settle.KindTransfer, From: 0, To: 0, Amount: 40, Fee: 10, ToOwner: element(10), ToL1: l1A, PublicKey: element(10)},
	})
	require.NoError(t, err)
	require.Equal(t, settle.NewAmount(50), s.Account(0).Balance)
	require.Equal(t, settle.Nonce(1), s.Account(0).Nonce)
	require.Equal(t, settle.NewAmount(950), s.Account(1).Balance)
	require.Len(t, trace.Accounts, 2)
	last := trace.Transactions[1]
	require.Equal(t, settle.NewAmount(50), last.Sender.Before.Balance)
	require.Zero(t, last.Receiver.Before.Balance)
	require.Equal(t, settle.NewAmount(40), last.Fee.Before.Balance)
	require.Equal(t, []uint32{1<<16 + 3, 1<<16 + 4, 1<<16 + 5},
		[]uint32{last.Sender.PreviousTime, last.Receiver.PreviousTime, last.Fee.PreviousTime})
}

func TestEmptyBatch(t *testing.T) {
	s := fixedState(t)
	root := s.Root()
	trace, err := s.Apply(nil)
	require.NoError(t, err)
	require.Equal(t, root, s.Root())
	require.Equal(t, settle.BatchNumber(10), s.Number())
	require.Equal(t, []fr.Element{root, root}, []fr.Element{trace.Header.OldRoot, trace.Header.NewRoot})
	require.Equal(t, settle.Usage{Nodes: 1}, trace.Usage())
	n := trace.Nodes[0]
	require.Equal(t, 16, n.Level)
	require.Equal(t, n.Old, n.New)
	require.Equal(t, [4]bool{}, n.Touched)
	require.Equal(t, root, poseidon.New().Node(n.Old))
	require.Equal(t, settle.BatchNumber(10), trace.Data().Header.Number)
}

func TestSealRefusesStale(t *testing.T) {
	s := fixedState(t)
	first, second := s.Begin(), s.Begin()
	require.NoError(t, first.Step(payment()))
	_, err := first.Seal()
	require.NoError(t, err)
	root := s.Root()
	require.ErrorIs(t, second.Step(payment()), state.ErrStale)
	require.ErrorIs(t, first.Step(payment()), state.ErrStale, "a sealed batch takes nothing more")
	_, err = second.Seal()
	require.ErrorIs(t, err, state.ErrStale)
	_, err = first.Seal()
	require.ErrorIs(t, err, state.ErrStale)
	require.Equal(t, root, s.Root())
}

func TestLoadRefuses(t *testing.T) {
	good := state.Account{Owner: element(1), Token: 3}
	for name, c := range map[string]struct {
		accounts []state.Indexed
		fees     map[settle.TokenID]settle.AccountIndex
		says     string
	}{
		"doubled":      {[]state.Indexed{{Index: 4, Account: good}, {Index: 4, Account: good}}, nil, "out of order: 4 after 4"},
		"out of order": {[]state.Indexed{{Index: 4, Account: good}, {Index: 3, Account: good}}, nil, "out of order: 3 after 4"},
		"empty":        {[]state.Indexed{{Index: 4}}, nil, "account 4 is empty"},
		"no fee":       {[]state.Indexed{{Index: 4, Account: good}}, map[settle.TokenID]settle.AccountIndex{3: 5}, "fee account 5 of token 3"},
		"other fee":    {[]state.Indexed{{Index: 4, Account: good}}, map[settle.TokenID]settle.AccountIndex{0: 4}, "fee account 4 of token 0"},
	} {
		_, err := state.Load(poseidon.New(), fr.Element{}, 0, c.accounts, c.fees)
		require.ErrorContains(t, err, c.says, name)
	}
}

// Keys and addresses are compared in every byte: one that differs in one is another's.
func TestStepComparesWholeValues(t *testing.T) {
	refuses := func(code settle.Code, change func(*state.Transaction), what string, bit int) {
		x := payment()
		change(&x)
		refusal, ok := settle.AsRefusal(fixedState(t).Begin().Step(x))
		require.True(t, ok, "%s, bit %d", what, bit)
		require.Equal(t, code, refusal.Code, "%s, bit %d", what, bit)
	}
	for bit := 0; bit < 253; bit += 7 {
		flip := func(e *fr.Element) {
			v := e.BigInt(new(big.Int))
			e.SetBigInt(v.SetBit(v, bit, 1-v.Bit(bit)))
		}
		refuses(settle.CodeBadSignature, func(x *state.Transaction) { flip(&x.PublicKey) }, "key", bit)
		refuses(settle.CodeReceiverMismatch, func(x *state.Transaction) { flip(&x.ToOwner) }, "owner", bit)
	}
	for i := range (settle.Address{}) {
		flip := func(x *state.Transaction) { x.ToL1[i] ^= 1 }
		refuses(settle.CodeReceiverMismatch, flip, "l1", 8*i)
		for _, kind := range []settle.Kind{settle.KindExit, settle.KindExitAll} {
			refuses(settle.CodeReceiverMismatch, func(x *state.Transaction) { exitOf(x, kind); flip(x) }, kind.String(), 8*i)
		}
	}
}
