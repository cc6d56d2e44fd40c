package state

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

func TestBatchNumbersDoNotWrap(t *testing.T) {
	s, err := Load(poseidon.New(), fr.NewElement(1), math.MaxUint32, nil, nil)
	require.NoError(t, err)
	_, err = s.Apply(nil)
	require.ErrorIs(t, err, ErrExhausted)
	require.ErrorIs(t, s.Begin().Step(Transaction{}), ErrExhausted)
}

// Behind the last index comes no other: it neither wraps to 0, where an account is,
// nor stays.
func TestAccountIndicesDoNotWrap(t *testing.T) {
	owner := fr.NewElement(5)
	s, err := Load(poseidon.New(), fr.NewElement(1), 0, []Indexed{
		{0, Account{Owner: owner, Balance: settle.NewAmount(100)}}, {math.MaxUint32 - 1, Account{Owner: owner}},
	}, map[settle.TokenID]settle.AccountIndex{0: 0})
	require.NoError(t, err)
	b := s.Begin()
	last, err := b.NextIndex()
	require.NoError(t, err)
	require.Equal(t, settle.AccountIndex(math.MaxUint32), last)
	open := Transaction{Kind: settle.KindOpen, PublicKey: owner, Amount: 1, ToOwner: owner, Assigned: last}
	require.NoError(t, b.Step(open))
	_, err = b.NextIndex()
	require.ErrorIs(t, err, ErrExhausted)
	require.ErrorContains(t, err, "account 4294967295 exists")

	_, err = b.Seal()
	require.NoError(t, err)
	b = s.Begin()
	_, err = b.NextIndex()
	require.ErrorIs(t, err, ErrExhausted)
	open.Nonce = 1
	require.ErrorIs(t, b.Step(open), ErrSlotTaken)
	open.Assigned = 17 // not the sequencer's rule, but an empty slot
	require.NoError(t, b.Step(open))
	_, err = b.NextIndex()
	require.ErrorIs(t, err, ErrExhausted)
}

// Whatever made a state name such a fee account, no fee is put there.
func TestFeesGoToAnAccountOfTheirToken(t *testing.T) {
	owner := fr.NewElement(5)
	transactions := map[string]Transaction{
		"transfer": {Kind: settle.KindTransfer, To: 1, ToOwner: owner},
		"no fee":   {Kind: settle.KindTransfer, To: 1, ToOwner: owner, Fee: 0},
		"open":     {Kind: settle.KindOpen, ToOwner: owner, Assigned: 3},
		"exit":     {Kind: settle.KindExit, Amount: 1},
		"exit-all": {Kind: settle.KindExitAll},
	}
	for name, tx := range transactions {
		if name != "no fee" {
			tx.Fee = 1
		}
		tx.PublicKey = owner
		for where, index := range map[string]settle.AccountIndex{"nobody": 4, "another token's": 2} {
			s, err := Load(poseidon.New(), fr.NewElement(1), 0, []Indexed{
				{0, Account{Owner: owner, Balance: settle.NewAmount(100)}},
				{1, Account{Owner: owner}},
				{2, Account{Owner: owner, Token: 9}},
			}, map[settle.TokenID]settle.AccountIndex{0: 1})
			require.NoError(t, err)
			root := s.Root()
			s.feeAccounts[0] = index
			b := s.Begin()
			require.ErrorIs(t, b.Step(tx), ErrFeeAccount, "%s, fee to %s account", name, where)
			require.Zero(t, b.Len())
			require.Equal(t, settle.Usage{Nodes: 1}, b.Usage())
			_, err = b.Seal()
			require.NoError(t, err)
			require.Equal(t, root, s.Root())
			require.True(t, s.Account(4).IsEmpty())

			s.feeAccounts[0] = 1
			require.NoError(t, s.Begin().Step(tx), "%s by itself is good", name)
		}
	}
}
