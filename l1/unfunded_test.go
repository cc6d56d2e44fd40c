package l1_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/l1"
)

// TestUnfundedSaysWhatIsMissing: the error names the account and the amount, which is for
// all that is under way.
func TestUnfundedSaysWhatIsMissing(t *testing.T) {
	h := newHarness(t)
	h.prove(2, 2)
	s := h.several()
	sends := 0
	h.node.onSend = func() error {
		if sends++; sends == 1 {
			return nil
		}
		return errors.New("insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1")
	}
	h.node.balance = big.NewInt(1_000)
	_, err := s.Step(t.Context())
	var unfunded *l1.UnfundedError
	require.ErrorAs(t, err, &unfunded)
	require.Equal(t, address(h.operator), unfunded.Address)
	owed := new(big.Int)
	for _, r := range h.rows.rows {
		owed.Add(owed, new(big.Int).Mul(r.MaxFee.Big(), new(big.Int).SetUint64(r.GasLimit)))
	}
	require.Equal(t, owed.Sub(owed, big.NewInt(1_000)), unfunded.Missing)
	require.ErrorContains(t, err, common.Address(address(h.operator)).Hex())
	require.ErrorContains(t, err, "lacks")
	require.ErrorContains(t, err, "insufficient funds")
}
